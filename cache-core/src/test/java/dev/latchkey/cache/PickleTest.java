package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pickles made by hand: each string is a pickle in ISO-8859-1. */
class PickleTest {
    private static final int STEPS = 50_000;
    private static final Duration SOON = Duration.ofSeconds(20);

    record Point(int x, List<String> names) {}

    @SuppressWarnings("ArrayRecordComponent") // bytes in a record are what is tested
    record Photo(String name, byte[] content) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Photo that && name.equals(that.name) && Arrays.equals(content, that.content);
        }

        @Override
        public int hashCode() {
            return name.hashCode();
        }
    }

    private final Codec codec = Codecs.json();

    private static byte[] bytes(String pickle) {
        return pickle.getBytes(StandardCharsets.ISO_8859_1);
    }

    private @Nullable Object read(String pickle) {
        return codec.decode(StoredValue.pickle(bytes(pickle)));
    }

    private <V> @Nullable V read(String pickle, TypeToken<V> type) {
        return codec.decode(StoredValue.pickle(bytes(pickle)), type);
    }

    private <V> @Nullable V read(String pickle, Class<V> type) {
        return read(pickle, TypeToken.of(type));
    }

    private void refused(String pickle, String why) {
        refused(bytes(pickle), why);
    }

    private void refused(byte[] pickle, String why) {
        CodecException e = assertThrows(CodecException.class, () -> codec.decode(StoredValue.pickle(pickle)));
        assertTrue(
                e.getMessage().startsWith("stored PICKLE of " + pickle.length + " bytes cannot be read: "),
                e.getMessage());
        assertTrue(e.getMessage().contains(why), e.getMessage());
        assertTrue(e.getMessage().length() < 500, "message of " + e.getMessage().length() + " characters");
    }

    private void refusedAs(String pickle, TypeToken<?> type) {
        CodecException e = assertThrows(CodecException.class, () -> read(pickle, type));
        assertTrue(
                e.getMessage().startsWith("stored ")
                        && e.getMessage()
                                .contains(" cannot be read as " + type.getType().getTypeName() + ": "),
                e.getMessage());
    }

    private void refusedAs(String pickle, Class<?> type) {
        refusedAs(pickle, TypeToken.of(type));
    }

    private static String little(int size, long value) {
        byte[] all = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        return new String(all, 0, size, StandardCharsets.ISO_8859_1);
    }

    private static String text(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        return "X" + little(4, utf8.length) + new String(utf8, StandardCharsets.ISO_8859_1);
    }

    // --- leaves

    @Test
    void noneIsNullWhateverIsWanted() {
        assertNull(read("N."));
        assertNull(read("\u0080\5N.", int.class));
        assertNull(read("N.", Point.class));
    }

    @Test
    void boolsAreBooleans() {
        assertEquals(true, read("\u0088."));
        assertEquals(false, read("\u0089."));
        assertEquals(true, read("I01\n.", boolean.class));
        assertEquals(false, read("I00\n."));
    }

    @Test
    void intsAreLongsUpTo64BitsAndBigIntegersBeyond() {
        assertEquals(255L, read("K\u00FF."));
        assertEquals(65535L, read("M\u00FF\u00FF."));
        assertEquals(-2L, read("J\u00FE\u00FF\u00FF\u00FF."));
        assertEquals(-7L, read("I-7\n."));
        assertEquals(1L << 40, read("L1099511627776L\n."));
        assertEquals(0L, read("\u008A\0."));
        assertEquals(-1L, read("\u008A\1\u00FF."));
        assertEquals(Long.MIN_VALUE, read("\u008A\b" + little(8, Long.MIN_VALUE) + "."));
        assertEquals(Long.MAX_VALUE, read("L9223372036854775807L\n."));
        assertEquals(BigInteger.TWO.pow(63), read("L9223372036854775808L\n."));
        assertEquals(BigInteger.TWO.pow(63), read("\u008A\t" + little(8, Long.MIN_VALUE) + "\0."));
        assertEquals(BigInteger.TWO.pow(63), read("\u008B\t\0\0\0" + little(8, Long.MIN_VALUE) + "\0."));
        assertEquals(BigInteger.TEN.pow(999), read("L1" + "0".repeat(999) + "L\n."));
    }

    @Test
    void floatsAreDoubles() {
        assertEquals(1.5, read("G?\u00F8\0\0\0\0\0\0."));
        assertEquals(-1.5e-7, read("F-1.5e-07\n."));
        assertEquals(1e16, read("F1e+16\n."));
        assertEquals(Double.NaN, read("Fnan\n."));
        assertEquals(Double.NEGATIVE_INFINITY, read("F-inf\n."));
        for (String text : List.of("", "1.5d", "0x1p3", "NaN", "Infinity", " 1", "1e", ".", "1_0", "9".repeat(1001))) {
            refused("F" + text + "\n.", "no float");
        }
    }

    @Test
    void strsAreStrings() {
        assertEquals("", read("\u008C\0."));
        assertEquals("\u00FC", read("\u008C\2\u00C3\u00BC."));
        assertEquals("\uFFFD\uD83D\uDE00", read(text("\uFFFD\uD83D\uDE00") + "."));
        assertEquals("ab", read("\u008D" + little(8, 2) + "ab."));
        assertEquals("a\n\\\uD83D\uDE00\u00FC\\x\\", read("Va\\u000a\\u005c\\U0001f600\u00FC\\x\\\n."));
        for (String wrong : List.of("\\u00g0", "\\u00", "\\U00110000", "\\Uffffffff", "\\U7fffffff")) {
            refused("V" + wrong + "\n.", "no character");
        }
        for (String wrong : List.of("\u00FF", "\u00C3", "\u00C0\u0080", "\u00ED\u00A0", "\u00F8\u0088\u0080\u0080")) {
            refused("X" + little(4, wrong.length()) + wrong + ".", "not UTF-8");
        }
    }

    @Test
    void halfASurrogatePairThatPythonAllowsIsKept() {
        assertEquals("a\uD83Db\uDC00", read("\u008C\b" + "a\u00ED\u00A0\u00BDb\u00ED\u00B0\u0080."));
        assertEquals("\uD83D", read("V\\ud83d\n."));
    }

    @Test
    void bytesAndBytearraysAreBytes() {
        byte[] expected = {0, -1};
        for (String pickle : List.of(
                "C\2\0\u00FF.",
                "B\2\0\0\0\0\u00FF.",
                "\u008E" + little(8, 2) + "\0\u00FF.",
                "\u0096" + little(8, 2) + "\0\u00FF.",
                "c_codecs\nencode\n(V\\u0000\u00FF\nVlatin1\ntR.",
                "c__builtin__\nbytearray\n(c_codecs\nencode\n(V\\u0000\u00FF\nVlatin1\ntRtR.",
                "c__builtin__\nbytearray\n(V\\u0000\u00FF\nVlatin-1\ntR.",
                "cbuiltins\nbytearray\nC\2\0\u00FF\u0085R.",
                "\u008C\bbuiltins\u008C\tbytearray\u0093C\2\0\u00FF\u0085R.")) {
            assertArrayEquals(expected, (byte[]) read(pickle), pickle);
            assertArrayEquals(expected, read(pickle, byte[].class), pickle);
        }
        assertArrayEquals(new byte[0], (byte[]) read("c__builtin__\nbytes\n)R."));
        assertArrayEquals(new byte[0], (byte[]) read("cbuiltins\nbytearray\n)R."));
    }

    // --- containers

    @Test
    void listsAndTuplesAreLists() {
        assertEquals(List.of(), read("]."));
        assertEquals(List.of(), read(")."));
        assertEquals(List.of(1L, 2L), read("]K\1aK\2a."));
        assertEquals(List.of(1L, 2L, 3L), read("](K\1K\2eK\3a."));
        assertEquals(List.of(1L, 2L), read("(K\1K\2l."));
        assertEquals(List.of(1L, 2L), read("(K\1K\2t."));
        assertEquals(List.of(1L), read("K\1\u0085."));
        assertEquals(List.of(1L, 2L), read("K\1K\2\u0086."));
        assertEquals(Arrays.asList(1L, null, true), read("K\1N\u0088\u0087."));
    }

    @Test
    void dictsAreMapsInTheirOrderWithAnyKey() {
        Map<?, ?> map = (Map<?, ?>) read("}(" + text("b") + "K\1" + text("a") + "K\2NK\3K\1K\2\u0086K\4G"
                + "\0".repeat(8) + "K\5u" + "K\6K\7s.");
        assertEquals(Arrays.asList("b", "a", null, List.of(1L, 2L), 0.0, 6L), new ArrayList<>(map.keySet()));
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 7L), new ArrayList<>(map.values()));
        assertEquals(Map.of(), read("(d."));
        assertEquals(Map.of(1L, 2L), read("(K\1K\2d."));
        refused("(K\1K\2K\1K\2d.", "two equal keys");
    }

    @Test
    void setsAreSetsInTheirOrder() {
        for (String pickle : List.of(
                "\u008F(K\2K\1\u0090.",
                "(K\2K\1\u0091.",
                "c__builtin__\nset\n(]K\2aK\1atR.",
                "c__builtin__\nfrozenset\n((K\2K\1ltR.",
                "cbuiltins\nset\n](K\2K\1e\u0085R.",
                "\u008C\bbuiltins\u008C\tfrozenset\u0093](K\2K\1e\u0085R.")) {
            Set<?> set = assertInstanceOf(Set.class, read(pickle), pickle);
            assertEquals(List.of(2L, 1L), new ArrayList<>(set), pickle);
        }
        assertEquals(Set.of(), read("cbuiltins\nset\n)R."));
        assertEquals(Set.of(Set.of(1L)), read("\u008F((K\1\u0091\u0090."));
    }

    @Test
    void theMemoSharesValues() {
        assertEquals(List.of(List.of(1L), List.of(1L), List.of(1L)), read("(]q\0K\1ah\0g0\nt."));
        List<?> list = (List<?>) read("(]\u0094K\1ah\0j\0\0\0\0t.");
        assertEquals(List.of(List.of(1L), List.of(1L), List.of(1L)), list);
        assertSame(list.get(0), list.get(2));
        assertEquals(List.of(5L, 5L), read("K\5r\1\0\0\0p2\n0h\1h\2\u0086."));
        assertEquals(List.of("a", "a"), read("\u008C\1a2\u0086."));
    }

    @Test
    void framesAndMarksArePassedOver() {
        assertEquals(List.of(1L), read("\u0080\5\u0095" + little(8, 4) + "]K\1a."));
        assertEquals(1L, read("K\1(K\2K\0031(0."));
    }

    // --- more than a tree

    @Test
    void anObjectIsRefusedWithItsClassAndTheInstruction() {
        refused("cos\nsystem\n(Vtouch x\ntR.", "more than a plain tree: GLOBAL of os.system");
        refused("\u008C\5posix\u008C\6system\u0093.", "more than a plain tree: STACK_GLOBAL of posix.system");
        refused("ccollections\nOrderedDict\n)R.", "GLOBAL of collections.OrderedDict");
        refused("cbuiltins\neval\n", "GLOBAL of builtins.eval");
        refused("cbuiltins.set\n\n", "GLOBAL of builtins.set.");
        refused("cjava.lang\nRuntime\n", "GLOBAL of java.lang.Runtime");
        refused("(ios\nsystem\n.", "INST of os.system");
        refused("(cbuiltins\nset\no.", "OBJ");
        refused("cbuiltins\nset\n)\u0081.", "NEWOBJ");
        refused("cbuiltins\nset\n)}\u0092.", "NEWOBJ_EX");
        refused("]}b.", "BUILD");
        refused("Pid\n.", "PERSID id");
        refused("K\1Q.", "BINPERSID");
        refused("\u0082\1.", "EXT1 1");
        refused("\u0083\1\1.", "EXT2 257");
        refused("\u0084\1\0\0\0.", "EXT4 1");
        refused("\u0097.", "NEXT_BUFFER");
        refused("C\0\u0098.", "READONLY_BUFFER");
        refused("c" + "m".repeat(1000) + "\nn\n", "GLOBAL of mmm");
    }

    @Test
    void theKnownCallablesTakeOnlyWhatPythonGivesThem() {
        for (String pickle : List.of(
                "cbuiltins\nset\nK\1\u0085R.",
                "cbuiltins\nset\n]]\u0086R.",
                "cbuiltins\nfrozenset\n)\u0085R.",
                "cbuiltins\nbytes\nK\1\u0085R.",
                "cbuiltins\nbytearray\nK\1\u0085R.",
                "cbuiltins\nbytearray\nJ\0\0\0\u007F\u0085R.",
                "c_codecs\nencode\n" + text("a") + text("zip") + "\u0086R.",
                "c_codecs\nencode\n" + text("a") + "\u0085R.",
                "]]R.",
                "K\1)R.",
                "cbuiltins\nset\n]R.")) {
            refused(pickle, "more than a plain tree: REDUCE of ");
        }
        refused("c_codecs\nencode\n" + text("\u0100") + text("latin1") + "\u0086R.", "above 255");
    }

    @Test
    void aCallableIsNoValue() {
        refused("cbuiltins\nset\n.", "the callable SET");
        refused("]c_codecs\nencode\na.", "the callable ENCODE");
    }

    @Test
    void aStrOfPython2IsRefused() {
        refused("S'a'\n.", "Python 2");
        refused("T\1\0\0\0a.", "Python 2");
        refused("U\1a.", "Python 2");
    }

    // --- malformed

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "N",
                "NN.",
                "(N.",
                "N..",
                "N.N",
                "\u0080",
                "\u0080\6N.",
                "\u00FFN.",
                "\0",
                "0",
                "1",
                "2",
                "K",
                "I",
                "I1",
                "I\n.",
                "Ix\n.",
                "I1_0\n.",
                "I0101\n.", // Python reads it as octal, or not at all
                "L+1L\n.",
                "L\n.",
                "LL\n.",
                "\u008A\2\1.",
                "\u008B\u00FF\u00FF\u00FF\u00FF.",
                "\u008C\2a.",
                "a",
                "]a.",
                "K\1K\2a.",
                ")K\1a.",
                "](a.",
                "e",
                "](K\1u.",
                "}(K\1u.",
                "}K\1s.",
                "(K\1d.",
                "](K\1\u0090.",
                "(\u0091(K\1\u0090.",
                "\u0085.",
                "N(\u0085.",
                "NN\u0087.",
                "q\0.",
                "(q\0.",
                "Nq\7.",
                "Np-1\n.",
                "Np99999999999999999999\n.",
                "Nr\u00FF\u00FF\u00FF\u00FF.",
                "h\0.",
                "g0\n.",
                "g-1\n.",
                "Nq\1h\0.",
                "j\u00FF\u00FF\u00FF\u00FF.",
                "R",
                "NR",
                "\u0093",
                "NN\u0093.",
                "ca\n",
                "cbuiltins\nset"
            })
    void whatIsNoPickleIsRefused(String pickle) {
        refused(pickle, "");
        CodecException e = assertThrows(CodecException.class, () -> read(pickle, Point.class));
        assertNull(e.getCause());
    }

    @Test
    void aLengthIsComparedWithWhatIsLeft() {
        for (String opcode : List.of("X", "B")) {
            refused(opcode + "\u00FF\u00FF\u00FF\u00FFab.", "it is cut short: 4294967295 bytes");
        }
        for (String opcode : List.of("\u008D", "\u008E", "\u0096")) {
            refused(opcode + "\u00FF".repeat(8) + "ab.", "it is cut short: 18446744073709551615 bytes");
            refused(opcode + little(8, Long.MAX_VALUE) + "ab.", "it is cut short");
        }
        refused("\u0095" + "\u00FF".repeat(8) + "N.", "a frame of 18446744073709551615 bytes");
        refused("\u0095" + little(8, 3) + "N.", "a frame of 3 bytes");
    }

    @Test
    void anIntegerOfManyDigitsCostsNothing() {
        assertTimeoutPreemptively(SOON, () -> {
            refused("L" + "9".repeat(50_000_000) + "L\n.", "1000 are allowed");
            refused("I-" + "9".repeat(1001) + "\n.", "1000 are allowed");
            refused("\u008B" + little(4, 50_000_000) + "\u007F".repeat(50_000_000) + ".", "416 are allowed");
            refused("](" + ("L" + "9".repeat(1000) + "L\n").repeat(10_000) + "e", "it is cut short");
        });
    }

    @Test
    void anythingButABlobIsRefused() {
        StoredValue text = new StoredValue(StoredValue.Mode.PICKLE, "N.");
        assertTrue(assertThrows(CodecException.class, () -> codec.decode(text))
                .getMessage()
                .contains("TEXT"));
        assertThrows(CodecException.class, () -> codec.decode(text, TypeToken.of(Object.class)));
    }

    // --- depth, cycles, sharing

    @Test
    void deepNestingIsRefusedAndDoesNotOverflowTheStack() {
        assertNotNull(read("]".repeat(500) + "a".repeat(499) + "."));
        for (int depth : new int[] {501, 100_000, 1_000_000}) {
            refused("]".repeat(depth) + "a".repeat(depth - 1) + ".", "more than 500 levels");
            refused(")" + "\u0085".repeat(depth - 1) + ".", "more than 500 levels");
            refused("}".repeat(depth), "it is cut short");
            refused("(".repeat(depth) + "t".repeat(depth) + ".", "more than 500 levels");
            refused("(".repeat(depth) + "\u0091".repeat(depth) + ".", "more than 500 levels");
        }
    }

    @Test
    void whatIsSharedCountsWithItsWholeDepth() {
        String shared = "]".repeat(300) + "a".repeat(299) + "q\0";
        refused("]" + shared + "a" + "]".repeat(250) + "h\0" + "a".repeat(250) + "a.", "more than 500 levels");
        assertNotNull(read("]" + shared + "a" + "]".repeat(150) + "h\0" + "a".repeat(150) + "a."));
    }

    @Test
    void cyclesAreRefused() {
        refused("]q\0h\0a.", "a LIST is inside itself");
        refused("}q\0K\1h\0s.", "a DICT is inside itself");
        refused("]q\0h\0\u0085a.", "is inside itself");
        refused("]q\0(h\0\u0091a.", "is inside itself");
        refused("\u008Fq\0(h\0\u0090.", "a SET is inside itself");
        refused("cbuiltins\nset\n]q\0h\0a\u0085R.", "a list of which a set was made is used as a list too");
    }

    /** Each step makes a pair of what the step before made. */
    private static String doubled(String first, int steps) {
        StringBuilder pickle = new StringBuilder(first);
        for (int i = 0; i < steps; i++) {
            pickle.append("2\u0086");
        }
        return pickle.append('.').toString();
    }

    @Test
    void aShortPickleDoesNotBecomeAnExponentialTree() {
        assertTimeoutPreemptively(SOON, () -> {
            assertNotNull(read(doubled("N", 15)));
            refused(doubled("N", 25), "more than");
            refused(doubled("N", 450), "more than");
            refused("}" + doubled("N", 25).replace(".", "Ns."), "more than");
            refused("]" + text("x".repeat(100_000)) + "q\0a" + "h\0a".repeat(100_000) + ".", "more than");
        });
    }

    @Test
    void whatPythonSharesOftenIsRead() {
        String row = "}(" + text("a long name of a column") + "q\0K\1" + text("another long name") + "q\1K\2u";
        String rows = "(" + row + "}(h\0K\1h\1K\2u".repeat(200_000) + "l.";
        assertEquals(200_001, ((List<?>) read(rows)).size());
        assertEquals(200_001, ((List<?>) read("(N\u0085q\0" + "h\0".repeat(200_000) + "l.")).size());
    }

    @Test
    void copiesAreNotMadeOfWhatIsShared() {
        String list = "](" + "N".repeat(1_000_000) + "eq\0" + "cbuiltins\nset\nq\1";
        refused(list + "h\1h\0\u0085R".repeat(100_000), "REDUCE of SET");
        String encode = "c_codecs\nencode\nq\0" + text("x".repeat(1_000_000)) + text("latin1") + "\u0086q\1";
        refused(encode + "h\0h\1R".repeat(100_000), "more bytes than stand in it");
    }

    @Test
    void keysOfOneHashAreRefusedOrReadButDoNotHang() {
        assertTimeoutPreemptively(SOON, () -> {
            StringBuilder pairs = new StringBuilder("}(");
            StringBuilder texts = new StringBuilder("}(");
            StringBuilder mixed = new StringBuilder("\u008F(");
            for (int i = 0; i < 1 << 16; i++) {
                pairs.append('J')
                        .append(little(4, i))
                        .append('J')
                        .append(little(4, 31L * ((1 << 16) - i)))
                        .append("\u0086N");
                StringBuilder collision = new StringBuilder();
                for (int bit = 0; bit < 16; bit++) {
                    collision.append((i >> bit & 1) == 0 ? "Aa" : "BB");
                }
                texts.append(text(collision.toString())).append('N');
                int hash = "AaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAa".hashCode();
                mixed.append(text(collision.toString()))
                        .append("\u008A\b")
                        .append(little(8, (long) i << 32 | Integer.toUnsignedLong(hash ^ i)));
            }
            refused(pairs + "u.", "equal hashes");
            refused(mixed + "\u0090.", "equal hashes");
            assertEquals(1 << 16, ((Map<?, ?>) read(texts + "u.")).size());
        });
    }

    @Test
    void manyTuplesAreKeys() {
        StringBuilder grid = new StringBuilder("}(");
        for (int i = 0; i < 300; i++) {
            for (int j = 0; j < 300; j++) {
                grid.append('M')
                        .append(little(2, i))
                        .append('M')
                        .append(little(2, j))
                        .append("\u0086\u0088");
            }
        }
        Map<?, ?> map = (Map<?, ?>) read(grid + "u.");
        assertEquals(90_000, map.size());
        assertEquals(true, map.get(List.of(299L, 299L)));
    }

    /**
     * Python's pickles of {@code s = [7, 's']} and <code>{'a': [s, s, True, None, 1.5], 'b': b'x\xff', 'y':
     * bytearray(b'ab'), 't': (1, 2**40), 'u': {-3}, 'f': {(1, 'k'): frozenset([300])}, '\\ü': 2**70}</code>.
     */
    private static final List<String> VALID = List.of(
            // protocol 0
            "286470300a56610a70310a286c70320a286c70330a49370a6156730a70340a616167330a614930310a614e6146"
                    + "312e350a617356620a70350a635f636f646563730a656e636f64650a70360a285678ff0a70370a566c6174696e"
                    + "310a70380a7470390a527031300a7356790a7031310a635f5f6275696c74696e5f5f0a6279746561727261790a"
                    + "7031320a2867360a285661620a7031330a67380a747031340a527031350a747031360a527031370a7356740a70"
                    + "31380a2849310a4c313039393531313632373737364c0a747031390a7356750a7032300a635f5f6275696c7469"
                    + "6e5f5f0a7365740a7032310a28286c7032320a492d330a61747032330a527032340a7356660a7032350a286470"
                    + "32360a2849310a566b0a7032370a747032380a635f5f6275696c74696e5f5f0a66726f7a656e7365740a703239"
                    + "0a28286c7033300a493330300a61747033310a527033320a7373565c7530303563fc0a7033330a4c3131383035"
                    + "39313632303731373431313330333432344c0a732e",
            // protocol 2
            "80027d71002858010000006171015d7102285d7103284b075801000000737104656803884e473ff80000000000"
                    + "00655801000000627105635f636f646563730a656e636f64650a7106580300000078c3bf710758060000006c61"
                    + "74696e31710886710952710a580100000079710b635f5f6275696c74696e5f5f0a6279746561727261790a710c"
                    + "680658020000006162710d680886710e52710f85711052711158010000007471124b018a060000000000018671"
                    + "135801000000757114635f5f6275696c74696e5f5f0a7365740a71155d71164afdffffff618571175271185801"
                    + "0000006671197d711a4b0158010000006b711b86711c635f5f6275696c74696e5f5f0a66726f7a656e7365740a"
                    + "711d5d711e4d2c016185711f5271207358030000005cc3bc71218a09000000000000000040752e",
            // protocol 3
            "80037d71002858010000006171015d7102285d7103284b075801000000737104656803884e473ff80000000000"
                    + "00655801000000627105430278ff71065801000000797107636275696c74696e730a6279746561727261790a71"
                    + "0843026162710985710a52710b580100000074710c4b018a0600000000000186710d580100000075710e636275"
                    + "696c74696e730a7365740a710f5d71104afdffffff6185711152711258010000006671137d71144b0158010000"
                    + "006b7115867116636275696c74696e730a66726f7a656e7365740a71175d71184d2c016185711952711a735803"
                    + "0000005cc3bc711b8a09000000000000000040752e",
            // protocol 4
            "80049596000000000000007d94288c0161945d94285d94284b078c017394656803884e473ff800000000000065"
                    + "8c016294430278ff948c0179948c086275696c74696e73948c0962797465617272617994939443026162948594"
                    + "52948c0174944b018a0600000000000186948c0175948f94284afdffffff908c0166947d944b018c016b948694"
                    + "284d2c019194738c035cc3bc948a09000000000000000040752e",
            // protocol 5
            "80059580000000000000007d94288c0161945d94285d94284b078c017394656803884e473ff800000000000065"
                    + "8c016294430278ff948c0179949602000000000000006162948c0174944b018a0600000000000186948c017594"
                    + "8f94284afdffffff908c0166947d944b018c016b948694284d2c019194738c035cc3bc948a0900000000000000"
                    + "0040752e");

    private static List<byte[]> valid() {
        return VALID.stream().map(HexFormat.of()::parseHex).toList();
    }

    @Test
    void mutatedPicklesAreReadOrRefusedButNothingElse() {
        long seed = System.nanoTime();
        System.out.println("PickleTest seed " + seed);
        Random random = new Random(seed);
        List<byte[]> valid = valid();
        int refused = 0;
        for (int step = 0; step < STEPS; step++) {
            byte[] pickle = mutated(valid.get(random.nextInt(valid.size())), random);
            try {
                refused += reads(pickle, TypeToken.of(Object.class)) ? 0 : 1;
                reads(pickle, new TypeToken<Map<String, List<Integer>>>() {});
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", step " + step + ": " + Arrays.toString(pickle), e);
            }
        }
        assertTrue(refused > STEPS / 10 && refused < STEPS - STEPS / 50, refused + " of " + STEPS + " refused");
    }

    private boolean reads(byte[] pickle, TypeToken<?> type) {
        try {
            touch(codec.decode(StoredValue.pickle(pickle), type));
            return true;
        } catch (CodecException e) {
            return false;
        }
    }

    /** What a caller may do with a tree without a thought. */
    private static void touch(@Nullable Object tree) {
        assertNotNull(String.valueOf(tree));
        if (tree != null) {
            assertEquals(tree.hashCode(), tree.hashCode());
            assertEquals(tree, tree);
        }
    }

    private static byte[] mutated(byte[] pickle, Random random) {
        String opcodes =
                "(.012FGIJKLMNRVX]}abceghjlpqrstu)d\u0080\u0085\u0086\u0087\u0088\u008A\u008C\u008F\u0090\u0091\u0094\u0096";
        byte[] result = pickle.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes && result.length > 0; i++) {
            int at = random.nextInt(result.length);
            switch (random.nextInt(5)) {
                case 0 -> result[at] = (byte) random.nextInt(256);
                case 1 -> result[at] = (byte) opcodes.charAt(random.nextInt(opcodes.length()));
                case 2 -> result = spliced(result, at, random.nextInt(3), new byte[0]);
                case 3 ->
                    result = spliced(
                            result,
                            at,
                            0,
                            bytes(opcodes.substring(random.nextInt(opcodes.length()))
                                    .substring(0, 1)));
                default ->
                    result = spliced(
                            result,
                            at,
                            0,
                            Arrays.copyOfRange(result, at, Math.min(result.length, at + random.nextInt(8))));
            }
        }
        return result;
    }

    private static byte[] spliced(byte[] bytes, int at, int removed, byte[] inserted) {
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        result.write(bytes, 0, at);
        result.writeBytes(inserted);
        int rest = Math.min(bytes.length, at + removed);
        result.write(bytes, rest, bytes.length - rest);
        return result.toByteArray();
    }

    @Test
    void theUnchangedPicklesOfTheMutationsAreRead() {
        valid().forEach(pickle -> assertNotNull(codec.decode(StoredValue.pickle(pickle))));
    }

    @Test
    void everyBeginningOfAPickleIsRefused() {
        for (byte[] pickle : valid()) {
            for (int length = 0; length < pickle.length; length++) {
                byte[] beginning = Arrays.copyOf(pickle, length);
                assertThrows(CodecException.class, () -> codec.decode(StoredValue.pickle(beginning)));
            }
        }
    }

    // --- wanted types

    @Test
    void aTypeOfWhichTheTreeIsAnInstanceGivesTheTree() {
        String dict = "}" + text("a") + "K\1s.";
        assertEquals(Map.of("a", 1L), read(dict, Map.class));
        assertEquals(Map.of("a", 1L), read(dict, Object.class));
        assertEquals(List.of(1L), read("]K\1a.", Iterable.class));
        assertEquals("x", read(text("x") + ".", String.class));
        assertEquals("x", read(text("x") + ".", CharSequence.class));
        assertEquals(BigInteger.TWO.pow(64), read("L18446744073709551616L\n.", Number.class));
    }

    @Test
    void aNumberIsReadAsFromAColumn() {
        assertEquals(5, read("K\5.", int.class));
        assertEquals(5.0, read("K\5.", double.class));
        assertEquals(0.5f, read("F0.5\n.", float.class));
        refusedAs("M\0\1.", byte.class);
        refusedAs("K\5.", String.class);
        refusedAs("F5.0\n.", long.class);
        refusedAs("C\0.", String.class);
    }

    @Test
    void aTreeIsBoundLikeJson() {
        String point =
                "}(" + text("x") + "K\7" + text("names") + text("a") + text("b") + "\u0086" + text("new") + "Nu.";
        assertEquals(new Point(7, List.of("a", "b")), read(point, Point.class));
        assertEquals(
                Map.of(1, Set.of(2)), read("}K\1\u008F(K\2\u0090s.", new TypeToken<Map<Integer, Set<Integer>>>() {}));
        assertEquals(Map.of(true, 0.5), read("}\u0088F0.5\ns.", new TypeToken<Map<Boolean, Double>>() {}));
        assertEquals(List.of(Double.NaN), read("]Fnan\na.", new TypeToken<List<Double>>() {}));
        assertEquals(Instant.EPOCH, read(text("1970-01-01T00:00:00Z") + ".", Instant.class));
        assertArrayEquals(new int[] {1, 2}, read("K\1K\2\u0086.", int[].class));
        String photo = "}(" + text("name") + text("n") + text("content") + "C\2\0\1u.";
        assertEquals(new Photo("n", new byte[] {0, 1}), read(photo, Photo.class));
    }

    @Test
    void aTreeThatDoesNotFitIsRefused() {
        refusedAs("}" + text("x") + "J\0\0\0\u0080s.", new TypeToken<List<String>>() {});
        refusedAs("}" + text("x") + text("5") + "s.", Point.class);
        refusedAs("}" + text("x") + "F1.5\ns.", Point.class);
        refusedAs("]L99999999999999999999L\na.", long[].class);
        refusedAs("]Fnan\na.", new TypeToken<List<BigInteger>>() {});
        refusedAs("\u0088.", int.class);
        refusedAs(text("5") + ".", int.class);
        refusedAs(text("java.lang.String") + ".", Class.class);
    }

    @Test
    void keysWithoutOneNameAreRefusedWhereJsonIsWanted() {
        TypeToken<Map<String, Integer>> type = new TypeToken<>() {};
        for (String key : List.of("N", "C\0", ")", "(\u0091")) {
            refusedAs("}" + key + "K\1s.", type);
            assertEquals(1, read("}" + key + "K\1s.", Map.class).size());
        }
        refusedAs("}(K\1K\1" + text("1") + "K\2u.", type);
    }

    @Test
    void tenMegabytesAreReadAsAnyOther() {
        byte[] pickle = bytes("](" + "J\1\2\3\4".repeat(2_000_000) + "e.");
        assertEquals(2_000_000, ((List<?>) codec.decode(StoredValue.pickle(pickle))).size());
    }
}

package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.Codecs;
import dev.latchkey.cache.StoredValue;
import dev.latchkey.testing.Python;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the real pickle of Python writes, in each protocol, alone and through diskcache. */
@Tag("process")
class PythonPickleTest {
    private static final String TREE = """
            import sys, pickle, diskcache
            shared = ['shared', (1, 2)]
            tree = {
                'none': None, 'bools': [True, False],
                'ints': [0, 1, -1, 255, 256, 65535, 65536, -2**31, 2**31 - 1, 2**31, 2**63 - 1, -2**63],
                'bigs': [2**63, -2**63 - 1, 2**64, 10**999, -10**999, 2**2040, -2**2040],
                'floats': [0.0, -0.0, 0.1, 1e300, 5e-324, float('inf'), float('-inf'), float('nan')],
                'strs': ['', 'a', 'ü', '\\U0001F600', '\\n\\r\\\\\\0\\x1a\\ufffd', '\\ud800', 'x' * 300, 'y' * 70000],
                'bytes': [b'', bytes(range(256)), b'z' * 70000],
                'bytearrays': [bytearray(), bytearray(range(256)), bytearray(b'z' * 70000)],
                'tuples': [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
                'sets': [set(), {7}, frozenset(), frozenset([7]), {frozenset([7])}, set(range(2500))],
                'keys': {None: 1, True: 2, 5: 3, 0.5: 4, (1, 'a'): 5, frozenset([7]): 6},
                'shared': [shared, shared],
                'long list': list(range(2500)), 'long dict': {i: str(i) for i in range(2500)},
            }
            """;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private static void requireTree(Object read) {
        Map<?, ?> tree = assertInstanceOf(Map.class, read);
        assertEquals(
                List.of("none", "bools", "ints", "bigs", "floats", "strs", "bytes", "bytearrays"),
                new ArrayList<>(tree.keySet()).subList(0, 8));
        assertTrue(tree.containsKey("none"));
        assertNull(tree.get("none"));
        assertEquals(List.of(true, false), tree.get("bools"));
        long int31 = 1L << 31;
        assertEquals(
                List.of(
                        0L,
                        1L,
                        -1L,
                        255L,
                        256L,
                        65535L,
                        65536L,
                        -int31,
                        int31 - 1,
                        int31,
                        Long.MAX_VALUE,
                        Long.MIN_VALUE),
                tree.get("ints"));
        BigInteger two63 = BigInteger.TWO.pow(63);
        BigInteger digits = BigInteger.TEN.pow(999);
        BigInteger bits = BigInteger.TWO.pow(2040);
        assertEquals(
                List.of(
                        two63,
                        two63.negate().subtract(BigInteger.ONE),
                        two63.shiftLeft(1),
                        digits,
                        digits.negate(),
                        bits,
                        bits.negate()),
                tree.get("bigs"));
        double infinity = Double.POSITIVE_INFINITY;
        assertEquals(
                List.of(0.0, -0.0, 0.1, 1e300, Double.MIN_VALUE, infinity, -infinity, Double.NaN), tree.get("floats"));
        String control = "\n\r\\\0\u001a\uFFFD";
        assertEquals(
                List.of("", "a", "ü", "\uD83D\uDE00", control, "\uD800", "x".repeat(300), "y".repeat(70_000)),
                tree.get("strs"));
        requireBytes((List<?>) tree.get("bytes"));
        requireBytes((List<?>) tree.get("bytearrays"));
        assertEquals(
                List.of(List.of(), List.of(1L), List.of(1L, 2L), List.of(1L, 2L, 3L), List.of(1L, 2L, 3L, 4L)),
                tree.get("tuples"));
        List<?> sets = (List<?>) tree.get("sets");
        assertEquals(List.of(Set.of(), Set.of(7L), Set.of(), Set.of(7L), Set.of(Set.of(7L))), sets.subList(0, 5));
        assertEquals(2500, ((Set<?>) sets.get(5)).size());
        Map<?, ?> keys = (Map<?, ?>) tree.get("keys");
        assertEquals(Arrays.asList(null, true, 5L, 0.5, List.of(1L, "a"), Set.of(7L)), new ArrayList<>(keys.keySet()));
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L), new ArrayList<>(keys.values()));
        List<?> shared = List.of("shared", List.of(1L, 2L));
        assertEquals(List.of(shared, shared), tree.get("shared"));
        assertEquals(2499L, ((List<?>) tree.get("long list")).get(2499));
        assertEquals("2499", ((Map<?, ?>) tree.get("long dict")).get(2499L));
    }

    private static void requireBytes(List<?> read) {
        byte[] all = new byte[256];
        byte[] many = new byte[70_000];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        Arrays.fill(many, (byte) 'z');
        assertArrayEquals(new byte[][] {new byte[0], all, many}, read.toArray(new byte[0][]));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void aTreeIsReadFromEveryProtocol(int protocol) throws IOException {
        Path plain = directory.resolve("plain");
        Path optimized = directory.resolve("optimized");
        Path pure = directory.resolve("pure");
        Python.run(TREE + """
                import pickletools
                pickled = pickle.dumps(tree, int(sys.argv[1]))
                open(sys.argv[2], 'wb').write(pickled)
                open(sys.argv[3], 'wb').write(pickletools.optimize(pickled))
                with open(sys.argv[4], 'wb') as file:
                    pickle._Pickler(file, int(sys.argv[1])).dump(tree)
                """, Integer.toString(protocol), plain.toString(), optimized.toString(), pure.toString());
        for (Path file : List.of(plain, optimized, pure)) {
            requireTree(Codecs.json().decode(StoredValue.pickle(Files.readAllBytes(file))));
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // bytes in a record are what is tested
    record Row(String name, List<Integer> sizes, LocalDate day, byte[] content) {}

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void aTreeIsReadFromDiskcacheInlineAndFromAFile(int protocol) {
        Path path = directory.resolve("cache");
        Python.run(TREE + """
                cache = diskcache.Cache(sys.argv[1], disk_pickle_protocol=int(sys.argv[2]))
                cache['file'] = tree
                cache['inline'] = tree['sets'][:5]
                cache['big'] = 2**70
                cache['none'] = None
                cache['true'] = True
                cache['row'] = {'name': 'n', 'sizes': (1, 2), 'day': '2026-02-28', 'content': b'\\x00\\xff', 'new': {1}}
                cache['object'] = {'when': __import__('datetime').date(2026, 2, 28)}
                modes = cache._sql('SELECT DISTINCT mode FROM Cache WHERE key != "none" ORDER BY 1').fetchall()
                assert modes == [(4,)], modes
                assert cache._sql('SELECT filename IS NULL FROM Cache WHERE key = "file"').fetchall() == [(0,)]
                cache.close()
                """, path.toString(), Integer.toString(protocol));
        try (Cache cache = Cache.open(path)) {
            requireTree(cache.get("file"));
            assertEquals(List.of(Set.of(), Set.of(7L), Set.of(), Set.of(7L), Set.of(Set.of(7L))), cache.get("inline"));
            assertEquals(BigInteger.TWO.pow(70), cache.get("big", BigInteger.class));
            assertNull(cache.get("none"));
            assertEquals(true, cache.get("true", boolean.class));
            Row row = cache.get("row", Row.class);
            assertEquals("n[1, 2]2026-02-28", row.name + row.sizes + row.day);
            assertArrayEquals(new byte[] {0, -1}, row.content);
            String message = assertThrows(CodecException.class, () -> cache.get("object"))
                    .getMessage();
            assertTrue(message.contains("'object'") && message.contains("datetime.date"), message);
        }
    }

    @Test
    void aPickleThatRunsCodeIsRefusedAndRunsNothing() {
        Path path = directory.resolve("cache");
        Path touched = directory.resolve("touched");
        Python.run("""
                import sys, pathlib, diskcache
                class Trap:
                    def __reduce__(self):
                        return pathlib.Path.touch, (pathlib.Path(sys.argv[2]),)
                cache = diskcache.Cache(sys.argv[1])
                cache['trap'] = [1, Trap()]
                cache.close()
                """, path.toString(), touched.toString());
        try (Cache cache = Cache.open(path)) {
            CodecException e = assertThrows(CodecException.class, () -> cache.get("trap"));
            assertTrue(e.getMessage().contains("more than a plain tree"), e.getMessage());
        }
        assertTrue(Files.notExists(touched));
    }
}

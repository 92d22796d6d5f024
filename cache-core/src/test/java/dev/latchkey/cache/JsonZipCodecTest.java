package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import dev.latchkey.testing.TestDirectory;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compressed JSON, and a cache of it; that Python reads the same is for {@code PythonJsonDiskTest} to show. */
class JsonZipCodecTest {
    record Point(int x, double y, List<String> names) {}

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final Codec codec = Codecs.jsonZip();

    private Cache open(Codec codec) {
        return Cache.builder(directory.resolve("cache")).codec(codec).open();
    }

    private static String inflated(StoredKey key) throws IOException {
        return new String(
                new InflaterInputStream(new ByteArrayInputStream((byte[]) key.column())).readAllBytes(),
                StandardCharsets.UTF_8);
    }

    private static StoredValue deflated(String text) throws IOException {
        return StoredValue.raw(zip(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] zip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DeflaterOutputStream zip = new DeflaterOutputStream(out)) {
            zip.write(bytes);
        }
        return out.toByteArray();
    }

    @ParameterizedTest
    @CsvSource({
        "1.0, 1.0",
        "-0.0, -0.0",
        "100.0, 100.0",
        "1e15, 1000000000000000.0",
        "1e16, 1e+16",
        "1.5e300, 1.5e+300",
        "123456789012345680.0, 1.2345678901234568e+17",
        "0.0001, 0.0001",
        "0.00001, 1e-05",
        "-1.25e-7, -1.25e-07",
        "2e23, 2e+23",
        "5e-324, 5e-324",
        "Infinity, Infinity",
        "-Infinity, -Infinity"
    })
    void aRealKeyIsWrittenAsPythonsRepr(double key, String json) throws IOException {
        assertEquals(json, inflated(codec.encodeKey(key)));
        assertEquals(key, codec.decodeKey(codec.encodeKey(key)));
    }

    @Test
    void aStringKeyIsEscapedAsByPython() throws IOException {
        String key = "a\"\\/\b\f\n\r\t\0\u001f ~\u007fü\u2028\uD83D\uDE00";
        assertEquals(
                "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f ~\\u007f\\u00fc\\u2028\\ud83d\\ude00\"",
                inflated(codec.encodeKey(key)));
        assertEquals(key, codec.decodeKey(codec.encodeKey(key)));
    }

    @Test
    void keysAreWhateverJsonHolds() throws IOException {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("b", List.of(1L, 2.5, true));
        map.put("a", Map.of());
        assertEquals("{\"b\": [1, 2.5, true], \"a\": {}}", inflated(codec.encodeKey(map)));
        BigInteger large = BigInteger.TWO.pow(70);
        for (Object key : List.of("a", 7L, -1L, false, large, List.of(), List.of("x", List.of(1L)), map)) {
            assertEquals(key, codec.decodeKey(codec.encodeKey(key)));
        }
        assertEquals(codec.encodeKey(7L), codec.encodeKey((short) 7));
        assertEquals(codec.encodeKey(0.5), codec.encodeKey(0.5f));
        assertNotEquals(codec.encodeKey(1), codec.encodeKey(1.0));
    }

    @Test
    void whatIsNoJsonIsNoKey() {
        List<Object> circle = new ArrayList<>();
        circle.add(circle);
        for (Object bad : List.of(new byte[1], Double.NaN, 'c', new Object(), Map.of(1, 2), List.of('c'), circle)) {
            assertThrows(IllegalArgumentException.class, () -> codec.encodeKey(bad));
        }
        assertThrows(IllegalArgumentException.class, () -> codec.encodeKey(Arrays.asList(1, null)));
        assertThrows(NullPointerException.class, () -> codec.encodeKey(null));
    }

    @Test
    void valuesComeBackAsTheirType() {
        Point point = new Point(1, 2.5, List.of("a", "ü"));
        TypeToken<List<Point>> points = new TypeToken<>() {};
        assertEquals(point, codec.decode(codec.encode(point), TypeToken.of(Point.class)));
        assertEquals(List.of(point), codec.decode(codec.encode(List.of(point)), points));
        assertEquals("7", codec.decode(codec.encode("7"), TypeToken.of(String.class)));
        assertEquals(7, codec.decode(codec.encode(7L), TypeToken.of(int.class)));
        assertEquals(Double.NaN, codec.decode(codec.encode(Double.NaN), TypeToken.of(Double.class)));
        assertArrayEquals(new byte[] {1, 2}, codec.decode(codec.encode(new byte[] {1, 2}), TypeToken.of(byte[].class)));
        assertThrows(CodecException.class, () -> codec.decode(codec.encode("7"), TypeToken.of(Point.class)));
        assertThrows(CodecException.class, () -> codec.encode(new Object()));
    }

    @Test
    void withoutATypeAValueIsItsTree() {
        assertEquals(
                Map.of("x", 1L, "y", 2.5, "names", List.of("a")),
                codec.decode(codec.encode(new Point(1, 2.5, List.of("a")))));
        assertEquals("text", codec.decode(codec.encode("text")));
        assertNull(codec.decode(codec.encodeNull()));
        assertNull(codec.decode(codec.encodeNull(), TypeToken.of(Point.class)));
    }

    @Test
    void whatIsNoCompressedJsonIsRefused() throws IOException {
        byte[] whole = (byte[])
                Objects.requireNonNull(codec.encode("some text that is cut").column());
        List<StoredValue> bad = List.of(
                StoredValue.raw("text"),
                StoredValue.raw(7L),
                StoredValue.raw(null),
                StoredValue.raw(new byte[0]),
                StoredValue.raw(new byte[] {1, 2, 3}),
                StoredValue.raw(Arrays.copyOf(whole, whole.length - 8)),
                StoredValue.pickle(whole),
                deflated("{\"a\":"),
                deflated("1 2"),
                deflated("[".repeat(501) + "]".repeat(501)));
        for (StoredValue value : bad) {
            assertThrows(CodecException.class, () -> codec.decode(value));
            assertThrows(CodecException.class, () -> codec.decode(value, TypeToken.of(Object.class)));
        }
    }

    /** 300 MiB of zeros take 300 KiB. */
    @Test
    void aFewBytesDoNotBecomeMoreThanMayBeRead() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DeflaterOutputStream zip = new DeflaterOutputStream(out)) {
            byte[] mebibyte = new byte[1 << 20];
            for (int i = 0; i < 300; i++) {
                zip.write(mebibyte);
            }
        }
        StoredValue bomb = StoredValue.raw(out.toByteArray());
        assertTrue(out.size() < 1 << 20);
        CodecException refused = assertThrows(CodecException.class, () -> codec.decode(bomb));
        assertTrue(String.valueOf(refused.getMessage()).contains("more than"), refused::toString);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, 6, 9})
    void everyLevelReadsWhatAnotherHasWrittenButFindsItsOwnKeysOnly(int level) {
        Codec other = Codecs.jsonZip(level);
        assertEquals("v".repeat(100), codec.decode(other.encode("v".repeat(100))));
        assertEquals("key", other.decodeKey(other.encodeKey("key")));
        assertEquals(level < 0 ? 6 : level, level(other.encodeKey("key".repeat(100)), level));
    }

    /** The second byte of a stream of zlib tells about the level. */
    private static int level(StoredKey key, int expected) {
        int hint = (((byte[]) key.column())[1] & 0xFF) >> 6;
        int normalized = expected < 0 ? 6 : expected;
        int wanted = normalized < 2 ? 0 : normalized < 6 ? 1 : normalized == 6 ? 2 : 3;
        return hint == wanted ? normalized : -hint;
    }

    @ParameterizedTest
    @ValueSource(ints = {-2, 10})
    void anotherLevelIsRefused(int level) {
        assertThrows(IllegalArgumentException.class, () -> Codecs.jsonZip(level));
    }

    // In a cache

    @Test
    void aCacheOfItStoresFindsListsAndCounts() {
        try (Cache cache = open(codec)) {
            cache.set(List.of("user", 1L), new Point(1, 2, List.of()));
            cache.set("large", "x".repeat(100_000));
            assertTrue(cache.add(true, 1));
            assertEquals(3, cache.incr("n", 3));
            assertEquals(5, cache.incr("n", 2));
            assertEquals(5.5, cache.incr("n", 0.5));
            assertEquals(2.5, cache.incr("real", 2.5));
            assertThrows(CodecException.class, () -> cache.incr("large"));
            assertEquals(new Point(1, 2, List.of()), cache.get(List.of("user", 1), Point.class));
            assertEquals("x".repeat(100_000), cache.get("large", String.class));
            assertEquals(5.5, cache.get("n"));
            assertEquals(
                    List.of(List.of("user", 1L), "large", true, "n", "real"),
                    cache.keys().toList());
            assertTrue(cache.delete(true));
            assertTrue(cache.check(false).isClean());
        }
    }

    @Test
    void incompressibleTextGoesIntoAFileAndComesBack() {
        String text = new java.util.Random(1)
                .ints(60_000, 'a', 'z' + 1)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        try (Cache cache = open(codec)) {
            cache.set("a", text);
            assertEquals(text, cache.get("a", String.class));
            assertTrue(cache.check(false).isClean());
        }
    }

    @Test
    void itemsOfAQueueAreTakenAndTheirListedKeysAreAccepted() {
        try (Cache cache = open(codec)) {
            cache.push("first", "jobs", Side.BACK, EntryOptions.none());
            cache.push("second");
            for (Object key : cache.keys().toList()) {
                assertTrue(cache.containsKey(key));
            }
            assertEquals(
                    "first",
                    cache.pull("jobs", Side.FRONT, String.class).orElseThrow().value());
            assertTrue(cache.delete(cache.keys().findFirst().orElseThrow()));
        }
    }

    @Test
    void aStreamIsReadAsAStream() throws IOException {
        try (Cache cache = open(codec)) {
            cache.write("s", new ByteArrayInputStream(new byte[] {1, 2, 3}));
            assertThrows(CodecException.class, () -> cache.get("s", byte[].class));
            try (InputStream in = Objects.requireNonNull(cache.read("s"))) {
                assertArrayEquals(new byte[] {1, 2, 3}, in.readAllBytes());
            }
        }
    }

    @Test
    void aResultOfNullIsRememberedAsJson() {
        try (Cache cache = open(codec)) {
            List<Integer> calls = new ArrayList<>();
            var nothing = cache.memoize("f", MemoizeOptions.none().cacheNulls()).wrap(String.class, (Integer x) -> {
                calls.add(x);
                return null;
            });
            assertNull(nothing.apply(1));
            assertNull(nothing.apply(1));
            assertEquals(List.of(1), calls);
        }
    }

    @Test
    void theStoredLevelHolds() {
        Path path = directory.resolve("cache");
        try (Cache cache = open(Codecs.jsonZip(9))) {
            cache.set("key".repeat(50), 1);
        }
        try (Cache cache = open(Codecs.jsonZip(1));
                Cache reader = Cache.builder(path)
                        .codec(Codecs.jsonZip())
                        .readOnly(true)
                        .open()) {
            assertEquals(1, cache.get("key".repeat(50), int.class));
            assertEquals(1, reader.get("key".repeat(50), int.class));
        }
    }

    @Test
    void anotherCodecIsRefusedEitherWay() {
        open(codec).close();
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> open(Codecs.json()));
        assertTrue(String.valueOf(refused.getMessage()).contains("jsonZip"), refused::toString);
        Path plain = directory.resolve("plain");
        Cache.open(plain).close();
        refused = assertThrows(
                IllegalArgumentException.class,
                () -> Cache.builder(plain).codec(codec).open());
        assertTrue(String.valueOf(refused.getMessage()).contains("'json'"), refused::toString);
    }
}

package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.cache.StoredKey;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Keys, values, tags and expiry that both languages must see alike. */
class PythonValuesTest extends PythonInterop {
    /** The same object in both languages. */
    private record Sample(String python, Object java) {}

    private static final String GRIN = "\uD83D\uDE00";

    private static final List<Sample> VALUES = List.of(
            new Sample("0", 0L),
            new Sample("-1", -1L),
            new Sample("2**53 + 1", (1L << 53) + 1),
            new Sample("2**63 - 1", Long.MAX_VALUE),
            new Sample("-2**63", Long.MIN_VALUE),
            new Sample("0.0", 0.0),
            new Sample("-0.0", -0.0),
            new Sample("0.1", 0.1),
            new Sample("3.0", 3.0),
            new Sample("1e16", 1e16),
            new Sample("-2.0**63", -0x1p63),
            new Sample("5e-324", Double.MIN_VALUE),
            new Sample("1.7976931348623157e308", Double.MAX_VALUE),
            new Sample("float('inf')", Double.POSITIVE_INFINITY),
            new Sample("-float('inf')", Double.NEGATIVE_INFINITY),
            new Sample("''", ""),
            new Sample("'NaN'", "NaN"),
            new Sample("'1'", "1"),
            new Sample("'grüße e\\u0301 \\U0001F600 \\U0010FFFF'", "grüße e\u0301 " + GRIN + " \uDBFF\uDFFF"),
            new Sample("'\\ufeff\\uffff'", "\uFEFF\uFFFF"),
            new Sample("'\\0'", "\0"),
            new Sample("'a\\0b\\0'", "a\0b\0"),
            new Sample("'\\r\\n\\t\"\\''", "\r\n\t\"'"),
            new Sample("'x' * 32767", "x".repeat(32_767)),
            new Sample("'x' * 32768", "x".repeat(32_768)),
            new Sample("'x' * 32769", "x".repeat(32_769)),
            new Sample("'ü' * 32767", "ü".repeat(32_767)),
            new Sample("'ü' * 32768", "ü".repeat(32_768)),
            new Sample("'\\U0001F600' * 32767", GRIN.repeat(32_767)),
            new Sample("'\\U0001F600' * 32768", GRIN.repeat(32_768)),
            new Sample("'a\\0\\n' * 20000", "a\0\n".repeat(20_000)),
            new Sample("b''", new byte[0]),
            new Sample("b'\\0'", new byte[1]),
            new Sample("bytes(range(256))", allBytes()),
            new Sample("bytes(32767)", new byte[32_767]),
            new Sample("bytes(32768)", new byte[32_768]),
            new Sample("bytes(range(256)) * 1000", repeated(allBytes(), 1000)));

    private static final List<Sample> KEYS = List.of(
            new Sample("0", 0L),
            new Sample("-5", -5L),
            new Sample("2**63 - 1", Long.MAX_VALUE),
            new Sample("-2**63", Long.MIN_VALUE),
            new Sample("0.5", 0.5),
            new Sample("3.0", 3.0),
            new Sample("1e300", 1e300),
            new Sample("float('inf')", Double.POSITIVE_INFINITY),
            new Sample("-float('inf')", Double.NEGATIVE_INFINITY),
            new Sample("''", ""),
            new Sample("'0'", "0"),
            new Sample("'grüße \\U0001F600'", "grüße " + GRIN),
            new Sample("'\\uffff'", "\uFFFF"),
            new Sample("'a\\0b'", "a\0b"),
            new Sample("'a'", "a"),
            new Sample("'k' * 10000", "k".repeat(10_000)),
            new Sample("b''", new byte[0]),
            new Sample("b'a'", new byte[] {'a'}),
            new Sample("b'\\0\\xff'", new byte[] {0, -1}),
            new Sample("bytes(10000)", new byte[10_000]));

    private static byte[] allBytes() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    private static byte[] repeated(byte[] bytes, int times) {
        byte[] result = new byte[bytes.length * times];
        for (int i = 0; i < times; i++) {
            System.arraycopy(bytes, 0, result, i * bytes.length, bytes.length);
        }
        return result;
    }

    private static void assertSame(Object expected, Object actual, String what) {
        assertNotNull(actual, what);
        assertEquals(expected.getClass(), actual.getClass(), what);
        assertTrue(Arrays.deepEquals(new Object[] {expected}, new Object[] {actual}), what);
    }

    /** A Python list of the samples. */
    private static String list(String name, List<Sample> samples) {
        return name + " = ["
                + String.join(", ", samples.stream().map(Sample::python).toList()) + "]\n";
    }

    // Values

    @Test
    void bothReadEachOthersValuesAtTheLimitsOfTheirTypesAndStoreThemAlike() {
        try (Cache cache = Cache.open(path)) {
            for (int i = 0; i < VALUES.size(); i++) {
                cache.set("java" + i, VALUES.get(i).java());
            }
            python(list("values", VALUES) + """
                    for i, value in enumerate(values):
                        same(cache['java%d' % i], value)
                        cache['python%d' % i] = value
                    """);
            for (int i = 0; i < VALUES.size(); i++) {
                Sample sample = VALUES.get(i);
                assertSame(sample.java(), cache.get("python" + i), sample.python());
                assertSame(sample.java(), cache.get("python" + i, sample.java().getClass()), sample.python());
                String columns = "SELECT mode, size, typeof(value), filename IS NULL FROM Cache WHERE key = ";
                assertEquals(row(columns + "'python" + i + "'"), row(columns + "'java" + i + "'"), sample.python());
            }
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void noneAndNaNOfPythonAreEntriesWithoutAValueAndJavasNaNIsText() {
        try (Cache cache = Cache.open(path)) {
            cache.set("java", Double.NaN);
            python("""
                    same(cache['java'], 'NaN')
                    cache['none'] = None
                    cache['nan'] = float('nan')
                    assert cache.get('nan', 1) is None
                    """);
            assertEquals(Double.NaN, cache.get("java", double.class));
            assertTrue(cache.containsKey("nan"));
            assertNull(cache.get("nan", double.class));
            assertNull(cache.entry("nan", Double.class).orElseThrow().value());
            assertTrue(cache.containsKey("none"));
            assertNull(cache.get("none"));
            assertFalse(cache.add("nan", 1));
            assertTrue(cache.popEntry("nan", String.class).isPresent());
            assertFalse(cache.containsKey("nan"));
        }
    }

    /** Python's own long strings lose it too: it opens their files with universal newlines. */
    @Test
    void aCarriageReturnInALongStringOfPythonIsReadAsItWasWritten() {
        String text = "line\r\n".repeat(10_000) + "\r";
        try (Cache cache = Cache.open(path)) {
            python("cache['a'] = 'line\\r\\n' * 10000 + '\\r'");
            assertEquals(text, cache.get("a", String.class));
            cache.set("b", text);
            python("assert cache['a'] == cache['b'] == 'line\\n' * 10000 + '\\n'");
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void aSmallBoundForFilesHoldsForBoth() {
        pythonCreates("disk_min_file_size=4", "cache['s3'] = 'äöü'; cache['s4'] = 'äöüß'; cache['b4'] = b'1234'");
        try (Cache cache = Cache.open(path)) {
            cache.set("j3", "äöü");
            cache.set("j4", "äöüß");
            cache.set("jb3", new byte[3]);
            cache.set("jb4", new byte[4]);
            cache.set("number", Long.MIN_VALUE);
            assertEquals(
                    List.of("b4|2|4", "j3|1|0", "j4|3|8", "jb3|1|0", "jb4|2|4", "number|1|0", "s3|1|0", "s4|3|8"),
                    rows("SELECT key, mode, size FROM Cache ORDER BY key"));
            assertEquals("äöüß", cache.get("s4", String.class));
            python("same(cache['j4'], 'äöüß'); same(cache['jb4'], bytes(4)); same(cache['jb3'], bytes(3))");
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void streamsOfBothSidesAreReadByTheOther() throws IOException {
        byte[] large = repeated(allBytes(), 40_000);
        try (Cache cache = Cache.open(path)) {
            cache.write("java", new ByteArrayInputStream(large));
            cache.write(
                    "java small",
                    new ByteArrayInputStream(new byte[] {1, 2}),
                    EntryOptions.none().tag("t"));
            cache.write("java empty", InputStream.nullInputStream());
            cache.set("java text", "ü" + GRIN);
            cache.set("java long text", "ü".repeat(40_000));
            python("""
                    large = bytes(range(256)) * 40000
                    with cache.read('java') as f:
                        assert f.read() == large
                    same(cache['java'], large)
                    same(cache.get('java small', tag=True), (b'\\1\\2', 't'))
                    same(cache['java empty'], b'')
                    cache.set('python', io.BytesIO(large), read=True)
                    cache.set('python small', io.BytesIO(b'\\1\\2'), read=True, expire=3600)
                    cache.set('python empty', io.BytesIO(), read=True)
                    cache['number'] = 1
                    cache['pickle'] = [1]
                    cache['long pickle'] = ['x' * 40000]
                    """);
            for (String key : List.of("java", "python")) {
                assertStream(large, cache.read(key));
                assertArrayEquals(large, cache.get(key, byte[].class));
            }
            assertStream(new byte[] {1, 2}, cache.read("java small"));
            assertStream(new byte[] {1, 2}, cache.read("python small"));
            assertStream(new byte[0], cache.read("java empty"));
            assertStream(new byte[0], cache.read("python empty"));
            assertStream(("ü" + GRIN).getBytes(StandardCharsets.UTF_8), cache.read("java text"));
            assertStream("ü".repeat(40_000).getBytes(StandardCharsets.UTF_8), cache.read("java long text"));
            assertThrows(CodecException.class, () -> cache.read("number"));
            assertThrows(CodecException.class, () -> cache.read("pickle"));
            assertThrows(CodecException.class, () -> cache.read("long pickle"));
            assertNull(cache.read("absent"));
            assertCleanOnBothSides(cache);
        }
    }

    private static void assertStream(byte[] expected, InputStream stream) throws IOException {
        assertNotNull(stream);
        try (stream) {
            assertArrayEquals(expected, stream.readAllBytes());
        }
    }

    // Keys

    @Test
    void keysOfAllKindsNameTheSameEntriesInTheSameOrder() {
        try (Cache cache = Cache.open(path)) {
            for (int i = 0; i < KEYS.size(); i += 2) {
                cache.set(KEYS.get(i).java(), i);
            }
            python(list("keys", KEYS) + """
                    for i in range(1, len(keys), 2):
                        cache[keys[i]] = i
                    for i, key in enumerate(keys):
                        same(cache[key], i)
                    """);
            for (int i = 0; i < KEYS.size(); i++) {
                assertEquals(
                        (long) i, cache.get(KEYS.get(i).java()), KEYS.get(i).python());
                assertEquals(i + 1, cache.incr(KEYS.get(i).java()), KEYS.get(i).python());
            }
            python(list("keys", KEYS) + list("inserted", inInsertionOrder()) + list("sorted", inSortOrder()) + """
                    for i, key in enumerate(keys):
                        same(cache[key], i + 1)
                    same(list(cache), inserted)
                    same(list(reversed(cache)), inserted[::-1])
                    same(list(cache.iterkeys()), sorted)
                    same(list(cache.iterkeys(reverse=True)), sorted[::-1])
                    """);
            assertKeys(inInsertionOrder(), cache.keys());
            assertKeys(reversed(inInsertionOrder()), cache.keysReversed());
            assertKeys(inSortOrder(), cache.sortedKeys());
            assertKeys(reversed(inSortOrder()), cache.sortedKeysReversed());
            for (Sample key : KEYS) {
                assertTrue(cache.delete(key.java()), key.python());
            }
            python("assert len(cache) == 0 and list(cache) == []");
            assertCleanOnBothSides(cache);
        }
    }

    private static List<Sample> inInsertionOrder() {
        List<Sample> result = new ArrayList<>();
        for (int start = 0; start < 2; start++) {
            for (int i = start; i < KEYS.size(); i += 2) {
                result.add(KEYS.get(i));
            }
        }
        return result;
    }

    /** Numbers, then texts by their UTF-8, then bytes. */
    private static List<Sample> inSortOrder() {
        List<Sample> result = new ArrayList<>(KEYS);
        result.sort((a, b) -> {
            int kind = Integer.compare(kind(a.java()), kind(b.java()));
            if (kind != 0) {
                return kind;
            }
            return kind(a.java()) == 0
                    ? Double.compare(((Number) a.java()).doubleValue(), ((Number) b.java()).doubleValue())
                    : Arrays.compareUnsigned(bytes(a.java()), bytes(b.java()));
        });
        return result;
    }

    private static int kind(Object key) {
        return key instanceof Number ? 0 : key instanceof String ? 1 : 2;
    }

    private static byte[] bytes(Object key) {
        return key instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : (byte[]) key;
    }

    private static List<Sample> reversed(List<Sample> samples) {
        List<Sample> result = new ArrayList<>(samples);
        java.util.Collections.reverse(result);
        return result;
    }

    private static void assertKeys(List<Sample> expected, Stream<Object> keys) {
        List<Object> actual = keys.toList();
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < actual.size(); i++) {
            assertSame(
                    expected.get(i).java(),
                    actual.get(i),
                    "key " + i + ", " + expected.get(i).python());
        }
    }

    @Test
    void anIntegerAndTheEqualFloatAreOneKeyInBoth() {
        try (Cache cache = Cache.open(path)) {
            cache.set(1, "int");
            cache.set(2.0, "float");
            python("""
                    same(cache[1.0], 'int')
                    same(cache[2], 'float')
                    cache[1.0] = 'changed'
                    cache[-0.0] = 'zero'
                    """);
            assertEquals("changed", cache.get(1, String.class));
            assertEquals("zero", cache.get(0, String.class));
            assertEquals(3, cache.size());
        }
    }

    @Test
    void keysThatPythonPickledAreShownAndNameTheirEntries() {
        pythonCreates("", """
                cache['first'] = 1
                for i, key in enumerate([('a', 1), True, None, 2**70]):
                    cache.set(key, i, tag='pickled')
                cache.set(('over',), 1, expire=0.001)
                cache['last'] = 1
                """);
        try (Cache cache = Cache.open(path)) {
            List<Object> keys = cache.keys().toList();
            assertEquals(6, keys.size(), keys.toString());
            List<Object> pickled = cache.keysByTag("pickled").toList();
            assertEquals(keys.subList(1, 5), pickled);
            assertEquals(
                    pickled,
                    cache.sortedKeys()
                            .filter(StoredKey.class::isInstance)
                            .sorted((a, b) -> Integer.compare(pickled.indexOf(a), pickled.indexOf(b)))
                            .toList());
            for (int i = 0; i < 4; i++) {
                StoredKey key = (StoredKey) pickled.get(i);
                assertFalse(key.raw());
                assertEquals(i, cache.get(key, int.class));
                assertTrue(cache.containsKey(key));
                assertFalse(cache.containsKey(key.column()), "the bytes of the pickle are another key");
            }
            cache.set(pickled.get(0), "set", EntryOptions.none().tag("java"));
            assertEquals(11, cache.incr(pickled.get(1), 10));
            assertTrue(cache.touch(pickled.get(2), Duration.ofHours(1)));
            assertEquals(3, cache.pop(pickled.get(3), int.class));
            assertEquals(pickled.get(2), cache.keysByTag("pickled").toList().get(1));
            python("""
                    same(cache.get(('a', 1), tag=True), ('set', 'java'))
                    assert cache[True] == 11 and 2**70 not in cache
                    value, expire = cache.get(None, expire_time=True)
                    assert value == 2 and 3500 < expire - time.time() < 3601
                    assert [k for k in cache if k not in ('first', 'last', ('over',))] == [('a', 1), True, None]
                    """);
            Cache.Item<Integer> last = cache.peekItem(Side.BACK, Integer.class).orElseThrow();
            assertEquals("last", last.key());
            assertTrue(cache.delete("last"));
            cache.expire();
            assertEquals(
                    pickled.get(2),
                    cache.peekItem(Side.BACK, Object.class).orElseThrow().key());
            assertCleanOnBothSides(cache);
        }
    }

    // Tags

    @Test
    void tagsOfAllTypesGroupTheSameEntries() {
        try (Cache cache = Cache.open(path)) {
            tagsOnBothSides(cache);
        }
    }

    @Test
    void tagsOfAllTypesGroupTheSameEntriesWithAnIndex() {
        pythonCreates("tag_index=1", "");
        try (Cache cache = Cache.open(path)) {
            assertTrue(hasIndex("Cache_tag_rowid"));
            tagsOnBothSides(cache);
            cache.dropTagIndex();
            assertFalse(hasIndex("Cache_tag_rowid"));
            python("assert cache.tag_index == 0; cache.create_tag_index()");
            assertTrue(hasIndex("Cache_tag_rowid"));
            assertCleanOnBothSides(cache);
        }
    }

    private void tagsOnBothSides(Cache cache) {
        List<Sample> tags = List.of(
                new Sample("''", ""),
                new Sample("'ü\\U0001F600'", "ü" + GRIN),
                new Sample("'1'", "1"),
                new Sample("7", 7L),
                new Sample("2**63 - 1", Long.MAX_VALUE),
                new Sample("0.5", 0.5),
                new Sample("float('inf')", Double.POSITIVE_INFINITY),
                new Sample("b''", new byte[0]),
                new Sample("b'1\\0'", new byte[] {'1', 0}));
        for (int i = 0; i < tags.size(); i++) {
            cache.set("java" + i, i, EntryOptions.none().tag(tags.get(i).java()));
            cache.set(
                    "java large" + i,
                    new byte[40_000],
                    EntryOptions.none().tag(tags.get(i).java()));
        }
        cache.set("java", "no tag");
        python(list("tags", tags) + """
                cache['python'] = 'no tag'
                same(cache.get('java', tag=True), ('no tag', None))
                for i, tag in enumerate(tags):
                    same(cache.get('java%d' % i, tag=True), (i, tag))
                    cache.set('python%d' % i, i, tag=tag)
                """);
        for (int i = 0; i < tags.size(); i++) {
            Object tag = tags.get(i).java();
            Cache.Entry<Integer> entry =
                    cache.entry("python" + i, Integer.class).orElseThrow();
            assertSame(tag, entry.tag().orElseThrow(), tags.get(i).python());
            assertEquals(
                    List.of("java" + i, "java large" + i, "python" + i),
                    cache.keysByTag(tag).toList());
        }
        assertEquals(
                Optional.empty(),
                cache.entry("python", String.class).orElseThrow().tag());
        python(list("tags", tags) + """
                for i in range(0, len(tags), 2):
                    assert cache.evict(tags[i]) == 3
                """);
        for (int i = 1; i < tags.size(); i += 2) {
            assertEquals(3, cache.evict(tags.get(i).java()), tags.get(i).python());
        }
        assertEquals(List.of("java", "python"), cache.keys().toList());
        assertCleanOnBothSides(cache);
    }

    // Expiry and the methods that write

    @Test
    void expiryIsTheSameInstantForBothAndTouchIsSeen() {
        try (Cache cache = Cache.open(path)) {
            cache.set("java", 1, EntryOptions.none().expireAfter(Duration.ofMinutes(10)));
            cache.set("java forever", 1);
            python("""
                    now = time.time()
                    def left(key):
                        value, expire = cache.get(key, expire_time=True)
                        return expire and expire - time.time()
                    assert 500 < left('java') < 601 and left('java forever') is None
                    cache.set('python', 1, expire=600)
                    assert cache.touch('java', 6000) and cache.touch('java forever', 60)
                    cache.set('over', 1, expire=0.001)
                    cache.set('large over', 'x' * 40000, expire=0.001)
                    time.sleep(0.01)
                    assert not cache.touch('over', 60)
                    """);
            assertExpiry(cache, "java", 6000);
            assertExpiry(cache, "java forever", 60);
            assertExpiry(cache, "python", 600);
            for (String key : List.of("over", "large over")) {
                assertFalse(cache.containsKey(key));
                assertNull(cache.get(key));
                assertFalse(cache.touch(key, Duration.ofHours(1)));
                assertFalse(cache.persist(key));
                assertFalse(cache.delete(key));
            }
            assertTrue(cache.persist("java"));
            assertTrue(cache.touch("python", Duration.ofSeconds(100)));
            assertEquals(
                    Optional.empty(),
                    cache.entry("java", Integer.class).orElseThrow().expiry());
            python("""
                    same(cache.get('java', expire_time=True), (1, None))
                    value, expire = cache.get('python', expire_time=True)
                    assert 90 < expire - time.time() < 101
                    """);
            cache.expire();
            assertEquals(List.of("java", "java forever", "python"), cache.keys().toList());
            assertCleanOnBothSides(cache);
        }
    }

    private static void assertExpiry(Cache cache, String key, long seconds) {
        Instant expiry = cache.entry(key, Integer.class).orElseThrow().expiry().orElseThrow();
        long left = Duration.between(Instant.now(), expiry).toSeconds();
        assertTrue(left > seconds - 60 && left <= seconds, key + " has " + left + " s left");
    }

    @Test
    void addIncrPopAndDeleteSeeWhatTheOtherSideDid() {
        try (Cache cache = Cache.open(path)) {
            assertTrue(cache.add("a", "java"));
            cache.incr("n", 5);
            cache.incr("real", 0.25);
            python("""
                    assert not cache.add('a', 'python') and cache.add('b', 'python', tag='t', expire=60)
                    assert cache.incr('n', 10) == 15 and cache.decr('fresh', 2) == -2
                    assert cache.incr('real', 0.5) == 0.75
                    assert cache.incr('python real', 1.5) == 1.5
                    cache['large'] = 'ü' * 40000
                    same(cache.pop('a', tag=True), ('java', None))
                    cache['max'] = 2**63 - 1
                    cache.set('over', 'x' * 40000, expire=0.001)
                    cache.set('dead', 7, expire=0.001, tag='t')
                    time.sleep(0.01)
                    """);
            assertFalse(cache.add("b", "java"));
            assertTrue(cache.add("a", "again"));
            assertTrue(cache.add("over", "lives"));
            assertEquals(15 - 1, cache.decr("n"));
            assertEquals(-1, cache.incr("fresh"));
            assertEquals(1.0, cache.incr("real", 0.25));
            assertEquals(1, cache.incr("dead"), "an expired number starts again");
            assertThrows(CodecException.class, () -> cache.incr("python real", 1L));
            assertThrows(CodecException.class, () -> cache.incr("large"));
            assertThrows(ArithmeticException.class, () -> cache.incr("max"));
            Cache.Entry<String> popped = cache.popEntry("b", String.class).orElseThrow();
            assertEquals("python", popped.value());
            assertEquals(Optional.of("t"), popped.tag());
            assertTrue(popped.expiry().isPresent());
            assertEquals("ü".repeat(40_000), cache.pop("large", String.class));
            cache.set("large too", "ü".repeat(40_000));
            python("""
                    assert cache['n'] == 14 and cache['fresh'] == -1 and cache['real'] == 1.0 and cache['max'] == 2**63 - 1
                    same(cache.get('dead', expire_time=True, tag=True), (1, None, None))
                    assert 'b' not in cache and 'large' not in cache and cache['over'] == 'lives'
                    same(cache.pop('large too'), 'ü' * 40000)
                    del cache['a']
                    assert not cache.delete('a')
                    """);
            assertFalse(cache.delete("a"));
            assertNull(cache.pop("large too", String.class));
            assertCleanOnBothSides(cache);
        }
    }
}

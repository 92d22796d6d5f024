package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Codecs;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.MemoizeOptions;
import dev.latchkey.cache.Side;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compressed JSON of {@code Codecs.jsonZip()} and of python-diskcache's {@code JSONDisk} is the same. */
class PythonJsonDiskTest extends PythonInterop {
    record Point(int x, double y) {}

    /** Keys by what Python calls them. */
    private static Map<String, Object> keys() {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("b", List.of(1, 2.5, true));
        members.put("a", Map.of());
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("'a'", "a");
        keys.put("''", "");
        keys.put("'\\0\\x1f\\x7f\"\\\\/\\u00fc\\u2028\\U0001F600'", "\0\u001f\u007f\"\\/ü\u2028\uD83D\uDE00");
        keys.put("'k' * 10000", "k".repeat(10_000));
        keys.put("7", 7);
        keys.put("-2**63", Long.MIN_VALUE);
        keys.put("True", true);
        keys.put("1.0", 1.0);
        keys.put("1e16", 1e16);
        keys.put("1e-5", 1e-5);
        keys.put("0.1", 0.1);
        keys.put("5e-324", Double.MIN_VALUE);
        keys.put("1.7976931348623157e308", Double.MAX_VALUE);
        keys.put("float('inf')", Double.POSITIVE_INFINITY);
        keys.put("(1, 'x', [2.5])", List.of(1, "x", List.of(2.5)));
        keys.put("{'b': [1, 2.5, True], 'a': {}}", members);
        return keys;
    }

    private Cache open() {
        return Cache.builder(path).codec(Codecs.jsonZip()).open();
    }

    private void json(int level, String script) {
        pythonCreates("disk=diskcache.JSONDisk, disk_compress_level=" + level, script);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 6, 9})
    void whatPythonStoresJavaFindsAndTheOtherWayRound(int level) {
        List<String> names = List.copyOf(keys().keySet());
        StringBuilder script = new StringBuilder();
        names.forEach(name -> script.append("cache[").append(name).append("] = ['ü', 1, None]\n"));
        json(level, script.toString());
        try (Cache cache = open()) {
            keys().forEach((name, key) -> {
                List<?> value = cache.get(key, List.class);
                assertEquals("ü", Objects.requireNonNull(value, name).get(0), name);
                cache.set(key, Map.of("java", name));
            });
            assertEquals(names.size(), cache.size());
        }
        StringBuilder check = new StringBuilder();
        names.forEach(name -> check.append("assert list(cache[")
                .append(name)
                .append("]) == ['java'], ")
                .append(names.indexOf(name))
                .append('\n'));
        json(level, check + "assert len(cache) == " + names.size() + "\nassert cache.check() == []\n");
    }

    /** Without the option Python stores no level, and nothing tells the directory from another. */
    @Test
    void aDirectoryOfTheDefaultLevelIsOpenedToo() {
        pythonCreates("disk=diskcache.JSONDisk", "cache['a'] = {'x': 1}\n");
        try (Cache cache = open()) {
            assertEquals(Map.of("x", 1L), cache.get("a"));
        }
    }

    @Test
    void aDirectoryOfJavaIsReadByPythonWithoutNamingTheLevel() {
        try (Cache cache = Cache.builder(path).codec(Codecs.jsonZip(9)).open()) {
            cache.set("point", new Point(1, 2.5));
            cache.set("nan", Double.NaN);
            cache.set("long", "ü".repeat(300_000));
            cache.incr("n", 41);
            assertNull(cache.memoize("f", MemoizeOptions.none().cacheNulls())
                    .wrap(String.class, (Integer x) -> null)
                    .apply(1));
            cache.set("tagged", List.of(), EntryOptions.none().tag("t"));
            cache.push("item", "jobs", Side.BACK, EntryOptions.none());
        }
        pythonCreates("disk=diskcache.JSONDisk", """
                import math
                assert cache.disk_compress_level == 9
                assert cache['point'] == {'x': 1, 'y': 2.5}
                assert math.isnan(cache['nan'])
                assert cache['long'] == 'ü' * 300000
                assert cache['n'] == 41
                assert cache['f:[1]'] is None
                assert cache.pull('jobs')[1] == 'item'
                assert cache.evict('t') == 1
                assert cache.check() == []
                cache['reply'] = float('inf')
                cache['none'] = None
                cache['long'] = list(range(100000))
                """);
        try (Cache cache = open()) {
            assertEquals(Double.POSITIVE_INFINITY, cache.get("reply", Double.class));
            assertTrue(cache.containsKey("none"));
            assertNull(cache.get("none", String.class));
            assertEquals(
                    100_000,
                    Objects.requireNonNull(cache.get("long", List.class)).size());
            assertEquals(42, cache.incr("n"));
            assertTrue(cache.check(false).isClean());
        }
    }

    /** Whatever the digits are: the bytes of the key must be Python's. */
    @Test
    void tenThousandKeysOfRandomNumbersAndTextsAreFoundByPython() {
        Random random = new Random(7);
        List<Object> all = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            double real = Double.longBitsToDouble(random.nextLong());
            all.add(Double.isNaN(real) ? random.nextDouble() : real);
            all.add(random.ints(8, 0, 0x300)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString());
        }
        try (Cache cache = open()) {
            Map<Object, Object> values = new LinkedHashMap<>();
            all.forEach(key -> values.put(key, key));
            cache.setAll(values);
        }
        pythonCreates("disk=diskcache.JSONDisk", """
                keys = list(cache)
                assert len(keys) == 10000, len(keys)
                for key in keys:
                    assert cache[key] == key, key
                """);
    }
}

package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.FanoutCache;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Python;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One directory of shards in the hands of Java and of the real python-diskcache, whose warnings are errors here. */
@Tag("process")
@Tag("everyJdk")
class PythonFanoutTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    /** Keys in a notation that both read: a letter for the kind, and digits. */
    private static final String START = """
            import json, os, struct, sys, time, warnings, diskcache
            warnings.simplefilter('error')
            def key(text):
                kind, rest = text[0], text[1:]
                if kind == 'i': return int(rest)
                if kind == 'f': return struct.unpack('!d', bytes.fromhex(rest))[0]
                return bytes.fromhex(rest).decode('utf-8') if kind == 's' else bytes.fromhex(rest)
            """;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private final List<JavaProcess> running = new ArrayList<>();
    private Path path;

    @BeforeEach
    void name() {
        path = directory.resolve("cache");
    }

    /** Runs a script that finds the directory opened as {@code cache}. */
    private String python(int shards, String script, String... arguments) {
        return python(shards, "", script, arguments);
    }

    private String python(int shards, String settings, String script, String[] arguments) {
        String[] all = new String[arguments.length + 1];
        all[0] = path.toString();
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        String open =
                "cache = diskcache.FanoutCache(sys.argv[1], shards=" + shards + ", timeout=30, " + settings + ")\n";
        return Python.run(START + open + script, all).strip();
    }

    private JavaProcess start(String script, String... arguments) {
        JavaProcess python = Python.start(script, arguments);
        running.add(python);
        return python;
    }

    @AfterEach
    void end() {
        running.forEach(JavaProcess::close);
    }

    private static String notation(Object key) {
        HexFormat hex = HexFormat.of();
        if (key instanceof Long) {
            return "i" + key;
        }
        if (key instanceof Double real) {
            return "f" + hex.toHexDigits(Double.doubleToRawLongBits(real));
        }
        return key instanceof byte[] bytes
                ? "b" + hex.formatHex(bytes)
                : "s" + hex.formatHex(key.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** A file with one key on each line. */
    private String file(List<Object> keys) throws IOException {
        return Files.write(
                        directory.resolve("keys"),
                        keys.stream().map(PythonFanoutTest::notation).toList())
                .toString();
    }

    private static List<Object> borders() {
        List<Object> keys =
                new ArrayList<>(List.of("", "a", "ü", "\u0000", "\uFFFF", "\uD83D\uDE00", "x".repeat(10_000)));
        for (long near : new long[] {0, 1L << 31, 1L << 32, (1L << 32) - 1, 2 * ((1L << 32) - 1), 1L << 62}) {
            for (long delta = -2; delta <= 2; delta++) {
                keys.add(near + delta);
                keys.add(-near + delta);
            }
        }
        keys.addAll(List.of(Long.MAX_VALUE, Long.MAX_VALUE - 1, Long.MIN_VALUE, Long.MIN_VALUE + 1));
        keys.addAll(List.of(0.0, -0.0, 0.5, -1.5, 1e300, Double.MIN_VALUE, Double.MAX_VALUE, 3.0));
        keys.addAll(List.of(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY));
        keys.addAll(List.of(new byte[0], new byte[] {0}, new byte[] {-1, -128, 127}, new byte[70_000]));
        return keys;
    }

    private static Object randomKey(Random random) {
        byte[] bytes = new byte[random.nextInt(40)];
        random.nextBytes(bytes);
        return switch (random.nextInt(5)) {
            case 0 -> random.nextLong();
            case 1 -> random.nextLong() >> random.nextInt(64);
            case 2 -> Double.longBitsToDouble(random.nextLong() & ~(1L << 62)); // never NaN
            case 3 -> bytes;
            default ->
                random.ints(random.nextInt(30), 0, 0x11_0000)
                        .filter(point -> point < 0xD800 || point > 0xDFFF)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString();
        };
    }

    @Test
    void everyKeyIsInTheShardInWhichPythonLooksForIt() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<Object> keys = borders();
        for (int i = 0; i < 20_000; i++) {
            keys.add(randomKey(random));
        }
        for (int shards : new int[] {1, 2, 3, 8, 13, 64, 1000}) {
            String[] found = Python.run(
                            START + """
                            disk = diskcache.Disk(sys.argv[2])
                            with open(sys.argv[1]) as lines:
                                for line in lines:
                                    print(disk.hash(key(line.strip())) % int(sys.argv[3]))
                            """, file(keys), directory.path().toString(), Integer.toString(shards))
                    .strip()
                    .split("\n");
            assertEquals(keys.size(), found.length);
            for (int i = 0; i < found.length; i++) {
                int shard = ShardKeys.shardOf(StoredKey.raw(keys.get(i)), shards);
                assertEquals(Integer.parseInt(found[i]), shard, notation(keys.get(i)) + ", seed " + seed);
            }
        }
    }

    @Test
    void pythonReadsWhatJavaStoredUnderEveryKindOfKeyAndTheOtherWayRound() throws IOException {
        List<Object> keys = borders().stream()
                .filter(key -> !key.equals(0.0) && !key.equals(-0.0)) // which are one key, but in two shards
                .distinct()
                .toList();
        try (FanoutCache cache = FanoutCache.open(path, 5)) {
            keys.forEach(key -> cache.set(key, notation(key).hashCode()));
            cache.set("large", "x".repeat(50_000));
            cache.setAll(Map.of("b1", 1, "b2", 2));
            cache.incr("n", 5);
        }
        python(5, """
                with open(sys.argv[2]) as lines:
                    keys = [key(line.rstrip('\\n')) for line in lines]
                for each in keys:
                    assert type(cache[each]) is int, each
                    cache[each] = cache[each] + 1
                assert cache['large'] == 'x' * 50000 and cache['b1'] == 1 and cache['b2'] == 2
                assert cache.incr('n') == 6
                cache['from python'] = {'a': [1]}
                cache['large'] = b'y' * 60000
                assert len(cache) == len(keys) + 5
                assert cache.check() == []
                """, file(keys));
        try (FanoutCache cache = FanoutCache.open(path)) {
            keys.forEach(key -> assertEquals(notation(key).hashCode() + 1, cache.get(key, int.class), notation(key)));
            assertEquals(6, cache.get("n", int.class));
            assertArrayEquals("y".repeat(60_000).getBytes(StandardCharsets.UTF_8), cache.get("large", byte[].class));
            assertEquals(Map.of("a", List.of(1L)), cache.get("from python"));
            assertEquals("no damage found", cache.check(false).toString());
        }
    }

    @Test
    void theShardsOfADirectoryThatPythonMadeAreCountedAndItsLimitIsOne() throws IOException {
        python(3, "eviction_policy='least-recently-used'", """
                for i in range(100):
                    cache['key%d' % i] = i
                cache.cache('inner')['a'] = 'inner value'
                """, new String[0]);
        try (FanoutCache reader = FanoutCache.builder(path).readOnly(true).open()) {
            assertEquals(3, reader.shards());
            assertEquals(42, reader.get("key42", int.class));
        }
        String message = String.valueOf(assertThrows(IllegalArgumentException.class, () -> FanoutCache.open(path, 8))
                .getMessage());
        assertTrue(message.contains("3 shards") && message.contains("with 8"), message);
        try (FanoutCache cache = FanoutCache.open(path)) {
            assertEquals(3, cache.shards());
            for (int i = 0; i < 100; i++) {
                assertEquals(i, cache.get("key" + i, int.class));
            }
            assertEquals(
                    EvictionPolicy.LEAST_RECENTLY_USED.stored(),
                    cache.settings().get(Setting.EVICTION_POLICY));
            assertEquals(3 * (((1L << 30) / 3)), cache.settings().get(Setting.SIZE_LIMIT));
            assertEquals("inner value", cache.cache("inner").get("a"));
            cache.set("large", new byte[500_000_000 / 1000]);
            assertEquals("no damage found", cache.check(false).toString());
        }
        assertEquals("107", python(3, "print(len(cache) + len(cache.cache('inner')) + 5); assert cache.check() == []"));
        Files.move(path.resolve("002"), directory.resolve("lost"));
        CacheCorruptException e = assertThrows(CacheCorruptException.class, () -> FanoutCache.open(path));
        assertTrue(String.valueOf(e.getMessage()).contains("002"), e.getMessage());
    }

    @Test
    void aGapAmongTheFoldersThatPythonMadeIsNamed() throws IOException {
        python(4, "cache['a'] = 1");
        Files.move(path.resolve("002"), directory.resolve("lost"));
        for (boolean readOnly : new boolean[] {true, false}) {
            CacheCorruptException e = assertThrows(
                    CacheCorruptException.class,
                    () -> FanoutCache.builder(path).readOnly(readOnly).open());
            assertTrue(String.valueOf(e.getMessage()).contains("002"), e.getMessage());
        }
    }

    /** Once the folders that were there already were counted for all. */
    @Test
    void aDirectoryThatPythonIsStillMakingIsNotCountedHalf() {
        int attempts = 1;
        while (!isCountedWhole(directory.resolve("made" + attempts))) {
            assertTrue(attempts++ < 10, "Python never makes its folders without a break");
        }
    }

    /** False if Python made no folder for so long that it had to be taken for done. */
    private boolean isCountedWhole(Path made) {
        JavaProcess python = start(START + """
                make = diskcache.Cache.__init__
                times = []
                def slowly(self, *args, **kwargs):
                    make(self, *args, **kwargs)
                    times.append(os.stat(sys.argv[1]).st_mtime)
                    print('MADE', flush=True)
                    time.sleep(0.1)
                diskcache.Cache.__init__ = slowly
                cache = diskcache.FanoutCache(sys.argv[1], shards=10)
                times.append(time.time())
                print('ALL %f' % max(b - a for a, b in zip(times, times[1:])), flush=True)
                sys.stdin.read()
                """, made.toString());
        python.await("MADE", LONG);
        python.await("MADE", LONG);
        String counted;
        try (FanoutCache cache = FanoutCache.open(made)) {
            counted = cache.shards() + " shards";
        } catch (CacheCorruptException e) {
            counted = e.toString();
        }
        double longestBreak = Double.parseDouble(python.await("ALL ", LONG).substring("ALL ".length()));
        if (longestBreak >= 0.99) {
            return false;
        }
        assertEquals("10 shards", counted);
        return true;
    }

    @Test
    void pythonObeysItsPartOfTheLimitAndJavaTheWhole() {
        try (FanoutCache cache = FanoutCache.builder(path).sizeLimit(8_000_000).open()) {
            cache.set("a", 1);
        }
        assertEquals("1000000 1000000 8", python(8, "size_limit=8_000_000,", """
                limits = [shard.reset('size_limit') for shard in cache._shards]
                print(int(min(limits)), int(max(limits)), len(limits))
                """, new String[0]));
        try (FanoutCache cache = FanoutCache.open(path)) {
            assertEquals(8_000_000L, cache.settings().get(Setting.SIZE_LIMIT));
            cache.set("large", new byte[5_000_000]);
            assertEquals(2, cache.size());
        }
    }

    /** Counts in all shards until it is told to stop. */
    static final class Counter {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            try (FanoutCache cache = FanoutCache.open(Path.of(args[0]))) {
                Child.ready();
                for (int i = 0; i < 1500; i++) {
                    cache.incr(i % 40);
                    cache.incr("n" + i % 40);
                    cache.set("large" + i % 10, new byte[40_000 + i]);
                }
                Child.say("DONE");
            }
        }
    }

    @Test
    void nothingIsLostOfWhatBothAddAtTheSameTime() {
        FanoutCache.open(path).close();
        JavaProcess java = processes.start(Counter.class, path.toString());
        java.await(Child.READY, LONG);
        JavaProcess python = start(START + """
                cache = diskcache.FanoutCache(sys.argv[1], shards=8, timeout=30)
                print('UP', flush=True)
                for i in range(1500):
                    cache.incr(i % 40, retry=True)
                    cache.incr('n%d' % (i % 40), retry=True)
                    cache.set('large%d' % (i % 10), 'x' * (40000 + i), retry=True)
                print('DONE', flush=True)
                sys.stdin.read()
                """, path.toString());
        python.await("UP", LONG);
        java.send(Child.GO);
        java.await("DONE", LONG);
        python.await("DONE", LONG);
        try (FanoutCache cache = FanoutCache.open(path)) {
            for (int i = 0; i < 40; i++) {
                int expected = 2 * (1500 / 40) + (i < 1500 % 40 ? 2 : 0);
                assertEquals(expected, cache.get(i, int.class));
                assertEquals(expected, cache.get("n" + i, int.class));
            }
            assertEquals(90, cache.size());
            assertEquals("no damage found", cache.check(false).toString());
        }
        python(8, "assert cache.check() == [] and len(cache) == 90");
    }
}

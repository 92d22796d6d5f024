package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Python;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The same directory in the hands of the real python-diskcache. */
@Tag("process")
@Tag("everyJdk")
class PythonInteropTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final String OPEN = """
            import sys, json, time, warnings, diskcache
            warnings.simplefilter('error')
            cache = diskcache.Cache(sys.argv[1])
            """;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path;

    @BeforeEach
    void name() {
        path = directory.resolve("cache");
    }

    private String python(String script) {
        return Python.run(OPEN + script, path.toString()).strip();
    }

    record Point(int x, List<String> names) {}

    @Test
    void pythonReadsWhatJavaWroteAndWritesBack() {
        try (Cache cache = Cache.open(path)) {
            cache.set("str", "grüße \uD83D\uDE00");
            cache.set("int", -5);
            cache.set("max", Long.MAX_VALUE);
            cache.set("float", 0.25);
            cache.set("bytes", new byte[] {0, -1});
            cache.set("longstr", "ü".repeat(40_000));
            cache.set("longbytes", new byte[50_000]);
            cache.set("json", new Point(1, List.of("a", "ß")));
            cache.set(7, "by int");
            cache.set(new byte[] {1, 2}, "by bytes");
            cache.set(0.5, "by float");
            cache.set(
                    "soon",
                    1,
                    EntryOptions.none().expireAfter(Duration.ofHours(1)).tag("t"));
            cache.set("over", 1, EntryOptions.none().expireAfter(Duration.ofMillis(1)));
            Awaitility.await().until(() -> !cache.containsKey("over"));
            python("""
                    assert cache['str'] == 'grüße \\U0001F600'
                    assert cache['int'] == -5 and type(cache['int']) is int
                    assert cache['max'] == 2**63 - 1
                    assert cache['float'] == 0.25 and type(cache['float']) is float
                    assert cache['bytes'] == b'\\x00\\xff'
                    assert cache['longstr'] == 'ü' * 40000
                    assert cache['longbytes'] == bytes(50000)
                    assert json.loads(cache['json']) == {'x': 1, 'names': ['a', 'ß']}
                    assert cache[7] == 'by int' and cache[b'\\x01\\x02'] == 'by bytes' and cache[0.5] == 'by float'
                    value, expire, tag = cache.get('soon', expire_time=True, tag=True)
                    assert value == 1 and tag == 't' and 3500 < expire - time.time() < 3700
                    assert cache.get('over') is None
                    assert cache.check() == []
                    cache.set('back', 'ä' * 40000, expire=3600, tag='py')
                    cache['list'] = json.dumps([1, 2])
                    cache['int'] += 1
                    del cache['longbytes']
                    """);
            Cache.Entry<String> back = cache.entry("back", String.class).orElseThrow();
            assertEquals("ä".repeat(40_000), back.value());
            assertEquals("py", back.tag().orElseThrow());
            assertTrue(back.expiry().orElseThrow().isAfter(Instant.now().plusSeconds(3500)));
            assertEquals(List.of(1, 2), cache.get("list", new TypeToken<List<Integer>>() {}));
            assertEquals(-4, cache.get("int", int.class));
            assertNull(cache.get("longbytes"));
        }
        python("assert cache.check() == []\nassert cache['int'] == -4");
    }

    @Test
    void javaOpensADirectoryThatPythonMade() {
        python("""
                cache['str'] = 'text'
                cache['int'] = 41
                cache['float'] = 1.5
                cache['bytes'] = b'abc'
                cache['longstr'] = 'é' * 50000
                cache['longbytes'] = b'z' * 50000
                cache['pickled'] = {'a': [1, 2]}
                cache['longpickle'] = ['x' * 50000]
                cache['object'] = __import__('decimal').Decimal('1.5')
                cache[('tuple', 1)] = 'pickled key'
                cache.set('over', 1, expire=0.01)
                cache.close()
                """);
        Map<String, String> before = settings();
        try (Cache cache = Cache.open(path)) {
            assertEquals("text", cache.get("str", String.class));
            assertEquals(42, cache.incr("int"));
            assertEquals(1.5, cache.get("float", double.class));
            assertArrayEquals(new byte[] {'a', 'b', 'c'}, cache.get("bytes", byte[].class));
            assertEquals("é".repeat(50_000), cache.get("longstr", String.class));
            assertEquals(50_000, cache.get("longbytes", byte[].class).length);
            assertEquals(Map.of("a", List.of(1L, 2L)), cache.get("pickled"));
            assertEquals(List.of("x".repeat(50_000)), cache.get("longpickle", new TypeToken<List<String>>() {}));
            String message = assertThrows(CodecException.class, () -> cache.get("object", Object.class))
                    .getMessage();
            assertTrue(message.contains("'object'") && message.contains("decimal.Decimal"), message);
            assertTrue(cache.containsKey("object"));
            assertFalse(cache.containsKey("over"));
            cache.set("longpickle", 1);
            cache.set("java", List.of(3));
        }
        Map<String, String> after = settings();
        assertTrue(after.entrySet().containsAll(before.entrySet()), before + " became " + after);
        python("""
                assert cache['int'] == 42 and cache['pickled'] == {'a': [1, 2]} and cache[('tuple', 1)] == 'pickled key'
                assert cache['longpickle'] == 1 and json.loads(cache['java']) == [3]
                assert cache.check() == []
                """);
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new java.util.TreeMap<>();
        String query = "SELECT key, value FROM Settings WHERE key NOT IN ('count', 'size')";
        for (String row : Rows.of(path, query)) {
            int bar = row.indexOf('|');
            settings.put(row.substring(0, bar), row.substring(bar + 1));
        }
        return settings;
    }

    static final class Prober {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                long session = Long.parseLong(args[1]);
                Child.say("DEAD "
                        + cache.unwrap(CoordinationEngine.class).sessions().isDead(session));
            }
        }
    }

    @Test
    void aRepairByPythonTakesNothingFromALiveProcess() {
        try (Cache cache = Cache.open(path)) {
            CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
            Session session = engine.sessions().self(Deadline.after(LONG));
            cache.set("large", new byte[50_000]);
            cache.set("small", 1);
            Object locks = Directory.key(path.resolve("cache.db-latchkey/locks"));
            Object hints = Directory.key(path.resolve("cache.db-latchkey/hints"));
            List<String> rows = ownRows();
            assertEquals("[]", python("""
                    warnings.simplefilter('ignore')
                    print(cache.check(fix=True) and [])
                    """));
            assertEquals(locks, Directory.key(path.resolve("cache.db-latchkey/locks")));
            assertEquals(hints, Directory.key(path.resolve("cache.db-latchkey/hints")));
            assertEquals(rows, ownRows());
            JavaProcess prober = processes.start(Prober.class, path.toString(), Long.toString(session.id()));
            assertEquals("DEAD false", prober.await("DEAD", LONG));
            assertEquals(0, prober.exitCode(LONG));
            assertFalse(session.isLost());
            assertEquals(50_000, cache.get("large", byte[].class).length);
            assertEquals(2, cache.incr("small"));
        }
        assertTrue(Files.exists(path.resolve("cache.db-latchkey/locks")));
    }

    private List<String> ownRows() {
        return List.of(
                Rows.of(path, "SELECT * FROM Latchkey ORDER BY key").toString(),
                Rows.of(path, "SELECT * FROM LatchkeySession").toString(),
                Rows.of(path, "SELECT * FROM LatchkeyState").toString(),
                Rows.of(path, "SELECT * FROM LatchkeyItem").toString());
    }

    @Test
    void countingFromBothSidesLosesNothing() throws Exception {
        int each = 1_000;
        var thread = Executors.newSingleThreadExecutor();
        try (Cache cache = Cache.open(path)) {
            Future<String> python = thread.submit(() -> python("""
                    for i in range(1000):
                        cache.incr('n', retry=True)
                    print('ok')
                    """));
            while (!cache.containsKey("n")) {
                Thread.onSpinWait();
            }
            for (int i = 0; i < each; i++) {
                cache.incr("n");
            }
            assertEquals("ok", python.get(60, TimeUnit.SECONDS));
            assertEquals(2 * each, cache.get("n", int.class));
        } finally {
            thread.shutdownNow();
        }
    }
}

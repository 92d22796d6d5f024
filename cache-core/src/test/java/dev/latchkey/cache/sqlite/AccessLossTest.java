package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Reads are written down later; what a process loses of them that is killed. */
@Tag("process")
@Tag("everyJdk")
class AccessLossTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int ENTRIES = 3_000;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    /** Reads every entry, and then as many of them again as it is told. */
    static final class Reader {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Cache cache = Cache.open(Path.of(args[0]));
            read(cache, ENTRIES);
            Child.say("READ");
            read(cache, Integer.parseInt(Child.hear()));
            Child.say("AGAIN");
            Child.hear();
        }

        private static void read(Cache cache, int entries) {
            for (int i = 0; i < entries; i++) {
                cache.get("k" + i, Integer.class);
            }
        }
    }

    private Path filled(EvictionPolicy policy) {
        Path path = directory.resolve("cache");
        try (Cache cache =
                Cache.builder(path).evictionPolicy(policy).statistics(true).open()) {
            Map<String, Integer> all = new LinkedHashMap<>();
            for (int i = 0; i < ENTRIES; i++) {
                all.put("k" + i, i);
            }
            cache.setAll(all);
        }
        return path;
    }

    private static long written(Path path, EvictionPolicy policy) {
        String column = policy == EvictionPolicy.LEAST_FREQUENTLY_USED ? "access_count" : "access_time > store_time";
        return Long.parseLong(Rows.one(path, "SELECT coalesce(sum(" + column + "), 0) FROM Cache"));
    }

    @ParameterizedTest
    @EnumSource(names = {"LEAST_RECENTLY_USED", "LEAST_FREQUENTLY_USED"})
    void aProcessThatIsKilledLosesOnlyWhatItReadWithinTheLastSecond(EvictionPolicy policy) {
        Path path = filled(policy);
        JavaProcess reader = processes.start(Reader.class, path.toString());
        reader.await("READ", LONG);
        Awaitility.await().atMost(LONG).until(() -> written(path, policy) == ENTRIES);
        assertEquals(Integer.toString(ENTRIES), Rows.one(path, "SELECT value FROM Settings WHERE key = 'hits'"));
        reader.send("500");
        reader.await("AGAIN", LONG);
        reader.kill();
        long left = written(path, policy);
        assertTrue(left >= ENTRIES && left <= ENTRIES + 500, "written: " + left);
        assertEquals("ok", Rows.one(path, "PRAGMA integrity_check"));
    }

    @Test
    void aProcessThatClosesLosesNothing() {
        Path path = filled(EvictionPolicy.LEAST_FREQUENTLY_USED);
        try (Cache cache = Cache.open(path)) {
            for (int i = 0; i < ENTRIES; i++) {
                cache.get("k" + i, Integer.class);
            }
        }
        assertEquals(ENTRIES, written(path, EvictionPolicy.LEAST_FREQUENTLY_USED));
        assertEquals(Integer.toString(ENTRIES), Rows.one(path, "SELECT value FROM Settings WHERE key = 'hits'"));
    }

    @Test
    void whoClosesWhileAnotherWritesStillNotesItsReads() throws Exception {
        Path path = filled(EvictionPolicy.LEAST_FREQUENTLY_USED);
        try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + path.resolve("cache.db"));
                Statement statement = other.createStatement()) {
            Cache cache = Cache.open(path);
            statement.execute("BEGIN IMMEDIATE");
            cache.get("k0", Integer.class);
            FutureTask<Void> closing = new FutureTask<>(cache::close, null);
            new Thread(closing).start();
            assertThrows(TimeoutException.class, () -> closing.get(600, TimeUnit.MILLISECONDS));
            statement.execute("COMMIT");
            closing.get(30, TimeUnit.SECONDS);
        }
        assertEquals(1, written(path, EvictionPolicy.LEAST_FREQUENTLY_USED));
    }
}

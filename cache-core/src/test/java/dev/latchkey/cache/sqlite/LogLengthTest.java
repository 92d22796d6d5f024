package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How long the log becomes, and for how long. */
@Tag("process")
@Tag("everyJdk")
class LogLengthTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SOON = Duration.ofSeconds(8);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return directory.resolve("cache");
    }

    private long logLength() {
        try {
            return Files.size(path().resolve("cache.db-wal"));
        } catch (IOException e) {
            return 0;
        }
    }

    @Test
    void aFewCommitsAreWrittenBackWithinSeconds() {
        try (Cache cache = Cache.open(path())) {
            for (int i = 0; i < 5; i++) {
                cache.set("k" + i, "x".repeat(1_000));
            }
            Awaitility.await().atMost(SOON).untilAsserted(() -> {
                String[] log = Rows.one(path(), "PRAGMA wal_checkpoint(NOOP)").split("\\|", -1);
                assertEquals(log[1], log[2]);
            });
            assertTrue(logLength() > 0, "a short log is left as it is");
        }
    }

    @Test
    void aLogThatAReaderMadeLongIsCutWhenNobodyWrites() throws SQLException {
        try (Cache cache = Cache.open(path())) {
            cache.set("a", 1);
            try (Connection reader = Rows.connect(path());
                    var statement = reader.createStatement()) {
                statement.execute("BEGIN");
                statement.executeQuery("SELECT count(*) FROM Cache").close();
                for (int i = 0; i < 300; i++) {
                    cache.set("k" + i % 20, value(i));
                }
                assertTrue(logLength() > 4 << 20);
            }
            Awaitility.await().atMost(SOON).until(() -> logLength() == 0);
            assertEquals(1, cache.get("a", int.class));
            assertEquals(value(299), cache.get("k19", String.class));
        }
    }

    /** Differs from the one before in all pages: others would not be written again. */
    private static String value(int i) {
        return Integer.toString(i % 7).repeat(30_000);
    }

    /** Commits fewer times than anybody counts, and waits for its end. */
    static final class Brief {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Cache cache = Cache.open(Path.of(args[0]));
            for (int i = 0; i < 100; i++) {
                cache.set("k" + i, "x".repeat(30_000));
            }
            Child.say("DONE");
            Child.hear();
        }
    }

    /** Once it grew for ever, as long as anybody had the directory open. */
    @Test
    void aStreamOfProcessesThatAreKilledAfterAFewCommitsLeavesNoLongLog() {
        try (Cache idle = Cache.open(path())) {
            for (int i = 0; i < 12; i++) {
                JavaProcess brief = processes.start(Brief.class, path().toString());
                brief.await("DONE", LONG);
                brief.kill();
                assertTrue(logLength() < 32 << 20, logLength() + " bytes");
            }
            Awaitility.await().atMost(SOON).until(() -> logLength() <= 4 << 20);
            assertEquals(30_000, idle.get("k99", String.class).length());
        }
    }
}

package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.SmallDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Coordination on a disk without space. */
@Tag("process")
@Tag("everyJdk")
class DiskFullLockTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final SmallDisk disk = new SmallDisk(24);

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return disk.resolve("cache");
    }

    private Cache openWithBallast() {
        Cache cache = Cache.open(path());
        Path spare = path().resolve("cache.db-latchkey/spare");
        Awaitility.await().atMost(SOON).until(() -> Files.exists(spare));
        return cache;
    }

    private void fill(Cache cache) {
        disk.fill();
        assertThrows(CacheFullException.class, () -> {
            for (int i = 0; ; i++) {
                cache.set("k" + i, "x".repeat(20_000));
            }
        });
    }

    @Test
    void onAFullDiskLocksPassBetweenProcessesAndWorkIsDone() throws Exception {
        try (Cache cache = openWithBallast()) {
            WorkQueue<String> queue = new WorkQueue<>(cache, "q", String.class);
            for (int i = 0; i < 20; i++) {
                queue.put("item" + i);
            }
            Lock lock = new Lock(cache, "a");
            JavaProcess other = processes.start(CoordinationChild.class, path().toString());
            other.await("OPEN", SOON);
            lock.lock();
            fill(cache);
            other.send("lock a");
            lock.unlock();
            other.await("LOCKED", SOON);
            for (int i = 0; i < 50; i++) {
                other.send("unlock a");
                other.await("UNLOCKED", SOON);
                lock.lock();
                other.send("lock a");
                lock.unlock();
                other.await("LOCKED", SOON);
            }
            assertThrows(CacheFullException.class, () -> queue.put("more"), "it would eat what is kept for releases");
            for (int i = 0; i < 20; i++) {
                Claim<String> claim = queue.claim(SOON).orElseThrow();
                assertEquals("item" + i, claim.value());
                claim.ack();
            }
            other.kill();
            assertTrue(lock.tryLock(SOON), "death frees on a full disk too");
            lock.unlock();
            for (int i = 0; i < 200; i++) {
                new Lock(cache, "n" + i).acquire().close();
            }
            disk.free();
            Awaitility.await()
                    .atMost(SOON)
                    .ignoreException(CacheFullException.class)
                    .until(() -> {
                        cache.set("again", 1);
                        return true;
                    });
        }
    }

    /** Not even the ballast is left, because a reader keeps the log from being written back. */
    @Test
    void aReleaseThatCannotBeWrittenIsWrittenAsSoonAsThereIsSpace() throws SQLException, IOException {
        try (Cache cache = openWithBallast();
                Connection reader = DriverManager.getConnection("jdbc:sqlite:" + path().resolve("cache.db"));
                var statement = reader.createStatement()) {
            Lock lock = new Lock(cache, "a");
            lock.lock();
            cache.set("a", 1);
            statement.execute("BEGIN");
            statement.executeQuery("SELECT count(*) FROM Cache").close();
            fill(cache);
            exhaust(cache);
            lock.unlock();
            for (int i = 0; !isHeldInTheRow(cache); i++) { // something has given space back meanwhile
                assertTrue(i < 10, "each time it could be written, so nothing is shown");
                disk.free();
                lock.lock();
                exhaust(cache);
                lock.unlock();
            }
            assertFalse(lock.isHeldByCurrentThread());
            statement.execute("COMMIT");
            disk.free();
            Awaitility.await().atMost(SOON).until(() -> !isHeldInTheRow(cache));
            JavaProcess other = processes.start(CoordinationChild.class, path().toString());
            other.await("OPEN", SOON);
            other.send("lock a");
            other.await("LOCKED", SOON);
        }
    }

    /** Writes what does not grow, until not even that can be written. */
    private void exhaust(Cache cache) {
        assertThrows(CacheFullException.class, () -> {
            for (int i = 0; ; i++) {
                cache.touch("a", Duration.ofDays(1 + i));
                disk.fill();
            }
        });
    }

    private static boolean isHeldInTheRow(Cache cache) {
        return !cache.unwrap(CoordinationEngine.class)
                .states()
                .read("lock", "a", Deadline.after(SOON))
                .holds()
                .isEmpty();
    }
}

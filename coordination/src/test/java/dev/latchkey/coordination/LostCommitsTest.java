package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A directory that has lost its last commits, as after a power loss, or that was taken away. */
@Tag("process")
@Tag("everyJdk")
class LostCommitsTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return directory.resolve("cache");
    }

    @Test
    void withoutTheTailOfTheLogTokensStillGrowAndNobodyHolds() throws IOException {
        JavaProcess holder = processes.start(CoordinationChild.class, path().toString());
        holder.await("OPEN", SOON);
        long last = 0;
        for (int i = 0; i < 30; i++) {
            holder.send("lock a");
            last = Long.parseLong(holder.await("LOCKED", SOON).split(" ", -1)[2]);
            holder.send("unlock a");
            holder.await("UNLOCKED", SOON);
        }
        holder.send("lock a");
        last = Math.max(last, Long.parseLong(holder.await("LOCKED", SOON).split(" ", -1)[2]));
        holder.kill();
        long length = Files.size(path().resolve("cache.db-wal"));
        for (int i = 10; i >= 0; i--) {
            Path copy = directory.resolve("copy" + i);
            copyWithLog(copy, length * i / 10);
            try (Cache cache = Cache.open(copy)) {
                Lock lock = new Lock(cache, "a");
                assertTrue(lock.tryLock(), "a dead session holds it");
                assertTrue(lock.fencingToken() > last, lock.fencingToken() + " after " + last);
                lock.unlock();
            }
        }
    }

    private void copyWithLog(Path copy, long length) throws IOException {
        try (Stream<Path> all = Files.walk(path())) {
            for (Path each : all.toList()) {
                Files.copy(each, copy.resolve(path().relativize(each).toString()));
            }
        }
        try (RandomAccessFile log =
                new RandomAccessFile(copy.resolve("cache.db-wal").toFile(), "rw")) {
            log.setLength(length);
        }
    }

    @Test
    void rightAfterTheDirectoryWasReplacedNoLockIsGrantedInTheOldOne() throws IOException {
        for (int round = 0; round < 20; round++) {
            Path path = directory.resolve("round" + round);
            try (Cache old = Cache.open(path)) {
                Lock lock = new Lock(old, "a");
                lock.lock();
                lock.unlock();
                Files.move(path, directory.resolve("away" + round));
                try (Cache fresh = Cache.open(path)) {
                    new Lock(fresh, "a").lock();
                    assertThrows(CacheReplacedException.class, lock::tryLock);
                    assertThrows(CacheReplacedException.class, lock::lock);
                    assertThrows(CacheException.class, () -> new Lock(old, "b").tryLock());
                }
            }
        }
    }
}

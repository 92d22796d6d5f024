package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.SmallDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A disk without space, and what works on it all the same. */
@Tag("process")
@Tag("everyJdk")
class DiskFullTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SOON = Duration.ofSeconds(8);
    private static final int VALUE = 20_000;

    @RegisterExtension
    final SmallDisk disk = new SmallDisk(24);

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return disk.resolve("cache");
    }

    private Path spare() {
        return path().resolve("cache.db-latchkey/spare");
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0;
        }
    }

    private Cache openWithBallast() {
        Cache cache = Cache.open(path());
        awaitBallast();
        return cache;
    }

    private void awaitBallast() {
        Awaitility.await().atMost(SOON).until(() -> size(spare()) == Ballast.SIZE);
    }

    private static String value(int i) {
        return i + "-" + "x".repeat(VALUE);
    }

    /** Stores values until it is refused, and returns how many there are. */
    private static int storeUntilFull(Cache cache, int from) {
        for (int i = from; ; i++) {
            try {
                cache.set("k" + i, value(i));
            } catch (CacheFullException e) {
                assertFalse(cache.containsKey("k" + i));
                return i;
            }
        }
    }

    /** As long as somebody reads, the log only grows. */
    private static int deleteUntilFull(Cache cache, int stored) {
        for (int i = 0; i < stored; i++) {
            try {
                assertTrue(cache.delete("k" + i), "k" + i);
            } catch (CacheFullException e) {
                return i;
            }
        }
        return stored;
    }

    private static void assertStored(Cache cache, int from, int until) {
        for (int i = from; i < until; i++) {
            assertEquals(value(i), cache.get("k" + i), "k" + i);
        }
    }

    private void assertClean() {
        assertEquals("ok", Rows.one(path(), "PRAGMA integrity_check"));
        assertEquals(
                Rows.one(path(), "SELECT count(*) FROM Cache"),
                Rows.one(path(), "SELECT value FROM Settings WHERE key = 'count'"));
    }

    private static void assertServesAgainSoon(Cache cache) {
        Awaitility.await()
                .atMost(SOON)
                .ignoreException(CacheFullException.class)
                .until(() -> {
                    cache.set("again", value(0));
                    return true;
                });
        assertEquals(value(0), cache.get("again"));
    }

    // The ballast

    @Test
    void theBallastTakesUpSpaceAndIsItsOwnersAlone() throws IOException {
        long before = disk.path().toFile().getUsableSpace();
        try (Cache cache = openWithBallast()) {
            assertEquals(1, cache.incr("a"));
            assertTrue(before - disk.path().toFile().getUsableSpace() >= Ballast.SIZE);
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(spare())));
            assertFalse(Files.exists(spare().resolveSibling("spare.new")));
            Files.delete(spare());
            awaitBallast();
        }
    }

    @Test
    void theBallastDoesNotTakeTheLastSpaceAndUntilThereIsMoreNothingThatGrowsIsLetIn() throws IOException {
        Files.write(disk.resolve("other"), new byte[19 << 20]);
        try (Cache cache = Cache.open(path())) {
            Awaitility.await().atMost(SOON).until(() -> isRefused(cache));
            assertFalse(Files.exists(spare()));
            assertFalse(cache.delete("b"));
            Files.delete(disk.resolve("other"));
            assertServesAgainSoon(cache);
            assertTrue(Files.exists(spare()));
        }
    }

    private static boolean isRefused(Cache cache) {
        try {
            cache.set("a", 1);
            return false;
        } catch (CacheFullException e) {
            return true;
        }
    }

    // A full disk

    @Test
    void onAFullDiskWhatIsThereCanBeReadAndDeletedAndServiceResumesWithSpace() {
        try (Cache cache = openWithBallast()) {
            int before = 0;
            for (; before < 100; before++) {
                cache.set("k" + before, value(before));
            }
            disk.fill();
            int stored = storeUntilFull(cache, before);
            assertStored(cache, 0, stored);
            for (int i = 0; i < stored; i += 2) {
                assertTrue(cache.delete("k" + i), "k" + i);
            }
            for (int i = 1; i < stored; i += 2) {
                assertEquals(value(i), cache.get("k" + i));
            }
            assertTrue(cache.touch("k1", Duration.ofHours(1)));
            assertClean();
            disk.free();
            assertServesAgainSoon(cache);
            awaitBallast();
            assertClean();
        }
    }

    /** The log cannot be written back while somebody reads from before it, and the database must grow by all it holds. */
    @Test
    void aLongLogThatAReaderHoldsOpenIsNoTrap() throws SQLException {
        try (Cache cache = openWithBallast();
                Connection reader = Rows.connect(path());
                var statement = reader.createStatement()) {
            cache.set("first", 1);
            statement.execute("BEGIN");
            statement.executeQuery("SELECT count(*) FROM Cache").close();
            int before = 0;
            for (; before < 170; before++) {
                cache.set("k" + before, value(before));
            }
            assertTrue(size(path().resolve("cache.db-wal")) > Ballast.SIZE);
            Awaitility.await().atMost(SOON).until(() -> size(spare().resolveSibling("spare.log")) > 0);
            Awaitility.await()
                    .during(Duration.ofMillis(2_500))
                    .atMost(SOON)
                    .until(() -> size(spare().resolveSibling("spare.log")) > 0);
            disk.fill();
            int stored = storeUntilFull(cache, before);
            int deleted = deleteUntilFull(cache, stored);
            assertTrue(deleted >= 20, "only " + deleted + " deletes");
            assertThrows(CacheFullException.class, () -> cache.set("more", value(0)));
            assertStored(cache, deleted, stored);
            statement.execute("COMMIT");
            for (int i = deleted; i < stored; i++) {
                assertTrue(cache.delete("k" + i), "k" + i);
            }
            assertClean();
            disk.free();
            assertServesAgainSoon(cache);
            Awaitility.await().atMost(SOON).until(() -> size(spare().resolveSibling("spare.log")) == 0);
            awaitBallast();
        }
    }

    @Test
    void aTransactionThatDeletesFailsAtMostOnceOnAFullDisk() {
        try (Cache cache = openWithBallast()) {
            cache.set("a", 1);
            disk.fill();
            int stored = storeUntilFull(cache, 0);
            int failed = 0;
            for (int i = 0; i < stored; i++) {
                int key = i;
                try {
                    assertTrue(cache.<Boolean>transact(() -> cache.delete("k" + key)), "k" + i);
                } catch (CacheFullException e) {
                    failed++;
                    assertTrue(cache.<Boolean>transact(() -> cache.delete("k" + key)), "k" + i);
                }
            }
            assertTrue(failed <= 1, failed + " failed");
            assertThrows(CacheFullException.class, () -> cache.transact(() -> cache.set("b", value(1))));
            assertClean();
        }
    }

    @Test
    void aFullDiskCanBeOpenedAndFreedByANewProcess() {
        int stored;
        try (Cache cache = openWithBallast()) {
            disk.fill();
            stored = storeUntilFull(cache, 0);
        }
        disk.fill(); // the log is gone
        try (Cache cache = Cache.open(path())) {
            assertStored(cache, 0, stored);
            for (int i = 0; i < stored; i++) {
                assertTrue(cache.delete("k" + i), "k" + i);
            }
        }
        disk.free();
        assertClean();
    }

    // Several processes

    /** Stores until the disk is full, then deletes half of what it stored, again and again. */
    static final class Storer {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            String own = args[1];
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                Child.ready();
                TreeSet<Integer> there = new TreeSet<>();
                for (int i = 0; Child.hearNow() == null; i++) {
                    try {
                        cache.set(own + i, value(i));
                        Child.say("SET " + own + i);
                        there.add(i);
                    } catch (CacheFullException e) {
                        deleteHalf(cache, own, there);
                    }
                }
            }
            Child.say("CLOSED");
        }

        private static void deleteHalf(Cache cache, String own, NavigableSet<Integer> there) {
            for (int n = (there.size() + 1) / 2; n > 0; n--) {
                int i = there.pollFirst();
                Child.say("DELETING " + own + i);
                if (!cache.delete(own + i)) {
                    throw new AssertionError(own + i + " is lost");
                }
            }
        }
    }

    /** They alone fill the disk: a stranger that takes all there is may take what is given up for deletes before they use it. */
    @Test
    void twoProcessesOnAFullDiskBothGoOnAndLoseNothing() {
        openWithBallast().close();
        List<JavaProcess> both = List.of(
                processes.start(Storer.class, path().toString(), "a"),
                processes.start(Storer.class, path().toString(), "b"));
        processes.gun(both);
        for (int round = 0; round < 5; round++) {
            both.forEach(child -> child.await("DELETING", LONG));
            both.forEach(child -> child.await("SET", LONG));
        }
        both.forEach(child -> child.send("END"));
        both.forEach(child -> child.await("CLOSED", LONG));
        assertClean();
        assertAllStoredIsThere(both);
    }

    /**
     * What a killed process had given up for its deletes somebody else may have taken. Then even deletes need space; that is seldom, and
     * nothing is lost by it.
     */
    @Test
    void processesKilledOnAFullDiskLeaveNothingThatOthersCannotFree() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int withoutSpace = 0;
        for (int round = 0; round < 6; round++) {
            openWithBallast().close();
            List<JavaProcess> both = List.of(
                    processes.start(Storer.class, path().toString(), round + "a"),
                    processes.start(Storer.class, path().toString(), round + "b"));
            processes.gun(both);
            both.forEach(child -> child.await("SET", LONG));
            if (random.nextBoolean()) {
                disk.fill();
            }
            both.get(0).await("DELETING", LONG);
            LockSupport.parkNanos(random.nextInt(30_000_000));
            disk.fill();
            both.get(0).kill();
            both.get(1).await("DELETING", LONG);
            both.get(1).kill();
            disk.fill();
            boolean taken = size(spare()) == 0;
            try {
                deleteAll();
            } catch (CacheFullException e) {
                assertTrue(taken, () -> "with its ballast, seed " + seed + ": " + e);
                withoutSpace++;
                disk.free();
                deleteAll();
            }
            assertEquals("0", Rows.one(path(), "SELECT count(*) FROM Cache"), "seed " + seed);
            disk.free();
            assertClean();
        }
        assertTrue(withoutSpace <= 2, withoutSpace + " of 6 times without space, seed " + seed);
        try (Cache cache = openWithBallast()) {
            assertServesAgainSoon(cache);
        }
    }

    private void deleteAll() {
        try (Cache cache = Cache.open(path())) {
            for (String key : Rows.of(path(), "SELECT key FROM Cache")) {
                assertTrue(cache.delete(key), key);
            }
        }
    }

    private void assertAllStoredIsThere(List<JavaProcess> children) {
        TreeSet<String> expected = new TreeSet<>();
        for (JavaProcess child : children) {
            for (String line : child.output()) {
                if (line.startsWith("SET ")) {
                    expected.add(line.substring(4));
                } else if (line.startsWith("DELETING ")) {
                    expected.remove(line.substring(9));
                }
            }
        }
        assertFalse(expected.isEmpty());
        assertEquals(expected, new TreeSet<>(Rows.of(path(), "SELECT key FROM Cache")));
    }
}

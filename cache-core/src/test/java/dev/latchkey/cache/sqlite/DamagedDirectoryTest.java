package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.DirectoryTree;
import dev.latchkey.testing.Failpoint;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is left of a directory after accidents. */
@Tag("process")
@Tag("everyJdk")
class DamagedDirectoryTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int KEYS = 200;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return directory.resolve("cache");
    }

    private Path database() {
        return path().resolve("cache.db");
    }

    private static String value(int i) {
        return i + "-" + "x".repeat(1_000);
    }

    private void fill() {
        try (Cache cache = Cache.open(path())) {
            for (int i = 0; i < KEYS; i++) {
                cache.set("k" + i, value(i));
            }
        }
    }

    /** From a process of its own, because closing the file here would drop the locks of this process on it. */
    private void overwrite(Path file, long position, int length) {
        JavaProcess vandal =
                processes.start(Vandal.class, file.toString(), Long.toString(position), Integer.toString(length));
        assertEquals(0, vandal.exitCode(LONG));
    }

    /** Writes noise over a part of a file. */
    static final class Vandal {
        public static void main(String[] args) throws IOException {
            Child.start();
            try (RandomAccessFile file = new RandomAccessFile(args[0], "rw")) {
                byte[] noise = new byte[Integer.parseInt(args[2])];
                new Random(42).nextBytes(noise);
                file.seek(Long.parseLong(args[1]));
                file.write(noise);
            }
        }
    }

    private void assertRefusedByName() throws IOException {
        byte[] before = Files.readAllBytes(database());
        for (int i = 0; i < 2; i++) {
            String message = assertThrows(CacheCorruptException.class, () -> Cache.open(path()))
                    .getMessage();
            assertTrue(message.contains(database().toString()), message);
        }
        assertEquals(before.length, Files.size(database()));
        assertTrue(java.util.Arrays.equals(before, Files.readAllBytes(database())), "it was changed");
    }

    // The database

    @Test
    void aDatabaseOfNoLengthBesideValueFilesIsCorrupt() throws IOException {
        try (Cache cache = Cache.open(path())) {
            cache.set("large", new byte[40_000]);
        }
        Files.write(database(), new byte[0]);
        assertRefusedByName();
    }

    /** SQLite would take it for new and delete the log. */
    @Test
    void aDatabaseOfNoLengthBesideALogIsCorruptAndTheLogStays() throws IOException {
        Path copy = directory.resolve("copy");
        JavaProcess writer = processes.start(Committer.class, path().toString());
        writer.await("COMMITTED 50", LONG);
        writer.kill();
        copyTree(path(), copy);
        Files.write(copy.resolve("cache.db"), new byte[0]);
        long log = Files.size(copy.resolve("cache.db-wal"));
        assertTrue(log > 0);
        assertThrows(CacheCorruptException.class, () -> Cache.open(copy));
        assertEquals(log, Files.size(copy.resolve("cache.db-wal")));
    }

    @Test
    void aDatabaseWhoseHeadIsNoiseIsCorrupt() throws IOException {
        fill();
        overwrite(database(), 0, 100);
        assertRefusedByName();
    }

    @Test
    void aDatabaseOfNothingButNoiseIsCorrupt() throws IOException {
        fill();
        overwrite(database(), 0, (int) Files.size(database()));
        assertRefusedByName();
    }

    @Test
    void aDatabaseCutInHalfIsCorrupt() throws IOException {
        fill();
        try (RandomAccessFile file = new RandomAccessFile(database().toFile(), "rw")) {
            file.setLength(file.length() / 8192 * 4096);
        }
        assertRefusedByName();
    }

    @Test
    void noiseInTheMiddleIsFoundByWhoeverReadsIt() throws IOException {
        fill();
        overwrite(database(), 8 * 4096, (int) Files.size(database()) - 8 * 4096);
        try (Cache cache = Cache.open(path())) {
            assertTrue(corruptReads(cache) > 0);
        } catch (CacheCorruptException e) {
            assertTrue(e.getMessage().contains(database().toString()), e.getMessage());
        }
    }

    @Test
    void noiseOverADatabaseThatIsOpenIsATypedErrorAndNeverAWrongValue() throws IOException {
        fill();
        try (Cache cache = Cache.open(path())) {
            assertEquals(value(0), cache.get("k0"));
            overwrite(database(), 0, (int) Files.size(database()));
            int corrupt = corruptReads(cache);
            for (int i = 0; i < KEYS; i++) {
                int n = i;
                corrupt += isCorrupt(() -> cache.set("k" + n, "new")) ? 1 : 0;
                corrupt += isCorrupt(() -> cache.delete("k" + n)) ? 1 : 0;
            }
            assertTrue(corrupt > 0);
        }
        assertThrows(CacheCorruptException.class, () -> Cache.open(path()));
    }

    private static int corruptReads(Cache cache) {
        int corrupt = 0;
        for (int i = 0; i < KEYS; i++) {
            int n = i;
            corrupt += isCorrupt(() -> assertEquals(value(n), cache.get("k" + n))) ? 1 : 0;
        }
        return corrupt;
    }

    private static boolean isCorrupt(Runnable operation) {
        try {
            operation.run();
            return false;
        } catch (CacheCorruptException e) {
            return true;
        }
    }

    // The log

    /** Counts, with a session of its own, until it is killed. */
    static final class Committer {
        public static void main(String[] args) {
            Child.start();
            Cache cache = Cache.open(Path.of(args[0]));
            long session = cache.unwrap(CoordinationEngine.class)
                    .sessions()
                    .self(dev.latchkey.cache.spi.Deadline.after(LONG))
                    .id();
            Child.say("SESSION " + session);
            for (int i = 1; ; i++) {
                cache.incr("n");
                cache.set("large", new byte[40_000 + i]);
                Child.say("COMMITTED " + i);
            }
        }
    }

    @Test
    void aLogWithoutItsTailLeadsToAnEarlierMomentAndToDeadSessions() throws IOException {
        Path written = directory.resolve("written0");
        JavaProcess writer = dyingBeforeItsFirstCheckpoint(written);
        for (int i = 1; i < 10 && committed(writer) < 5; i++) { // stalled until the first look
            written = directory.resolve("written" + i);
            writer = dyingBeforeItsFirstCheckpoint(written);
        }
        long session = Long.parseLong(writer.await("SESSION ", LONG).substring("SESSION ".length()));
        long committed = committed(writer);
        long length = Files.size(written.resolve("cache.db-wal"));
        long last = Long.MAX_VALUE;
        for (int i = 8; i >= 0; i--) {
            Path copy = directory.resolve("copy" + i);
            copyTree(written, copy);
            cut(copy.resolve("cache.db-wal"), length * i / 8);
            try (Cache cache = Cache.open(copy)) {
                Long found = cache.get("n", Long.class);
                long n = found == null ? 0 : found;
                assertTrue(n <= last, n + " after " + last);
                assertTrue(i < 8 || n == committed || n == committed + 1, n + " of " + committed);
                last = n;
                byte[] large = cache.get("large", byte[].class);
                assertTrue(large == null || large.length == 40_000 + n || large.length == 40_000 + n - 1);
                assertEquals(n + 1, cache.incr("n"));
                assertTrue(cache.unwrap(CoordinationEngine.class).sessions().isDead(session));
            }
            assertEquals("ok", Rows.one(copy, "PRAGMA integrity_check"));
        }
        assertTrue(last < committed, "nothing was cut");
    }

    /** What was written back no cut would take away. */
    private JavaProcess dyingBeforeItsFirstCheckpoint(Path path) {
        JavaCommand command = JavaCommand.of(Committer.class, path.toString());
        JavaProcess writer =
                processes.start(Failpoint.kill("before-checkpoint", 1).in(command, directory.path()));
        assertEquals(128 + 9, writer.exitCode(LONG));
        return writer;
    }

    private static long committed(JavaProcess writer) {
        return writer.output().stream()
                .filter(line -> line.startsWith("COMMITTED "))
                .mapToLong(line -> Long.parseLong(line.substring("COMMITTED ".length())))
                .max()
                .orElse(0);
    }

    private static void cut(Path file, long length) throws IOException {
        try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "rw")) {
            log.setLength(length);
        }
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path each : all.toList()) {
                Files.copy(each, to.resolve(from.relativize(each).toString()));
            }
        }
    }

    // Value files

    @Test
    void aValueFileThatIsLongerThanItsRowSaysIsAbsentAndIsNotRead() throws IOException {
        try (Cache cache = Cache.builder(path()).reaper(false).open()) { // which would find it too large
            cache.set("a", new byte[40_000]);
            cut(valueFile(), 1L << 36); // without blocks
            assertNull(cache.get("a"));
            Rows.change(path(), "UPDATE Cache SET size = " + (1L << 36));
            assertThrows(CacheException.class, () -> cache.get("a"));
            cache.set("a", new byte[40_001]);
            assertEquals(40_001, cache.get("a", byte[].class).length);
        }
    }

    @Test
    void aValueFileThatBecameAFolderOrALinkIsAbsent() throws IOException {
        Path outside = Files.write(directory.resolve("outside"), new byte[40_000]);
        try (Cache cache = Cache.open(path())) {
            cache.set("a", new byte[40_000]);
            Path file = valueFile();
            Files.delete(file);
            Files.createDirectory(file);
            assertNull(cache.get("a"));
            Files.delete(file);
            Files.createSymbolicLink(file, outside);
            assertNull(cache.get("a"));
            assertTrue(cache.delete("a"));
        }
        assertEquals(40_000, Files.size(outside));
    }

    @Test
    void anEntryWhoseValueFileIsGoneIsAbsentForAddAsWell() throws IOException {
        try (Cache cache = Cache.open(path())) {
            cache.set("a", new byte[40_000]);
            cut(valueFile(), 39_999);
            assertFalse(cache.containsKey("a"));
            assertTrue(cache.add("a", "again"));
            assertFalse(cache.add("a", "late"));
            assertEquals("again", cache.get("a"));
        }
    }

    private Path valueFile() throws IOException {
        try (Stream<Path> all = Files.walk(path())) {
            return all.filter(each -> each.toString().endsWith(".val"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    // The directory

    @Test
    void whatIsWrittenRightAfterTheDirectoryWasReplacedNeverReachesTheNewOne() throws IOException {
        try (Cache old = Cache.open(path())) {
            old.set("a", "old");
            Files.move(path(), directory.resolve("away"));
            try (Cache fresh = Cache.open(path())) {
                fresh.set("b", "new");
                Awaitility.await().pollInterval(Duration.ofMillis(5)).until(() -> isReplaced(old));
                assertFalse(fresh.containsKey("a"));
                assertFalse(fresh.containsKey("small"));
                assertFalse(fresh.containsKey("large"));
                assertEquals("new", fresh.get("b"));
            }
            assertEquals(List.of(), DirectoryTree.delete(path()));
        }
    }

    /** Seen as a directory that could not be deleted: the hints came back while it was. */
    @Test
    void whoseDirectoryWasReplacedMakesNoFileInTheNewOne() throws IOException {
        try (Cache old = Cache.open(path())) {
            Files.move(path(), directory.resolve("away"));
            Cache.open(path()).close();
            Files.delete(path().resolve("cache.db-latchkey/hints"));
            Files.deleteIfExists(path().resolve("cache.db-latchkey/spare")); // if it was open for a second
            Awaitility.await()
                    .during(Duration.ofMillis(2_500))
                    .atMost(Duration.ofSeconds(5))
                    .until(() -> ownFiles(), List.of("locks")::equals);
            Awaitility.await().until(() -> isReplaced(old));
        }
    }

    private List<String> ownFiles() throws IOException {
        try (Stream<Path> all = Files.list(path().resolve("cache.db-latchkey"))) {
            return all.map(each -> each.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aDirectoryThatWasRemovedIsNotTakenForAFullDisk() {
        try (Cache cache = Cache.open(path())) {
            // it may be making a file just then
            Awaitility.await().pollDelay(Duration.ZERO).until(() -> DirectoryTree.delete(path())
                    .isEmpty());
            CacheException e = assertThrows(CacheException.class, () -> cache.set("a", new byte[40_000]));
            assertFalse(e instanceof CacheFullException, e::toString);
        }
    }

    @Test
    void everyReadIsToldThatTheDirectoryWasRemovedAlsoIfItWasOpenedForReadingAlone() throws IOException {
        fill();
        try (Cache reader = Cache.builder(path()).readOnly(true).open()) {
            assertEquals(List.of(), DirectoryTree.delete(path()));
            Awaitility.await().pollInterval(Duration.ofMillis(5)).until(() -> isGone(reader));
            for (int i = 0; i < 3; i++) {
                assertThrows(CacheReplacedException.class, () -> reader.get("a"));
            }
        }
    }

    private static boolean isGone(Cache reader) {
        try {
            reader.size();
            return false;
        } catch (CacheReplacedException e) {
            return true;
        }
    }

    private static boolean isReplaced(Cache old) {
        try {
            old.set("small", 1);
            old.set("large", new byte[40_000]);
            return false;
        } catch (CacheReplacedException e) {
            return true;
        }
    }
}

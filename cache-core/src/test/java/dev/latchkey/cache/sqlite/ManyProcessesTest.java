package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Throwables;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.Cpu;
import dev.latchkey.testing.Elapsed;
import dev.latchkey.testing.Failpoint;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Listing;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** Real processes that open, write, hold and die. */
@Tag("process")
class ManyProcessesTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    /** Of the time before a kill, in milliseconds. */
    private static final int SHORTEST_SPAN = 200;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    // Opening at once

    /** On each line it hears: opens that directory, counts, closes. */
    static final class Opener {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Child.say("UP");
            while (true) {
                String path = Child.hear();
                String said = "OK";
                try (Cache cache = Cache.open(Path.of(path))) {
                    cache.incr("n");
                } catch (RuntimeException e) {
                    said = "FAILED " + Throwables.getStackTraceAsString(e).replace('\n', ' ');
                }
                Child.say(said);
            }
        }
    }

    @Test
    void sixteenProcessesThatOpenAnEmptyDirectoryAtOnceAllSucceed() {
        int count = 16;
        int rounds = 50;
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            children.add(processes.start(JavaCommand.of(Opener.class).lifetime(Duration.ofMinutes(10))));
        }
        children.forEach(child -> child.await("UP", LONG));
        for (int round = 0; round < rounds; round++) {
            Path path = directory.resolve("cache" + round);
            children.forEach(child -> child.send(path.toString()));
            for (JavaProcess child : children) {
                assertEquals("OK", child.await("", LONG), "round " + round);
            }
            try (Cache cache = Cache.open(path)) {
                assertEquals(count, cache.get("n", int.class), "round " + round);
            }
        }
        assertClean(directory.resolve("cache" + (rounds - 1)));
    }

    // Dying at any instant

    /** Opens, takes a session, and writes small and large values as fast as it can. */
    static final class Victim {
        public static void main(String[] args) {
            Child.start();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                cache.unwrap(CoordinationEngine.class).sessions().self(Deadline.after(LONG));
                for (int i = 0; ; i++) {
                    long sum = cache.incr("n");
                    cache.set("large" + i % 5, new byte[40_000 + i % 7]);
                    cache.delete("large" + (i + 2) % 5);
                    Child.say("COMMITTED " + sum);
                }
            }
        }
    }

    /**
     * Two at a time, so that one dies while the other opens or writes; each pair on a directory that was new at one of four
     * pairs.
     */
    @Test
    void processesKilledAtAnyInstantLeaveADirectoryThatOpensAndIsClean() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int span = Math.max(SHORTEST_SPAN, 2 * millisToFirstCommit());
        int orphans = 0;
        int reached = 0;
        for (int pair = 0; pair < 100; pair++) {
            Path path = directory.resolve("cache" + pair / 4);
            List<JavaProcess> victims = new ArrayList<>();
            long start = System.nanoTime();
            for (int i = 0; i < 2; i++) {
                victims.add(processes.start(JavaCommand.of(Victim.class, path.toString())));
            }
            long[] delays = {random.nextInt(span), random.nextInt(span)};
            int first = delays[0] <= delays[1] ? 0 : 1;
            killAfter(victims.get(first), start, delays[first]);
            killAfter(victims.get(1 - first), start, delays[1 - first]);
            long committed = 0;
            for (JavaProcess victim : victims) {
                for (String line : victim.output()) {
                    if (line.startsWith("COMMITTED ")) {
                        committed = Math.max(committed, Long.parseLong(line.substring("COMMITTED ".length())));
                    }
                }
                assertFalse(victim.output().toString().contains("Exception"), "seed " + seed + victim.output());
            }
            reached += committed > 0 ? 1 : 0;
            int step = span / 20; // towards half of the pairs, however fast the machine is by now
            span = Math.max(SHORTEST_SPAN, committed > 0 ? span - step : span + step);
            try (Cache cache = Cache.open(path)) {
                assertTrue(cache.incr("n") > committed, "seed " + seed + ": a commit was lost");
            }
            orphans += assertClean(path);
        }
        Path last = directory.resolve("cache24");
        try (Cache cache = Cache.open(last)) {
            long self = cache.unwrap(CoordinationEngine.class)
                    .sessions()
                    .self(Deadline.after(LONG))
                    .id();
            Awaitility.await().atMost(Duration.ofSeconds(4)).until(() -> Rows.of(last, "SELECT id FROM LatchkeySession")
                    .equals(List.of(Long.toString(self))));
        }
        System.out.println("200 kills, seed " + seed + ": " + reached + " pairs had committed, " + orphans
                + " orphaned value files");
        assertTrue(reached > 5, "no victim lived long enough to commit: " + reached);
    }

    private int millisToFirstCommit() {
        long start = System.nanoTime();
        JavaProcess victim =
                processes.start(Victim.class, directory.resolve("measured").toString());
        victim.await("COMMITTED", LONG);
        long nanos = System.nanoTime() - start;
        victim.kill();
        return (int) TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    private static void killAfter(JavaProcess victim, long start, long millis) {
        long at = start + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long left = at - System.nanoTime(); left > 0; left = at - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
        victim.kill();
    }

    /** Checks what must hold after all is closed; answers how many value files no row names. */
    private static int assertClean(Path path) {
        assertEquals("ok", Rows.one(path, "PRAGMA integrity_check"));
        assertEquals(
                Rows.one(path, "SELECT count(*) || ' ' || coalesce(sum(size), 0) FROM Cache"),
                Rows.one(
                        path,
                        "SELECT (SELECT value FROM Settings WHERE key = 'count') || ' ' ||"
                                + " (SELECT value FROM Settings WHERE key = 'size')"));
        Set<String> named = new HashSet<>();
        for (String row : Rows.of(path, "SELECT filename, size FROM Cache WHERE filename IS NOT NULL")) {
            String[] parts = row.split("\\|", -1);
            named.add(parts[0]);
            assertEquals(
                    Long.parseLong(parts[1]), path.resolve(parts[0]).toFile().length(), row);
        }
        int orphans = 0;
        for (String file : Listing.filesOf(path)) {
            if (file.endsWith(".val")) {
                orphans += named.contains(file) ? 0 : 1;
            } else {
                assertTrue(
                        file.matches(
                                "cache\\.db(-wal|-shm)?|cache\\.db-latchkey/(locks|hints|hints\\.new|spare|spare\\.new)"),
                        "left over: " + file);
            }
        }
        return orphans;
    }

    // Dying inside a commit

    static final class OneWrite {
        public static void main(String[] args) {
            Child.start();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                cache.set("a", "n".repeat(40_000));
            }
            Child.say("DONE");
        }
    }

    private Path oldValue() {
        Path path = directory.resolve("cache");
        try (Cache cache = Cache.open(path)) {
            cache.set("a", "o".repeat(40_000));
        }
        return path;
    }

    private void dieAt(String point, Path path) {
        JavaCommand command = JavaCommand.of(OneWrite.class, path.toString());
        JavaProcess child = processes.start(Failpoint.kill(point, 1).in(command, directory.path()));
        assertEquals(128 + 9, child.exitCode(LONG));
    }

    @Test
    void aProcessThatDiesBeforeItsCommitHasChangedNothing() {
        Path path = oldValue();
        dieAt("before-commit", path);
        assertEquals(1, assertClean(path), "the new file is there, but nobody names it");
        try (Cache cache = Cache.open(path)) {
            assertEquals("o".repeat(40_000), cache.get("a", String.class));
        }
    }

    @Test
    void aProcessThatDiesAfterItsCommitHasChangedAll() {
        Path path = oldValue();
        dieAt("after-commit", path);
        assertEquals(1, assertClean(path), "the old file is there, but nobody names it");
        try (Cache cache = Cache.open(path)) {
            assertEquals("n".repeat(40_000), cache.get("a", String.class));
        }
    }

    // Waiting for another process

    /** Holds the write lock in a transaction from the line "hold" to the next line. */
    static final class Transactor {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                cache.transact(() -> {
                    cache.set("held", 1);
                    Child.say("HOLDS");
                    Child.hear();
                    return true;
                });
                Child.say("COMMITTED");
                Child.hear();
            }
        }
    }

    @Test
    void aCallerGetsItsTimeOutInTimeWhileAnotherProcessWritesAndReadersGoOn() throws Exception {
        Path path = directory.resolve("cache");
        var threads = Executors.newCachedThreadPool();
        try (Cache cache = Cache.builder(path).timeout(Duration.ofMillis(500)).open();
                Elapsed elapsed = new Elapsed()) {
            cache.set("a", "old");
            JavaProcess other = processes.start(Transactor.class, path.toString());
            other.await("HOLDS", LONG);
            List<Future<Span>> writes = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                writes.add(threads.submit(() -> untilTimedOut(() -> cache.set("a", "x".repeat(40_000)))));
            }
            writes.add(threads.submit(() -> untilTimedOut(() -> cache.transact(() -> cache.incr("n")))));
            List<Span> slowReads = new ArrayList<>();
            while (!writes.stream().allMatch(Future::isDone)) {
                long start = System.nanoTime();
                assertEquals("old", cache.get("a", String.class));
                assertNull(cache.get("held"));
                Span read = new Span(start, System.nanoTime());
                if (read.millis() >= 400) {
                    slowReads.add(read);
                }
            }
            for (Future<Span> write : writes) {
                Span span = write.get();
                assertTrue(span.millis() >= 490, "timed out after " + span.millis() + " ms");
                long millis = elapsed.millis(span.from, span.to);
                assertTrue(millis < 1_500, "timed out after " + millis + " ms");
            }
            for (Span read : slowReads) {
                long millis = elapsed.millis(read.from, read.to);
                assertTrue(millis < 400, "a read took " + millis + " ms");
            }
            assertEquals(List.of("cache.db", "cache.db-latchkey/hints", "cache.db-latchkey/locks"), quiet(path));
            other.send("go");
            other.await("COMMITTED", LONG);
            assertEquals("old", cache.get("a", String.class));
            assertFalse(cache.containsKey("n"));
            assertEquals(1, cache.get("held", int.class));
            cache.set("a", "new");
            other.send("go");
            assertEquals(0, other.exitCode(LONG));
        } finally {
            threads.shutdownNow();
        }
    }

    private record Span(long from, long to) {
        long millis() {
            return TimeUnit.NANOSECONDS.toMillis(to - from);
        }
    }

    private static Span untilTimedOut(Executable operation) {
        long start = System.nanoTime();
        assertThrows(CacheTimeoutException.class, operation);
        return new Span(start, System.nanoTime());
    }

    private static long valueFiles(Path path) {
        return Damage.files(path).size();
    }

    /** Without what a second of life adds to it. */
    private static List<String> quiet(Path path) {
        return Listing.filesOf(path).stream()
                .filter(file -> !file.matches("cache\\.db-(wal|shm)|cache\\.db-latchkey/spare(\\.new)?"))
                .sorted()
                .toList();
    }

    @Test
    void closeTurnsAwayWhoeverWaitsForAnotherProcess() throws Exception {
        Path path = directory.resolve("cache");
        var threads = Executors.newCachedThreadPool();
        Cache cache = Cache.open(path);
        try {
            JavaProcess other = processes.start(Transactor.class, path.toString());
            other.await("HOLDS", LONG);
            List<Future<Boolean>> writes = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                writes.add(threads.submit(() -> {
                    assertThrows(dev.latchkey.cache.CacheClosedException.class, () -> cache.set("a", new byte[40_000]));
                    return true;
                }));
            }
            Awaitility.await().atMost(LONG).until(() -> valueFiles(path) == 4); // all four have begun
            assertTimeoutPreemptively(Duration.ofSeconds(10), cache::close);
            for (Future<Boolean> write : writes) {
                assertTrue(write.get(10, TimeUnit.SECONDS));
            }
            assertEquals(0, valueFiles(path));
        } finally {
            cache.close();
            threads.shutdownNow();
        }
    }

    // The log

    /** Has a cache open and does nothing with it. */
    static final class Idler {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                Child.say("OPEN " + cache.containsKey("a"));
                Child.hear();
            }
        }
    }

    /**
     * In the stress test the log grew to 38 MiB, because each process counted only its own commits until it wrote the log
     * back: many that live briefly, beside one that never commits, would have let it grow for ever.
     */
    @Test
    void processesThatLiveBrieflyDoNotLetTheLogGrowForEver() throws IOException {
        Path path = directory.resolve("cache");
        JavaProcess idler = processes.start(Idler.class, path.toString());
        idler.await("OPEN", LONG);
        long longest = 0;
        byte[] value = new byte[20_000];
        for (int life = 0; life < 20; life++) {
            try (Cache cache = Cache.open(path)) {
                for (int i = 0; i < 100; i++) {
                    ThreadLocalRandom.current().nextBytes(value);
                    cache.set("key-" + i, value);
                }
            }
            longest = Math.max(longest, Files.size(path.resolve("cache.db-wal")));
        }
        assertTrue(longest < 24 << 20, "the log had " + longest + " bytes");
        idler.send("end");
        assertEquals(0, idler.exitCode(LONG));
    }

    // One opener waits for another

    /** Holds the byte of creation. */
    static final class Creator {
        public static void main(String[] args) throws Exception {
            Child.start();
            Directory made = Directory.open(Path.of(args[0]), false);
            LockFile locks = LockFile.open(made.locks());
            FileLock lock = locks.tryTake(LockFile.CREATION);
            Child.say("HOLDS " + (lock != null));
            Child.hear();
            LockFile.release(lock);
            Child.say("RELEASED");
            Child.hear();
        }
    }

    /** Sixty that looked a thousand times a second each left the one who creates no time to do it. */
    @Test
    void anOpenerThatWaitsForAnotherLooksSeldom() throws Exception {
        Path path = directory.resolve("cache");
        JavaProcess creator = processes.start(Creator.class, path.toString());
        assertEquals("HOLDS true", creator.await("HOLDS", LONG));
        JavaProcess opener = processes.start(Opener.class);
        opener.await("UP", LONG);
        opener.send(path.toString());
        Thread.sleep(2_000);
        Cpu before = Cpu.required(opener.pid());
        Thread.sleep(2_000);
        long looks = Cpu.required(opener.pid()).since(before).voluntarySwitches();
        assertTrue(looks < 400, "gave up its processor " + looks + " times in two seconds");
        creator.send("go");
        assertEquals("OK", opener.await("", LONG));
    }

    /** Once the thread whose time was over stayed a user for ever, and the engine was never closed. */
    @Test
    void aThreadThatGivesUpWaitingForAnOpenerIsNoUserOfTheEngine() throws Exception {
        Path path = directory.resolve("cache");
        JavaProcess creator = processes.start(Creator.class, path.toString());
        assertEquals("HOLDS true", creator.await("HOLDS", LONG));
        var threads = Executors.newCachedThreadPool();
        try {
            Future<Cache> patient = threads.submit(() -> Cache.open(path));
            Awaitility.await()
                    .until(() -> System.getProperties().containsKey("dev.latchkey.engine." + Directory.key(path)));
            assertThrows(
                    CacheTimeoutException.class,
                    () -> Cache.builder(path).timeout(Duration.ZERO).open());
            creator.send("go");
            Cache cache = patient.get(30, TimeUnit.SECONDS);
            assertEquals(1, cache.incr("a"));
            cache.close();
            assertFalse(System.getProperties().containsKey("dev.latchkey.engine." + Directory.key(path)));
        } finally {
            threads.shutdownNow();
        }
    }
}

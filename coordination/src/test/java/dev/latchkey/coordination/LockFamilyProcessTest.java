package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.ReplacedClass;
import dev.latchkey.testing.Stalls;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What read and write locks, leases, conditions, pending acquisitions and fenced writes promise between processes. */
class LockFamilyProcessTest extends ProcessFixture {
    /** Stops the process once, where the thread that has armed it comes to the point. */
    private static final String STOPPING = """
            package dev.latchkey.cache.spi;

            import com.sun.jna.Function;
            import com.sun.jna.NativeLibrary;

            public final class Failpoint {
                private static final Function RAISE = NativeLibrary.getProcess().getFunction("raise");
                private static final String POINT = System.getProperty("latchkey.failpoint");
                private static boolean stopped;

                public static void reached(String point) {
                    if (point.equals(POINT)
                            && Boolean.getBoolean("latchkey.armed")
                            && Thread.currentThread().getName().equals("main")
                            && !stopped) {
                        stopped = true;
                        RAISE.invokeInt(new Object[] {19});
                    }
                }
            }
            """;

    private JavaCommand command() {
        return JavaCommand.of(LockFamilyChild.class, cachePath().toString());
    }

    private JavaProcess child() {
        return opened(command());
    }

    private static State row(Cache cache, Kind kind, String name) {
        return CacheFixture.row(cache, kind, name);
    }

    private static void report(String what, List<Long> lateMillis, int most) {
        Collections.sort(lateMillis);
        long median = lateMillis.get(lateMillis.size() / 2);
        System.out.println("measured: " + what + ": median " + median + " ms, all "
                + lateMillis.stream().toList());
        assertTrue(median <= most, what + " late by " + lateMillis);
    }

    @Test
    void aStoppedReaderKeepsItsLock() throws Exception {
        try (Cache cache = Cache.open(cachePath())) {
            ReadWriteLock both = new ReadWriteLock(cache, "a");
            JavaProcess reader = child();
            long token = word(ask(reader, "read a", "LOCKED"), 2);
            reader.stop();
            assertFalse(both.writeLock().tryLock(Duration.ofMillis(1500)));
            assertTrue(both.readLock().tryLock(SOON));
            both.readLock().unlock();
            reader.cont();
            ask(reader, "unread a", "UNLOCKED");
            assertTrue(both.writeLock().tryLock(SOON));
            both.writeLock().unlock();
            long next = word(ask(reader, "read a", "LOCKED"), 2);
            assertTrue(next > token);
            reader.stop();
            assertTrue(both.readLock().forceUnlock(next));
            assertTrue(both.writeLock().tryLock(SOON));
            both.writeLock().unlock();
            reader.cont();
            ask(reader, "unread a", "LOST");
        }
    }

    @Test
    void anotherProcessGetsTheLockAtTheEndOfALease() throws Exception {
        try (Cache cache = Cache.open(cachePath())) {
            Lock leased = Lock.builder(cache, "a").lease(Duration.ofMillis(400)).build();
            JavaProcess next = child();
            List<Long> lateMillis = new ArrayList<>();
            for (int i = 0; i < 7; i++) {
                long asked = System.nanoTime();
                LockHandle handle = leased.acquire();
                long end = System.nanoTime() + Duration.ofMillis(400).toNanos();
                long granted = word(ask(next, "lock a", "LOCKED"), 1);
                assertFalse(handle.isValid());
                assertTrue(granted - asked >= Duration.ofMillis(400).toNanos(), "early: " + (granted - asked));
                lateMillis.add((granted - end) / 1_000_000);
                ask(next, "unlock a", "UNLOCKED");
            }
            report("lock whose lease is over", lateMillis, 50);
        }
    }

    @Test
    void tenThousandItemsGoThroughABufferOfOnePlace() {
        JavaProcess producer = opened(command().lifetime(Duration.ofMinutes(6)));
        JavaProcess consumer = opened(command().lifetime(Duration.ofMinutes(6)));
        producer.send("produce 200");
        ask(consumer, "consume 200", "CONSUMED"); // what is measured is waiting, not compiling
        producer.await("PRODUCED", SOON);
        List<JavaProcess> both = List.of(producer, consumer);
        both.forEach(child -> ask(child, "watch", "WATCHING"));
        try (Stalls stalls = new Stalls()) {
            long start = System.nanoTime();
            producer.send("produce 10000");
            consumer.send("consume 10000");
            String consumed = consumer.await("CONSUMED", Duration.ofMinutes(4));
            String produced = producer.await("PRODUCED", SOON);
            System.out.println("waits in microseconds (median, 99 %, 99.9 %, longest, when over 50 ms): consumer"
                    + consumed.substring("CONSUMED 10000".length()) + "; producer"
                    + produced.substring("PRODUCED 10000".length()) + "; "
                    + (System.nanoTime() - start) / 1_000_000 + " ms in all");
            assertEquals(List.of(), longWaits(consumed, stalls, both), "waits over 50 ms of the consumer");
            assertEquals(List.of(), longWaits(produced, stalls, both), "waits over 50 ms of the producer");
        }
    }

    /** In milliseconds, those which are more than 50 also without the time for which any of the processes stood still. */
    private static List<Long> longWaits(String answer, Stalls here, List<JavaProcess> children) {
        List<Long> millis = new ArrayList<>();
        String[] words = answer.split(" ", -1);
        for (int i = 6; i < words.length; i++) {
            String[] ends = words[i].split(":", -1);
            long from = Long.parseLong(ends[0]);
            long to = Long.parseLong(ends[1]);
            long nanos = to - from - stalledNanos(from, to, here, children);
            if (nanos > Duration.ofMillis(50).toNanos()) {
                millis.add(TimeUnit.NANOSECONDS.toMillis(nanos));
            }
        }
        return millis;
    }

    /** What two of them stood still for at the same time counts once. */
    private static long stalledNanos(long from, long to, Stalls here, List<JavaProcess> children) {
        List<String> answers = children.stream()
                .map(child -> ask(child, "stalled " + from + " " + to, "STALLED"))
                .toList();
        long nanos = 0;
        int slice = 1;
        for (long at = from; at < to; at += LockFamilyChild.SLICE_NANOS) {
            long most = here.nanosWithin(at, Math.min(to, at + LockFamilyChild.SLICE_NANOS));
            for (String answer : answers) {
                most = Math.max(most, word(answer, slice));
            }
            nanos += most;
            slice++;
        }
        return nanos;
    }

    @Test
    void waitersThatAreKilledSwallowNoSignal() {
        Random random = new Random(42);
        try (Cache cache = Cache.open(cachePath())) {
            Lock lock = new Lock(cache, "a");
            for (int round = 0; round < 8; round++) {
                List<JavaProcess> waiters = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    waiters.add(child());
                    waiters.get(i).send("wait a c");
                    int length = i + 1;
                    await().atMost(SOON)
                            .pollInterval(Duration.ofMillis(2))
                            .until(() ->
                                    Conditions.parse(row(cache, Kind.LOCK, "a").detail())
                                                    .entries()
                                                    .size()
                                            == length);
                }
                boolean before = random.nextBoolean();
                if (before) {
                    waiters.get(0).killNow();
                }
                lock.lock();
                lock.newCondition("c").signal();
                if (!before) {
                    waiters.get(0).killNow();
                }
                letRun(Duration.ofMillis(random.nextInt(30)), waiters.subList(1, 3));
                lock.unlock();
                waiters.get(1).await("SIGNALLED", SOON);
                lock.lock();
                lock.newCondition("c").signal();
                lock.unlock();
                waiters.get(2).await("SIGNALLED", SOON);
                waiters.forEach(JavaProcess::kill);
                await().atMost(SOON)
                        .until(() -> row(cache, Kind.LOCK, "a").detail().isEmpty());
            }
        }
    }

    // Fenced writes

    private JavaProcess stopping(String point) {
        return opened(command()
                .inFront(ReplacedClass.compile(directory.path(), STOPPING))
                .options("-Dlatchkey.failpoint=" + point));
    }

    private String value() {
        try (Cache cache = Cache.open(cachePath())) {
            return String.valueOf(cache.get("value", String.class));
        }
    }

    /** It is not in a transaction, so it is forced open while it is stopped, and its write is refused. */
    @Test
    void whoeverIsStoppedBeforeTheTransactionWritesNothing() {
        JavaProcess first = stopping("before-begin");
        JavaProcess next = child();
        long token = word(ask(first, "lock a", "LOCKED"), 2);
        first.send("fenced a first");
        first.awaitStopped(SOON);
        assertTrue(ask(next, "force a " + token, "FORCED").startsWith("FORCED true"));
        ask(next, "lock a", "LOCKED");
        ask(next, "fenced a next", "WRITTEN");
        first.cont();
        first.await("LOST fenced", SOON);
        assertEquals("next", value());
    }

    /** It has the write lock: nobody can force it open or write until it goes on, and then its write comes first. */
    @ParameterizedTest
    @ValueSource(strings = {"after-verify", "in-body", "before-commit"})
    void whoeverIsStoppedInsideTheTransactionWritesBeforeItsSuccessor(String point) {
        JavaProcess first = stopping(point);
        JavaProcess next = child();
        long token = word(ask(first, "lock a", "LOCKED"), 2);
        first.send("fenced a first");
        first.awaitStopped(SOON);
        next.send("force a " + token);
        await("it must wait")
                .during(Duration.ofMillis(500))
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> next.output().stream().noneMatch(line -> line.startsWith("FORCED")));
        long went = System.nanoTime();
        first.cont();
        first.await("WRITTEN", SOON);
        String forced = next.await("FORCED", SOON);
        assertTrue(forced.startsWith("FORCED true") && word(forced, 2) >= went, forced);
        ask(next, "lock a", "LOCKED");
        ask(next, "fenced a next", "WRITTEN");
        ask(first, "fenced a again", "LOST");
        ask(first, "unlock a", "LOST");
        assertEquals("next", value());
    }

    @ParameterizedTest
    @ValueSource(strings = {"after-verify", "in-body", "before-commit"})
    void whoeverIsKilledInsideTheTransactionHasWrittenNothing(String point) {
        JavaProcess first = stopping(point);
        JavaProcess next = child();
        ask(first, "lock a", "LOCKED");
        first.send("fenced a first");
        first.awaitStopped(SOON);
        next.send("lock a");
        first.kill();
        next.await("LOCKED", SOON);
        assertEquals("null", value());
        ask(next, "fenced a next", "WRITTEN");
        assertEquals("next", value());
    }

    /** What it wrote is there, and its successor writes over it. */
    @Test
    void whoeverIsStoppedAfterTheCommitHasWrittenBeforeItsSuccessor() {
        JavaProcess first = stopping("after-commit");
        JavaProcess next = child();
        long token = word(ask(first, "lock a", "LOCKED"), 2);
        first.send("fenced a first");
        first.awaitStopped(SOON);
        assertEquals("first", value());
        assertTrue(ask(next, "force a " + token, "FORCED").startsWith("FORCED true"));
        ask(next, "lock a", "LOCKED");
        ask(next, "fenced a next", "WRITTEN");
        first.cont();
        first.await("WRITTEN", SOON);
        ask(first, "fenced a again", "LOST");
        assertEquals("next", value());
    }

    /** The counterproof: this is what a fenced write is for. */
    @Test
    void withoutAFenceTheSuccessorsUpdateIsLost() {
        JavaProcess first = stopping("after-verify");
        JavaProcess next = child();
        long token = word(ask(first, "lock a", "LOCKED"), 2);
        first.send("unfenced a first");
        first.awaitStopped(SOON);
        ask(next, "force a " + token, "FORCED true");
        ask(next, "lock a", "LOCKED");
        ask(next, "fenced a next", "WRITTEN");
        first.cont();
        first.await("WRITTEN", SOON);
        assertEquals("first", value());
    }

    // Residue

    @Test
    void aThousandCyclesThatEndAnyhowLeaveNothing() throws Exception {
        try (Cache cache = Cache.open(cachePath())) {
            JavaProcess first = child();
            JavaProcess second = child();
            ask(first, "cycles 30", "CYCLED"); // whatever is opened when it is first needed is open
            String before = ask(first, "residue", "RESIDUE");
            first.send("cycles 120");
            second.send("cycles 120");
            for (int i = 0; i < 6; i++) {
                JavaProcess victim = child();
                victim.send("@cycles 1000");
                letRun(Duration.ofMillis(300 + 50 * i), List.of(victim, first, second));
                victim.kill();
            }
            first.await("CYCLED", Duration.ofSeconds(60));
            second.await("CYCLED", Duration.ofSeconds(60));
            for (Kind kind : List.of(Kind.LOCK, Kind.RLOCK, Kind.READ_WRITE)) {
                for (String name : List.of("l", "leased", "r", "w")) {
                    if (isOf(kind, name)) {
                        settled(cache, kind, name);
                    }
                }
            }
            String after = ask(first, "residue", "RESIDUE");
            System.out.println("measured: threads and descriptors before " + before + ", after " + after);
            assertTrue(word(after, 1) <= word(before, 1) + 1, "threads: before " + before + ", after " + after);
            assertTrue(word(after, 2) <= word(before, 2) + 4, "descriptors: before " + before + ", after " + after);
            ask(first, "close", "CLOSED");
            ask(second, "close", "CLOSED");
            await().atMost(SOON).until(() -> count("SELECT count(*) FROM LatchkeySession") <= 1);
            assertEquals(0, count("SELECT count(*) FROM LatchkeyHold"));
            assertEquals(0, count("SELECT count(*) FROM LatchkeyState WHERE holds <> 0 OR line <> '' OR detail <> ''"));
        }
    }

    private static boolean isOf(Kind kind, String name) {
        return switch (kind) {
            case LOCK -> name.startsWith("l");
            case RLOCK -> name.equals("r");
            default -> name.equals("w");
        };
    }

    /** Whoever comes next finds out who is dead. */
    private static void settled(Cache cache, Kind kind, String name) throws InterruptedException {
        FencedLock lock =
                switch (kind) {
                    case LOCK -> new Lock(cache, name);
                    case RLOCK -> new RLock(cache, name);
                    default -> new ReadWriteLock(cache, name).writeLock();
                };
        assertTrue(lock.tryLock(SOON), name);
        lock.unlock();
        await().atMost(SOON).until(() -> {
            State row = row(cache, kind, name);
            return row.holds().isEmpty() && row.line().isEmpty() && row.detail().isEmpty();
        });
    }

    private long count(String sql) throws Exception {
        try (Connection connection =
                        DriverManager.getConnection("jdbc:sqlite:" + cachePath().resolve("cache.db"));
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.getLong(1);
        }
    }
}

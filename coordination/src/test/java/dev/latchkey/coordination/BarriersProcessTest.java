package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Stalls;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What barriers, latches and elections promise between processes. */
@Tag("process")
class BarriersProcessTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int KILLS = 6;
    private static final long PROMISED_MILLIS = 50;

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final Stalls stalls = new Stalls();

    @AfterEach
    void endWatch() {
        stalls.close();
    }

    private Path cache() {
        return directory.resolve("cache");
    }

    private JavaProcess child() {
        JavaProcess child = processes.start(JavaCommand.of(BarriersChild.class, cache().toString()));
        child.await("OPEN", SOON);
        return child;
    }

    private static long word(String answer, int index) {
        return Long.parseLong(answer.split(" ", -1)[index]);
    }

    private static String ask(JavaProcess child, String line, String answer) {
        child.send(line);
        return child.await(answer, SOON);
    }

    /** Kills a process; the instant by which the kernel says that it is gone. */
    private static long kill(JavaProcess victim) {
        victim.killNow();
        while (victim.isAlive()) {
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(200));
        }
        return System.nanoTime();
    }

    /** How long after {@code gone} a child noted an instant, without what the machine made it wait meanwhile. */
    private static long lateMillis(Delay delay, long gone, String answer) {
        return delay.microsBetween(gone, word(answer, 1)) / 1000;
    }

    /** Kills a process; how late each of the others found its generation broken. */
    private List<Long> lateAfterDeath(JavaProcess victim, List<JavaProcess> others) {
        List<Delay> delays =
                others.stream().map(child -> new Delay(stalls, child)).toList();
        long gone = kill(victim);
        List<Long> late = new ArrayList<>();
        for (int i = 0; i < others.size(); i++) {
            late.add(lateMillis(delays.get(i), gone, others.get(i).await("BROKEN", SOON)));
        }
        return late;
    }

    private static void assertInTime(String what, List<Long> lateMillis) {
        System.out.println("measured: " + what + ": late by " + lateMillis + " ms");
        assertTrue(lateMillis.stream().allMatch(late -> late <= PROMISED_MILLIS), what + " late by " + lateMillis);
    }

    private static State row(Cache cache) {
        return cache.unwrap(CoordinationEngine.class).states().read(BarrierState.KIND, "b", Deadline.never());
    }

    private static void awaitWaiting(CyclicBarrier barrier, int number) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(() -> barrier.getNumberWaiting() == number);
    }

    private long count(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + cache().resolve("cache.db"));
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.getLong(1);
        }
    }

    // Cyclic barrier

    @Test
    void fourProcessesPassAThousandGenerationsAndActOnceInEach() {
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            children.add(child());
        }
        long start = System.nanoTime();
        children.forEach(child -> child.send("generations 1000 4"));
        children.forEach(child -> child.await("THROUGH 1000", Duration.ofSeconds(110)));
        System.out.println(
                "measured: 1000 generations of 4 processes in " + (System.nanoTime() - start) / 1_000_000 + " ms");
        try (Cache cache = Cache.open(cache())) {
            assertEquals(1000, cache.get("acted", Integer.class));
            assertEquals("4 1001 WAITING", row(cache).detail());
            assertEquals("", row(cache).line());
        }
    }

    @Test
    void aKilledPartyBreaksItsGenerationForAllOthersWithinFiftyMilliseconds() {
        List<JavaProcess> others = List.of(child(), child());
        List<Long> lateMillis = new ArrayList<>();
        try (Cache cache = Cache.open(cache())) {
            CyclicBarrier barrier = new CyclicBarrier(cache, "b", 4);
            for (int i = -1; i < KILLS; i++) { // the first time is not measured
                others.forEach(child -> child.send("@w await 4 60"));
                awaitWaiting(barrier, 2);
                JavaProcess victim = child();
                victim.send("await 4 60");
                awaitWaiting(barrier, 3);
                List<Long> late = lateAfterDeath(victim, others);
                lateMillis.addAll(i < 0 ? List.of() : late);
                assertTrue(barrier.isBroken());
                assertThrows(BrokenBarrierException.class, barrier::await);
                barrier.reset();
            }
            assertInTime("generation of a killed party", lateMillis);
            for (JavaProcess child : others) {
                child.send("await 4 60");
            }
            awaitWaiting(barrier, 2);
            Running here = Running.start(barrier::await);
            awaitWaiting(barrier, 3);
            ask(child(), "await 4 60", "PASSED");
            others.forEach(child -> child.await("PASSED", SOON));
            assertEquals(1, here.outcome());
            assertEquals("", row(cache).line());
        }
    }

    /** It looks who lives before it waits for the database, and again when it has it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoComesLastDoesNotPassWithOneWhoDiedWhileItWaitedForTheDatabase(boolean acts) throws Exception {
        try (Cache cache = Cache.open(cache())) {
            CyclicBarrier barrier = acts
                    ? new CyclicBarrier(cache, "b", 3, () -> cache.incr("acted"))
                    : new CyclicBarrier(cache, "b", 3);
            JavaProcess victim = child();
            JavaProcess other = child();
            List.of(victim, other).forEach(child -> child.send("await 3 60"));
            awaitWaiting(barrier, 2);
            var inTransaction = new java.util.concurrent.CountDownLatch(1);
            var dead = new java.util.concurrent.CountDownLatch(1);
            Running writer = Running.start(() -> cache.transact(() -> {
                inTransaction.countDown();
                return dead.await(SOON.toSeconds(), TimeUnit.SECONDS);
            }));
            assertTrue(inTransaction.await(SOON.toSeconds(), TimeUnit.SECONDS));
            Running last = Running.start(barrier::await);
            await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(last::isAsleep);
            kill(victim);
            dead.countDown();
            assertEquals(true, writer.outcome());
            assertInstanceOf(BrokenBarrierException.class, last.outcome());
            other.await("BROKEN", SOON);
            assertNull(cache.get("acted", Integer.class));
        }
    }

    @Test
    void anActorThatIsKilledBreaksItsGenerationAndTheActionIsNotRunAgain() {
        List<JavaProcess> others = List.of(child(), child());
        List<Long> lateMillis = new ArrayList<>();
        try (Cache cache = Cache.open(cache())) {
            CyclicBarrier barrier = new CyclicBarrier(cache, "b", 3, () -> cache.incr("acted"));
            for (int i = 1; i <= 4; i++) { // the first time is not measured
                others.forEach(child -> child.send("@w await 3 60"));
                awaitWaiting(barrier, 2);
                JavaProcess actor = child();
                ask(actor, "act 3", "ACTING");
                assertEquals(
                        Inspector.Phase.ACTING,
                        Inspector.of(cache).barriers().get(0).phase());
                List<Long> late = lateAfterDeath(actor, others);
                lateMillis.addAll(i == 1 ? List.of() : late);
                assertEquals(i, cache.get("acted", Integer.class));
                assertThrows(BrokenBarrierException.class, barrier::await);
                barrier.reset();
            }
            assertInTime("generation of a killed actor", lateMillis);
            others.forEach(child -> child.send("await 3 60"));
            awaitWaiting(barrier, 2);
            assertEquals(0, assertPassed(barrier));
            others.forEach(child -> child.await("PASSED", SOON));
            assertEquals(5, cache.get("acted", Integer.class));
        }
    }

    private static int assertPassed(CyclicBarrier barrier) {
        return (int) Running.start(barrier::await).outcome();
    }

    @Test
    void aStoppedPartyBreaksNothingAndLearnsLateThatItHasPassed() {
        JavaProcess stopped = child();
        JavaProcess other = child();
        try (Cache cache = Cache.open(cache())) {
            CyclicBarrier barrier = new CyclicBarrier(cache, "b", 3);
            stopped.send("await 3 60");
            awaitWaiting(barrier, 1);
            stopped.stop();
            other.send("await 3 60");
            awaitWaiting(barrier, 2);
            await().pollDelay(Duration.ofMillis(1500)).until(() -> true);
            assertFalse(barrier.isBroken());
            assertEquals(2, barrier.getNumberWaiting());
            assertEquals(0, assertPassed(barrier));
            other.await("PASSED", SOON);
            for (int i = 0; i < 3; i++) { // it sleeps through more than one
                other.send("await 3 60");
                awaitWaiting(barrier, 1);
                barrier.reset();
                other.await("BROKEN", SOON);
            }
            assertThrows(IllegalStateException.class, () -> Inspector.of(cache).delete("b"), "it has not read it yet");
            stopped.cont();
            assertEquals(2, word(stopped.await("PASSED", SOON), 2));
            await().atMost(SOON).until(() -> row(cache).line().isEmpty());
            Inspector.of(cache).delete("b");
        }
    }

    // Latch

    @Test
    void aParticipantThatIsKilledAndStartedAgainCountsOnce() {
        JavaProcess waiter = child();
        ask(waiter, "@w latch 4", "WAITING");
        try (Cache cache = Cache.open(cache())) {
            CountDownLatch latch = new CountDownLatch(cache, "l", 4);
            await().pollDelay(Duration.ofMillis(300)).until(() -> true); // until it sleeps, which nothing shows
            for (int i = 0; i < 4; i++) {
                latch.countDown();
            }
            waiter.await("GONE_ON", SOON); // what is measured later is waiting, not loading classes
            assertTrue(latch.trySetCount(4));
        }
        ask(waiter, "@w latch 4", "WAITING");
        List<JavaProcess> workers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            workers.add(child());
            assertEquals("COUNTED true", ask(workers.get(i), "count 4 worker" + i, "COUNTED"));
        }
        for (int i = 0; i < 3; i++) {
            workers.get(i).kill();
            assertEquals("COUNTED false", ask(child(), "count 4 worker" + i, "COUNTED"));
        }
        try (Cache cache = Cache.open(cache())) {
            CountDownLatch latch = new CountDownLatch(cache, "l", 4);
            assertEquals(1, latch.getCount());
            assertEquals(
                    1,
                    waiter.output().stream()
                            .filter(line -> line.startsWith("GONE_ON"))
                            .count(),
                    "that of the first time");
            Delay delay = new Delay(stalls, waiter);
            long before = System.nanoTime();
            assertTrue(latch.countDown("worker3"));
            long lateMillis = lateMillis(delay, before, waiter.await("GONE_ON", SOON));
            assertInTime("waiter of a latch in another process", List.of(lateMillis));
        }
    }

    // Election

    private static void awaitOneInLine(Cache cache) {
        await().atMost(SOON).until(() -> Inspector.of(cache).waiters().size() == 1);
    }

    @Test
    void aKilledLeaderIsFollowedWithinFiftyMillisecondsAndNeverAreThereTwo() throws Exception {
        String lead = "lead " + directory.resolve("referee");
        List<Long> lateMillis = new ArrayList<>();
        try (Cache cache = Cache.open(cache())) {
            LeaderElection election = new LeaderElection(cache, "e");
            LeaderElection warmUp = new LeaderElection(cache, "warm-up");
            JavaProcess leader = child();
            long token = word(ask(leader, lead, "LEADING"), 2);
            for (int i = 0; i < KILLS; i++) {
                assertEquals(leader.pid(), election.leader().orElseThrow().pid());
                JavaProcess next = child();
                warmUp.lead(
                        () -> { // what is measured later is waiting, not loading classes
                            next.send("@w led warm-up");
                            awaitOneInLine(cache);
                        });
                next.await("LED", SOON);
                next.send("@w " + lead);
                awaitOneInLine(cache);
                Delay delay = new Delay(stalls, next);
                long gone = kill(leader);
                String elected = next.await("LEADING", SOON);
                lateMillis.add(lateMillis(delay, gone, elected));
                assertTrue(word(elected, 2) > token, elected + " after " + token);
                token = word(elected, 2);
                leader = next;
            }
        }
        assertInTime("successor of a killed leader", lateMillis);
    }

    // Residue

    @Test
    void cyclesThatEndAnyhowLeaveNothing() throws Exception {
        try (Cache cache = Cache.open(cache())) {
            JavaProcess first = child();
            JavaProcess second = child();
            ask(first, "cycles 20", "CYCLED"); // whatever is opened when it is first needed is open
            String before = ask(first, "residue", "RESIDUE");
            first.send("cycles 50");
            second.send("cycles 50");
            for (int i = 0; i < 6; i++) {
                JavaProcess victim = child();
                victim.send("cycles 1000");
                await().pollDelay(Duration.ofMillis(300 + 50 * i)).until(() -> true);
                victim.kill();
            }
            first.await("CYCLED", Duration.ofSeconds(60));
            second.await("CYCLED", Duration.ofSeconds(60));
            CyclicBarrier barrier = new CyclicBarrier(cache, "b", 3);
            barrier.reset();
            assertThrows(TimeoutException.class, () -> barrier.await(Duration.ZERO));
            await().atMost(SOON).until(() -> row(cache).line().isEmpty());
            assertEquals("led", new LeaderElection(cache, "e").lead(() -> "led"));
            String after = ask(first, "residue", "RESIDUE");
            System.out.println("measured: threads and descriptors before " + before + ", after " + after);
            assertTrue(word(after, 1) <= word(before, 1) + 1, "threads: before " + before + ", after " + after);
            assertTrue(word(after, 2) <= word(before, 2) + 4, "descriptors: before " + before + ", after " + after);
            ask(first, "close", "CLOSED");
            ask(second, "close", "CLOSED");
            await().atMost(SOON).until(() -> count("SELECT count(*) FROM LatchkeySession") <= 1);
            assertEquals(0, count("SELECT count(*) FROM LatchkeyHold"));
            assertEquals(0, count("SELECT count(*) FROM LatchkeyState WHERE holds <> 0 OR line <> ''"));
        }
    }
}

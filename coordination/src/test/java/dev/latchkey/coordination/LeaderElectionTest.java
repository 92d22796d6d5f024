package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.testing.Elapsed;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an election promises between the threads of one process. */
@Timeout(60)
class LeaderElectionTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Cache cache;
    private LeaderElection election;

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
        election = new LeaderElection(cache, "e");
    }

    @AfterEach
    void close() {
        election.close();
        cache.close();
    }

    private void sql(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("cache/cache.db"));
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String sleep() throws InterruptedException {
        TimeUnit.SECONDS.sleep(30);
        return "slept";
    }

    /** Leads until it is interrupted. */
    private static Running leading(LeaderElection whose, Callable<?> task) {
        Running running = Running.start(() -> whose.lead(task));
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(whose::isLeading);
        return running;
    }

    private Running leading() {
        return leading(election, LeaderElectionTest::sleep);
    }

    /** Waits behind the leader in memory, which no row shows. */
    private static Running standingBy(LeaderElection whose, Callable<?> task) {
        Running running = Running.start(() -> whose.lead(task));
        await().atMost(SOON).until(() -> running.isAsleep());
        return running;
    }

    private void awaitFree() {
        await().atMost(SOON).until(() -> election.leader().isEmpty());
    }

    @Test
    void theLeaderRunsTheTaskInItsOwnThreadAndAnswersItsResult() throws Exception {
        Thread self = Thread.currentThread();
        assertEquals(Optional.empty(), election.leader());
        assertFalse(election.isLeading());
        AtomicLong first = new AtomicLong();
        assertEquals("result", election.lead(() -> {
            assertSame(self, Thread.currentThread());
            assertTrue(election.isLeading());
            Holder leader = election.leader().orElseThrow();
            assertEquals(ProcessHandle.current().pid(), leader.pid());
            assertEquals(self.getName(), leader.thread());
            assertEquals(leader.token(), election.fencingToken());
            Inspector.HeldLock held = Inspector.of(cache).locks().get(0);
            assertEquals("leader", held.kind());
            assertEquals(leader, held.holder());
            first.set(leader.token());
            return "result";
        }));
        assertFalse(election.isLeading());
        assertEquals(Optional.empty(), election.leader());
        AtomicBoolean ran = new AtomicBoolean();
        election.lead(() -> {
            ran.set(true);
            assertTrue(election.fencingToken() > first.get());
        });
        assertTrue(ran.get());
        assertNull(election.lead(() -> null));
        assertThrows(IllegalMonitorStateException.class, election::fencingToken);
        assertThrows(IllegalMonitorStateException.class, () -> election.runFenced(() -> {}));
    }

    @Test
    void aCheckedExceptionOfTheTaskArrivesAsACauseAndOthersAsTheyAre() {
        IOException checked = new IOException("x");
        CacheException wrapped = assertThrows(
                CacheException.class,
                () -> election.lead(() -> {
                    throw checked;
                }));
        assertSame(checked, wrapped.getCause());
        IllegalStateException unchecked = new IllegalStateException("x");
        assertSame(
                unchecked,
                assertThrows(
                        IllegalStateException.class,
                        () -> election.lead((Runnable) () -> {
                            throw unchecked;
                        })));
        assertEquals(Optional.empty(), election.leader());
        assertThrows(NullPointerException.class, () -> election.lead((Runnable) null));
    }

    @Test
    void anInterruptFromOutsideReachesTheTaskAndItsFlagIsSetAgain() {
        Running leader = leading();
        leader.interrupt();
        assertEquals(CacheException.class, leader.end());
        assertEquals(
                InterruptedException.class,
                ((Throwable) leader.outcome()).getCause().getClass());
        assertTrue(leader.wasInterrupted());
        awaitFree();
    }

    @Test
    void anInterruptEndsTheWaitAndNothingElse() {
        Running leader = leading();
        Running next = standingBy(election, () -> "led");
        next.interrupt();
        assertEquals(InterruptedException.class, next.end());
        assertFalse(next.wasInterrupted());
        assertTrue(election.isLeading());
        assertFalse(leader.isOver());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> election.lead(() -> "led"));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    @Test
    void whoResignsIsInterruptedAndTheNextLeadsWhenItsTaskHasEnded() {
        AtomicBoolean ended = new AtomicBoolean();
        Running leader = leading(election, () -> {
            try {
                return sleep();
            } catch (InterruptedException e) {
                await().pollDelay(Duration.ofMillis(200)).until(() -> true);
                ended.set(true);
                return "resigned";
            }
        });
        LeaderElection other = new LeaderElection(cache, "e");
        Running next = standingBy(other, ended::get);
        other.resign();
        assertFalse(leader.isOver(), "which is for those who lead through the object");
        election.resign();
        assertEquals("resigned", leader.outcome());
        assertFalse(leader.wasInterrupted());
        assertEquals(true, next.outcome());
        election.resign();
    }

    @Test
    void anInterruptByResigningIsGoneWhenTheTaskHasEndedWithoutNoticing() {
        AtomicBoolean on = new AtomicBoolean(true);
        Running leader = leading(election, () -> {
            while (on.get()) {
                Thread.onSpinWait();
            }
            return Thread.currentThread().isInterrupted();
        });
        election.resign();
        on.set(false);
        assertEquals(true, leader.outcome());
        assertFalse(leader.wasInterrupted());
    }

    @Test
    void aTaskThatEndsByResigningWithAnInterruptedExceptionSetsNoFlag() {
        Running leader = leading();
        election.resign();
        assertEquals(CacheException.class, leader.end());
        assertFalse(leader.wasInterrupted());
    }

    @Test
    void closingInterruptsWhoLeadsAndTurnsAwayWhoWaits() {
        Running leader = leading();
        Running next = standingBy(election, () -> "led");
        election.close();
        assertEquals(CacheException.class, leader.end());
        assertEquals(CancellationException.class, next.end());
        assertFalse(leader.wasInterrupted() || next.wasInterrupted());
        assertThrows(IllegalStateException.class, () -> election.lead(() -> "led"));
        election.close();
        assertEquals(Optional.empty(), election.leader());
    }

    @Test
    void oneThreadDoesNotLeadTwiceThroughWhateverObject() throws Exception {
        LeaderElection other = new LeaderElection(cache, "e");
        String outer = election.lead(() -> {
            assertThrows(IllegalMonitorStateException.class, () -> election.lead(() -> "led"));
            assertThrows(IllegalMonitorStateException.class, () -> other.lead(() -> "led"));
            assertTrue(election.isLeading());
            return new LeaderElection(cache, "another").lead(() -> "another");
        });
        assertEquals("another", outer);
        assertEquals("led", other.lead(() -> "led"));
    }

    @Test
    void whoIsForcedOutIsInterruptedWithinASecondAndLearnsWhy() {
        Running leader = leading();
        long token = election.fencingToken();
        LockLostException lost;
        try (Elapsed elapsed = new Elapsed()) {
            long start = System.nanoTime();
            assertTrue(Inspector.of(cache).forceRelease("e", token));
            lost = (LockLostException) leader.outcome();
            long millis = elapsed.millisSince(start);
            assertTrue(millis < 1_500, "told after " + millis + " ms");
        }
        assertEquals(InterruptedException.class, lost.getSuppressed()[0].getClass());
        assertFalse(leader.wasInterrupted());
        assertFalse(election.isLeading());
    }

    @Test
    void whatIsWrittenAfterTheLossIsRefused() throws Exception {
        assertThrows(
                LockLostException.class,
                () -> election.lead(() -> {
                    election.runFenced(() -> cache.set("a", 1));
                    assertEquals(2L, election.runFenced(() -> cache.incr("a")));
                    assertTrue(Inspector.of(cache).forceRelease("e", election.fencingToken()));
                    assertThrows(LockLostException.class, () -> election.runFenced(() -> cache.set("a", 3)));
                }));
        assertEquals(2, cache.get("a", Integer.class));
        assertEquals("led", election.lead(() -> "led"), "the same thread may lead again");
    }

    @Test
    void aDeposedTaskThatDoesNotEndWritesNothingUnderTheTokenOfItsSuccessor() throws Exception {
        var deposed = new java.util.concurrent.CountDownLatch(1);
        Running first = leading(election, () -> {
            awaitUninterruptibly(deposed);
            election.runFenced(() -> cache.set("a", "deposed"));
            return "written";
        });
        assertTrue(Inspector.of(cache).forceRelease("e", election.fencingToken()));
        String next = election.lead(() -> {
            deposed.countDown();
            assertEquals(LockLostException.class, first.end());
            election.runFenced(() -> cache.set("b", "next"));
            return "led";
        });
        assertEquals("led", next);
        assertNull(cache.get("a", String.class));
        assertEquals("next", cache.get("b", String.class));
    }

    @Test
    void whileADeposedTaskGoesOnAThreadThatRunsNeitherHasNoToken() throws Exception {
        var end = new java.util.concurrent.CountDownLatch(1);
        Running first = leading(election, () -> {
            awaitUninterruptibly(end);
            return "ended late";
        });
        assertEquals(
                election.fencingToken(),
                election.leader().orElseThrow().token(),
                "of the only task any thread may ask");
        assertTrue(Inspector.of(cache).forceRelease("e", election.fencingToken()));
        election.lead(() -> {
            assertEquals(
                    IllegalMonitorStateException.class,
                    Running.start(election::fencingToken).end());
            end.countDown();
            assertEquals(LockLostException.class, first.end());
        });
    }

    private static void awaitUninterruptibly(java.util.concurrent.CountDownLatch latch) {
        while (true) {
            try {
                latch.await();
                return;
            } catch (InterruptedException e) {
                // as a task that does not listen
            }
        }
    }

    @Test
    void aLossThatNobodyHasNoticedIsToldAtTheEnd() {
        assertThrows(
                LockLostException.class,
                () -> election.lead(() -> Inspector.of(cache).forceRelease("e", election.fencingToken())));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    @Test
    void aLostSessionLosesTheLeadership() throws Exception {
        Running leader = leading();
        sql("UPDATE LatchkeySession SET dead = 1");
        assertEquals(LockLostException.class, leader.end());
        assertFalse(leader.wasInterrupted());
        assertEquals("led", election.lead(() -> "led"));
    }

    @Test
    void aClosedCacheLosesTheLeadershipAndEndsTheWait() {
        Running leader = leading();
        LeaderElection other = new LeaderElection(cache, "e");
        Running next = standingBy(other, () -> "led");
        cache.close();
        assertEquals(LockLostException.class, leader.end());
        assertEquals(CacheClosedException.class, next.end());
        assertFalse(leader.wasInterrupted() || next.wasInterrupted());
        assertThrows(CacheClosedException.class, () -> election.lead(() -> "led"));
        assertThrows(CacheClosedException.class, election::leader);
        assertThrows(CacheClosedException.class, () -> new LeaderElection(cache, "e"));
    }

    @Test
    void allObjectsOfANameAreOneElection() throws Exception {
        try (Cache other = Cache.open(directory.resolve("cache"))) {
            LeaderElection same = new LeaderElection(other, "e");
            Running leader = leading();
            assertFalse(same.isLeading());
            assertEquals(election.fencingToken(), same.leader().orElseThrow().token());
            Running next = standingBy(same, () -> "led");
            election.resign();
            leader.outcome();
            assertEquals("led", next.outcome());
        }
    }

    @Test
    void insideATransactionNobodyLeads() {
        assertThrows(IllegalStateException.class, () -> cache.transact(() -> election.lead(() -> "led")));
        assertEquals(Optional.empty(), election.leader());
    }

    @Test
    void aNameOfAnotherKindIsRefused() {
        new Lock(cache, "e").lock();
        assertThrows(NameInUseException.class, () -> election.lead(() -> "led"));
        assertThrows(IllegalArgumentException.class, () -> new LeaderElection(cache, ""));
    }

    @Test
    void manyThreadsLeadOneAfterTheOther() {
        AtomicLong last = new AtomicLong();
        AtomicBoolean inside = new AtomicBoolean();
        LeaderElection other = new LeaderElection(cache, "e");
        List<Running> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            LeaderElection whose = i % 2 == 0 ? election : other;
            all.add(Running.start(() -> {
                for (int round = 0; round < 10; round++) {
                    whose.lead(() -> {
                        assertTrue(inside.compareAndSet(false, true), "two lead");
                        assertTrue(last.getAndSet(whose.fencingToken()) < whose.fencingToken());
                        inside.set(false);
                    });
                }
                return "done";
            }));
        }
        all.forEach(each -> assertEquals("done", each.outcome()));
    }
}

package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a barrier promises between the threads of one process: what the JDK's does, in the same tests, and more. */
@Timeout(60)
class CyclicBarrierTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Cache cache;

    /** One more on the same directory. */
    Cache newCache() {
        return Cache.open(directory.resolve("cache"));
    }

    /** Where coordination is. */
    Path database() {
        return directory.resolve("cache/cache.db");
    }

    @BeforeEach
    void open() {
        cache = newCache();
    }

    @AfterEach
    void close() {
        cache.close();
    }

    /** Whose barrier. */
    enum Whose {
        OURS,
        THE_JDKS
    }

    private interface Parties {
        int await() throws InterruptedException, BrokenBarrierException;

        int await(long timeout, TimeUnit unit) throws InterruptedException, BrokenBarrierException, TimeoutException;

        void reset();

        boolean isBroken();

        int getNumberWaiting();

        int getParties();
    }

    private Parties barrier(Whose whose, int parties, @Nullable Runnable action) {
        if (whose == Whose.OURS) {
            return ours(
                    action == null
                            ? new CyclicBarrier(cache, "b", parties)
                            : new CyclicBarrier(cache, "b", parties, action));
        }
        var jdk = new java.util.concurrent.CyclicBarrier(parties, action);
        return new Parties() {
            @Override
            public int await() throws InterruptedException, BrokenBarrierException {
                return jdk.await();
            }

            @Override
            public int await(long timeout, TimeUnit unit)
                    throws InterruptedException, BrokenBarrierException, TimeoutException {
                return jdk.await(timeout, unit);
            }

            @Override
            public void reset() {
                jdk.reset();
            }

            @Override
            public boolean isBroken() {
                return jdk.isBroken();
            }

            @Override
            public int getNumberWaiting() {
                return jdk.getNumberWaiting();
            }

            @Override
            public int getParties() {
                return jdk.getParties();
            }
        };
    }

    private static Parties ours(CyclicBarrier barrier) {
        return new Parties() {
            @Override
            public int await() throws InterruptedException, BrokenBarrierException {
                return barrier.await();
            }

            @Override
            public int await(long timeout, TimeUnit unit)
                    throws InterruptedException, BrokenBarrierException, TimeoutException {
                return barrier.await(timeout, unit);
            }

            @Override
            public void reset() {
                barrier.reset();
            }

            @Override
            public boolean isBroken() {
                return barrier.isBroken();
            }

            @Override
            public int getNumberWaiting() {
                return barrier.getNumberWaiting();
            }

            @Override
            public int getParties() {
                return barrier.getParties();
            }
        };
    }

    /** Comes, and is seen to wait. */
    private static Running waiting(Parties barrier) {
        return waiting(barrier, barrier::await);
    }

    private static Running waiting(Parties barrier, java.util.concurrent.Callable<?> call) {
        int before = barrier.getNumberWaiting();
        Running running = Running.start(call);
        awaitWaiting(barrier, before + 1);
        return running;
    }

    private static void awaitWaiting(Parties barrier, int number) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(() -> barrier.getNumberWaiting() == number);
    }

    private State row() {
        return cache.unwrap(CoordinationEngine.class).states().read(BarrierState.KIND, "b", Deadline.never());
    }

    private void awaitNoSeats() {
        await().atMost(SOON).until(() -> row().line().isEmpty());
    }

    private void sql(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    // As the JDK's

    @ParameterizedTest
    @EnumSource
    void eachLearnsAsTheHowManiethItCameAgainAndAgain(Whose whose) throws Exception {
        Parties barrier = barrier(whose, 3, null);
        assertEquals(3, barrier.getParties());
        for (int generation = 0; generation < 5; generation++) {
            Running first = waiting(barrier);
            Running second = waiting(barrier, () -> barrier.await(20, TimeUnit.SECONDS));
            assertFalse(first.isOver() || second.isOver());
            assertEquals(0, barrier.await());
            assertEquals(2, first.outcome());
            assertEquals(1, second.outcome());
            assertEquals(0, barrier.getNumberWaiting());
            assertFalse(barrier.isBroken());
        }
    }

    @ParameterizedTest
    @EnumSource
    void onePartyWaitsForNobody(Whose whose) throws Exception {
        AtomicInteger acted = new AtomicInteger();
        Parties barrier = barrier(whose, 1, acted::incrementAndGet);
        assertEquals(0, barrier.await());
        assertEquals(0, barrier.await(0, TimeUnit.SECONDS));
        assertEquals(0, barrier.await(Long.MIN_VALUE, TimeUnit.DAYS));
        assertEquals(3, acted.get());
    }

    @ParameterizedTest
    @EnumSource
    void noTimeAtAllBreaksTheBarrierUnlessThePartyIsTheLast(Whose whose) throws Exception {
        Parties barrier = barrier(whose, 2, null);
        for (long time : new long[] {0, -1, Long.MIN_VALUE}) {
            assertThrows(TimeoutException.class, () -> barrier.await(time, TimeUnit.NANOSECONDS));
            assertTrue(barrier.isBroken());
            assertThrows(BrokenBarrierException.class, barrier::await);
            assertThrows(BrokenBarrierException.class, () -> barrier.await(0, TimeUnit.SECONDS));
            barrier.reset();
            assertFalse(barrier.isBroken());
            Running first = waiting(barrier);
            assertEquals(0, barrier.await(time, TimeUnit.NANOSECONDS));
            assertEquals(1, first.outcome());
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoseTimeIsOverBreaksItForTheOthers(Whose whose) {
        Parties barrier = barrier(whose, 3, null);
        Running patient = waiting(barrier);
        Running forEver = waiting(barrier, () -> barrier.await(Long.MAX_VALUE, TimeUnit.DAYS));
        barrier.reset();
        assertEquals(BrokenBarrierException.class, patient.end());
        assertEquals(BrokenBarrierException.class, forEver.end());
        Running other = waiting(barrier);
        long start = System.nanoTime();
        assertThrows(TimeoutException.class, () -> barrier.await(100, TimeUnit.MILLISECONDS));
        assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(100));
        assertEquals(BrokenBarrierException.class, other.end());
        assertFalse(other.wasInterrupted());
        assertTrue(barrier.isBroken());
    }

    @ParameterizedTest
    @EnumSource
    void whoComesInterruptedBreaksTheBarrier(Whose whose) {
        Parties barrier = barrier(whose, 2, null);
        Running other = waiting(barrier);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, barrier::await);
        assertFalse(Thread.currentThread().isInterrupted());
        assertEquals(BrokenBarrierException.class, other.end());
        assertTrue(barrier.isBroken());
        Thread.currentThread().interrupt();
        assertThrows(BrokenBarrierException.class, barrier::await, "which is so before it is looked at");
        assertTrue(Thread.interrupted(), "and the interrupt is for somebody else");
    }

    @ParameterizedTest
    @EnumSource
    void whoIsInterruptedBreaksItForTheOthers(Whose whose) {
        Parties barrier = barrier(whose, 3, null);
        Running victim = waiting(barrier);
        Running other = waiting(barrier);
        victim.interrupt();
        assertEquals(InterruptedException.class, victim.end());
        assertFalse(victim.wasInterrupted());
        assertEquals(BrokenBarrierException.class, other.end());
        assertFalse(other.wasInterrupted());
    }

    @ParameterizedTest
    @EnumSource
    void theLastToComeActsBeforeAnybodyGoesOn(Whose whose) throws Exception {
        AtomicInteger acted = new AtomicInteger();
        Set<Thread> actors = java.util.concurrent.ConcurrentHashMap.newKeySet();
        Parties barrier = barrier(whose, 3, () -> {
            actors.add(Thread.currentThread());
            acted.incrementAndGet();
        });
        for (int generation = 1; generation <= 3; generation++) {
            List<Running> others = List.of(
                    waiting(barrier, () -> barrier.await() * 10 + acted.get()),
                    waiting(barrier, () -> barrier.await() * 10 + acted.get()));
            assertEquals(0, barrier.await());
            assertEquals(20 + generation, others.get(0).outcome());
            assertEquals(10 + generation, others.get(1).outcome());
        }
        assertEquals(Set.of(Thread.currentThread()), actors);
    }

    @ParameterizedTest
    @EnumSource
    void anActionThatThrowsBreaksTheBarrier(Whose whose) {
        for (Throwable thrown : List.of(new IllegalStateException("failed"), new AssertionError("failed"))) {
            Parties barrier = barrier(whose, 2, () -> sneak(thrown));
            barrier.reset();
            Running other = waiting(barrier);
            assertEquals(thrown, assertThrows(Throwable.class, barrier::await));
            assertEquals(BrokenBarrierException.class, other.end());
            assertTrue(barrier.isBroken());
        }
    }

    private static void sneak(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) thrown;
    }

    @ParameterizedTest
    @EnumSource
    void timeOutsAndInterruptsWaitForTheEndOfTheAction(Whose whose) throws Exception {
        var began = new java.util.concurrent.CountDownLatch(1);
        var end = new java.util.concurrent.CountDownLatch(1);
        Parties barrier = barrier(whose, 3, () -> {
            began.countDown();
            awaitUninterruptibly(end);
        });
        Running timed = waiting(barrier, () -> barrier.await(3, TimeUnit.SECONDS));
        Running interrupted = waiting(barrier);
        Running actor = Running.start(barrier::await);
        assertTrue(began.await(20, TimeUnit.SECONDS));
        interrupted.interrupt();
        Running late = Running.start(barrier::await);
        await().pollDelay(Duration.ofMillis(3_200)).until(() -> true);
        assertFalse(timed.isOver() || interrupted.isOver() || actor.isOver() || late.isOver());
        end.countDown();
        assertEquals(2, timed.outcome());
        assertEquals(1, interrupted.outcome());
        assertTrue(interrupted.wasInterrupted(), "for the next who asks");
        assertEquals(0, actor.outcome());
        awaitWaiting(barrier, 1);
        barrier.reset();
        assertEquals(BrokenBarrierException.class, late.end());
    }

    private static void awaitUninterruptibly(java.util.concurrent.CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLateComerThatIsInterruptedBreaksTheNextGenerationAndNotTheOneThatActs(Whose whose) throws Exception {
        for (int i = 0; !isBrokenByALateComer(whose); i++) {
            assertTrue(i < 10, "each time the late-comer had to wait too long for the database");
        }
    }

    /** False if it may have had no time to write that it came. */
    private boolean isBrokenByALateComer(Whose whose) throws Exception {
        var began = new java.util.concurrent.CountDownLatch(1);
        var end = new java.util.concurrent.CountDownLatch(1);
        Parties barrier = barrier(whose, 2, () -> {
            began.countDown();
            awaitUninterruptibly(end);
        });
        Running first = waiting(barrier);
        Running actor = Running.start(barrier::await);
        assertTrue(began.await(20, TimeUnit.SECONDS));
        Running late = Running.start(barrier::await).interrupt();
        await().pollDelay(Duration.ofMillis(200)).until(() -> true);
        assertFalse(late.isOver());
        long start = System.nanoTime();
        end.countDown();
        assertEquals(InterruptedException.class, late.end());
        long took = System.nanoTime() - start;
        assertEquals(1, first.outcome());
        assertEquals(0, actor.outcome());
        assertTrue(barrier.isBroken() || took >= TimeUnit.MILLISECONDS.toNanos(100), "not broken after " + took);
        return barrier.isBroken();
    }

    @ParameterizedTest
    @EnumSource
    void resetBreaksItForThoseWhoWaitOnly(Whose whose) throws Exception {
        Parties barrier = barrier(whose, 2, null);
        barrier.reset();
        Running first = waiting(barrier);
        barrier.reset();
        assertEquals(BrokenBarrierException.class, first.end());
        assertFalse(barrier.isBroken());
        Running second = waiting(barrier);
        assertEquals(0, barrier.await());
        assertEquals(1, second.outcome());
    }

    @ParameterizedTest
    @EnumSource
    void thereMustBeParties(Whose whose) {
        for (int wrong : new int[] {0, -1}) {
            assertThrows(IllegalArgumentException.class, () -> barrier(whose, wrong, null));
        }
    }

    // Of one directory

    @Test
    void allObjectsOfANameAreOneBarrierAndEachHasItsOwnAction() throws Exception {
        List<String> acted = new ArrayList<>();
        CyclicBarrier one = new CyclicBarrier(cache, "b", 2, () -> acted.add("one"));
        try (Cache other = newCache()) {
            CyclicBarrier two = new CyclicBarrier(other, "b", 2, () -> acted.add("two"));
            for (CyclicBarrier last : List.of(one, two)) {
                CyclicBarrier first = last == one ? two : one;
                Running waits = waiting(ours(first));
                assertEquals(1, last.getNumberWaiting());
                assertEquals(0, last.await(SOON));
                assertEquals(1, waits.outcome());
            }
        }
        assertEquals(List.of("one", "two"), acted);
        awaitNoSeats();
        assertEquals("2 3 WAITING", row().detail());
    }

    @Test
    void anotherNumberOfPartiesIsRefusedWithBothAndAnotherKindToo() {
        new CyclicBarrier(cache, "b", 2);
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> new CyclicBarrier(cache, "b", 3));
        assertTrue(error.getMessage().contains("'b' has 2 parties, not 3"), error.getMessage());
        assertTrue(error.getMessage().contains("Inspector.delete"), error.getMessage());
        assertThrows(NameInUseException.class, () -> new CountDownLatch(cache, "b", 2));
        assertThrows(NameInUseException.class, () -> new Lock(cache, "b").lock());
        new Lock(cache, "a").tryLock();
        assertThrows(NameInUseException.class, () -> new CyclicBarrier(cache, "a", 2));
        assertThrows(IllegalArgumentException.class, () -> new CyclicBarrier(cache, "", 2));
        assertThrows(NullPointerException.class, () -> new CyclicBarrier(cache, "b", 2, null));
        Inspector.of(cache).delete("b");
        assertEquals(3, new CyclicBarrier(cache, "b", 3).getParties());
    }

    @Test
    void insideATransactionNobodyWaits() {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 1);
        IllegalStateException error = assertThrows(
                IllegalStateException.class, () -> cache.transact((java.util.concurrent.Callable<?>) barrier::await));
        assertTrue(error.getMessage().contains("'b'") || error.getMessage().contains("[b]"), error.getMessage());
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((java.util.concurrent.Callable<?>) () -> barrier.await(Duration.ZERO)));
        assertEquals("1 1 WAITING", row().detail());
    }

    @Test
    void aResetThatIsRolledBackBreaksNothing() throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 2);
        Running waits = waiting(ours(barrier));
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    barrier.reset();
                    throw new IllegalStateException("roll back");
                }));
        barrier.await();
        assertEquals(1, waits.outcome());
    }

    @Test
    void theActionRunsOutsideAnyTransactionAndMayUseTheCache() throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 2, () -> {
            assertFalse(cache.unwrap(CoordinationEngine.class).states().inTransaction());
            cache.transact((Runnable) () -> cache.incr("steps"));
        });
        Running waits = waiting(ours(barrier));
        barrier.await();
        assertEquals(1, waits.outcome());
        assertEquals(1L, cache.get("steps", Long.class));
    }

    /** What the database says of itself must not be taken for what it says to the action. */
    @Test
    void whatTheActionThrowsIsTheActorsOwnWhateverItIs() {
        for (RuntimeException thrown :
                List.of(new CacheTimeoutException("of the action"), new CacheClosedException("of the action"))) {
            CyclicBarrier barrier = new CyclicBarrier(cache, "b", 1, () -> {
                throw thrown;
            });
            barrier.reset();
            assertEquals(thrown, assertThrows(RuntimeException.class, barrier::await));
            assertTrue(barrier.isBroken());
        }
    }

    @Test
    void aResetDuringTheActionBreaksItForAll() {
        List<CyclicBarrier> self = new ArrayList<>();
        CyclicBarrier barrier =
                new CyclicBarrier(cache, "b", 2, () -> self.get(0).reset());
        self.add(barrier);
        Running waits = waiting(ours(barrier));
        assertThrows(BrokenBarrierException.class, barrier::await);
        assertEquals(BrokenBarrierException.class, waits.end());
        assertFalse(barrier.isBroken());
        awaitNoSeats();
    }

    @Test
    void howeverAWaitEndsNoSeatIsLeft() throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 3);
        assertThrows(TimeoutException.class, () -> barrier.await(Duration.ofMillis(20)));
        assertEquals("", row().line());
        barrier.reset();
        Running interrupted = waiting(ours(barrier)).interrupt();
        assertEquals(InterruptedException.class, interrupted.end());
        assertEquals("", row().line());
        barrier.reset();
        Running reset = waiting(ours(barrier));
        barrier.reset();
        reset.outcome();
        assertEquals("", row().line());
        List<Running> passed = List.of(waiting(ours(barrier)), waiting(ours(barrier)));
        barrier.await();
        assertEquals(Set.of(2, 1), passed.stream().map(Running::outcome).collect(Collectors.toSet()));
        assertEquals("", row().line());
    }

    @Test
    void aClosedCacheEndsTheWaitAndRefusesCalls() {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 2);
        Running waits = waiting(ours(barrier));
        cache.close();
        assertEquals(CacheClosedException.class, waits.end());
        assertThrows(CacheClosedException.class, barrier::await);
        assertThrows(CacheClosedException.class, () -> barrier.await(Duration.ZERO));
        assertThrows(CacheClosedException.class, barrier::reset);
        assertThrows(CacheClosedException.class, barrier::isBroken);
        assertThrows(CacheClosedException.class, barrier::getNumberWaiting);
        assertThrows(CacheClosedException.class, () -> new CyclicBarrier(cache, "b", 2));
    }

    /** The session lives on, so the seat has to be given up by whoever sat on it. */
    @Test
    void theOthersLearnThatACacheWasClosedWhichIsNotTheLastOfItsProcess() {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 3);
        Running other = waiting(ours(barrier));
        Cache closing = newCache();
        CyclicBarrier its = new CyclicBarrier(closing, "b", 3);
        Running waits = Running.start(its::await);
        awaitWaiting(ours(barrier), 2);
        closing.close();
        assertEquals(CacheClosedException.class, waits.end());
        assertThrows(CacheClosedException.class, its::await);
        assertEquals(BrokenBarrierException.class, other.end());
        awaitNoSeats();
    }

    @Test
    void aLostSessionBreaksTheGenerationAndTheNextCallBeginsANewOne() throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 2);
        Running waits = waiting(ours(barrier));
        sql("UPDATE LatchkeySession SET dead = 1");
        assertEquals(BrokenBarrierException.class, waits.end(), "it was taken for dead");
        assertTrue(barrier.isBroken());
        barrier.reset();
        sql("UPDATE LatchkeySession SET dead = 1");
        Running next = waiting(ours(barrier));
        assertEquals(0, barrier.await());
        assertEquals(1, next.outcome());
        awaitNoSeats();
    }

    @Test
    void aBusyDatabaseKeepsNobodyBeyondItsTimeAndTheSeatIsGivenUpAfterwards() throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 3);
        Running untimed = waiting(ours(barrier));
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database());
                Statement statement = connection.createStatement()) {
            long came = System.nanoTime();
            Running timed = waiting(ours(barrier), () -> barrier.await(3, TimeUnit.SECONDS));
            statement.execute("BEGIN IMMEDIATE");
            long start = System.nanoTime();
            TimeoutException error = assertThrows(TimeoutException.class, () -> barrier.await(Duration.ofMillis(100)));
            assertTrue(error.getMessage().contains("busy"), error.getMessage());
            Running interrupted = Running.start(barrier::await);
            assertEquals(InterruptedException.class, interrupted.interrupt().end());
            assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(3), "nobody waited for the database");
            assertEquals(TimeoutException.class, timed.end());
            assertTrue(System.nanoTime() - came < TimeUnit.SECONDS.toNanos(6), "nor did who was to wait for 3 s");
            assertFalse(untimed.isOver());
            statement.execute("COMMIT");
        }
        assertEquals(BrokenBarrierException.class, untimed.end());
        awaitNoSeats();
    }

    @Test
    void manyThreadsPassManyGenerations() {
        int parties = 8;
        AtomicInteger acted = new AtomicInteger();
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", parties, acted::incrementAndGet);
        List<Running> all = new ArrayList<>();
        for (int i = 0; i < parties; i++) {
            all.add(Running.start(() -> {
                for (int generation = 1; generation <= 50; generation++) {
                    barrier.await();
                    int seen = acted.get(); // nobody can have passed the next one without this thread
                    assertEquals(generation, seen);
                }
                return "through";
            }));
        }
        all.forEach(each -> assertEquals("through", each.outcome()));
        assertEquals(50, acted.get());
        assertEquals("", row().line());
    }
}

package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a semaphore promises between the threads of one process. */
class BoundedSemaphoreTest extends CacheFixture {
    private BoundedSemaphore semaphore;

    @BeforeEach
    void open() {
        semaphore = new BoundedSemaphore(cache, "s", 3);
    }

    private State row() {
        return row(cache, Kind.SEMAPHORE, "s");
    }

    private List<Long> units() {
        return row().holds().stream().map(Hold::units).toList();
    }

    /** What the inspector does. */
    private boolean force(long token) {
        return Cohorts.of(Cohorts.engine(cache))
                .cohort(Kind.SEMAPHORE, "s")
                .keeper
                .forceRelease(token, Deadline.never());
    }

    /** Starts a call and returns its thread when that waits, in line or behind others. */
    private Thread waiting(Callable<?> call, AtomicReference<Object> outcome) {
        Thread thread = new Thread(() -> {
            try {
                Object result = call.call();
                outcome.set(result == null ? "done" : result);
            } catch (Throwable t) {
                outcome.set(t);
            }
        });
        thread.setDaemon(true);
        thread.start();
        await().atMost(SOON).until(() -> row().line().length() > 0 && isWaiting(thread));
        return thread;
    }

    private static Object outcome(AtomicReference<Object> outcome) {
        await().atMost(SOON).until(() -> outcome.get() != null);
        return outcome.get();
    }

    private void awaitNobodyInLine() {
        await().atMost(Duration.ofSeconds(3)).until(() -> row().line().isEmpty());
    }

    /** A release may have been left to be written later. */
    private static void awaitAvailable(BoundedSemaphore semaphore, int permits) {
        await().atMost(SOON)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .until(() -> semaphore.availablePermits() == permits);
    }

    // Acquiring and releasing

    @Test
    void permitsAreTakenTogetherAndGivenBackOneByOneOrTogether() throws Exception {
        semaphore.acquire();
        semaphore.acquireUninterruptibly(2);
        assertEquals(0, semaphore.availablePermits());
        assertFalse(semaphore.tryAcquire());
        semaphore.release();
        assertEquals(1, semaphore.availablePermits());
        assertFalse(semaphore.tryAcquire(2));
        semaphore.release(2);
        assertEquals(3, semaphore.availablePermits());
        assertTrue(semaphore.tryAcquire(3));
        semaphore.release(3);
        assertEquals(List.of(), row().holds());
        assertEquals("permits=3", row().detail());
    }

    @Test
    void anyThreadMayReleaseWhatAnotherAcquired() throws Exception {
        semaphore.acquire(2);
        elsewhere(() -> {
            semaphore.release();
            return null;
        });
        assertEquals(2, semaphore.availablePermits());
        elsewhere(() -> semaphore.tryAcquire(2));
        semaphore.release(3);
        assertEquals(3, semaphore.availablePermits());
    }

    @Test
    void aReleaseEndsGrantsOfItsOwnSizeFirst() throws Exception {
        semaphore.acquire(2);
        semaphore.acquire(1);
        semaphore.release(1);
        assertEquals(List.of(2L), units());
        semaphore.release(1);
        assertEquals(List.of(1L), units());
    }

    @Test
    void releasingMoreThanIsHeldByPlainAcquiresReleasesNothing() throws Exception {
        assertThrows(IllegalMonitorStateException.class, semaphore::release);
        semaphore.acquire(1);
        try (Permit permit = semaphore.acquirePermit(2)) {
            IllegalMonitorStateException error =
                    assertThrows(IllegalMonitorStateException.class, () -> semaphore.release(2));
            assertTrue(error.getMessage().contains("cannot release 2 of semaphore 's'"), error.getMessage());
            assertTrue(error.getMessage().contains("holds 1"), error.getMessage());
            assertEquals(0, semaphore.availablePermits());
            semaphore.release(1);
            assertThrows(IllegalMonitorStateException.class, semaphore::release, "a Permit is released by itself");
            assertTrue(permit.isValid());
        }
        assertEquals(3, semaphore.availablePermits());
    }

    @Test
    void numbersThatMakeNoSenseAreRefused() {
        for (int bad : new int[] {0, -1, Integer.MIN_VALUE, 4, Integer.MAX_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> semaphore.acquire(bad));
            assertThrows(IllegalArgumentException.class, () -> semaphore.acquireUninterruptibly(bad));
            assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(bad));
            assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(bad, SOON));
            assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(bad, Duration.ZERO));
            assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(bad, 1, TimeUnit.SECONDS));
            assertThrows(IllegalArgumentException.class, () -> semaphore.acquirePermit(bad));
            assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquirePermit(bad, SOON));
        }
        assertThrows(IllegalArgumentException.class, () -> semaphore.release(0));
        assertThrows(IllegalArgumentException.class, () -> semaphore.release(-1));
        assertThrows(IllegalArgumentException.class, () -> semaphore.resize(0));
        assertThrows(IllegalArgumentException.class, () -> new BoundedSemaphore(cache, "t", 0));
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(4));
        assertTrue(error.getMessage().contains("<= 3") && error.getMessage().contains("was 4"), error.getMessage());
        assertEquals(3, semaphore.availablePermits());
        assertEquals("", row().line());
    }

    @Test
    void badNamesAndNullsAreRefused() {
        assertThrows(NullPointerException.class, () -> new BoundedSemaphore(cache, null, 1));
        assertThrows(NullPointerException.class, () -> new BoundedSemaphore(null, "s", 1));
        assertThrows(IllegalArgumentException.class, () -> new BoundedSemaphore(cache, "", 1));
        assertThrows(NullPointerException.class, () -> semaphore.tryAcquire((Duration) null));
        assertThrows(NullPointerException.class, () -> semaphore.tryAcquire(1, (TimeUnit) null));
        assertThrows(NullPointerException.class, () -> semaphore.tryAcquirePermit(null));
    }

    @Test
    void neverMoreThanThePermitsAreInsideAndAllComeBack() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int units = 1 + i % 3;
            all.add(threads.submit(() -> {
                for (int round = 0; round < 60; round++) {
                    semaphore.acquire(units);
                    most.accumulateAndGet(inside.addAndGet(units), Math::max);
                    inside.addAndGet(-units);
                    semaphore.release(units);
                }
                return null;
            }));
        }
        for (Future<?> one : all) {
            one.get(50, TimeUnit.SECONDS);
        }
        assertTrue(most.get() <= 3, "inside: " + most);
        await().atMost(SOON).until(() -> row().holds().isEmpty());
        awaitNobodyInLine();
    }

    /** Each release gives back permits of its own, although they were acquired as one, and not one too many. */
    @Test
    void releasesAtTheSameTimeNeitherLoseAPermitNorGiveOneBackTwice() throws Exception {
        BoundedSemaphore many = new BoundedSemaphore(cache, "many", 12);
        BoundedSemaphore same = new BoundedSemaphore(cache, "many", 12);
        for (int round = 0; round < 40; round++) {
            many.acquire(5);
            many.acquire(3);
            CyclicBarrier gun = new CyclicBarrier(10);
            AtomicInteger refused = new AtomicInteger();
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                BoundedSemaphore one = i % 2 == 0 ? many : same;
                all.add(threads.submit(() -> {
                    gun.await();
                    try {
                        one.release();
                    } catch (IllegalMonitorStateException e) {
                        refused.incrementAndGet();
                    }
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get(20, TimeUnit.SECONDS);
            }
            assertEquals(2, refused.get(), "eight were held");
            awaitAvailable(many, 12);
        }
    }

    /** Only an attempt that has taken its whole time may be in vain; the round with such a one is repeated. */
    @Test
    void attemptsAtTheSameTimeAllSucceedWhereThereIsEnough() throws Exception {
        BoundedSemaphore many = new BoundedSemaphore(cache, "many", 4);
        int complete = 0;
        while (complete < 30) {
            CyclicBarrier gun = new CyclicBarrier(4);
            List<Future<Long>> all = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                all.add(threads.submit(() -> {
                    gun.await();
                    long start = System.nanoTime();
                    return many.tryAcquire() ? 0L : System.nanoTime() - start;
                }));
            }
            int acquired = 0;
            for (Future<Long> one : all) {
                long refusedAfter = get(one);
                assertTrue(
                        refusedAfter == 0 || refusedAfter >= Cohort.ONE_ATTEMPT.toNanos(),
                        "refused after " + refusedAfter + " ns");
                acquired += refusedAfter == 0 ? 1 : 0;
            }
            if (acquired == 4) {
                assertFalse(many.tryAcquire());
                complete++;
            }
            if (acquired > 0) {
                many.release(acquired);
            }
            awaitAvailable(many, 4);
        }
    }

    @Test
    void allFreePermitsCanBeDrained() throws Exception {
        semaphore.acquire();
        assertEquals(2, semaphore.drainPermits());
        assertEquals(0, semaphore.drainPermits());
        assertEquals(0, semaphore.availablePermits());
        semaphore.release(3);
        assertEquals(3, semaphore.drainPermits());
    }

    // Waiting

    @Test
    void whoWantsManyIsNotOvertakenByOtherThreads() throws Exception {
        semaphore.acquire(3);
        List<String> order = new ArrayList<>();
        AtomicReference<Object> big = new AtomicReference<>();
        waiting(
                () -> {
                    semaphore.acquire(3);
                    order.add("big");
                    semaphore.release(3);
                    return null;
                },
                big);
        AtomicReference<Object> small = new AtomicReference<>();
        Thread thread = waiting(
                () -> {
                    semaphore.acquire();
                    order.add("small");
                    return null;
                },
                small);
        await().atMost(SOON).until(() -> thread.getState() == Thread.State.TIMED_WAITING);
        semaphore.release();
        assertFalse(semaphore.tryAcquire(), "one is free, and for the one in front");
        assertEquals(0, semaphore.drainPermits());
        assertEquals(1, semaphore.availablePermits());
        semaphore.release(2);
        assertEquals("done", outcome(big));
        assertEquals("done", outcome(small));
        assertEquals(List.of("big", "small"), order);
    }

    @Test
    void aReleaseServesAllThreadsForWhomThereIsEnough() throws Exception {
        semaphore.acquire(3);
        CountDownLatch inside = new CountDownLatch(3);
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            all.add(threads.submit(() -> {
                semaphore.acquire();
                inside.countDown();
                return inside.await(20, TimeUnit.SECONDS);
            }));
        }
        await().atMost(SOON).until(() -> semaphore.waiters() == 1);
        semaphore.release(3);
        for (Future<?> one : all) {
            assertEquals(true, one.get(20, TimeUnit.SECONDS));
        }
        assertEquals(0, semaphore.waiters());
    }

    // Permit

    @Test
    void aPermitMayBeClosedByAnyThreadAndTwice() throws Exception {
        Permit permit = semaphore.acquirePermit(2);
        assertEquals(2, permit.permits());
        assertTrue(permit.isValid());
        permit.verify();
        elsewhere(() -> {
            permit.close();
            return null;
        });
        assertFalse(permit.isValid());
        assertTrue(semaphore.tryAcquire(3));
        permit.close();
        assertEquals(0, semaphore.availablePermits(), "a late close frees nobody else's");
        assertThrows(IllegalMonitorStateException.class, permit::verify);
        assertThrows(IllegalMonitorStateException.class, () -> permit.runFenced(() -> 1));
    }

    @Test
    void tokensGrowWithEveryGrant() throws Exception {
        try (Permit first = semaphore.acquirePermit();
                Permit second = semaphore.acquirePermit()) {
            assertTrue(second.fencingToken() > first.fencingToken());
            first.close();
            assertTrue(semaphore.acquirePermit().fencingToken() > second.fencingToken());
        }
    }

    @Test
    void aPermitThatWasForcedFreeIsLostAndItsLateCloseFreesNobodyElses() throws Exception {
        AtomicReference<LockLostException> told = new AtomicReference<>();
        Permit permit = semaphore.acquirePermit(2);
        permit.onLost(told::set);
        cache.set("k", 1);
        assertFalse(force(permit.fencingToken() + 1));
        assertTrue(force(permit.fencingToken()));
        LockLostException lost = assertThrows(LockLostException.class, permit::verify);
        assertEquals(permit.fencingToken(), lost.token());
        assertThrows(LockLostException.class, () -> permit.runFenced(() -> cache.set("k", 2)));
        assertEquals(1, cache.get("k", Integer.class));
        semaphore.acquire(3);
        await().atMost(Duration.ofSeconds(5)).until(() -> told.get() != null);
        assertEquals(permit.fencingToken(), told.get().token());
        assertFalse(permit.isValid());
        permit.close();
        permit.close();
        assertEquals(0, semaphore.availablePermits());
    }

    @Test
    void aLossThatCloseFindsOutIsToldTooWithWhoHoldsAPermitNow() throws Exception {
        AtomicReference<LockLostException> told = new AtomicReference<>();
        Permit permit = semaphore.acquirePermit(2);
        Permit next = semaphore.acquirePermit();
        permit.onLost(told::set);
        assertTrue(force(permit.fencingToken()));
        permit.close();
        await().atMost(SOON).until(() -> told.get() != null);
        assertEquals(next.fencingToken(), told.get().holder().orElseThrow().token());
    }

    @Test
    void aPermitSaysHowManyItWasWhenItIsClosedToo() throws Exception {
        Permit permit = semaphore.acquirePermit(2);
        cache.transact(() -> {
            permit.close();
            permit.close();
        });
        assertEquals(2, permit.permits());
        assertEquals(3, semaphore.availablePermits());
    }

    @Test
    void whoeverAsksToBeToldWhenAllIsClosedIsNotHarmed() throws Exception {
        Permit permit = semaphore.acquirePermit();
        assertTrue(force(permit.fencingToken()));
        assertThrows(LockLostException.class, permit::verify);
        cache.close();
        permit.onLost(loss -> {});
        assertFalse(permit.isValid());
    }

    @Test
    void theQueueIsAsTheJdksMethodsSay() {
        assertTrue(semaphore.isFair());
        assertFalse(semaphore.hasQueuedThreads());
        assertEquals(0, semaphore.getQueueLength());
    }

    @Test
    void aFencedWriteIsOneTransaction() throws Exception {
        Permit permit = semaphore.acquirePermit();
        assertEquals(7, permit.runFenced(() -> {
            cache.set("k", "v");
            return 7;
        }));
        permit.runFenced(() -> {
            cache.set("k", "without a result");
        });
        assertEquals("without a result", cache.get("k", String.class));
    }

    @Test
    void plainPermitsThatWereForcedFreeAreLostToWhoReleasesThem() throws Exception {
        semaphore.acquire();
        semaphore.acquire();
        long first = row().holds().get(0).token();
        assertTrue(force(first));
        LockLostException lost = assertThrows(LockLostException.class, () -> semaphore.release(2));
        assertEquals(first, lost.token());
        assertEquals(3, semaphore.availablePermits(), "what was not lost is released");
        IllegalMonitorStateException over = assertThrows(IllegalMonitorStateException.class, semaphore::release);
        assertFalse(over instanceof LockLostException);
    }

    @Test
    void plainPermitsThatWereFoundLostBeforeAreReportedOnce() throws Exception {
        semaphore.acquire();
        semaphore.acquire();
        long first = row().holds().get(0).token();
        assertTrue(force(first));
        Cohort cohort = Cohorts.of(Cohorts.engine(cache)).cohort(Kind.SEMAPHORE, "s");
        await().atMost(Duration.ofSeconds(5)).until(() -> cohort.local.held().count() == 1);
        semaphore.release();
        assertEquals(3, semaphore.availablePermits());
        assertEquals(
                first, assertThrows(LockLostException.class, semaphore::release).token());
        assertThrows(IllegalMonitorStateException.class, semaphore::release);
    }

    @Test
    void aSessionThatWasTakenForDeadLosesItsPermitsAndANewOneBegins() throws Exception {
        AtomicReference<LockLostException> told = new AtomicReference<>();
        Permit permit = semaphore.acquirePermit(2);
        semaphore.acquire();
        permit.onLost(told::set);
        sql("UPDATE LatchkeySession SET dead = 1");
        await().atMost(Duration.ofSeconds(3)).until(() -> told.get() != null);
        assertFalse(permit.isValid());
        assertThrows(LockLostException.class, permit::verify);
        assertThrows(LockLostException.class, semaphore::release);
        assertTrue(semaphore.tryAcquire(3, SOON));
        permit.close();
        assertEquals(0, semaphore.availablePermits());
    }

    @Test
    void aFutureGetsItsPermitWhenItIsItsTurn() throws Exception {
        semaphore.acquire(3);
        CompletableFuture<Permit> first = semaphore.acquirePermitAsync();
        CompletableFuture<Permit> second = semaphore.acquirePermitAsync();
        assertFalse(first.isDone());
        assertTrue(first.cancel(false));
        semaphore.release(1);
        try (Permit permit = second.get(20, TimeUnit.SECONDS)) {
            assertTrue(permit.isValid());
            assertEquals(0, semaphore.availablePermits());
        }
        assertEquals(1, semaphore.availablePermits());
        awaitNobodyInLine();
    }

    // One name, one semaphore

    @Test
    void theConstructorWritesOnlyWhenNobodyHasStoredTheNumber() {
        long version = row().version();
        new BoundedSemaphore(cache, "s", 3);
        assertEquals(version, row().version());
    }

    @Test
    void aNameThatWasDeletedIsMadeAgainWithItsNumber() throws Exception {
        semaphore.acquire();
        semaphore.release();
        CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
        engine.states()
                .write(
                        tx -> {
                            tx.remove(tx.state("semaphore", "s"));
                            return true;
                        },
                        Deadline.never());
        assertFalse(row().exists());
        assertEquals(3, semaphore.permits());
        assertEquals(3, semaphore.availablePermits());
        assertTrue(semaphore.tryAcquire(3));
        assertEquals("permits=3", row().detail());
        assertFalse(semaphore.tryAcquire(Duration.ofMillis(20)));
    }

    @Test
    void aLargerNumberWakesWhoWaits() throws Exception {
        semaphore.acquire(3);
        AtomicReference<Object> outcome = new AtomicReference<>();
        waiting(() -> semaphore.acquirePermit(2), outcome);
        new BoundedSemaphore(cache, "s", 3).resize(5);
        assertInstanceOf(Permit.class, outcome(outcome));
        assertEquals(5, semaphore.permits());
        assertEquals(0, semaphore.availablePermits());
        assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(6));
        new BoundedSemaphore(cache, "s", 5);
    }

    @Test
    void aSmallerNumberTakesEffectAsPermitsComeBack() throws Exception {
        semaphore.acquire(3);
        semaphore.resize(1);
        assertEquals(0, semaphore.availablePermits());
        semaphore.release(2);
        assertEquals(0, semaphore.availablePermits());
        assertFalse(semaphore.tryAcquire());
        assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(2));
        semaphore.release();
        assertTrue(semaphore.tryAcquire());
        assertFalse(semaphore.tryAcquire());
    }

    @Test
    void whoWaitsForMoreThanThereIsToBeIsToldSoAndHoldsNobodyUp() throws Exception {
        semaphore.acquire(3);
        AtomicReference<Object> big = new AtomicReference<>();
        waiting(() -> semaphore.acquirePermit(3), big);
        Future<Boolean> small = threads.submit(() -> semaphore.tryAcquire(SOON));
        semaphore.resize(2);
        Object outcome = outcome(big);
        assertInstanceOf(IllegalArgumentException.class, outcome);
        semaphore.release(2);
        assertTrue(small.get(20, TimeUnit.SECONDS));
    }

    @Test
    void theHoldersAreShownWithTheirPermits() throws Exception {
        assertEquals(List.of(), semaphore.holders());
        semaphore.acquire();
        try (Permit permit = semaphore.acquirePermit(2)) {
            List<Holder> holders = new BoundedSemaphore(cache, "s", 3).holders();
            assertEquals(List.of(1, 2), holders.stream().map(Holder::permits).toList());
            Holder holder = holders.get(1);
            assertEquals(ProcessHandle.current().pid(), holder.pid());
            assertEquals(Thread.currentThread().getName(), holder.thread());
            assertEquals(permit.fencingToken(), holder.token());
            assertTrue(holder.toString().contains("2 permits"), holder.toString());
        }
    }

    // Transactions

    @Test
    void acquiringInsideATransactionIsRefused() {
        cache.transact(() -> {
            assertThrows(IllegalStateException.class, semaphore::acquire);
            assertThrows(IllegalStateException.class, semaphore::acquireUninterruptibly);
            assertThrows(IllegalStateException.class, semaphore::tryAcquire);
            assertThrows(IllegalStateException.class, () -> semaphore.tryAcquire(SOON));
            assertThrows(IllegalStateException.class, semaphore::drainPermits);
            assertThrows(IllegalStateException.class, semaphore::acquirePermit);
            assertThrows(IllegalStateException.class, semaphore::tryAcquirePermit);
            assertThrows(IllegalStateException.class, semaphore::acquirePermitAsync);
        });
        assertEquals(3, semaphore.availablePermits());
    }

    @Test
    void aReleaseInsideATransactionCountsWhenItCommits() throws Exception {
        semaphore.acquire(3);
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    semaphore.release();
                    semaphore.release(2);
                    assertThrows(IllegalMonitorStateException.class, semaphore::release);
                    throw new IllegalStateException("roll back");
                }));
        assertEquals(0, semaphore.availablePermits());
        Future<Boolean> waiter = threads.submit(() -> semaphore.tryAcquire(2, SOON));
        cache.transact(() -> {
            semaphore.release();
            semaphore.release();
        });
        assertTrue(waiter.get(20, TimeUnit.SECONDS));
        semaphore.release(3);
        assertEquals(3, semaphore.availablePermits());
        assertThrows(IllegalMonitorStateException.class, semaphore::release);
    }

    @Test
    void aPermitClosedInATransactionThatIsRolledBackIsStillOpen() throws Exception {
        Permit permit = semaphore.acquirePermit(2);
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    permit.close();
                    permit.close();
                    throw new IllegalStateException("roll back");
                }));
        assertTrue(permit.isValid());
        permit.verify();
        assertEquals(1, semaphore.availablePermits());
        cache.transact(() -> {
            permit.close();
            permit.close();
        });
        assertFalse(permit.isValid());
        assertEquals(3, semaphore.availablePermits());
    }

    @Test
    void aSemaphoreMadeInATransactionThatIsRolledBackIsMadeAgain() {
        AtomicReference<BoundedSemaphore> made = new AtomicReference<>();
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    made.set(new BoundedSemaphore(cache, "t", 2));
                    throw new IllegalStateException("roll back");
                }));
        assertTrue(made.get().tryAcquire(2));
        assertFalse(made.get().tryAcquire());
    }

    @Test
    void anotherNumberThatIsRolledBackIsForgotten() {
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    semaphore.resize(9);
                    throw new IllegalStateException("roll back");
                }));
        assertEquals(3, semaphore.permits());
        assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(4));
    }

    // Trouble

    @Test
    void aReleaseThatCouldNotBeWrittenIsRepeatedUntilItIs() throws Exception {
        semaphore.acquire(3);
        try (BusyDatabase busy = new BusyDatabase()) {
            semaphore.release(2);
            assertEquals(List.of(3L), units(), "not written yet");
            assertThrows(IllegalMonitorStateException.class, () -> semaphore.release(2));
            long start = System.nanoTime();
            assertFalse(semaphore.tryAcquire());
            assertFalse(semaphore.tryAcquire(Duration.ofMillis(100)));
            assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(2));
        }
        await().atMost(SOON).until(() -> units().equals(List.of(1L)));
        semaphore.release();
        assertEquals(3, semaphore.availablePermits());
    }

    @Test
    void aClosedCacheRefusesEveryCallAndFreesWhatWasHeld() throws Exception {
        AtomicReference<LockLostException> told = new AtomicReference<>();
        Permit permit = semaphore.acquirePermit(2);
        semaphore.acquire();
        permit.onLost(told::set);
        AtomicReference<Object> waiter = new AtomicReference<>();
        waiting(() -> semaphore.acquirePermit(), waiter);
        CompletableFuture<Permit> future = semaphore.acquirePermitAsync();
        cache.close();
        assertInstanceOf(CacheClosedException.class, outcome(waiter));
        ExecutionException failed = assertThrows(ExecutionException.class, () -> future.get(20, TimeUnit.SECONDS));
        assertInstanceOf(CacheClosedException.class, failed.getCause());
        await().atMost(SOON).until(() -> told.get() != null);
        assertFalse(permit.isValid());
        permit.close();
        assertThrows(CacheClosedException.class, semaphore::acquire);
        assertThrows(CacheClosedException.class, semaphore::acquireUninterruptibly);
        assertThrows(CacheClosedException.class, semaphore::tryAcquire);
        assertThrows(CacheClosedException.class, () -> semaphore.tryAcquire(SOON));
        assertThrows(CacheClosedException.class, semaphore::release);
        assertThrows(CacheClosedException.class, semaphore::availablePermits);
        assertThrows(CacheClosedException.class, semaphore::drainPermits);
        assertThrows(CacheClosedException.class, semaphore::permits);
        assertThrows(CacheClosedException.class, semaphore::waiters);
        assertThrows(CacheClosedException.class, semaphore::holders);
        assertThrows(CacheClosedException.class, semaphore::acquirePermit);
        assertThrows(CacheClosedException.class, semaphore::acquirePermitAsync);
        assertThrows(CacheClosedException.class, () -> semaphore.resize(4));
        assertThrows(CacheClosedException.class, () -> new BoundedSemaphore(cache, "s", 3));
        try (Cache again = newCache()) {
            assertEquals(3, new BoundedSemaphore(again, "s", 3).availablePermits());
        }
    }
}

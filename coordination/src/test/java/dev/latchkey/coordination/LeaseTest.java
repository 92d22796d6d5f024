package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.testing.Elapsed;
import dev.latchkey.testing.Stalls;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of a lock that is held longer than its lease. */
class LeaseTest extends CacheFixture {
    private static final Duration LEASE = Duration.ofMillis(300);
    /** What is to be done within a lease is done within this one on a slow machine too. */
    private static final Duration LONG_LEASE = Duration.ofSeconds(3);

    private static final Duration LONGER_THAN_LONG_LEASE = LONG_LEASE.plusMillis(300);

    /** What was told of, by which thread, and when. */
    private record Told(LockLostException lost, String thread, long nanos) {}

    private final LinkedBlockingQueue<Told> told = new LinkedBlockingQueue<>();

    @BeforeEach
    void warmUp() {
        new Lock(cache, "warm-up").lock();
    }

    private void tell(LockLostException lost) {
        told.add(new Told(lost, Thread.currentThread().getName(), System.nanoTime()));
    }

    private Lock lock(Duration lease) {
        return Lock.builder(cache, "a").lease(lease).onLost(this::tell).build();
    }

    private Told awaitTold() throws InterruptedException {
        Told found = told.poll(20, TimeUnit.SECONDS);
        if (found == null) {
            throw new AssertionError("nobody was told");
        }
        return found;
    }

    private void assertNobodyIsTold(Duration window) {
        await().during(window).atMost(SOON).pollInterval(Duration.ofMillis(10)).until(told::isEmpty);
    }

    private static void awaitInvalid(LockHandle handle) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(5)).until(() -> !handle.isValid());
    }

    @Test
    void theEndOfALeaseIsToldOnceAndPromptlyOnAThreadOfTheEngine() throws Exception {
        List<Long> lateMillis = new ArrayList<>();
        Stalls stalls = new Stalls();
        for (int i = -1; i < 5; i++) { // how late it is the first time is not measured
            long start = System.nanoTime();
            LockHandle handle = lock(LEASE).acquire();
            long acquired = System.nanoTime();
            handle.onLost(this::tell);
            Told first = awaitTold();
            Told second = awaitTold();
            assertEquals(handle.fencingToken(), first.lost.token());
            assertEquals(handle.fencingToken(), second.lost.token());
            assertTrue(first.thread.startsWith("latchkey-"), first.thread);
            assertTrue(first.nanos - start >= LEASE.toNanos(), "early: " + (first.nanos - start));
            long due = acquired + LEASE.toNanos();
            if (i >= 0) {
                lateMillis.add((first.nanos - due - stalls.nanosWithin(due, first.nanos)) / 1_000_000);
            }
            assertFalse(handle.isValid());
        }
        assertNobodyIsTold(Duration.ofMillis(1200)); // longer than the look for what was forced open
        stalls.close();
        lateMillis.forEach(late -> assertTrue(late <= 50, "late by " + lateMillis));
    }

    @Test
    void whatIsReleasedInTimeIsNotLost() throws Exception {
        Lock lock = lock(LONG_LEASE);
        lock.lock();
        lock.unlock();
        lock.acquire().close();
        assertTrue(lock.tryLock(SOON));
        lock.unlock();
        assertNobodyIsTold(LONGER_THAN_LONG_LEASE);
    }

    /** It must not depend on whether the engine has noticed already. */
    @Test
    void everyCallAfterTheEndSaysThatTheLockWasLost() throws Exception {
        Lock lock = lock(Duration.ofMillis(20));
        for (int i = 0; i < 20; i++) {
            lock.lock();
            while (lock.isHeldByCurrentThread()) {
                Thread.onSpinWait();
            }
            assertThrows(LockLostException.class, lock::unlock, "round " + i);
            assertThrows(LockLostException.class, lock::fencingToken);
            assertThrows(LockLostException.class, () -> lock.runFenced(() -> cache.incr("n")));
            awaitTold();
        }
        LockHandle handle = lock.acquire();
        awaitInvalid(handle);
        assertThrows(LockLostException.class, handle::verify);
        assertThrows(LockLostException.class, () -> handle.renew(LEASE));
        assertThrows(LockLostException.class, () -> handle.runFenced(() -> cache.incr("n")));
        assertDoesNotThrow(handle::close);
        assertNull(cache.get("n"));
    }

    /** Such a lease is over before its holder is known to anybody. */
    @Test
    void aLeaseThatIsOverAtOnceIsToldToo() throws Exception {
        Lock lock = lock(Duration.ofNanos(1));
        for (int i = 0; i < 30; i++) {
            LockHandle handle = lock.acquire();
            assertEquals(handle.fencingToken(), awaitTold().lost.token(), "round " + i);
        }
    }

    @Test
    void whoAsksAfterTheEndIsToldAndTakesNothingFromThoseWhoAskedBefore() throws Exception {
        for (int i = 0; i < 30; i++) {
            LockHandle handle = lock(Duration.ofMillis(5)).acquire();
            while (handle.isValid()) {
                Thread.onSpinWait();
            }
            AtomicInteger late = new AtomicInteger();
            handle.onLost(lost -> late.incrementAndGet());
            assertEquals(handle.fencingToken(), awaitTold().lost.token(), "round " + i);
            await().atMost(SOON).until(() -> late.get() == 1);
        }
    }

    /** The loss is found out by the holder, before the engine looks. */
    @Test
    void aLossThatTheHolderFindsOutIsToldToo() throws Exception {
        Lock lock = lock(Duration.ofMinutes(1));
        LockHandle handle = lock.acquire();
        assertTrue(lock.forceUnlock(handle.fencingToken()));
        handle.close();
        assertEquals(handle.fencingToken(), awaitTold().lost.token());
        lock.lock();
        long token = lock.fencingToken();
        assertTrue(lock.forceUnlock(token));
        assertThrows(LockLostException.class, lock::unlock);
        assertEquals(token, awaitTold().lost.token());
    }

    @Test
    void aHandleThatWasClosedIsToldNothing() throws Exception {
        LockHandle handle = lock(LONG_LEASE).acquire();
        handle.close();
        handle.onLost(this::tell);
        assertNobodyIsTold(LONGER_THAN_LONG_LEASE);
    }

    @Test
    void renewingKeepsTheLock() throws Exception {
        Duration lease = Duration.ofSeconds(2);
        LockHandle handle = lock(lease).acquire();
        for (int i = 0; i < 5; i++) {
            assertNobodyIsTold(Duration.ofMillis(500));
            handle.renew(lease);
        }
        handle.verify();
        assertNull(told.poll());
        handle.renew(Duration.ofMillis(1));
        awaitTold();
        assertFalse(handle.isValid());
    }

    @Test
    void renewingNeedsALeaseAndAPositiveTime() throws Exception {
        try (LockHandle handle = new Lock(cache, "without").acquire()) {
            assertThrows(IllegalStateException.class, () -> handle.renew(LEASE));
        }
        try (LockHandle handle = lock(Duration.ofMinutes(1)).acquire()) {
            assertThrows(IllegalArgumentException.class, () -> handle.renew(Duration.ZERO));
            assertThrows(IllegalArgumentException.class, () -> handle.renew(Duration.ofSeconds(-1)));
            handle.renew(Duration.ofSeconds(Long.MAX_VALUE));
            handle.verify();
        }
        LockBuilder<Lock> builder = Lock.builder(cache, "a");
        assertThrows(IllegalArgumentException.class, () -> builder.lease(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> builder.lease(Duration.ofMillis(-1)));
    }

    /** The end of a lease is noticed a little late: until then it stood among what the thread holds, for which it would wait in vain. */
    @Test
    void whoHasOutlivedALeaseMayAcquireAHandleAtOnce() throws Exception {
        Lock brief = Lock.builder(cache, "a").lease(Duration.ofMillis(5)).build();
        for (int i = 0; i < 50; i++) {
            brief.lock();
            while (brief.isHeldByCurrentThread()) {
                Thread.onSpinWait();
            }
            new Lock(cache, "a").acquire().close();
        }
    }

    /** Else the process believed in a lease that the row does not have, while another one takes the lock. */
    @Test
    void aRenewalThatIsRolledBackDoesNotCount() throws Exception {
        LockHandle handle = lock(LONG_LEASE).acquire();
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    handle.renew(Duration.ofMinutes(1));
                    throw new IllegalStateException("roll back");
                }));
        awaitTold();
        assertFalse(handle.isValid());
    }

    @Test
    void aRenewalThatIsCommittedCounts() throws Exception {
        LockHandle handle = lock(LONG_LEASE).acquire();
        cache.transact((Runnable) () -> handle.renew(Duration.ofMinutes(1)));
        assertNobodyIsTold(LONGER_THAN_LONG_LEASE);
        handle.verify();
    }

    @Test
    void aThreadOfTheSameProcessGetsTheLockAtTheEndOfTheLease() throws Exception {
        try (Elapsed elapsed = new Elapsed()) {
            LockHandle handle = lock(LEASE).acquire();
            long start = System.nanoTime();
            Lock next = new Lock(cache, "a");
            Future<Long> waiter = threads.submit(() -> {
                assertTrue(next.tryLock(SOON));
                return System.nanoTime();
            });
            long took = elapsed.millis(start, waiter.get(20, TimeUnit.SECONDS));
            assertTrue(took < LEASE.plusMillis(200).toMillis(), "took " + took + " ms");
            assertThrows(LockLostException.class, handle::verify);
            assertEquals(handle.fencingToken(), awaitTold().lost.token());
        }
    }

    @Test
    void theLeaseOfAReentrantLockIsLostAsAWhole() throws Exception {
        RLock lock =
                RLock.builder(cache, "r").lease(LONG_LEASE).onLost(this::tell).build();
        lock.lock();
        lock.lock();
        assertEquals(2, lock.getHoldCount());
        awaitTold();
        assertEquals(0, lock.getHoldCount());
        assertThrows(LockLostException.class, lock::unlock);
        assertTrue(lock.tryLock(SOON));
        assertEquals(1, lock.getHoldCount());
    }

    /** Else whoever holds it twice and has lost it in between would be told that it never held it. */
    @Test
    void theOuterReleaseOfALostReentrantLockIsToldAlsoAfterAnInnerOneWasInOrder() throws Exception {
        RLock lock = RLock.builder(cache, "r").lease(Duration.ofMillis(5)).build();
        lock.lock();
        await().atMost(SOON).until(() -> !lock.isHeldByCurrentThread());
        RLock inner = new RLock(cache, "r");
        inner.lock();
        inner.unlock();
        assertThrows(LockLostException.class, () -> lock.runFenced(() -> cache.set("k", 1)));
        assertThrows(LockLostException.class, lock::unlock);
    }

    /** An hour of a lease is no reason to remember each of a million grants for an hour. */
    @Test
    @SuppressWarnings("unchecked") // the arguments of a proxied call
    void releasedGrantsWithLongLeasesAreForgotten() throws Exception {
        AtomicInteger scheduled = new AtomicInteger();
        CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
        CoordinationEngine counting = (CoordinationEngine) Proxy.newProxyInstance(
                LeaseTest.class.getClassLoader(),
                new Class<?>[] {CoordinationEngine.class},
                (self, method, arguments) -> {
                    if (method.getName().equals("schedule")
                            && ((Duration) arguments[1]).compareTo(Duration.ofMinutes(1)) > 0) {
                        scheduled.incrementAndGet();
                    }
                    return method.getName().equals("attachment")
                            ? ((java.util.function.Function<CoordinationEngine, ?>) arguments[1])
                                    .apply((CoordinationEngine) self)
                            : method.invoke(engine, arguments);
                });
        Cohorts cohorts = Cohorts.of(counting);
        Cohort cohort = cohorts.cohort(Kind.LOCK, "leased");
        for (int i = 0; i < 100; i++) {
            Grant grant = cohort.tryAcquire(Want.ofHandle(1, TimeUnit.HOURS.toNanos(1)));
            assertNotEquals(null, grant);
            cohort.release(java.util.Objects.requireNonNull(grant));
        }
        assertTrue(scheduled.get() <= 2, scheduled + " tasks");
    }

    @Test
    void listenersThatTakeLongDelayNoOtherLoss() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        List<String> lost = new CopyOnWriteArrayList<>();
        for (String name : List.of("slow-1", "slow-2", "slow-3")) {
            Lock slow = Lock.builder(cache, name)
                    .lease(Duration.ofMillis(50))
                    .onLost(loss -> {
                        lost.add(name);
                        awaitQuietly(end);
                    })
                    .build();
            LockHandle unused = slow.acquire();
        }
        try {
            await().atMost(SOON).until(() -> lost.size() == 1);
            LockHandle other = Lock.builder(cache, "other")
                    .lease(Duration.ofMillis(50))
                    .build()
                    .acquire();
            await().atMost(SOON).until(() -> !other.isValid());
            LockHandle next = new Lock(cache, "other").acquireAsync().get(20, TimeUnit.SECONDS);
            assertTrue(next.isValid());
        } finally {
            end.countDown();
        }
        await().atMost(SOON).until(() -> lost.size() == 3);
    }

    private static void awaitQuietly(CountDownLatch end) {
        try {
            end.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aListenerThatFailsKeepsNobodyElseFromBeingTold() throws Exception {
        LockHandle handle = Lock.builder(cache, "a").lease(LEASE).build().acquire();
        CountDownLatch failed = new CountDownLatch(1);
        handle.onLost(lost -> {
            failed.countDown();
            throw new IllegalStateException("no");
        });
        handle.onLost(this::tell);
        assertTrue(failed.await(20, TimeUnit.SECONDS));
        awaitTold();
    }
}

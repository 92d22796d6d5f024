package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.testing.TestDirectory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What every lock promises that is one of {@code java.util.concurrent} and has a time limit as a Duration. */
@Timeout(60)
abstract class LockContract {
    static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    final ExecutorService threads = Executors.newCachedThreadPool();
    /** The one thread that holds what keeps others waiting. */
    final ExecutorService holder = Executors.newSingleThreadExecutor();

    Cache cache;
    Lock lock;

    /** The lock of a name. */
    abstract Lock lock(Cache of, String name);

    /** What excludes the lock of a name while it is held. */
    Lock blocker(Cache of, String name) {
        return lock(of, name);
    }

    abstract boolean tryLock(Lock on, Duration duration) throws InterruptedException;

    abstract boolean isHeldByCurrentThread(Lock of);

    /** Whether its owner gets it once more. */
    abstract boolean isReentrant();

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
        lock = lock(cache, "a");
    }

    @AfterEach
    void close() throws InterruptedException {
        threads.shutdownNow();
        holder.shutdownNow();
        cache.close();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS), "a thread hangs");
        assertTrue(holder.awaitTermination(10, TimeUnit.SECONDS), "the holder hangs");
    }

    /** Another thread keeps the lock from being acquired. */
    void block() throws Exception {
        get(holder.submit(() -> blocker(cache, "a").lock()));
    }

    void unblock() throws Exception {
        get(holder.submit(() -> blocker(cache, "a").unlock()));
    }

    static <T> T get(Future<T> future) throws Exception {
        return future.get(20, TimeUnit.SECONDS);
    }

    <T> T elsewhere(Callable<T> call) throws Exception {
        return get(threads.submit(call));
    }

    /** A way to wait for the lock; answers whether it was acquired. */
    interface Way {
        boolean acquire() throws Exception;
    }

    private Way untimed() {
        return () -> {
            lock.lock();
            return true;
        };
    }

    /** All ways to wait that an interrupt ends. */
    Map<String, Way> interruptibleWays() {
        Map<String, Way> ways = new LinkedHashMap<>();
        ways.put("lockInterruptibly", () -> {
            lock.lockInterruptibly();
            return true;
        });
        ways.put("tryLock(time, unit)", () -> lock.tryLock(20, TimeUnit.SECONDS));
        ways.put("tryLock(Duration)", () -> tryLock(lock, SOON));
        return ways;
    }

    Map<String, Way> allWays() {
        Map<String, Way> ways = interruptibleWays();
        ways.put("lock", untimed());
        return ways;
    }

    /** Whoever was given it by one of the ways gives it back. */
    void giveBack() {
        lock.unlock();
    }

    /** A thread in a wait for the lock. */
    final class Waiter {
        final Thread thread;
        final Future<Boolean> future;

        Waiter(Way way) throws Exception {
            Thread[] started = new Thread[1];
            CountDownLatch begun = new CountDownLatch(1);
            future = threads.submit(() -> {
                started[0] = Thread.currentThread();
                begun.countDown();
                boolean acquired = way.acquire();
                if (acquired) {
                    giveBack();
                }
                return acquired;
            });
            assertTrue(begun.await(20, TimeUnit.SECONDS));
            thread = started[0];
            await().pollDelay(Duration.ofMillis(60)).until(() -> true); // in line, and asleep
        }
    }

    private void assertFree(String after) throws Exception {
        assertTrue(
                elsewhere(() -> {
                    boolean free = tryLock(lock, SOON);
                    lock.unlock();
                    return free;
                }),
                after);
        assertTrue(
                get(holder.submit(() -> {
                    boolean free = tryLock(blocker(cache, "a"), SOON);
                    blocker(cache, "a").unlock();
                    return free;
                })),
                after);
    }

    @Test
    void whatIsFreeIsAcquiredInEveryWay() throws Exception {
        for (Map.Entry<String, Way> way : allWays().entrySet()) {
            assertTrue(way.getValue().acquire(), way.getKey());
            giveBack();
        }
        assertTrue(lock.tryLock());
        assertTrue(isHeldByCurrentThread(lock));
        assertFalse(elsewhere(() -> isHeldByCurrentThread(lock)));
        lock.unlock();
        assertFalse(isHeldByCurrentThread(lock));
    }

    @Test
    void whatIsHeldIsWaitedForInEveryWay() throws Exception {
        for (Map.Entry<String, Way> way : allWays().entrySet()) {
            block();
            Waiter waiter = new Waiter(way.getValue());
            assertFalse(waiter.future.isDone(), way.getKey());
            unblock();
            assertTrue(get(waiter.future), way.getKey());
            assertFree(way.getKey());
        }
    }

    @Test
    void aTimedWaitEndsInTimeAndLeavesNothing() throws Exception {
        block();
        long start = System.nanoTime();
        assertFalse(lock.tryLock(150, TimeUnit.MILLISECONDS));
        assertFalse(tryLock(lock, Duration.ofMillis(150)));
        long tookMillis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(tookMillis >= 300 && tookMillis < 1500, "took " + tookMillis + " ms");
        unblock();
        assertFree("two waits that were in vain");
    }

    @Test
    void aZeroOrNegativeTimeIsOneAttempt() throws Exception {
        List<Duration> none = List.of(Duration.ZERO, Duration.ofMillis(-1), Duration.ofSeconds(Long.MIN_VALUE));
        block();
        long start = System.nanoTime();
        assertFalse(lock.tryLock());
        assertFalse(lock.tryLock(0, TimeUnit.SECONDS));
        assertFalse(lock.tryLock(Long.MIN_VALUE, TimeUnit.DAYS));
        for (Duration duration : none) {
            assertFalse(tryLock(lock, duration));
        }
        assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(1));
        unblock();
        for (Duration duration : none) {
            assertTrue(tryLock(lock, duration), duration.toString());
            lock.unlock();
        }
        assertTrue(lock.tryLock(-1, TimeUnit.SECONDS));
        lock.unlock();
    }

    @Test
    void theLongestTimesAreWithoutEnd() throws Exception {
        block();
        Waiter first = new Waiter(() -> lock.tryLock(Long.MAX_VALUE, TimeUnit.DAYS));
        Waiter second = new Waiter(() -> lock.tryLock(Long.MAX_VALUE, TimeUnit.NANOSECONDS));
        Waiter third = new Waiter(() -> tryLock(lock, Duration.ofSeconds(Long.MAX_VALUE)));
        unblock();
        assertTrue(get(first.future) && get(second.future) && get(third.future));
    }

    @Test
    void anInterruptBeforeTheCallIsThrownAndNothingIsHeld() throws Exception {
        for (Map.Entry<String, Way> way : interruptibleWays().entrySet()) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, way.getValue()::acquire, way.getKey());
            assertFalse(Thread.interrupted(), way.getKey());
        }
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> tryLock(lock, Duration.ZERO));
        assertFree("interrupts");
        Thread.currentThread().interrupt();
        lock.lock();
        assertTrue(Thread.interrupted(), "lock() keeps the flag");
        lock.unlock();
        Thread.currentThread().interrupt();
        assertTrue(lock.tryLock(), "tryLock() does not look at it");
        assertTrue(Thread.interrupted());
        lock.unlock();
    }

    @Test
    void anInterruptEndsAWaitAndLeavesNothing() throws Exception {
        block();
        for (Map.Entry<String, Way> way : interruptibleWays().entrySet()) {
            Waiter waiter = new Waiter(way.getValue());
            waiter.thread.interrupt();
            var end = assertThrows(ExecutionException.class, () -> get(waiter.future), way.getKey());
            assertEquals(InterruptedException.class, end.getCause().getClass(), way.getKey());
        }
        unblock();
        assertFree("interrupts");
    }

    @Test
    void anUninterruptibleWaitKeepsTheFlagForLater() throws Exception {
        block();
        Waiter waiter = new Waiter(() -> {
            lock.lock();
            return Thread.interrupted();
        });
        waiter.thread.interrupt();
        await().pollDelay(Duration.ofMillis(100)).until(() -> true);
        assertFalse(waiter.future.isDone());
        unblock();
        assertTrue(get(waiter.future));
    }

    @Test
    void aStrangerCannotReleaseAndNobodyReleasesTwice() throws Exception {
        assertThrows(IllegalMonitorStateException.class, lock::unlock);
        lock.lock();
        elsewhere(() -> assertThrows(IllegalMonitorStateException.class, lock::unlock));
        assertTrue(isHeldByCurrentThread(lock));
        lock.unlock();
        assertThrows(IllegalMonitorStateException.class, lock::unlock);
        assertFree("releases in vain");
    }

    @Test
    void whoeverHoldsItAlreadyGetsItAgainOrIsRefusedButDoesNotHang() throws Exception {
        lock.lock();
        if (isReentrant()) {
            lock.lock();
            lock.lockInterruptibly();
            assertTrue(lock.tryLock());
            assertTrue(tryLock(lock, SOON));
            for (int i = 0; i < 4; i++) {
                lock.unlock();
                assertTrue(isHeldByCurrentThread(lock));
            }
        } else {
            assertThrows(IllegalMonitorStateException.class, lock::lock);
            assertThrows(IllegalMonitorStateException.class, lock::lockInterruptibly);
            assertFalse(lock.tryLock());
            assertFalse(lock.tryLock(1, TimeUnit.SECONDS));
            assertFalse(tryLock(lock, SOON));
        }
        lock.unlock();
        assertFree("all of it");
    }

    @Test
    void twoObjectsAndTwoCachesAreOneLock() throws Exception {
        try (Cache second = Cache.open(directory.resolve("cache"))) {
            block();
            assertFalse(lock(cache, "a").tryLock());
            assertFalse(lock(second, "a").tryLock());
            assertTrue(lock(second, "b").tryLock());
            unblock();
            lock.lock();
            assertTrue(isHeldByCurrentThread(lock(second, "a")));
            lock(second, "a").unlock();
            assertFalse(isHeldByCurrentThread(lock));
        }
        assertFree("the second cache is closed");
    }

    @Test
    void anotherKindsNameIsRefusedInEveryWay() {
        new WorkQueue<>(cache, "q", String.class).put("x");
        lock = lock(cache, "q");
        allWays().forEach((name, way) -> assertThrows(NameInUseException.class, way::acquire, name));
        assertThrows(NameInUseException.class, lock::tryLock);
    }

    @Test
    void aClosedCacheRefusesEveryCall() {
        lock.lock();
        cache.close();
        allWays().forEach((name, way) -> assertThrows(CacheClosedException.class, way::acquire, name));
        assertThrows(CacheClosedException.class, lock::tryLock);
        assertThrows(CacheClosedException.class, lock::unlock);
        assertThrows(CacheClosedException.class, () -> isHeldByCurrentThread(lock));
        assertThrows(CacheClosedException.class, () -> lock(cache, "b"));
    }

    @Test
    void closingTheCacheEndsEveryWait() throws Exception {
        block();
        Map<String, Waiter> waiters = new LinkedHashMap<>();
        for (Map.Entry<String, Way> way : allWays().entrySet()) {
            waiters.put(way.getKey(), new Waiter(way.getValue()));
        }
        cache.close();
        waiters.forEach((name, waiter) -> {
            var end = assertThrows(ExecutionException.class, () -> get(waiter.future), name);
            assertEquals(CacheClosedException.class, end.getCause().getClass(), name);
        });
        cache = Cache.open(directory.resolve("cache"));
        lock = lock(cache, "a");
        assertFree("what was held when the cache was closed is free");
    }

    @Test
    void acquiringInsideATransactionIsRefusedInEveryWay() throws Exception {
        cache.transact(() -> {
            allWays().forEach((name, way) -> assertThrows(IllegalStateException.class, way::acquire, name));
            assertThrows(IllegalStateException.class, lock::tryLock);
        });
        assertFree("transaction");
    }

    private static final class RollBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private void rolledBack(Runnable body) {
        assertThrows(
                RollBack.class,
                () -> cache.transact((Runnable) () -> {
                    body.run();
                    throw new RollBack();
                }));
    }

    @Test
    void aReleaseInsideATransactionCountsWhenThatCommits() throws Exception {
        lock.lock();
        rolledBack(lock::unlock);
        assertTrue(isHeldByCurrentThread(lock));
        assertFalse(get(holder.submit(() -> blocker(cache, "a").tryLock())));
        cache.transact((Runnable) () -> {
            lock.unlock();
            assertThrows(IllegalMonitorStateException.class, lock::unlock, "released already");
        });
        assertFalse(isHeldByCurrentThread(lock));
        assertFree("commit");
    }

    @Test
    void onceMoreInsideATransactionIsUndoneByARollback() throws Exception {
        assumeTrue(isReentrant());
        lock.lock();
        rolledBack(lock::lock);
        rolledBack(() -> {
            lock.lock();
            lock.unlock();
            lock.unlock();
        });
        cache.transact((Runnable) lock::lock);
        lock.unlock();
        assertTrue(isHeldByCurrentThread(lock));
        lock.unlock();
        assertFalse(isHeldByCurrentThread(lock));
        assertFree("as often as it was acquired");
    }

    @Test
    void virtualThreadsTakeTurns() throws Exception {
        ExecutorService virtual;
        try {
            virtual = (ExecutorService)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException e) {
            assumeTrue(false, "this JDK has no virtual threads");
            return;
        }
        int[] counter = {0}; // the lock alone keeps it right
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            all.add(virtual.submit(() -> {
                for (int round = 0; round < 5; round++) {
                    blocker(cache, "a").lock();
                    try {
                        counter[0]++;
                    } finally {
                        blocker(cache, "a").unlock();
                    }
                    lock.lock();
                    lock.unlock();
                }
            }));
        }
        for (Future<?> one : all) {
            one.get(50, TimeUnit.SECONDS);
        }
        virtual.shutdown();
        assertEquals(250, counter[0]);
    }
}

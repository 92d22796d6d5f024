package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What every lock promises that is one of {@code java.util.concurrent} and has a time limit as a Duration. */
abstract class LockContract extends AcquiringContract {
    Lock lock;

    /** The lock of a name. */
    abstract Lock lock(Cache of, String name);

    /** What lets one thread in at a time, and nobody who has the lock of the name. */
    Lock exclusive(Cache of, String name) {
        return lock(of, name);
    }

    abstract boolean tryLock(Lock on, Duration duration) throws InterruptedException;

    abstract boolean isHeldByCurrentThread(Lock of);

    /** Whether its owner gets it once more. */
    abstract boolean isReentrant();

    @Override
    void use(Cache of) {
        lock = lock(of, "a");
    }

    private @Nullable Runnable unlocking(boolean acquired) {
        return acquired ? lock::unlock : null;
    }

    @Override
    Map<String, Way> endlessWays() {
        return Map.of("lockInterruptibly", () -> {
            lock.lockInterruptibly();
            return lock::unlock;
        });
    }

    @Override
    Map<String, Way> uninterruptibleWays() {
        return Map.of("lock", () -> {
            lock.lock();
            return lock::unlock;
        });
    }

    @Override
    Map<String, TimedWay> timedWays() {
        Map<String, TimedWay> ways = new LinkedHashMap<>();
        ways.put("tryLock(Duration)", limit -> unlocking(tryLock(lock, limit)));
        ways.put("tryLock(time, unit)", limit -> unlocking(lock.tryLock(nanos(limit), TimeUnit.NANOSECONDS)));
        return ways;
    }

    static long nanos(Duration limit) {
        return TimeUnit.NANOSECONDS.convert(limit);
    }

    @Override
    Map<String, AsyncWay> asyncWays() {
        return Map.of();
    }

    @Override
    Map<String, Way> attempts() {
        return Map.of("tryLock", () -> unlocking(lock.tryLock()));
    }

    @Test
    void itIsHeldByItsThreadOnly() throws Exception {
        lock.lock();
        assertTrue(isHeldByCurrentThread(lock));
        assertFalse(elsewhere(() -> isHeldByCurrentThread(lock)));
        lock.unlock();
        assertFalse(isHeldByCurrentThread(lock));
    }

    @Test
    void aStrangerCannotReleaseAndNobodyReleasesTwice() throws Exception {
        assertThrows(IllegalMonitorStateException.class, lock::unlock);
        lock.lock();
        elsewhere(() -> assertThrows(IllegalMonitorStateException.class, lock::unlock));
        assertThrows(IllegalMonitorStateException.class, opponent::releaseOfOthers);
        assertTrue(isHeldByCurrentThread(lock));
        assertFalse(opponent.tryAcquire(Duration.ZERO), "still held");
        lock.unlock();
        assertThrows(IllegalMonitorStateException.class, lock::unlock);
        opponent.acquire();
        assertThrows(IllegalMonitorStateException.class, lock::unlock);
        assertFalse(lock.tryLock(), "held by the other");
        opponent.release();
        assertFree("releases in vain");
    }

    @Test
    void twoObjectsOfTwoCachesHaveOneOwner() throws Exception {
        try (Cache second = newCache()) {
            opponent.acquire();
            assertTrue(tryLock(lock(second, "b"), SOON), "another name");
            opponent.release();
            lock.lock();
            assertTrue(isHeldByCurrentThread(lock(second, "a")));
            lock(second, "a").unlock();
            assertFalse(isHeldByCurrentThread(lock));
        }
        assertFree("the second cache is closed");
    }

    @Test
    void anotherKindsNameIsRefusedInEveryWay() throws Exception {
        opponent.makeQueue("q");
        lock = lock(cache, "q");
        Map<String, Way> ways = allWays();
        ways.putAll(attempts());
        forEach(ways, (name, way) -> {
            NameInUseException refused = assertThrows(NameInUseException.class, way::acquire, name);
            assertTrue(refused.getMessage().contains("'q'"), refused.getMessage());
        });
    }

    @Test
    void aClosedCacheRefusesWhateverIsAskedOfWhatWasHeld() {
        lock.lock();
        cache.close();
        assertThrows(CacheClosedException.class, lock::unlock);
        assertThrows(CacheClosedException.class, () -> isHeldByCurrentThread(lock));
        assertThrows(CacheClosedException.class, () -> lock(cache, "b"));
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
        assertFalse(opponent.tryAcquire(Duration.ZERO));
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
                    exclusive(cache, "a").lock();
                    try {
                        counter[0]++;
                    } finally {
                        exclusive(cache, "a").unlock();
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

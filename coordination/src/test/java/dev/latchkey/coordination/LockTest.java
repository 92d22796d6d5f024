package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.Elapsed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the lock promises between the threads of one process. */
class LockTest extends CacheFixture {
    private Lock lock;

    @BeforeEach
    void open() {
        lock = new Lock(cache, "a");
    }

    private State row() {
        return row(cache, Kind.LOCK, "a");
    }

    private Future<?> start(Runnable task) {
        return threads.submit(task);
    }

    @Test
    void onlyOneThreadIsInside() throws Exception {
        int[] counter = {0};
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(start(() -> {
                for (int round = 0; round < 500; round++) {
                    lock.lock();
                    try {
                        counter[0]++;
                    } finally {
                        lock.unlock();
                    }
                }
            }));
        }
        for (Future<?> one : all) {
            one.get(50, TimeUnit.SECONDS);
        }
        assertEquals(4000, counter[0]);
        assertEquals("", row().line());
        assertEquals(List.of(), row().holds());
    }

    @Test
    void aStrangerCannotUnlockAndIsToldWhoHoldsIt() throws Exception {
        lock.lock();
        long token = lock.fencingToken();
        IllegalMonitorStateException error =
                elsewhere(() -> assertThrows(IllegalMonitorStateException.class, lock::unlock));
        assertTrue(error.getMessage().contains("pid " + ProcessHandle.current().pid()), error.getMessage());
        assertTrue(error.getMessage().contains("token " + token), error.getMessage());
        lock.unlock();
        assertThrows(IllegalMonitorStateException.class, lock::unlock, "a second unlock");
        assertThrows(IllegalMonitorStateException.class, lock::fencingToken);
    }

    @Test
    void theHolderIsShownToEverybody() {
        assertTrue(lock.holder().isEmpty());
        assertFalse(lock.isLocked());
        lock.lock();
        Holder holder = new Lock(cache, "a").holder().orElseThrow();
        assertEquals(ProcessHandle.current().pid(), holder.pid());
        assertEquals(Thread.currentThread().getName(), holder.thread());
        assertEquals(lock.fencingToken(), holder.token());
        assertTrue(lock.isLocked());
    }

    @Test
    void tokensGrowOverReopeningAndALostRow() throws Exception {
        lock.lock();
        long token = lock.fencingToken();
        lock.unlock();
        cache.close();
        cache = newCache();
        lock = new Lock(cache, "a");
        lock.lock();
        assertTrue(lock.fencingToken() > token);
        token = lock.fencingToken();
        lock.unlock();
        cache.close();
        sql("DELETE FROM LatchkeyState");
        cache = newCache();
        lock = new Lock(cache, "a");
        lock.lock();
        assertTrue(lock.fencingToken() > token);
    }

    @Test
    void tokensGrowAlthoughABackupWasRestored() throws Exception {
        lock.lock();
        lock.unlock();
        lock.lock();
        long token = lock.fencingToken();
        lock.unlock();
        cache.close();
        sql("UPDATE LatchkeyState SET token = token - 1");
        cache = newCache();
        lock = new Lock(cache, "a");
        assertTrue(lock.tryLock(SOON));
        assertTrue(lock.fencingToken() > token, lock.fencingToken() + " after " + token);
        assertEquals(lock.fencingToken(), row().token());
    }

    @Test
    void aLaterSessionDoesNotChangeTheTokenOfAHeldLock() throws Exception {
        lock.lock();
        long token = lock.fencingToken();
        sql("UPDATE Latchkey SET value = value + 1000000 WHERE key = 'token_floor'");
        assertEquals(token, lock.holder().orElseThrow().token());
        boolean forced = cache.transact(() -> lock.forceUnlock(token));
        assertTrue(forced);
    }

    @Test
    void waitersThatGiveUpAtTheSameTimeLeaveTheLine() throws Exception {
        try (Cache second = newCache()) {
            lock.lock();
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                all.add(threads.submit(() -> {
                    for (int round = 0; round < 60; round++) {
                        if (lock.tryLock(Duration.ofMillis(8))) {
                            lock.unlock();
                        }
                    }
                    return null;
                }));
            }
            lock.unlock();
            for (Future<?> one : all) {
                one.get(30, TimeUnit.SECONDS);
            }
            await().atMost(SOON).until(() -> new Lock(second, "a").waiters() == 0);
        }
    }

    @Test
    void threadsWaitForALockThatWasForcedOpenAndGetIt() throws Exception {
        AtomicReference<LockLostException> told = new AtomicReference<>();
        LockHandle stuck = lock.acquire();
        stuck.onLost(told::set);
        Future<Boolean> waiter = threads.submit(() -> lock.tryLock(SOON));
        assertTrue(lock.forceUnlock(stuck.fencingToken()));
        assertTrue(get(waiter));
        await().atMost(Duration.ofSeconds(3)).until(() -> told.get() != null);
        assertFalse(stuck.isValid());
    }

    @Test
    void whoLostTheLockIsToldSoWhenItComesToReleaseIt() throws Exception {
        lock.lock();
        long token = lock.fencingToken();
        assertTrue(lock.forceUnlock(token));
        assertTrue(elsewhere(() -> lock.tryLock(SOON)), "forgotten within a second");
        LockLostException lost = assertThrows(LockLostException.class, lock::unlock);
        assertEquals(token, lost.token());
        assertFalse(lock.isHeldByCurrentThread());
    }

    @Test
    void threadsAreServedInTheOrderOfTheirArrival() throws Exception {
        lock.lock();
        List<Integer> order = new ArrayList<>();
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int number = i;
            AtomicReference<Thread> thread = new AtomicReference<>();
            all.add(start(() -> {
                thread.set(Thread.currentThread());
                lock.lock();
                order.add(number);
                lock.unlock();
            }));
            await().atMost(SOON).until(() -> thread.get() != null && isWaiting(thread.get()));
        }
        lock.unlock();
        for (Future<?> one : all) {
            one.get(20, TimeUnit.SECONDS);
        }
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7), order);
    }

    @Test
    void aFencedWriteIsOneTransaction() {
        lock.lock();
        assertEquals(7, lock.runFenced(() -> {
            cache.set("k", "v");
            return 7;
        }));
        assertThrows(
                CacheException.class,
                () -> lock.runFenced(() -> {
                    cache.set("k", "w");
                    throw new java.io.IOException("no");
                }));
        assertEquals("v", cache.get("k", String.class));
        lock.runFenced(() -> {
            cache.set("k", "without a result");
        });
        assertEquals("without a result", cache.get("k", String.class));
        lock.unlock();
        assertThrows(IllegalMonitorStateException.class, () -> lock.runFenced(() -> cache.incr("n")));
        assertNull(cache.get("n"));
    }

    @Test
    void aNameOfAnotherKindIsRefused() {
        new WorkQueue<>(cache, "q", String.class).put("x");
        Lock clash = new Lock(cache, "q");
        NameInUseException error = assertThrows(NameInUseException.class, clash::lock);
        assertTrue(error.getMessage().contains("'q'"), error.getMessage());
        assertThrows(NameInUseException.class, clash::isLocked);
        assertThrows(NameInUseException.class, () -> clash.forceUnlock(1));
        lock.lock();
        assertThrows(NameInUseException.class, () -> new WorkQueue<>(cache, "a", String.class).put("x"));
        assertThrows(NameInUseException.class, () -> new WorkQueue<>(cache, "a", String.class).size());
    }

    @Test
    void badNamesAndNullsAreRefused() {
        assertThrows(NullPointerException.class, () -> new Lock(cache, null));
        assertThrows(NullPointerException.class, () -> new Lock(null, "a"));
        assertThrows(IllegalArgumentException.class, () -> new Lock(cache, ""));
        assertThrows(IllegalArgumentException.class, () -> new Lock(cache, "x".repeat(1001)));
        assertThrows(IllegalArgumentException.class, () -> new Lock(cache, "a\ud800"));
        assertThrows(NullPointerException.class, () -> lock.tryLock((Duration) null));
        assertThrows(NullPointerException.class, () -> lock.tryAcquire(null));
    }

    @Test
    void aBusyDatabaseDelaysTimedCallsOnlyUntilTheirDeadline() throws Exception {
        lock.lock();
        Future<Boolean> waiter;
        try (BusyDatabase busy = new BusyDatabase();
                Elapsed elapsed = new Elapsed()) {
            Lock other = new Lock(cache, "b");
            long start = System.nanoTime();
            assertFalse(other.tryLock(Duration.ofMillis(300)));
            assertFalse(other.tryLock());
            long took = elapsed.millisSince(start);
            assertTrue(took < 1000, "took " + took + " ms");
            lock.unlock(); // returns although it cannot be written yet
            assertFalse(lock.isHeldByCurrentThread());
            waiter = threads.submit(() -> lock.tryLock(SOON));
        }
        assertTrue(get(waiter));
    }

    @Test
    void aReleaseThatCouldNotBeWrittenIsRepeatedUntilItIs() throws Exception {
        lock.lock();
        try (BusyDatabase busy = new BusyDatabase()) {
            lock.unlock();
            assertFalse(row().holds().isEmpty(), "not written yet");
        }
        await().atMost(SOON).until(() -> row().holds().isEmpty());
    }
}

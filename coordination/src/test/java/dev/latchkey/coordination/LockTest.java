package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.TestDirectory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the lock promises between the threads of one process. */
@Timeout(60)
class LockTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private Cache cache;
    private Lock lock;

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
        lock = new Lock(cache, "a");
    }

    @AfterEach
    void close() throws InterruptedException {
        threads.shutdownNow();
        cache.close();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS), "a thread hangs");
    }

    private State row() {
        return cache.unwrap(CoordinationEngine.class).states().read("lock", "a", Deadline.never());
    }

    private <T> T elsewhere(Callable<T> call) throws Exception {
        return threads.submit(call).get(20, TimeUnit.SECONDS);
    }

    private Future<?> start(Runnable task) {
        return threads.submit(task);
    }

    private void sql(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("cache/cache.db"));
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
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
    void aHeldLockIsRefusedToOthersAndToItsOwnOwner() throws Exception {
        assertTrue(lock.tryLock());
        assertFalse(lock.tryLock(), "not reentrant");
        assertFalse(elsewhere(() -> lock.tryLock()));
        assertFalse(elsewhere(() -> lock.tryLock(Duration.ofMillis(50))));
        assertFalse(elsewhere(() -> lock.tryLock(Duration.ofSeconds(-1))));
        assertFalse(elsewhere(() -> lock.tryLock(0, TimeUnit.SECONDS)));
        assertEquals("", row().line(), "nobody is left in line");
        lock.unlock();
        assertTrue(elsewhere(() -> lock.tryLock(Long.MAX_VALUE, TimeUnit.DAYS)));
    }

    @Test
    void waitingForOneselfIsAnErrorNotAHang() {
        lock.lock();
        IllegalMonitorStateException error = assertThrows(IllegalMonitorStateException.class, lock::lock);
        assertTrue(error.getMessage().contains("'a'"), error.getMessage());
        assertThrows(IllegalMonitorStateException.class, lock::lockInterruptibly);
        assertThrows(IllegalMonitorStateException.class, lock::acquire);
        assertTrue(lock.isHeldByCurrentThread());
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
    void tokensGrowWithEveryGrant() {
        long last = 0;
        for (int i = 0; i < 20; i++) {
            lock.lock();
            assertTrue(lock.fencingToken() > last);
            last = lock.fencingToken();
            lock.unlock();
        }
    }

    @Test
    void tokensGrowOverReopeningAndALostRow() throws Exception {
        lock.lock();
        long token = lock.fencingToken();
        lock.unlock();
        cache.close();
        cache = Cache.open(directory.resolve("cache"));
        lock = new Lock(cache, "a");
        lock.lock();
        assertTrue(lock.fencingToken() > token);
        token = lock.fencingToken();
        lock.unlock();
        cache.close();
        sql("DELETE FROM LatchkeyState");
        cache = Cache.open(directory.resolve("cache"));
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
        cache = Cache.open(directory.resolve("cache"));
        lock = new Lock(cache, "a");
        assertTrue(lock.tryLock());
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
    void aHandleClosedInATransactionThatIsRolledBackIsStillOpen() throws Exception {
        LockHandle handle = lock.acquire();
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    handle.close();
                    throw new IllegalStateException("roll back");
                }));
        assertTrue(handle.isValid());
        assertTrue(lock.isLocked());
        cache.transact((Runnable) handle::close);
        assertFalse(handle.isValid());
        assertTrue(lock.tryLock());
    }

    @Test
    void waitersThatGiveUpAtTheSameTimeLeaveTheLine() throws Exception {
        try (Cache second = Cache.open(directory.resolve("cache"))) {
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
            await().atMost(Duration.ofSeconds(2)).until(() -> new Lock(second, "a").waiters() == 0);
        }
    }

    @Test
    void threadsWaitForALockThatWasForcedOpenAndGetIt() throws Exception {
        AtomicReference<LockLostException> told = new AtomicReference<>();
        LockHandle stuck = lock.acquire();
        stuck.onLost(told::set);
        Future<Boolean> waiter = threads.submit(() -> lock.tryLock(SOON));
        assertTrue(lock.forceUnlock(stuck.fencingToken()));
        assertTrue(waiter.get(5, TimeUnit.SECONDS));
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
            await().atMost(SOON)
                    .until(() -> thread.get() != null && thread.get().getState() == Thread.State.TIMED_WAITING);
        }
        lock.unlock();
        for (Future<?> one : all) {
            one.get(20, TimeUnit.SECONDS);
        }
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7), order);
    }

    @Test
    void anInterruptBeforeTheCallIsThrownAndNothingIsHeld() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, lock::lockInterruptibly);
        assertFalse(Thread.interrupted());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> lock.tryLock(SOON));
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, lock::acquire);
        assertFalse(lock.isLocked());
    }

    @Test
    void anInterruptEndsAWaitBehindAThreadOfTheSameProcess() throws Exception {
        lock.lock();
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<Boolean> waiter = threads.submit(() -> {
            thread.set(Thread.currentThread());
            try {
                lock.lockInterruptibly();
                return false;
            } catch (InterruptedException e) {
                return !Thread.currentThread().isInterrupted();
            }
        });
        await().atMost(SOON).until(() -> thread.get() != null && thread.get().getState() == Thread.State.TIMED_WAITING);
        thread.get().interrupt();
        assertTrue(waiter.get(5, TimeUnit.SECONDS));
        lock.unlock();
        assertTrue(elsewhere(() -> lock.tryLock()), "nothing is left behind");
    }

    @Test
    void anUninterruptibleWaitKeepsTheFlagForLater() throws Exception {
        lock.lock();
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<Boolean> waiter = threads.submit(() -> {
            thread.set(Thread.currentThread());
            lock.lock();
            boolean flag = Thread.interrupted();
            lock.unlock();
            return flag;
        });
        await().atMost(SOON).until(() -> thread.get() != null && thread.get().getState() == Thread.State.TIMED_WAITING);
        thread.get().interrupt();
        lock.unlock();
        assertTrue(waiter.get(5, TimeUnit.SECONDS));
    }

    @Test
    void aHandleMayBeClosedByAnyThreadAndTwice() throws Exception {
        LockHandle handle = lock.acquire();
        assertTrue(handle.isValid());
        assertTrue(lock.isLocked());
        assertFalse(lock.isHeldByCurrentThread());
        elsewhere(() -> {
            handle.close();
            return null;
        });
        assertFalse(handle.isValid());
        assertTrue(lock.tryLock());
        handle.close();
        assertTrue(lock.isHeldByCurrentThread(), "a late close frees nobody else's grant");
        assertThrows(IllegalMonitorStateException.class, handle::verify);
        assertTrue(lock.tryAcquire().isEmpty());
        assertTrue(lock.tryAcquire(Duration.ofMillis(10)).isEmpty());
    }

    @Test
    void aForcedLockIsLostToItsHolder() throws Exception {
        LockHandle handle = lock.acquire();
        cache.set("k", 1);
        assertFalse(lock.forceUnlock(handle.fencingToken() + 1));
        assertTrue(lock.forceUnlock(handle.fencingToken()));
        assertFalse(lock.isLocked());
        LockLostException lost = assertThrows(LockLostException.class, handle::verify);
        assertEquals(handle.fencingToken(), lost.token());
        assertThrows(
                LockLostException.class,
                () -> handle.runFenced(() -> {
                    cache.set("k", 2);
                    return null;
                }));
        assertEquals(1, cache.get("k", Integer.class));
        handle.close();
        lock.lock();
        long token = lock.fencingToken();
        assertTrue(new Lock(cache, "a").forceUnlock(token));
        assertThrows(LockLostException.class, lock::unlock);
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
    void acquiringInsideATransactionIsRefused() {
        cache.transact(() -> {
            assertThrows(IllegalStateException.class, lock::lock);
            assertThrows(IllegalStateException.class, lock::lockInterruptibly);
            assertThrows(IllegalStateException.class, lock::tryLock);
            assertThrows(IllegalStateException.class, () -> lock.tryLock(SOON));
            assertThrows(IllegalStateException.class, lock::acquire);
        });
        assertFalse(lock.isLocked());
    }

    @Test
    void aReleaseInsideATransactionCountsWhenItCommits() throws Exception {
        lock.lock();
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    lock.unlock();
                    throw new IllegalStateException("roll back");
                }));
        assertTrue(lock.isHeldByCurrentThread());
        assertFalse(elsewhere(() -> lock.tryLock()));
        Future<Boolean> waiter = threads.submit(() -> lock.tryLock(SOON));
        cache.transact((Runnable) lock::unlock);
        assertTrue(waiter.get(20, TimeUnit.SECONDS));
    }

    @Test
    void oneNameIsOneLockForAllObjectsAndCaches() throws Exception {
        try (Cache second = Cache.open(directory.resolve("cache"))) {
            lock.lock();
            assertFalse(new Lock(second, "a").tryLock());
            assertTrue(new Lock(second, "b").tryLock());
            assertTrue(new Lock(second, "a").isHeldByCurrentThread());
            new Lock(second, "a").unlock();
            assertFalse(lock.isLocked());
        }
    }

    @Test
    void aNameOfAnotherKindIsRefused() {
        new WorkQueue<>(cache, "q", String.class).put("x");
        Lock clash = new Lock(cache, "q");
        NameInUseException error = assertThrows(NameInUseException.class, clash::lock);
        assertTrue(error.getMessage().contains("'q'"), error.getMessage());
        assertThrows(NameInUseException.class, clash::tryLock);
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
    void aClosedCacheRefusesEveryCallAndFreesWhatWasHeld() throws Exception {
        AtomicReference<LockLostException> told = new AtomicReference<>();
        LockHandle handle = lock.acquire();
        handle.onLost(told::set);
        Future<?> waiter = start(() -> assertThrows(CacheClosedException.class, lock::lock));
        await().atMost(SOON).until(() -> true);
        cache.close();
        waiter.get(10, TimeUnit.SECONDS);
        await().atMost(SOON).until(() -> told.get() != null);
        assertEquals(handle.fencingToken(), told.get().token());
        assertFalse(handle.isValid());
        handle.close();
        assertThrows(CacheClosedException.class, lock::lock);
        assertThrows(CacheClosedException.class, lock::tryLock);
        assertThrows(CacheClosedException.class, lock::unlock);
        assertThrows(CacheClosedException.class, lock::isLocked);
        assertThrows(CacheClosedException.class, () -> new Lock(cache, "b"));
        try (Cache again = Cache.open(directory.resolve("cache"))) {
            assertTrue(new Lock(again, "a").tryLock());
        }
    }

    @Test
    void aBusyDatabaseDelaysTimedCallsOnlyUntilTheirDeadline() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        lock.lock();
        Future<?> transaction = start(() -> cache.transact(() -> {
            began.countDown();
            return end.await(20, TimeUnit.SECONDS);
        }));
        assertTrue(began.await(20, TimeUnit.SECONDS));
        Lock other = new Lock(cache, "b");
        long start = System.nanoTime();
        assertFalse(other.tryLock(Duration.ofMillis(300)));
        assertFalse(other.tryLock());
        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        assertTrue(took < 1000, "took " + took + " ms");
        lock.unlock(); // returns although it cannot be written yet
        assertFalse(lock.isHeldByCurrentThread());
        Future<Boolean> waiter = threads.submit(() -> lock.tryLock(SOON));
        end.countDown();
        transaction.get(20, TimeUnit.SECONDS);
        assertTrue(waiter.get(20, TimeUnit.SECONDS));
    }

    @Test
    void aReleaseThatCouldNotBeWrittenIsRepeatedUntilItIs() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        lock.lock();
        Future<?> transaction = start(() -> cache.transact(() -> {
            began.countDown();
            return end.await(20, TimeUnit.SECONDS);
        }));
        assertTrue(began.await(20, TimeUnit.SECONDS));
        lock.unlock();
        assertTrue(!row().holds().isEmpty(), "not written yet");
        end.countDown();
        transaction.get(20, TimeUnit.SECONDS);
        await().atMost(SOON).until(() -> row().holds().isEmpty());
    }

    @Test
    void aSessionThatWasTakenForDeadLosesItsLocksAndANewOneBegins() throws Exception {
        AtomicReference<LockLostException> told = new AtomicReference<>();
        LockHandle handle = lock.acquire();
        handle.onLost(told::set);
        sql("UPDATE LatchkeySession SET dead = 1");
        await().atMost(Duration.ofSeconds(3)).until(() -> told.get() != null);
        assertFalse(handle.isValid());
        assertThrows(LockLostException.class, handle::verify);
        assertTrue(lock.tryLock(SOON));
        assertTrue(lock.fencingToken() > handle.fencingToken());
    }
}

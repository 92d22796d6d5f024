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
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.Stalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a lock of several names promises between the threads of one process. */
class MultiLockTest extends CacheFixture {
    private MultiLock both;
    private Lock a;
    private Lock b;

    @BeforeEach
    void open() {
        both = new MultiLock(cache, List.of("b", "a"));
        a = new Lock(cache, "a");
        b = new Lock(cache, "b");
    }

    private State row(String name) {
        return row(cache, Kind.LOCK, name);
    }

    /** Another thread that holds a lock until it is told to give it up. */
    private final class Keeper {
        private final CountDownLatch held = new CountDownLatch(1);
        private final CountDownLatch end = new CountDownLatch(1);
        private final Future<?> thread;

        Keeper(java.util.concurrent.locks.Lock lock) throws InterruptedException {
            thread = threads.submit(() -> {
                lock.lock();
                held.countDown();
                end.await();
                lock.unlock();
                return null;
            });
            assertTrue(held.await(20, TimeUnit.SECONDS));
        }

        void letGo() throws Exception {
            end.countDown();
            thread.get(20, TimeUnit.SECONDS);
        }
    }

    /** A call on a thread of its own that has come to wait. */
    private <T> Future<T> waiting(AtomicReference<Thread> thread, Callable<T> call) {
        Future<T> future = threads.submit(() -> {
            thread.set(Thread.currentThread());
            return call.call();
        });
        await().atMost(SOON).until(() -> thread.get() != null && isWaiting(thread.get()));
        return future;
    }

    @Test
    void allNamesAreHeldAndNobodyElseGetsOneOfThem() throws Exception {
        both.lock();
        assertTrue(both.isHeldByCurrentThread());
        assertTrue(a.isHeldByCurrentThread());
        assertFalse(elsewhere(() -> a.tryLock()));
        assertFalse(elsewhere(() -> b.tryLock(Duration.ofMillis(20))));
        assertFalse(elsewhere(() -> new MultiLock(cache, List.of("b", "c")).tryLock()));
        assertFalse(elsewhere(() -> both.isHeldByCurrentThread()));
        assertTrue(elsewhere(() -> new MultiLock(cache, List.of("c", "d")).tryLock()));
        both.unlock();
        assertFalse(both.isHeldByCurrentThread());
        assertTrue(elsewhere(() -> a.tryLock()));
        assertTrue(elsewhere(() -> b.tryLock()));
    }

    @Test
    void oneNameThatIsHeldKeepsAllFromBeingTaken() throws Exception {
        Keeper keeper = new Keeper(b);
        assertFalse(both.tryLock());
        assertFalse(both.tryLock(Duration.ofMillis(60)));
        assertFalse(both.tryLock(0, TimeUnit.SECONDS));
        assertFalse(both.tryLock(Duration.ofSeconds(-1)));
        assertFalse(a.isLocked(), "nothing of it was taken");
        assertFalse(both.isHeldByCurrentThread());
        keeper.letGo();
        assertTrue(both.tryLock(Long.MAX_VALUE, TimeUnit.DAYS));
    }

    @Test
    void aWaiterIsWokenByTheReleaseOfTheNameInItsWay() throws Exception {
        Keeper keeper = new Keeper(b);
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<Long> granted = waiting(thread, () -> {
            both.lock();
            long now = System.nanoTime();
            both.unlock();
            return now;
        });
        try (Stalls stalls = new Stalls()) {
            long released = System.nanoTime();
            keeper.letGo();
            long now = granted.get(20, TimeUnit.SECONDS);
            long late = now - released - stalls.nanosWithin(released, now);
            assertTrue(late < TimeUnit.SECONDS.toNanos(1), "late by " + late);
        }
    }

    @Test
    void whoWaitsForSeveralHoldsUpNobody() throws Exception {
        Keeper keeper = new Keeper(b);
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<Boolean> waiter = waiting(thread, () -> {
            both.lock();
            both.unlock();
            return true;
        });
        long version = -1;
        for (int i = 0; i < 300; i++) {
            assertTrue(a.tryLock(), "round " + i);
            assertEquals("", row("a").line());
            assertEquals("", row("b").line());
            a.unlock();
            version = version < 0 ? row("b").version() : version;
        }
        assertEquals(version, row("b").version(), "waiting writes nothing");
        assertFalse(waiter.isDone());
        keeper.letGo();
        assertTrue(waiter.get(20, TimeUnit.SECONDS));
    }

    @Test
    void waitersOfOneProcessSleep() throws Exception {
        Keeper keeper = new Keeper(b);
        List<Thread> waiters = new ArrayList<>();
        List<Future<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            AtomicReference<Thread> thread = new AtomicReference<>();
            all.add(waiting(thread, () -> {
                both.lock();
                both.unlock();
                return true;
            }));
            waiters.add(thread.get());
        }
        waiters.get(0).interrupt(); // to be ignored, and not to keep anybody awake
        long before = cpuNanos(waiters);
        await("four waiters")
                .during(Duration.ofMillis(500))
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> cpuNanos(waiters) - before < TimeUnit.MILLISECONDS.toNanos(150));
        keeper.letGo();
        for (Future<Boolean> one : all) {
            assertTrue(one.get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void waitingForOneselfIsAnErrorNotAHang() throws Exception {
        both.lock();
        IllegalMonitorStateException error = assertThrows(IllegalMonitorStateException.class, both::lock);
        assertTrue(error.getMessage().contains("'a'"), error.getMessage());
        assertThrows(IllegalMonitorStateException.class, both::lockInterruptibly);
        assertFalse(both.tryLock(Duration.ofMillis(50)), "not reentrant, and waited in vain");
        assertThrows(IllegalMonitorStateException.class, b::lock);
        assertFalse(both.tryLock(), "not reentrant");
        assertFalse(both.tryLock(Duration.ZERO));
        both.unlock();
        b.lock();
        error = assertThrows(IllegalMonitorStateException.class, both::lock);
        assertTrue(error.getMessage().contains("'b'"), error.getMessage());
        assertFalse(both.tryLock());
        assertFalse(both.isHeldByCurrentThread(), "it holds one of two");
        assertFalse(a.isLocked());
    }

    @Test
    void aStrangerReleasesNothingAndIsToldWhoHoldsIt() throws Exception {
        both.lock();
        IllegalMonitorStateException error =
                elsewhere(() -> assertThrows(IllegalMonitorStateException.class, both::unlock));
        assertTrue(error.getMessage().contains("token " + both.fencingToken("a")), error.getMessage());
        both.unlock();
        assertThrows(IllegalMonitorStateException.class, both::unlock, "a second unlock");
        a.lock();
        assertThrows(IllegalMonitorStateException.class, both::unlock, "a half of it");
        assertTrue(a.isHeldByCurrentThread(), "nothing was released");
    }

    @Test
    void eachNameHasItsOwnGrowingTokens() {
        long lastA = 0;
        long lastB = 0;
        for (int i = 0; i < 10; i++) {
            both.lock();
            assertTrue(both.fencingToken("a") > lastA);
            assertTrue(both.fencingToken("b") > lastB);
            lastA = both.fencingToken("a");
            lastB = both.fencingToken("b");
            assertEquals(lastA, a.fencingToken());
            assertEquals(lastA, row("a").token());
            both.unlock();
        }
        assertThrows(IllegalMonitorStateException.class, () -> both.fencingToken("a"));
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> both.fencingToken("c"));
        assertTrue(error.getMessage().contains("'c'"), error.getMessage());
    }

    @Test
    void namesCountOnceAndInOrder() {
        MultiLock twice = new MultiLock(cache, List.of("b", "a", "b"));
        assertEquals(List.of("a", "b"), twice.names());
        twice.lock();
        assertFalse(new MultiLock(cache, List.of("a")).tryLock());
        twice.unlock();
    }

    @Test
    void badNamesAndNullsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new MultiLock(cache, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new MultiLock(cache, List.of("a", "")));
        assertThrows(NullPointerException.class, () -> new MultiLock(cache, null));
        assertThrows(NullPointerException.class, () -> new MultiLock(cache, Collections.singleton(null)));
        assertThrows(NullPointerException.class, () -> new MultiLock(null, List.of("a")));
        assertThrows(NullPointerException.class, () -> both.tryLock((Duration) null));
        assertThrows(UnsupportedOperationException.class, both::newCondition);
    }

    @Test
    void aNameOfAnotherKindIsRefusedAndTheOthersStayFree() {
        new WorkQueue<>(cache, "q", String.class).put("x");
        MultiLock clash = new MultiLock(cache, List.of("a", "q"));
        NameInUseException error = assertThrows(NameInUseException.class, clash::lock);
        assertTrue(error.getMessage().contains("'q'"), error.getMessage());
        assertThrows(NameInUseException.class, clash::tryLock);
        assertTrue(both.tryLock());
    }

    @Test
    void anInterruptEndsAWait() throws Exception {
        Keeper keeper = new Keeper(b);
        for (boolean timed : new boolean[] {true, false}) {
            AtomicReference<Thread> thread = new AtomicReference<>();
            Future<Boolean> waiter = waiting(thread, () -> {
                try {
                    if (timed) {
                        both.tryLock(SOON);
                    } else {
                        both.lockInterruptibly();
                    }
                    return false;
                } catch (InterruptedException e) {
                    return !Thread.currentThread().isInterrupted();
                }
            });
            thread.get().interrupt();
            assertTrue(waiter.get(5, TimeUnit.SECONDS));
        }
        keeper.letGo();
        assertTrue(both.tryLock(), "nothing is left behind");
    }

    @Test
    void aReleaseInsideATransactionCountsWhenItCommits() throws Exception {
        both.lock();
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    both.unlock();
                    throw new IllegalStateException("roll back");
                }));
        assertTrue(both.isHeldByCurrentThread());
        assertFalse(elsewhere(() -> a.tryLock()));
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<Boolean> waiter = waiting(thread, () -> new MultiLock(cache, List.of("a", "b")).tryLock(SOON));
        cache.transact((Runnable) both::unlock);
        assertTrue(waiter.get(20, TimeUnit.SECONDS));
    }

    @Test
    void aFencedWriteHappensOnlyWhileAllNamesAreHeld() {
        both.lock();
        assertEquals(7, both.runFenced(() -> {
            cache.set("k", "v");
            return 7;
        }));
        assertThrows(
                CacheException.class,
                () -> both.runFenced(() -> {
                    cache.set("k", "w");
                    throw new java.io.IOException("no");
                }));
        both.runFenced(() -> {
            cache.set("k", "without a result");
        });
        assertTrue(b.forceUnlock(both.fencingToken("b")));
        LockLostException lost =
                assertThrows(LockLostException.class, () -> both.runFenced(() -> cache.set("k", "late")));
        assertTrue(lost.getMessage().contains("'b'"), lost.getMessage());
        assertEquals("without a result", cache.get("k", String.class));
        assertThrows(LockLostException.class, both::unlock);
        assertThrows(IllegalMonitorStateException.class, () -> both.runFenced(() -> cache.incr("n")));
        assertNull(cache.get("n"));
    }

    @Test
    void whoLostOneNameReleasesTheOthersAndIsTold() throws Exception {
        both.lock();
        long token = both.fencingToken("b");
        assertTrue(b.forceUnlock(token));
        LockLostException lost = assertThrows(LockLostException.class, both::unlock, "found out by the release");
        assertEquals(token, lost.token());
        assertTrue(elsewhere(() -> a.tryLock()));
        both = new MultiLock(cache, List.of("c", "d"));
        both.lock();
        long second = both.fencingToken("c");
        assertTrue(new Lock(cache, "c").forceUnlock(second));
        await().pollInSameThread()
                .atMost(Duration.ofSeconds(5))
                .until(() -> !both.isHeldByCurrentThread()); // found out by the look
        lost = assertThrows(LockLostException.class, both::unlock);
        assertEquals(second, lost.token());
        assertTrue(elsewhere(() -> new MultiLock(cache, List.of("c", "d")).tryLock()));
    }

    @Test
    void aSessionThatWasTakenForDeadLosesAllNamesAndANewOneBegins() throws Exception {
        both.lock();
        long token = both.fencingToken("a");
        sql("UPDATE LatchkeySession SET dead = 1");
        await().pollInSameThread().atMost(Duration.ofSeconds(5)).until(() -> !both.isHeldByCurrentThread());
        assertThrows(LockLostException.class, both::unlock);
        assertTrue(elsewhere(() -> both.tryLock(SOON)));
        assertTrue(row("a").token() > token);
    }

    @Test
    void aSessionThatWasTakenForDeadIsGrantedNothing() throws Exception {
        Keeper keeper = new Keeper(new Lock(cache, "other")); // there is a session
        sql("UPDATE LatchkeySession SET dead = 1");
        assertTrue(both.tryLock(SOON), "by a new session");
        assertEquals(row("a").holds().get(0).session(), row("b").holds().get(0).session());
        both.runFenced(() -> cache.set("k", 1));
        both.unlock();
        keeper.end.countDown();
    }

    @Test
    void aClosedCacheRefusesEveryCallAndFreesAllNamesAtOnce() throws Exception {
        both.lock();
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<?> waiter = waiting(
                thread,
                () -> assertThrows(CacheClosedException.class, () -> new MultiLock(cache, List.of("b", "c")).lock()));
        cache.close();
        waiter.get(10, TimeUnit.SECONDS);
        assertThrows(CacheClosedException.class, both::lock);
        assertThrows(CacheClosedException.class, both::tryLock);
        assertThrows(CacheClosedException.class, () -> both.tryLock(SOON));
        assertThrows(CacheClosedException.class, both::unlock);
        assertThrows(CacheClosedException.class, both::isHeldByCurrentThread);
        assertThrows(CacheClosedException.class, () -> both.runFenced(() -> 1));
        assertThrows(CacheClosedException.class, () -> new MultiLock(cache, List.of("a")));
        try (Cache again = Cache.open(directory.resolve("cache"))) {
            assertTrue(new MultiLock(again, List.of("a", "b", "c")).tryLock());
        }
    }

    @Test
    void aBusyDatabaseDelaysTimedCallsOnlyUntilTheirDeadlineAndAReleaseNotAtAll() throws Exception {
        both.lock();
        try (BusyDatabase busy = new BusyDatabase()) {
            MultiLock others = new MultiLock(cache, List.of("c", "d"));
            assertFalse(others.tryLock(Duration.ofMillis(300)));
            assertFalse(others.tryLock());
            both.unlock(); // returns although it cannot be written yet
            assertFalse(both.isHeldByCurrentThread());
            assertFalse(row("a").holds().isEmpty());
            assertFalse(busy.isOver(), "somebody waited for its end");
        }
        await().atMost(SOON)
                .until(() -> row("a").holds().isEmpty() && row("b").holds().isEmpty());
        assertTrue(both.tryLock());
    }

    @Test
    void threadsThatWaitForOneNameGetItAfterItsRelease() throws Exception {
        both.lock();
        Future<Boolean> waiter = threads.submit(() -> {
            a.lock();
            a.unlock();
            return true;
        });
        Future<LockHandle> pending = elsewhere(() -> b.acquireAsync());
        both.unlock();
        assertTrue(waiter.get(5, TimeUnit.SECONDS));
        pending.get(5, TimeUnit.SECONDS).close();
        await().atMost(SOON).until(() -> row("b").line().isEmpty());
        assertTrue(both.tryLock(SOON));
    }

    @Test
    void threadsWithManyPairsInAnyOrderExcludeEachOtherAndComeToAnEnd() throws Exception {
        List<String> names = List.of("a", "b", "c", "d", "e");
        int[] inside = new int[names.size()];
        AtomicBoolean wrong = new AtomicBoolean();
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Random random = new Random(i);
            boolean plain = i < 2;
            all.add(threads.submit(() -> {
                for (int round = 0; round < 150; round++) {
                    List<String> chosen = new ArrayList<>(names);
                    Collections.shuffle(chosen, random);
                    chosen = chosen.subList(0, plain ? 1 : 2 + random.nextInt(2));
                    java.util.concurrent.locks.Lock lock =
                            plain ? new Lock(cache, chosen.get(0)) : new MultiLock(cache, chosen);
                    lock.lock();
                    for (String name : chosen) {
                        wrong.compareAndSet(false, ++inside[names.indexOf(name)] != 1);
                    }
                    Thread.onSpinWait();
                    for (String name : chosen) {
                        inside[names.indexOf(name)]--;
                    }
                    lock.unlock();
                }
                return null;
            }));
        }
        for (Future<?> one : all) {
            one.get(50, TimeUnit.SECONDS);
        }
        assertFalse(wrong.get(), "two inside at once");
        for (String name : names) {
            assertEquals(List.of(), row(name).holds());
            await().atMost(SOON).until(() -> row(name).line().isEmpty());
        }
    }
}

package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.MemoryEngine.Disk;
import dev.latchkey.coordination.MemoryEngine.Trouble;
import dev.latchkey.coordination.Turns.Awaiting;
import dev.latchkey.testing.Elapsed;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Conditions keep the contract of the JDK's between the threads of one process. */
// Condition.awaitUntil is as old as Date, and each wait here is to end by its first signal
@SuppressWarnings({"JavaUtilDate", "WaitNotInLoop"})
class ConditionTest extends CacheFixture {
    private Lock lock;
    private Condition condition;

    @BeforeEach
    void open() {
        lock = new Lock(cache, "a");
        condition = lock.newCondition();
    }

    private State row() {
        return row(cache, Kind.LOCK, "a");
    }

    private long waiting() {
        return Conditions.parse(row().detail()).entries().size();
    }

    private void awaitWaiting(long count) {
        await().atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(2))
                .until(() -> waiting() == count);
    }

    private interface Wait<T> {
        T on(Condition condition) throws Exception;
    }

    /** Waits under the lock, and proves afterwards that it is held once. */
    private <T> Callable<T> locked(Wait<T> wait) {
        return () -> {
            lock.lock();
            try {
                return wait.on(condition);
            } finally {
                assertTrue(lock.isHeldByCurrentThread(), "whatever happens, the wait ends with the lock held");
                lock.unlock();
            }
        };
    }

    private boolean ends(Wait<Boolean> wait) throws Exception {
        return get(threads.submit(locked(wait)));
    }

    private long left(Wait<Long> wait) throws Exception {
        return get(threads.submit(locked(wait)));
    }

    private void signal() {
        lock.lock();
        condition.signal();
        lock.unlock();
    }

    @Test
    void aSignalEndsAWaitAndTheLockIsHeldAgainWithAHigherToken() throws Exception {
        Future<Boolean> waiter = threads.submit(locked(that -> {
            long before = lock.fencingToken();
            that.await();
            return lock.fencingToken() > before;
        }));
        awaitWaiting(1);
        assertFalse(lock.isLocked(), "whoever waits has given it up");
        signal();
        assertTrue(get(waiter));
        assertEquals("", row().detail());
        assertEquals("", row().line());
    }

    @Test
    void whoeverWaitedFirstIsSignalledFirst() throws Exception {
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        List<Future<?>> waiters = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            int number = i;
            waiters.add(threads.submit(locked(that -> {
                that.await();
                return order.add(number);
            })));
            awaitWaiting(i + 1);
        }
        for (int i = 0; i < 5; i++) {
            signal();
            awaitWaiting(4 - i);
        }
        for (Future<?> waiter : waiters) {
            get(waiter);
        }
        assertEquals(List.of(0, 1, 2, 3, 4), order);
    }

    @Test
    void signalAllEndsAllWaits() throws Exception {
        List<Future<Boolean>> waiters = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            waiters.add(threads.submit(locked(that -> that.await(20, TimeUnit.SECONDS))));
        }
        awaitWaiting(8);
        lock.lock();
        condition.signalAll();
        lock.unlock();
        for (Future<Boolean> waiter : waiters) {
            assertTrue(get(waiter));
        }
        assertEquals("", row().detail());
        assertEquals("", row().line());
    }

    @Test
    void aSignalIsForItsConditionOnly() throws Exception {
        Condition other = lock.newCondition();
        Future<Boolean> waiter = threads.submit(locked(that -> other.await(20, TimeUnit.SECONDS)));
        awaitWaiting(1);
        signal();
        assertEquals(1, waiting());
        lock.lock();
        other.signal();
        lock.unlock();
        assertTrue(get(waiter));
    }

    @Test
    void theNthConditionOfEachObjectIsTheSame() throws Exception {
        Lock mine = new Lock(cache, "a");
        Lock twin = new Lock(cache, "a");
        List<Condition> ofMine = List.of(mine.newCondition(), mine.newCondition(), mine.newCondition());
        List<Condition> ofTwin = List.of(twin.newCondition(), twin.newCondition(), twin.newCondition());
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        List<Future<?>> waiters = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int number = i;
            waiters.add(threads.submit(locked(that -> {
                ofMine.get(number).await();
                return order.add(number);
            })));
            awaitWaiting(i + 1);
        }
        int left = 3;
        for (int n : List.of(2, 0, 1)) {
            twin.lock();
            ofTwin.get(n).signal();
            twin.unlock();
            get(waiters.get(n));
            assertEquals(--left, waiting());
        }
        assertEquals(List.of(2, 0, 1), order);
    }

    @Test
    void aConditionOfANameIsTheSameOfEachObject() throws Exception {
        Lock twin = new Lock(cache, "a");
        Condition named = lock.newCondition("not empty: 100%");
        Future<Boolean> waiter = threads.submit(locked(that -> named.await(20, TimeUnit.SECONDS)));
        awaitWaiting(1);
        twin.lock();
        twin.newCondition().signal();
        twin.newCondition("not empty").signal();
        twin.unlock();
        assertEquals(1, waiting());
        twin.lock();
        twin.newCondition("not empty: 100%").signal();
        twin.unlock();
        assertTrue(get(waiter));
    }

    @Test
    void timedWaitsEndInTimeAndSaySo() throws Exception {
        assertFalse(ends(that -> that.await(50, TimeUnit.MILLISECONDS)));
        assertTrue(left(that -> that.awaitNanos(50_000_000)) <= 0);
        assertFalse(ends(that -> that.awaitUntil(new Date(System.currentTimeMillis() + 50))));
        assertEquals("", row().detail());
        Future<Long> left = threads.submit(locked(that -> that.awaitNanos(TimeUnit.SECONDS.toNanos(20))));
        awaitWaiting(1);
        signal();
        long nanos = get(left);
        assertTrue(nanos > 0 && nanos < TimeUnit.SECONDS.toNanos(20), nanos + " left");
        Future<Boolean> until =
                threads.submit(locked(that -> that.awaitUntil(new Date(System.currentTimeMillis() + 20_000))));
        awaitWaiting(1);
        signal();
        assertTrue(get(until));
    }

    @Test
    void timesThatAreOverAndTimesWithoutEnd() throws Exception {
        assertTrue(left(that -> that.awaitNanos(0)) <= 0);
        assertTrue(left(that -> that.awaitNanos(-1)) < 0);
        assertTrue(left(that -> that.awaitNanos(Long.MIN_VALUE)) < 0);
        assertFalse(ends(that -> that.await(Long.MIN_VALUE, TimeUnit.DAYS)));
        assertFalse(ends(that -> that.awaitUntil(new Date(0))));
        assertFalse(ends(that -> that.awaitUntil(new Date(Long.MIN_VALUE))));
        List<Future<?>> endless = List.of(
                threads.submit(locked(that -> that.awaitNanos(Long.MAX_VALUE))),
                threads.submit(locked(that -> that.await(Long.MAX_VALUE, TimeUnit.DAYS))),
                threads.submit(locked(that -> that.awaitUntil(new Date(Long.MAX_VALUE)))));
        awaitWaiting(3);
        lock.lock();
        condition.signalAll();
        lock.unlock();
        for (Future<?> waiter : endless) {
            get(waiter);
        }
    }

    @Test
    void anInterruptEndsAWaitWithTheLockHeld() throws Exception {
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<Boolean> waiter = threads.submit(locked(that -> {
            thread.set(Thread.currentThread());
            assertThrows(InterruptedException.class, that::await);
            return Thread.currentThread().isInterrupted();
        }));
        awaitWaiting(1);
        thread.get().interrupt();
        assertFalse(get(waiter), "the flag is cleared, as in the JDK");
        assertEquals("", row().detail());
    }

    @Test
    void anInterruptBeforeTheWaitIsThrownAndTheLockIsNotGivenUp() {
        lock.lock();
        long token = lock.fencingToken();
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, condition::await);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> condition.awaitNanos(1));
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> condition.awaitUntil(new Date()));
        assertEquals(token, lock.fencingToken());
    }

    @Test
    void anUninterruptibleWaitKeepsTheFlagForLater() throws Exception {
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<Boolean> waiter = threads.submit(locked(that -> {
            thread.set(Thread.currentThread());
            that.awaitUninterruptibly();
            return Thread.interrupted();
        }));
        awaitWaiting(1);
        thread.get().interrupt();
        await().during(Duration.ofMillis(150)).atMost(SOON).until(() -> waiting() == 1 && !waiter.isDone());
        signal();
        assertTrue(get(waiter));
    }

    /** Neither an interrupt that is to be ignored nor a signal that is another's keeps them busy. */
    @Test
    void waitersOfOneProcessSleepAndDoNotKeepEachOtherAwake() throws Exception {
        List<Thread> waiting = Collections.synchronizedList(new ArrayList<>());
        List<Future<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(threads.submit(locked(that -> {
                waiting.add(Thread.currentThread());
                that.awaitUninterruptibly();
                return true;
            })));
        }
        awaitWaiting(8);
        waiting.get(0).interrupt();
        lock.lock();
        lock.newCondition("another").signalAll();
        lock.unlock();
        long least = Long.MAX_VALUE; // whatever else the machine does can only add to it
        for (int window = 0; window < 5; window++) {
            long before = cpuNanos(waiting);
            await().pollDelay(Duration.ofMillis(500)).until(() -> true);
            least = Math.min(least, cpuNanos(waiting) - before);
        }
        assertTrue(least < TimeUnit.MILLISECONDS.toNanos(150), "used " + least + " ns");
        lock.lock();
        condition.signalAll();
        lock.unlock();
        for (Future<Boolean> one : all) {
            assertTrue(get(one));
        }
    }

    @Test
    void withoutTheLockEveryCallIsRefused() throws Exception {
        assertThrows(IllegalMonitorStateException.class, condition::await);
        assertThrows(IllegalMonitorStateException.class, condition::awaitUninterruptibly);
        assertThrows(IllegalMonitorStateException.class, () -> condition.awaitNanos(1));
        assertThrows(IllegalMonitorStateException.class, () -> condition.await(1, TimeUnit.SECONDS));
        assertThrows(IllegalMonitorStateException.class, () -> condition.awaitUntil(new Date()));
        assertThrows(IllegalMonitorStateException.class, condition::signal);
        assertThrows(IllegalMonitorStateException.class, condition::signalAll);
        lock.lock();
        Future<?> stranger = threads.submit(() -> assertThrows(IllegalMonitorStateException.class, condition::signal));
        get(stranger);
        lock.unlock();
    }

    @Test
    void whoLostTheLockNeitherWaitsNorSignals() {
        lock.lock();
        assertTrue(lock.forceUnlock(lock.fencingToken()));
        assertThrows(LockLostException.class, condition::signal);
        assertThrows(LockLostException.class, condition::await);
        assertEquals("", row().detail());
    }

    @Test
    void waitingInsideATransactionIsRefusedAndASignalCountsWhenItCommits() throws Exception {
        Future<Boolean> waiter = threads.submit(locked(that -> that.await(20, TimeUnit.SECONDS)));
        awaitWaiting(1);
        lock.lock();
        cache.transact((Runnable) () -> {
            assertThrows(IllegalStateException.class, condition::await);
            assertThrows(IllegalStateException.class, condition::awaitUninterruptibly);
        });
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    condition.signal();
                    throw new IllegalStateException("roll back");
                }));
        assertFalse(row().detail().contains("!"), row().detail());
        cache.transact((Runnable) condition::signal);
        lock.unlock();
        assertTrue(get(waiter));
    }

    @Test
    void aReentrantLockIsGivenUpAsAWholeAndHeldAsOftenAfterwards() throws Exception {
        RLock reentrant = new RLock(cache, "r");
        Condition ready = reentrant.newCondition();
        CountDownLatch waiting = new CountDownLatch(1);
        Future<Integer> waiter = threads.submit(() -> {
            reentrant.lock();
            reentrant.lock();
            reentrant.lock();
            waiting.countDown();
            ready.await();
            int count = reentrant.getHoldCount();
            reentrant.unlock();
            reentrant.unlock();
            reentrant.unlock();
            return count;
        });
        assertTrue(waiting.await(20, TimeUnit.SECONDS));
        reentrant.lock();
        ready.signal();
        reentrant.unlock();
        assertEquals(3, get(waiter));
        assertFalse(reentrant.isLocked());
    }

    @Test
    void conditionsBelongToTheWriteLockOfAReadWriteLock() throws Exception {
        ReadWriteLock both = new ReadWriteLock(cache, "w");
        assertThrows(UnsupportedOperationException.class, () -> both.readLock().newCondition());
        assertThrows(UnsupportedOperationException.class, () -> both.readLock().newCondition("a"));
        Condition ready = both.writeLock().newCondition();
        CountDownLatch waiting = new CountDownLatch(1);
        Future<Boolean> waiter = threads.submit(() -> {
            both.writeLock().lock();
            waiting.countDown();
            boolean signalled = ready.await(20, TimeUnit.SECONDS);
            both.writeLock().unlock();
            return signalled;
        });
        assertTrue(waiting.await(20, TimeUnit.SECONDS));
        both.readLock().lock();
        both.readLock().unlock();
        both.writeLock().lock();
        ready.signal();
        both.writeLock().unlock();
        assertTrue(get(waiter));
    }

    /** Its own read lock would keep it from ever writing again. */
    @Test
    void whoeverReadsAndWritesCannotWait() {
        ReadWriteLock both = new ReadWriteLock(cache, "w");
        Condition ready = both.writeLock().newCondition();
        both.writeLock().lock();
        both.readLock().lock();
        assertThrows(IllegalMonitorStateException.class, () -> ready.await(100, TimeUnit.MILLISECONDS));
        both.readLock().unlock();
        assertTrue(both.writeLock().isHeldByCurrentThread());
        both.writeLock().unlock();
    }

    @Test
    void closingTheCacheEndsAllWaitsAndLeavesNoWaiter() throws Exception {
        Callable<Object> wait = () -> {
            lock.lock();
            condition.await();
            return "signalled";
        };
        Future<Object> waiter = threads.submit(wait);
        awaitWaiting(1);
        cache.close();
        var failure = assertThrows(ExecutionException.class, () -> get(waiter));
        assertEquals(CacheClosedException.class, failure.getCause().getClass());
        cache = Cache.open(directory.resolve("cache"));
        assertEquals("", row().detail());
        assertThrows(CacheClosedException.class, condition::signal);
    }

    /** A wait writes; while it cannot, the lock is not given up, and the time passes. */
    @Test
    void aBusyDatabaseEndsATimedWaitInTimeAndAnUntimedOneWaits() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch timedOut = new CountDownLatch(1);
        Future<Boolean> untimed = threads.submit(locked(that -> {
            held.countDown();
            assertTrue(busy.await(20, TimeUnit.SECONDS));
            try (Elapsed elapsed = new Elapsed()) {
                long start = System.nanoTime();
                assertFalse(that.await(200, TimeUnit.MILLISECONDS));
                long end = System.nanoTime();
                assertTrue(end - start >= TimeUnit.MILLISECONDS.toNanos(200), "took " + (end - start));
                long took = elapsed.millis(start, end);
                assertTrue(took < 800, "took " + took + " ms");
            }
            assertTrue(lock.isHeldByCurrentThread());
            timedOut.countDown();
            that.await();
            return true;
        }));
        assertTrue(held.await(20, TimeUnit.SECONDS));
        try (BusyDatabase transaction = new BusyDatabase()) {
            busy.countDown();
            assertTrue(timedOut.await(20, TimeUnit.SECONDS));
            await("it waits for the database")
                    .during(Duration.ofMillis(1500))
                    .atMost(SOON)
                    .until(() -> !untimed.isDone() && waiting() == 0);
        }
        awaitWaiting(1);
        signal();
        assertTrue(get(untimed));
    }

    @Test
    void aBoundedBufferOfOnePlaceLosesNothing() throws Exception {
        Condition taken = lock.newCondition();
        ArrayDeque<Integer> buffer = new ArrayDeque<>();
        AtomicInteger sum = new AtomicInteger();
        int items = 300;
        List<Future<?>> all = new ArrayList<>();
        for (int consumer = 0; consumer < 3; consumer++) {
            all.add(threads.submit(() -> {
                for (int i = 0; i < items; i++) {
                    lock.lock();
                    try {
                        while (buffer.isEmpty()) {
                            condition.await();
                        }
                        sum.addAndGet(buffer.remove());
                        taken.signal();
                    } finally {
                        lock.unlock();
                    }
                }
                return null;
            }));
            all.add(threads.submit(() -> {
                for (int i = 0; i < items; i++) {
                    lock.lock();
                    try {
                        while (!buffer.isEmpty()) {
                            taken.await();
                        }
                        buffer.add(1);
                        condition.signal();
                    } finally {
                        lock.unlock();
                    }
                }
                return null;
            }));
        }
        for (Future<?> one : all) {
            one.get(50, TimeUnit.SECONDS);
        }
        assertEquals(3 * items, sum.get());
        assertEquals("", row().detail());
        assertEquals("", row().line());
    }

    @Test
    void whatWasGivenUpInOrderToWaitWasNotLost() throws Exception {
        AtomicInteger told = new AtomicInteger();
        Lock listening =
                Lock.builder(cache, "a").onLost(lost -> told.incrementAndGet()).build();
        Condition ready = listening.newCondition();
        listening.lock();
        assertFalse(ready.await(10, TimeUnit.MILLISECONDS));
        assertFalse(ready.await(10, TimeUnit.MILLISECONDS));
        listening.unlock();
        cache.close();
        assertEquals(0, told.get(), "nothing was lost: it was given up in order to wait");
    }

    /** The row says that the lock is free, so this process must not go on as its holder. */
    @Test
    void aReleaseThatWasCommittedAndTakenForFailedLeavesNoHolderAndNoWaiter() {
        Disk disk = new Disk();
        MemoryEngine engine = new MemoryEngine(disk, false);
        MemoryEngine other = new MemoryEngine(disk, false);
        Cohort cohort = new Cohort(engine, Kind.LOCK, "a", Cohorts.of(engine));
        Cohort elsewhere = new Cohort(other, Kind.LOCK, "a", Cohorts.of(other));
        Grant grant = Objects.requireNonNull(cohort.tryAcquire(Want.ofHandle(1, 0)));
        long waiter = grant.session.nextGrant();
        cohort.conditions.begin(waiter);
        engine.in(Trouble.ERROR_AFTER_COMMIT);
        assertThrows(
                CacheException.class, () -> cohort.release(grant, new Awaiting("c", waiter, "main"), Deadline.never()));
        cohort.conditions.end(grant.session, waiter);
        assertEquals(0, cohort.local.held().count());
        Grant next = Objects.requireNonNull(elsewhere.tryAcquire(Want.ofHandle(1, 0)));
        engine.runAllScheduled();
        assertEquals(Conditions.NONE, elsewhere.row.read(Deadline.never()).conditions());
        assertTrue(elsewhere.release(next));
    }
}

package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.coordination.MemoryEngine.Disk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Acquiring without a thread that waits. */
class AsyncLockTest extends CacheFixture {
    private Lock lock;

    @BeforeEach
    void open() {
        lock = new Lock(cache, "a");
    }

    private static void assertPending(List<? extends Future<?>> futures) {
        assertTrue(futures.stream().noneMatch(Future::isDone), "one of them did not wait");
    }

    private static void assertPendingFor(long millis, List<? extends Future<?>> futures) {
        await().during(Duration.ofMillis(millis))
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(5))
                .untilAsserted(() -> assertPending(futures));
    }

    /** How many threads there are when as many as now have stopped coming and going. */
    private static int settledThreads() {
        int[] last = {Thread.activeCount()};
        await().during(Duration.ofMillis(150))
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> {
                    int before = last[0];
                    last[0] = Thread.activeCount();
                    return before == last[0];
                });
        return last[0];
    }

    /** For a while nobody is served, and there are hardly more threads than before. */
    private static void assertAllWaitWithoutThreads(List<? extends Future<?>> all, int before) {
        await().during(Duration.ofMillis(200))
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> {
                    int now = Thread.activeCount();
                    assertTrue(now <= before + 2, before + " threads before, " + now + " while they wait");
                    assertPending(all);
                });
    }

    @Test
    void theHandleArrives() throws Exception {
        try (LockHandle handle = get(lock.acquireAsync())) {
            assertTrue(handle.isValid());
            assertTrue(lock.isLocked());
            assertFalse(lock.isHeldByCurrentThread());
            handle.verify();
        }
        assertFalse(lock.isLocked());
    }

    @Test
    void theHandleArrivesWhenTheHolderReleases() throws Exception {
        LockHandle holder = lock.acquire();
        CompletableFuture<LockHandle> future = lock.acquireAsync();
        assertPendingFor(100, List.of(future));
        holder.close();
        LockHandle handle = get(future);
        assertTrue(handle.fencingToken() > holder.fencingToken());
        handle.close();
    }

    @Test
    void aFutureThatWasCompletedBeforeGivesTheLockBack() throws Exception {
        for (int i = 0; i < 100; i++) {
            CompletableFuture<LockHandle> future = lock.acquireAsync();
            if (i % 2 == 0) {
                future.complete(null);
            } else {
                future.completeExceptionally(new IllegalStateException("no longer wanted"));
            }
            LockHandle won = future.handle((handle, failure) -> handle).get();
            if (won != null) {
                won.close();
            }
        }
        awaitNoResidue(cache, Kind.LOCK, "a");
        Cohorts cohorts = Cohorts.of(Cohorts.engine(cache));
        await().atMost(SOON).until(() -> cohorts.namesInUse() == 0);
        assertTrue(lock.tryLock(SOON));
        lock.unlock();
    }

    @Test
    void aThousandThatWaitForOneNameUseNoThreadAndAreAllServedInOrder() throws Exception {
        get(new Lock(cache, "warm-up").acquireAsync()).close();
        LockHandle holder = lock.acquire();
        int before = settledThreads();
        List<Long> tokens = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            all.add(lock.acquireAsync().thenAccept(handle -> {
                tokens.add(handle.fencingToken());
                handle.close();
            }));
        }
        assertAllWaitWithoutThreads(all, before);
        holder.close();
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(50, TimeUnit.SECONDS);
        assertEquals(1000, tokens.size());
        List<Long> sorted = new ArrayList<>(tokens);
        Collections.sort(sorted);
        assertEquals(sorted, tokens);
        awaitNoResidue(cache, Kind.LOCK, "a");
    }

    @Test
    void twoHundredNamesUseNoThreadAndAreAllServed() throws Exception {
        List<LockHandle> holders = new ArrayList<>();
        List<Lock> locks = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            locks.add(new Lock(cache, "name " + i));
            holders.add(locks.get(i).acquire());
        }
        get(new Lock(cache, "warm-up").acquireAsync()).close();
        int before = settledThreads();
        AtomicInteger served = new AtomicInteger();
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (Lock each : locks) {
            all.add(each.acquireAsync().thenAccept(handle -> {
                served.incrementAndGet();
                handle.close();
            }));
        }
        assertAllWaitWithoutThreads(all, before);
        holders.forEach(LockHandle::close);
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(50, TimeUnit.SECONDS);
        assertEquals(200, served.get());
    }

    @Test
    void aCloseAtAnyTimeLeavesNoFutureOpen() throws Exception {
        for (int i = 0; i < 30; i++) {
            Cache closing = Cache.open(directory.resolve("closing"));
            Lock short1 = new Lock(closing, "a");
            List<CompletableFuture<LockHandle>> all = Collections.synchronizedList(new ArrayList<>());
            Future<?> asker = threads.submit(() -> {
                try {
                    while (true) {
                        all.add(short1.acquireAsync());
                    }
                } catch (CacheClosedException e) {
                    // as it should be
                }
            });
            int enough = 20 * (i % 5);
            await().atMost(SOON)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> all.size() >= enough);
            closing.close();
            get(asker);
            for (CompletableFuture<LockHandle> future : all) {
                get(future.handle((handle, failure) -> true));
            }
        }
    }

    @Test
    void threadsAndFuturesAreServedInTheOrderOfTheirArrival() throws Exception {
        LockHandle holder = lock.acquire();
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            int number = i;
            if (i % 2 == 0) {
                all.add(lock.acquireAsync().thenAccept(handle -> {
                    order.add(number);
                    handle.close();
                }));
            } else {
                Thread[] thread = new Thread[1];
                all.add(threads.submit(() -> {
                    thread[0] = Thread.currentThread();
                    lock.lock();
                    order.add(number);
                    lock.unlock();
                }));
                await().atMost(SOON).until(() -> thread[0] != null && isWaiting(thread[0]));
            }
        }
        holder.close();
        for (Future<?> one : all) {
            get(one);
        }
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), order);
    }

    @Test
    void theProcessKeepsItsPlaceInLineWhenTheFirstOfItsTwoIsCancelled() {
        Disk disk = new Disk();
        Member holder = new Member(disk);
        Member first = new Member(disk);
        Member second = new Member(disk);
        Grant grant = java.util.Objects.requireNonNull(holder.cohort.tryAcquire(Want.ofHandle(1, 0)));
        CompletableFuture<Grant> cancelled = first.acquire();
        first.run();
        CompletableFuture<Grant> stays = first.acquire();
        CompletableFuture<Grant> behind = second.acquire();
        first.run();
        second.run();
        String line = second.cohort.row.readOrRefuse(Deadline.never()).line().toString();
        assertEquals(2, line.split(" ", -1).length, line);
        cancelled.cancel(true);
        first.run();
        assertEquals(
                line, second.cohort.row.readOrRefuse(Deadline.never()).line().toString());
        holder.cohort.release(grant);
        second.run();
        first.run();
        assertTrue(stays.isDone() || first.cohort.local.held().findAny().isPresent());
        assertFalse(behind.isDone());
    }

    /** The first was killed, perhaps, when its turn was reserved: who stands behind it must find out as soon as the first would. */
    @Test
    void whoeverStandsBehindAReservedTurnLooksAsOftenAsTheFirst() {
        Disk disk = new Disk();
        Member holder = new Member(disk);
        Member first = new Member(disk);
        Member second = new Member(disk);
        Member third = new Member(disk);
        Grant grant = java.util.Objects.requireNonNull(holder.cohort.tryAcquire(Want.ofHandle(1, 0)));
        for (Member member : List.of(first, second, third)) {
            CompletableFuture<Grant> unused = member.acquire();
            member.run();
        }
        assertTrue(first.cohort.pollNanos() < second.cohort.pollNanos());
        holder.cohort.release(grant);
        second.run();
        third.run();
        assertEquals(first.cohort.pollNanos(), second.cohort.pollNanos());
        assertTrue(second.cohort.pollNanos() < third.cohort.pollNanos());
    }

    /** A process with one lock, whose engine's threads do something only when they are told to. */
    private static final class Member {
        final MemoryEngine engine;
        final Cohorts cohorts;
        final Cohort cohort;

        Member(Disk disk) {
            engine = new MemoryEngine(disk, false);
            cohorts = Cohorts.of(engine);
            cohort = new Cohort(engine, Kind.LOCK, "a", cohorts);
        }

        CompletableFuture<Grant> acquire() {
            return new PendingGrant<Grant>(cohort, cohorts, Want.ofHandle(1, 0), grant -> grant, cohort::release)
                    .start();
        }

        /** Whoever waits asks for more again and again. */
        void run() {
            for (int i = 0; i < 20; i++) {
                engine.runScheduled();
            }
        }
    }

    @Test
    void aNameOfAnotherKindLeavesNothingToRepeat() {
        BoundedSemaphore semaphore = new BoundedSemaphore(cache, "x", 1);
        ExecutionException refused = assertThrows(
                ExecutionException.class,
                () -> new Lock(cache, "x").acquireAsync().get(20, TimeUnit.SECONDS));
        assertEquals(NameInUseException.class, refused.getCause().getClass());
        Cohorts cohorts = Cohorts.of(Cohorts.engine(cache));
        await().atMost(SOON).until(() -> cohorts.namesInUse() == 0);
        assertEquals(1, semaphore.availablePermits());
    }

    @Test
    void theReadersOfAReadWriteLockReadTogether() throws Exception {
        ReadWriteLock both = new ReadWriteLock(cache, "w");
        LockHandle writing = get(both.writeLock().acquireAsync());
        CompletableFuture<LockHandle> first = both.readLock().acquireAsync();
        CompletableFuture<LockHandle> second = both.readLock().acquireAsync();
        assertPendingFor(50, List.of(first, second));
        writing.close();
        LockHandle reading = get(first);
        LockHandle readingToo = get(second);
        CompletableFuture<LockHandle> writer = both.writeLock().acquireAsync();
        assertPendingFor(50, List.of(writer));
        reading.close();
        readingToo.close();
        get(writer).close();
    }
}

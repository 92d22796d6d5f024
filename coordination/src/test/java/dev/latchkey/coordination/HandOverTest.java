package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.Sessions;
import dev.latchkey.cache.spi.Signal;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A grant on its way from one thread of a process to the next. */
class HandOverTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /** What happens before each update of a state, and after it has been committed. */
    private interface Watcher {
        void before(int update) throws Exception;

        void after(int update) throws Exception;
    }

    /** The engine of a cache with a watcher at its updates. */
    private static CoordinationEngine watched(Cache cache, Watcher watcher) {
        CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
        int[] updates = new int[1];
        StateStore states = proxy(StateStore.class, engine.states(), (name, call) -> {
            if (!name.equals("update")) {
                return call.run();
            }
            int update = updates[0]++;
            watcher.before(update);
            Object result = call.run();
            watcher.after(update);
            return result;
        });
        return proxy(CoordinationEngine.class, engine, (name, call) -> name.equals("states") ? states : call.run());
    }

    private interface Call {
        Object run() throws Throwable;
    }

    private interface Around {
        Object call(String method, Call call) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, T target, Around around) {
        return type.cast(Proxy.newProxyInstance(
                HandOverTest.class.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> around.call(method.getName(), () -> {
                    try {
                        return method.invoke(target, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                })));
    }

    /**
     * In the stress test, a thread whose timed attempt had failed was told by its next one that it held the lock already. It
     * had given up while another thread was passing the lock to it, and was its owner until that thread released it.
     */
    @Test
    void aLockThatWasPassedToAThreadWhichHasGivenUpIsNotThatThreads() throws Exception {
        Thread[] thread = new Thread[1];
        ExecutorService heir = Executors.newSingleThreadExecutor(task -> thread[0] = new Thread(task));
        List<Boolean> ownedByHeir = new ArrayList<>();
        List<Future<?>> attempt = new ArrayList<>();
        Cohort[] cohort = new Cohort[1];
        try (Cache cache = Cache.open(directory.path())) {
            CoordinationEngine engine = watched(cache, new Watcher() {
                @Override
                public void before(int update) throws Exception {
                    if (update == 2) { // the passed lock is nobody's, and is being released
                        ownedByHeir.add(heir.submit(() -> {
                                    return cohort[0].local.held().anyMatch(Grant::isOwnedByCurrentThread);
                                })
                                .get(10, TimeUnit.SECONDS));
                    }
                }

                @Override
                public void after(int update) {
                    if (update == 1) { // passed, and nobody knows it yet
                        thread[0].interrupt();
                        var gaveUp = assertThrows(
                                ExecutionException.class, () -> attempt.get(0).get(10, TimeUnit.SECONDS));
                        assertEquals(
                                InterruptedException.class, gaveUp.getCause().getClass());
                    }
                }
            });
            cohort[0] = new Cohort(engine, Kind.LOCK, "a", Cohorts.of(engine));
            Grant held = cohort[0].tryAcquire(Want.ofThread(1, 0));
            assertNotNull(held);
            attempt.add(heir.submit(() ->
                    cohort[0].acquire(Want.ofThread(1, 0), Deadline.never().interruptibly())));
            await().pollInterval(Duration.ofMillis(2)).until(() -> isParked(thread[0], cohort[0]));
            assertTrue(cohort[0].release(held));
            assertEquals(List.of(false), ownedByHeir);
            assertFalse(new Lock(cache, "a").isLocked());
        } finally {
            heir.shutdownNow();
        }
    }

    /**
     * A close frees what it sees to be held. What is on its way to the next thread at that moment was committed, and is nobody's: the
     * thread, which has not yet looked up, is turned away, and nothing of it is left.
     */
    @Test
    void aLockThatIsBeingPassedWhenTheCacheIsClosedIsNobodysAndIsFreed() throws Exception {
        Thread[] thread = new Thread[1];
        ExecutorService heir = Executors.newSingleThreadExecutor(task -> thread[0] = new Thread(task));
        Cohort[] cohort = new Cohort[1];
        CountDownLatch closed = new CountDownLatch(1);
        CountDownLatch passed = new CountDownLatch(1);
        try (Cache cache = Cache.open(directory.path())) {
            CoordinationEngine watched = watched(cache, new Watcher() {
                @Override
                public void before(int update) {}

                @Override
                public void after(int update) {
                    if (update == 1) { // passed, and nobody knows it yet
                        closed.countDown();
                        cohort[0].close(); // as the first thing that a closing engine does; its session ends later
                    }
                }
            });
            CoordinationEngine engine = proxy(CoordinationEngine.class, watched, (name, call) -> {
                if (name.equals("requireOpen") && closed.getCount() == 0) {
                    assertTrue(Thread.currentThread() != thread[0] || passed.await(10, TimeUnit.SECONDS));
                    throw new CacheClosedException("closed");
                }
                return call.run();
            });
            cohort[0] = new Cohort(engine, Kind.LOCK, "a", Cohorts.of(engine));
            Grant held = cohort[0].tryAcquire(Want.ofThread(1, 0));
            assertNotNull(held);
            Future<Grant> attempt = heir.submit(() ->
                    cohort[0].acquire(Want.ofThread(1, 0), Deadline.never().interruptibly()));
            await().pollInterval(Duration.ofMillis(2)).until(() -> isParked(thread[0], cohort[0]));
            boolean unused = cohort[0].release(held);
            passed.countDown();
            var turnedAway = assertThrows(ExecutionException.class, () -> attempt.get(10, TimeUnit.SECONDS));
            assertEquals(CacheClosedException.class, turnedAway.getCause().getClass());
            assertEquals(0, cohort[0].local.held().count(), "held after the close");
            assertEquals(List.of(), CacheFixture.row(cache, Kind.LOCK, "a").holds());
        } finally {
            heir.shutdownNow();
        }
    }

    private static boolean isParked(Thread thread, Object blocker) {
        return thread != null && blocker.equals(LockSupport.getBlocker(thread));
    }

    /** Each owner is told, not only the one who lost it last. */
    @Test
    void twoThreadsThatLostTheLockOneAfterTheOtherAreBothTold() throws Exception {
        ExecutorService second = Executors.newSingleThreadExecutor();
        try (Cache cache = Cache.open(directory.path())) {
            Lock lock = new Lock(cache, "a");
            lock.lock();
            force(lock);
            Future<?> locked = second.submit(lock::lock);
            locked.get(10, TimeUnit.SECONDS);
            force(lock);
            assertThrows(LockLostException.class, lock::unlock);
            var refused = assertThrows(
                    ExecutionException.class, () -> second.submit(lock::unlock).get(10, TimeUnit.SECONDS));
            assertEquals(LockLostException.class, refused.getCause().getClass());
        } finally {
            second.shutdownNow();
        }
    }

    /** Forces the lock and waits until this process has noticed. */
    private static void force(Lock lock) {
        Holder holder = lock.holder().orElseThrow();
        assertTrue(lock.forceUnlock(holder.token()));
        await().atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> isNotHeldHere(lock));
    }

    private static boolean isNotHeldHere(Lock lock) {
        return lock.tryAcquire()
                .map(handle -> {
                    handle.close();
                    return true;
                })
                .orElse(false);
    }

    /** While nobody rings, the first in line asks every 10 ms whether the owner lives, and reads the row every 30. */
    @Test
    @Tag("process")
    void whoeverIsFirstInLineAsksForTheOwnerMoreOftenThanItReadsTheRow() throws Exception {
        JavaProcess owner =
                processes.start(HolderChild.class, directory.resolve("cache").toString());
        owner.await("OPEN", SOON);
        ProcessFixture.ask(owner, "acquire LOCK a", "ACQUIRED");
        AtomicInteger reads = new AtomicInteger();
        AtomicInteger probes = new AtomicInteger();
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
            StateStore states = proxy(StateStore.class, engine.states(), (name, call) -> {
                if (name.equals("isUnchanged") || name.equals("read")) {
                    reads.incrementAndGet();
                }
                return call.run();
            });
            Sessions sessions = proxy(Sessions.class, engine.sessions(), (name, call) -> {
                if (name.equals("isDead")) {
                    probes.incrementAndGet();
                }
                return call.run();
            });
            CoordinationEngine counting = proxy(CoordinationEngine.class, engine, (name, call) -> switch (name) {
                case "states" -> states;
                case "sessions" -> sessions;
                default -> call.run();
            });
            Cohort cohort = new Cohort(counting, Kind.LOCK, "a", Cohorts.of(counting));
            CompletableFuture<Grant> grant = new CompletableFuture<>();
            Thread waiter = new Thread(() -> {
                try {
                    grant.complete(cohort.acquire(Want.ofHandle(1, 0), Deadline.never()));
                } catch (Throwable t) {
                    grant.completeExceptionally(t);
                }
            });
            waiter.start();
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> !Inspector.of(cache).waiters().isEmpty());
            int readsBefore = reads.get();
            int probesBefore = probes.get();
            long start = System.nanoTime();
            ProcessFixture.letRun(Duration.ofSeconds(1), List.of(owner));
            int read = reads.get() - readsBefore;
            int probed = probes.get() - probesBefore;
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            String counts = probed + " probes and " + read + " reads in " + millis + " ms";
            assertTrue(read >= 1 && read <= millis / 25 + 2, counts);
            assertTrue(probed >= 3 * read - 4, counts);
            owner.kill();
            assertTrue(cohort.release(grant.get(SOON.toSeconds(), TimeUnit.SECONDS)));
        }
    }

    /**
     * A release that is likely to be followed by another grant of the same process wakes nobody, and leaves it to a thread that looks
     * a moment later whether the lock was taken again. That thread came while the release had not gone on since its commit, took the
     * lock for held and woke nobody: a hand-over of thirty milliseconds.
     */
    @Test
    @Tag("process")
    void whoeverLooksForARetakenLockSeesTheRelease() throws Exception {
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
            AtomicInteger rings = new AtomicInteger();
            Signal signal = proxy(Signal.class, engine.signal(), (name, call) -> {
                if (name.equals("ring")) {
                    rings.incrementAndGet();
                }
                return call.run();
            });
            long instant = engine.clock().nanos(); // what is done within one is done in haste
            HostClock clock = proxy(
                    HostClock.class,
                    engine.clock(),
                    (name, call) -> name.equals("nanos") ? (Object) instant : call.run());
            CoordinationEngine hasty = CoordinationEngine.class.cast(Proxy.newProxyInstance(
                    HandOverTest.class.getClassLoader(),
                    new Class<?>[] {CoordinationEngine.class},
                    (self, method, arguments) -> {
                        if (method.getName().equals("schedule") && arguments[1].equals(Keeper.RING_LATER)) {
                            ((Runnable) arguments[0]).run();
                            return null;
                        }
                        return switch (method.getName()) {
                            case "signal" -> signal;
                            case "clock" -> clock;
                            default -> method.invoke(engine, arguments);
                        };
                    }));
            Cohort cohort = new Cohort(hasty, Kind.LOCK, "a", Cohorts.of(hasty));
            Grant held = cohort.tryAcquire(Want.ofThread(1, 0));
            assertNotNull(held);
            JavaProcess waiter = processes.start(
                    HolderChild.class, directory.resolve("cache").toString());
            waiter.await("OPEN", SOON);
            waiter.send("acquire LOCK a");
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> !Inspector.of(cache).waiters().isEmpty());
            waiter.stop();
            assertTrue(cohort.release(held));
            Grant retaken = cohort.tryAcquire(Want.ofThread(1, 0));
            assertNotNull(retaken);
            rings.set(0);
            assertTrue(cohort.release(retaken));
            assertEquals(1, rings.get());
            waiter.cont();
            waiter.await("ACQUIRED", SOON);
        }
    }
}

package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.testing.Elapsed;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What is promised of every call that acquires something, whoever holds it meanwhile: another thread of this process or, where a
 * test says so, another process.
 */
abstract class AcquiringContract extends CacheFixture {
    Opponent opponent;

    /** What is acquired. */
    abstract Holdable what();

    Opponent newOpponent() {
        return new Opponent.Here(what().opponent(), () -> cache);
    }

    /** From now on it is the name {@code a} of this cache that is acquired. */
    abstract void use(Cache of);

    @BeforeEach
    void meet() {
        use(cache);
        opponent = newOpponent();
    }

    @AfterEach
    void part() throws Exception {
        opponent.close();
    }

    /** A call that acquires, and waits for it; how to give back what was acquired, or null. */
    interface Way {
        @Nullable
        Runnable acquire() throws Exception;
    }

    /** The same with a limit. */
    interface TimedWay {
        @Nullable
        Runnable acquire(Duration limit) throws Exception;
    }

    /** The same without a thread that waits. */
    interface AsyncWay {
        CompletableFuture<? extends AutoCloseable> acquire();
    }

    /** Those without end that an interrupt ends. */
    abstract Map<String, Way> endlessWays();

    abstract Map<String, Way> uninterruptibleWays();

    abstract Map<String, TimedWay> timedWays();

    abstract Map<String, AsyncWay> asyncWays();

    /** Those that do not wait. */
    abstract Map<String, Way> attempts();

    /** Nothing is held by anybody, and nobody stands in line, or soon so. */
    abstract void awaitNoResidue();

    static Runnable closing(AutoCloseable handle) {
        return () -> {
            try {
                handle.close();
            } catch (Exception e) {
                throw new AssertionError("close failed", e);
            }
        };
    }

    Map<String, Way> interruptibleWays() {
        Map<String, Way> ways = new LinkedHashMap<>(endlessWays());
        timedWays().forEach((name, way) -> ways.put(name, () -> way.acquire(SOON)));
        return ways;
    }

    /** All that wait. */
    Map<String, Way> allWays() {
        Map<String, Way> ways = interruptibleWays();
        ways.putAll(uninterruptibleWays());
        asyncWays().forEach((name, way) -> ways.put(name, () -> closing(unwrapped(way.acquire()))));
        return ways;
    }

    private static <T> T unwrapped(CompletableFuture<T> future) throws Exception {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    /** The same where it is free: then only an attempt that has taken its whole time may be in vain, and it is repeated. */
    static Map<String, Way> atWhatIsFree(Map<String, Way> attempts) {
        Map<String, Way> ways = new LinkedHashMap<>();
        attempts.forEach((name, way) -> ways.put(name, () -> {
            long end = System.nanoTime() + SOON.toNanos();
            while (true) {
                long start = System.nanoTime();
                Runnable giveBack = way.acquire();
                long now = System.nanoTime();
                if (giveBack != null || now - start < Cohort.ONE_ATTEMPT.toNanos() || now - end >= 0) {
                    return giveBack;
                }
            }
        }));
        return ways;
    }

    interface Tried {
        void way(String name, Way way) throws Exception;
    }

    static void forEach(Map<String, Way> ways, Tried tried) throws Exception {
        for (Map.Entry<String, Way> way : ways.entrySet()) {
            tried.way(way.getKey(), way.getValue());
        }
    }

    /** A thread that waits in one of the ways, and gives back what it gets; whether it got it. */
    final class Waiter {
        final Thread thread;
        final Future<Boolean> future;

        Waiter(Way way) {
            AtomicReference<Thread> started = new AtomicReference<>();
            future = threads.submit(() -> {
                started.set(Thread.currentThread());
                Runnable giveBack = way.acquire();
                if (giveBack != null) {
                    giveBack.run();
                }
                return giveBack != null;
            });
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> future.isDone() || started.get() != null && isWaiting(started.get()));
            assertFalse(future.isDone(), "it did not wait");
            thread = started.get();
        }

        Throwable failure(String message) {
            return assertThrows(ExecutionException.class, () -> get(future), message)
                    .getCause();
        }
    }

    void assertFree(String after) throws Exception {
        assertTrue(
                elsewhere(() -> {
                    Runnable giveBack = timedWays().values().iterator().next().acquire(SOON);
                    if (giveBack != null) {
                        giveBack.run();
                    }
                    return giveBack != null;
                }),
                after);
        assertTrue(opponent.tryAcquire(SOON), after);
        opponent.release();
        awaitNoResidue();
    }

    private static Runnable acquired(Way way, String name) throws Exception {
        Runnable giveBack = way.acquire();
        assertNotNull(giveBack, name);
        return giveBack;
    }

    @Test
    void whatIsFreeIsAcquiredInEveryWay() throws Exception {
        Map<String, Way> ways = allWays();
        ways.putAll(atWhatIsFree(attempts()));
        forEach(ways, (name, way) -> {
            Runnable giveBack = acquired(way, name);
            assertFalse(opponent.tryAcquire(Duration.ZERO), name);
            giveBack.run();
            awaitNoResidue();
        });
        assertFree("all of it");
    }

    @Test
    void whatIsHeldIsWaitedForInEveryWay() throws Exception {
        forEach(allWays(), (name, way) -> {
            opponent.acquire();
            Waiter waiter = new Waiter(way);
            await(name)
                    .during(Duration.ofMillis(60))
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> !waiter.future.isDone());
            opponent.release();
            assertTrue(get(waiter.future), name);
            assertFree(name);
        });
    }

    @Test
    void aTimedWaitEndsInTimeAndLeavesNothing() throws Exception {
        Duration limit = Duration.ofMillis(150);
        opponent.acquire();
        try (Elapsed elapsed = new Elapsed()) {
            for (Map.Entry<String, TimedWay> way : timedWays().entrySet()) {
                long start = System.nanoTime();
                assertNull(way.getValue().acquire(limit), way.getKey());
                long end = System.nanoTime();
                assertTrue(end - start >= limit.toNanos(), way.getKey() + " took " + (end - start) + " ns");
                long tookMillis = elapsed.millis(start, end);
                assertTrue(tookMillis < 650, way.getKey() + " took " + tookMillis + " ms");
            }
        }
        opponent.release();
        assertFree("waits that were in vain");
    }

    @Test
    void aZeroOrNegativeTimeIsOneAttempt() throws Exception {
        List<Duration> none = List.of(Duration.ZERO, Duration.ofMillis(-1), Duration.ofSeconds(Long.MIN_VALUE));
        Map<String, Way> ways = new LinkedHashMap<>(attempts());
        timedWays().forEach((name, way) -> none.forEach(limit -> ways.put(name + limit, () -> way.acquire(limit))));
        opponent.acquire();
        long nanos = 0;
        for (Map.Entry<String, Way> way : ways.entrySet()) {
            nanos += leastNanosInVain(way.getKey(), way.getValue());
        }
        assertTrue(nanos < TimeUnit.SECONDS.toNanos(1), "took " + nanos + " ns");
        opponent.release();
        forEach(atWhatIsFree(ways), (name, way) -> acquired(way, name).run());
        assertFree("attempts");
    }

    /** Of three times; whatever else the machine does can only add to it. */
    private static long leastNanosInVain(String name, Way way) throws Exception {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            long start = System.nanoTime();
            assertNull(way.acquire(), name);
            least = Math.min(least, System.nanoTime() - start);
        }
        return least;
    }

    @Test
    void theLongestTimesAreWithoutEnd() throws Exception {
        List<Duration> longest = List.of(Duration.ofSeconds(Long.MAX_VALUE), Duration.ofNanos(Long.MAX_VALUE));
        opponent.acquire();
        Map<String, Waiter> waiters = new LinkedHashMap<>();
        timedWays()
                .forEach((name, way) ->
                        longest.forEach(limit -> waiters.put(name + limit, new Waiter(() -> way.acquire(limit)))));
        opponent.release();
        for (Map.Entry<String, Waiter> waiter : waiters.entrySet()) {
            assertTrue(get(waiter.getValue().future), waiter.getKey());
        }
        assertFree("waits without end");
    }

    @Test
    void anInterruptBeforeTheCallIsThrownAndNothingIsHeld() throws Exception {
        Map<String, Way> ways = interruptibleWays();
        timedWays().forEach((name, way) -> ways.put(name + " zero", () -> way.acquire(Duration.ZERO)));
        forEach(ways, (name, way) -> {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, way::acquire, name);
            assertFalse(Thread.interrupted(), name);
        });
        awaitNoResidue();
        Map<String, Way> deaf = new LinkedHashMap<>(uninterruptibleWays());
        deaf.putAll(atWhatIsFree(attempts()));
        forEach(deaf, (name, way) -> {
            Thread.currentThread().interrupt();
            Runnable giveBack = acquired(way, name);
            assertTrue(Thread.interrupted(), name + " keeps the flag");
            giveBack.run();
        });
        assertFree("interrupts");
    }

    @Test
    void anInterruptEndsAWaitAndLeavesNothing() throws Exception {
        opponent.acquire();
        forEach(interruptibleWays(), (name, way) -> {
            Waiter waiter = new Waiter(way);
            waiter.thread.interrupt();
            assertEquals(InterruptedException.class, waiter.failure(name).getClass(), name);
        });
        opponent.release();
        assertFree("interrupts");
    }

    @Test
    void anUninterruptibleWaitKeepsTheFlagForLater() throws Exception {
        forEach(uninterruptibleWays(), (name, way) -> {
            opponent.acquire();
            boolean[] flag = new boolean[1];
            Waiter waiter = new Waiter(() -> {
                Runnable giveBack = way.acquire();
                flag[0] = Thread.interrupted();
                return giveBack;
            });
            waiter.thread.interrupt();
            await(name)
                    .during(Duration.ofMillis(100))
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> !waiter.future.isDone());
            opponent.release();
            assertTrue(get(waiter.future), name);
            assertTrue(flag[0], name);
        });
        assertFree("an interrupt");
    }

    @Test
    void aFutureThatIsCancelledOrTimesOutLeavesNothing() throws Exception {
        assumeFalse(asyncWays().isEmpty(), "nothing is acquired without a thread that waits");
        for (Map.Entry<String, AsyncWay> way : asyncWays().entrySet()) {
            opponent.acquire();
            var cancelled = way.getValue().acquire();
            var timed = way.getValue().acquire().orTimeout(80, TimeUnit.MILLISECONDS);
            var endless = way.getValue().acquire().orTimeout(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
            var failure = assertThrows(ExecutionException.class, () -> get(timed), way.getKey());
            assertEquals(TimeoutException.class, failure.getCause().getClass(), way.getKey());
            assertFalse(cancelled.isDone(), way.getKey());
            assertTrue(cancelled.cancel(true), way.getKey());
            assertThrows(CancellationException.class, cancelled::join, way.getKey());
            assertFalse(endless.isDone(), way.getKey());
            opponent.release();
            get(endless).close();
            assertFree(way.getKey());
        }
    }

    /** Which of the two is first is not decided: what comes too late for the future is given back. */
    @Test
    void aFutureThatIsCancelledWhileItIsServedGivesBackWhatItGets() throws Exception {
        for (Map.Entry<String, AsyncWay> way : asyncWays().entrySet()) {
            for (int i = 0; i < 10; i++) {
                opponent.acquire();
                var future = way.getValue().acquire();
                Future<?> release = threads.submit(() -> {
                    opponent.release();
                    return null;
                });
                if (!future.cancel(true)) {
                    get(future).close();
                }
                get(release);
            }
            assertFree(way.getKey());
        }
    }

    @Test
    void twoObjectsAndTwoCachesAreOne() throws Exception {
        try (Cache second = newCache()) {
            opponent.acquire();
            for (Cache of : List.of(cache, second)) {
                use(of);
                forEach(attempts(), (name, way) -> assertNull(way.acquire(), name));
            }
            Waiter waiter = new Waiter(allWays().values().iterator().next());
            opponent.release();
            assertTrue(get(waiter.future));
            forEach(atWhatIsFree(attempts()), (name, way) -> {
                Runnable giveBack = acquired(way, name);
                assertFalse(opponent.tryAcquire(Duration.ZERO), name);
                giveBack.run();
            });
        }
        use(cache);
        assertFree("the second cache is closed");
    }

    @Test
    void aClosedCacheRefusesEveryCall() throws Exception {
        Map<String, Way> ways = allWays();
        ways.putAll(attempts());
        cache.close();
        forEach(ways, (name, way) -> assertThrows(CacheClosedException.class, way::acquire, name));
        assertThrows(CacheClosedException.class, () -> use(cache));
    }

    @Test
    void closingTheCacheEndsEveryWait() throws Exception {
        opponent.acquire();
        Map<String, Waiter> waiters = new LinkedHashMap<>();
        forEach(allWays(), (name, way) -> waiters.put(name, new Waiter(way)));
        cache.close();
        waiters.forEach((name, waiter) ->
                assertEquals(CacheClosedException.class, waiter.failure(name).getClass(), name));
        cache = newCache();
        use(cache);
        if (!opponent.endsWithTheCache()) {
            forEach(attempts(), (name, way) -> assertNull(way.acquire(), name));
            opponent.release();
        }
        assertFree("what was held when the cache was closed is free");
    }

    @Test
    void acquiringInsideATransactionIsRefusedInEveryWay() throws Exception {
        Map<String, Way> ways = allWays();
        ways.putAll(attempts());
        cache.transact(
                () -> ways.forEach((name, way) -> assertThrows(IllegalStateException.class, way::acquire, name)));
        assertFree("transaction");
    }
}

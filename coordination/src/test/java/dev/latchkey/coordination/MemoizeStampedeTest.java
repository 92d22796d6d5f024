package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.TestDirectory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What memoization promises between the threads of one process. */
@Timeout(60)
class MemoizeStampedeTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger computed = new AtomicInteger();
    /** Each computation needs one of its permits. */
    private final Semaphore gate = new Semaphore(0);

    private Cache cache;

    /** One more on the same directory. */
    Cache newCache() {
        return Cache.open(directory.resolve("cache"));
    }

    @BeforeEach
    void open() {
        cache = newCache();
    }

    @AfterEach
    void close() throws InterruptedException {
        threads.shutdownNow();
        cache.close();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS), "a thread hangs");
    }

    private MemoizeStampede.Builder builder() {
        return MemoizeStampede.builder(cache, "f");
    }

    /** A number that is one greater each time it is computed. */
    private String gated(String argument) {
        gate.acquireUninterruptibly();
        return argument + computed.incrementAndGet();
    }

    private String free(String argument) {
        return argument + computed.incrementAndGet();
    }

    private <T> List<Future<T>> start(int number, Callable<T> call) {
        List<Future<T>> started = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            started.add(threads.submit(call));
        }
        return started;
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.get(20, TimeUnit.SECONDS);
    }

    private List<State> flights() {
        return cache.unwrap(CoordinationEngine.class).states().list("flight", Deadline.never());
    }

    private void awaitComputing() {
        await().atMost(SOON).until(() -> gate.hasQueuedThreads());
    }

    @Test
    void aColdKeyIsComputedOnceForAllThreadsOfSeveralObjects() throws Exception {
        try (Cache second = newCache()) {
            Function<String, @Nullable String> one = builder().build().wrap(String.class, this::gated);
            Function<String, @Nullable String> two =
                    MemoizeStampede.builder(second, "f").build().wrap(String.class, this::gated);
            List<Future<@Nullable String>> asking = start(8, () -> one.apply("a"));
            asking.addAll(start(8, () -> two.apply("a")));
            awaitComputing();
            assertEquals(1, flights().size());
            gate.release(16);
            for (Future<@Nullable String> each : asking) {
                assertEquals("a1", get(each));
            }
        }
        assertEquals(1, computed.get());
        assertEquals(List.of(), flights(), "nothing is left of the flight");
    }

    @Test
    void aWarmKeyIsReadEvenWhileAnotherOneIsComputed() throws Exception {
        Function<String, @Nullable String> function = builder().build().wrap(String.class, this::gated);
        gate.release();
        assertEquals("a1", function.apply("a"));
        Future<@Nullable String> cold = threads.submit(() -> function.apply("b"));
        awaitComputing();
        assertEquals("a1", function.apply("a"));
        gate.release();
        assertEquals("b2", get(cold));
    }

    @Test
    void anExceptionIsSharedByThoseWhoWaitAndNotRemembered() throws Exception {
        IllegalStateException failure = new IllegalStateException("broken");
        Function<String, @Nullable String> function = builder().build().wrap(String.class, argument -> {
            gate.acquireUninterruptibly();
            if (computed.incrementAndGet() == 1) {
                throw failure;
            }
            return argument;
        });
        List<Future<@Nullable String>> asking = start(1, () -> function.apply("a"));
        awaitComputing();
        AtomicInteger joining = new AtomicInteger();
        asking.addAll(start(3, () -> {
            joining.incrementAndGet();
            return function.apply("a");
        }));
        await().atMost(SOON).until(() -> waitingInMemory() == 3);
        gate.release(10);
        for (Future<@Nullable String> each : asking) {
            assertSame(
                    failure,
                    assertThrows(ExecutionException.class, () -> get(each)).getCause());
        }
        assertEquals(1, computed.get());
        assertEquals("a", function.apply("a"));
        assertEquals(List.of(), flights());
    }

    /** How many threads wait for the outcome of another thread of this process. */
    private static long waitingInMemory() {
        return Thread.getAllStackTraces().values().stream()
                .filter(stack -> List.of(stack).stream()
                        .anyMatch(frame -> frame.getClassName().equals(MemoizeStampede.class.getName())
                                && frame.getMethodName().equals("share")))
                .count();
    }

    @Test
    void anUncacheableResultIsSharedAndComputedAgain() {
        Function<String, @Nullable String> function =
                builder().cacheIf(result -> !"a1".equals(result)).build().wrap(String.class, this::free);
        assertEquals("a1", function.apply("a"));
        assertEquals("a2", function.apply("a"));
        assertEquals("a2", function.apply("a"));
        assertEquals(List.of(), flights());
    }

    @Test
    void nullIsRememberedIfItIsToBe() {
        Function<String, @Nullable String> forgetting = builder().build().wrap(String.class, this::none);
        assertNull(forgetting.apply("a"));
        assertNull(forgetting.apply("a"));
        assertEquals(2, computed.get());
        Function<String, @Nullable String> remembering =
                builder().cacheNulls().build().wrap(String.class, this::none);
        assertNull(remembering.apply("a"));
        assertNull(remembering.apply("a"));
        assertEquals(3, computed.get());
    }

    private @Nullable String none(String argument) {
        computed.incrementAndGet();
        return null;
    }

    @Test
    void otherKeysMayBeAskedForRecursivelyAndTheSameMayNot() throws Exception {
        AtomicReference<Function<Integer, @Nullable Long>> self = new AtomicReference<>();
        Function<Integer, @Nullable Long> fibonacci = builder().build().wrap(Long.class, (Integer n) -> {
            computed.incrementAndGet();
            return n < 2 ? (long) n : self.get().apply(n - 1) + self.get().apply(n - 2);
        });
        self.set(fibonacci);
        for (Future<@Nullable Long> each : start(8, () -> fibonacci.apply(40))) {
            assertEquals(102_334_155, get(each));
        }
        assertEquals(41, computed.get());
        AtomicReference<Function<String, @Nullable String>> loop = new AtomicReference<>();
        loop.set(builder().build().wrap(String.class, (String argument) -> loop.get()
                .apply(argument)));
        assertThrows(IllegalStateException.class, () -> loop.get().apply("a"));
        assertEquals(List.of(), flights());
    }

    @Test
    void whoHasWaitedLongEnoughComputesTheResultItself() throws Exception {
        Function<String, @Nullable String> hanging = builder().build().wrap(String.class, this::gated);
        Future<@Nullable String> hung = threads.submit(() -> hanging.apply("a"));
        awaitComputing();
        Function<String, @Nullable String> other =
                builder().waitAtMost(Duration.ofMillis(50)).build().wrap(String.class, argument -> "other");
        assertEquals("other", get(threads.submit(() -> other.apply("a"))));
        assertEquals("other", hanging.apply("a"), "and it is remembered");
        gate.release();
        assertEquals("a1", get(hung));
        assertEquals(List.of(), flights());
    }

    /** What says that there is no outcome is an object as well. */
    @Test
    void aResultOfAnyTypeIsNotMixedUpWithTheLackOfOne() throws Exception {
        Function<String, @Nullable String> hanging = builder().build().wrap(String.class, this::gated);
        Future<@Nullable String> hung = threads.submit(() -> hanging.apply("a"));
        awaitComputing();
        Function<String, @Nullable Object> other =
                builder().waitAtMost(Duration.ofMillis(50)).build().wrap(Object.class, argument -> "other");
        assertEquals("other", get(threads.submit(() -> other.apply("a"))));
        gate.release();
        assertEquals("a1", get(hung));
    }

    @Test
    void anInterruptedWaitEndsWithTheFlagSetAndTheOthersGoOn() throws Exception {
        Function<String, @Nullable String> function = builder().build().wrap(String.class, this::gated);
        Future<@Nullable String> computing = threads.submit(() -> function.apply("a"));
        awaitComputing();
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        AtomicReference<Boolean> flag = new AtomicReference<>();
        Thread waiter = new Thread(() -> {
            try {
                String unused = function.apply("a");
            } catch (CacheException e) {
                thrown.set(e.getCause());
                flag.set(Thread.currentThread().isInterrupted());
            }
        });
        waiter.start();
        await().atMost(SOON).until(() -> waitingInMemory() == 1);
        waiter.interrupt();
        waiter.join(TimeUnit.SECONDS.toMillis(20));
        assertInstanceOf(InterruptedException.class, thrown.get());
        assertEquals(true, flag.get());
        gate.release();
        assertEquals("a1", get(computing));
    }

    /** Else one who is not interrupted would get another's interrupt as the outcome. */
    @Test
    void whoWaitsForAComputationThatIsInterruptedComputesItself() throws Exception {
        MemoizeStampede memoize = builder().build();
        AtomicReference<Thread> computing = new AtomicReference<>();
        var function = memoize.wrapCallable(String.class, () -> {
            computing.set(Thread.currentThread());
            gate.acquire();
            return "a" + computed.incrementAndGet();
        });
        Future<@Nullable String> first = threads.submit(function::get);
        awaitComputing();
        Future<@Nullable String> second = threads.submit(function::get);
        await().atMost(SOON).until(() -> waitingInMemory() == 1);
        computing.get().interrupt();
        assertInstanceOf(
                CacheException.class,
                assertThrows(ExecutionException.class, () -> get(first)).getCause());
        gate.release();
        assertEquals("a1", get(second));
    }

    @Test
    void aResultThatWasInvalidatedWhileItWasComputedIsNotStored() throws Exception {
        MemoizeStampede memoize = builder().build();
        Function<String, @Nullable String> function = memoize.wrap(String.class, this::gated);
        Future<@Nullable String> old = threads.submit(() -> function.apply("a"));
        awaitComputing();
        assertFalse(memoize.invalidate("a"), "there is none yet");
        gate.release();
        assertEquals("a1", get(old));
        gate.release();
        assertEquals("a2", function.apply("a"));
        assertTrue(memoize.invalidate("a"));
        gate.release();
        assertEquals("a3", function.apply("a"));
    }

    @Test
    void aResultThatCannotBeStoredLeavesNoFlight() {
        Function<String, @Nullable Object> function = builder().build().wrap(Object.class, argument -> new Object());
        assertThrows(CodecException.class, () -> function.apply("a"));
        assertEquals(List.of(), flights());
    }

    @Test
    void insideATransactionTheCallerComputesAndWaitsForNobody() throws Exception {
        Function<String, @Nullable String> function = builder().build().wrap(String.class, this::gated);
        Future<@Nullable String> computing = threads.submit(() -> function.apply("a"));
        awaitComputing();
        Function<String, @Nullable String> mine = builder().build().wrap(String.class, argument -> "mine");
        assertEquals("mine", cache.transact(() -> mine.apply("a")));
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    assertEquals("mine", mine.apply("b"));
                    throw new IllegalStateException("roll back");
                }));
        gate.release(2);
        assertEquals("a1", get(computing));
        assertEquals("b2", function.apply("b"));
    }

    @Test
    void anExpiredResultIsGivenOutWhileItIsComputedAnew() throws Exception {
        Function<String, @Nullable String> function = builder()
                .expireAfter(Duration.ofMillis(50))
                .staleFor(Duration.ofMinutes(1))
                .beta(0)
                .build()
                .wrap(String.class, this::gated);
        gate.release();
        assertEquals("a1", function.apply("a"));
        await().atMost(SOON).until(() -> {
            assertEquals("a1", function.apply("a"));
            return gate.hasQueuedThreads(); // in the background
        });
        for (int i = 0; i < 100; i++) {
            assertEquals("a1", function.apply("a"), "nobody waits");
        }
        assertEquals(1, gate.getQueueLength(), "one computes it");
        gate.release();
        await().atMost(SOON).until(() -> "a2".equals(function.apply("a")));
        gate.release(100);
    }

    @Test
    void whatGoesWrongInTheBackgroundIsTold() throws Exception {
        List<Throwable> told = java.util.Collections.synchronizedList(new ArrayList<>());
        IllegalStateException failure = new IllegalStateException("broken");
        Function<String, @Nullable String> function = builder()
                .expireAfter(Duration.ofHours(1))
                .random(() -> 1 - 1e-300)
                .beta(1e300)
                .onError(told::add)
                .build()
                .wrap(String.class, argument -> {
                    if (computed.incrementAndGet() > 1) {
                        throw failure;
                    }
                    return argument;
                });
        assertEquals("a", function.apply("a"));
        assertEquals("a", function.apply("a"));
        await().atMost(SOON).until(() -> told.contains(failure));
        assertEquals("a", function.apply("a"));
        await().atMost(SOON).until(() -> flights().isEmpty());
    }

    /** By the paper the chance to be early by {@code t} is {@code e^(-t / (cost * beta))}. */
    @Test
    void earlyRecomputationFollowsTheDistributionOfThePaper() {
        Random random = new Random(42);
        int draws = 200_000;
        for (double beta : new double[] {0.5, 1, 3}) {
            for (double early : new double[] {0.1, 1, 2.5}) {
                int due = 0;
                for (int i = 0; i < draws; i++) {
                    due += MemoizeStampede.isDue(early * 1e9, 1_000_000_000, beta, random.nextDouble()) ? 1 : 0;
                }
                double expected = Math.exp(-early / beta);
                double deviation = Math.sqrt(draws * expected * (1 - expected));
                assertEquals(draws * expected, due, 4 * deviation, "beta " + beta + ", early by " + early);
            }
        }
        assertTrue(MemoizeStampede.isDue(0, 0, 0, 0), "at its expiry it is always due");
        assertFalse(MemoizeStampede.isDue(1, 1_000_000_000, 0, 0.999_999), "beta 0 is never early");
    }

    @Test
    void argumentsMayBeLong() {
        Function<String, @Nullable Integer> length = builder().build().wrap(Integer.class, String::length);
        assertEquals(100_000, length.apply("a".repeat(100_000)));
        assertEquals(100_000, length.apply("b".repeat(100_000)));
    }

    @Test
    void badOptionsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> builder().beta(-1));
        assertThrows(IllegalArgumentException.class, () -> builder().beta(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> builder().expireAfter(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> builder().staleFor(Duration.ofNanos(-1)));
        assertThrows(IllegalArgumentException.class, () -> builder().ignore(-1));
        assertThrows(IllegalArgumentException.class, () -> MemoizeStampede.builder(cache, ""));
    }
}

package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class BarrierTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final AtomicInteger inside = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private Cache cache;

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
    }

    @AfterEach
    void close() {
        cache.close();
    }

    /** Counts how many are inside at a time. */
    private String enter() throws InterruptedException {
        return enterAndAwait(1);
    }

    /** The same, and stays until so many have been inside at a time. */
    private String enterAndAwait(int together) throws InterruptedException {
        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
        await().atMost(SOON)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> most.get() >= together);
        TimeUnit.MILLISECONDS.sleep(5);
        inside.decrementAndGet();
        return "entered";
    }

    private static void all(List<? extends Callable<?>> calls, Object outcome) {
        List<Running> running = new ArrayList<>();
        for (Callable<?> call : calls) {
            for (int i = 0; i < 4; i++) {
                running.add(Running.start(call));
            }
        }
        running.forEach(each -> assertEquals(outcome, each.outcome()));
    }

    @Test
    void oneAtATimeRunsIt() {
        all(
                List.of(
                        Barrier.wrap(cache, Lock::new, "a", this::enter),
                        Barrier.wrap(cache, Lock::new, "a", this::enter)),
                "entered");
        assertEquals(1, most.get());
        assertFalse(new Lock(cache, "a").isLocked());
    }

    @Test
    void asManyAtATimeAsThereArePermitsRunIt() {
        BoundedSemaphore three = new BoundedSemaphore(cache, "s", 3);
        Callable<String> enter = () -> enterAndAwait(3);
        all(List.of(Barrier.wrap(three, enter), Barrier.wrap(three, enter)), "entered");
        assertEquals(3, most.get());
        assertEquals(3, three.availablePermits());
    }

    @Test
    void itIsRunUnderTheLock() throws Exception {
        Lock lock = new Lock(cache, "a");
        assertTrue(Barrier.wrap(cache, Lock::new, "a", lock::isLocked).call());
        assertFalse(lock.isLocked());
    }

    private int factorial(int n, java.util.function.BiFunction<Cache, String, FencedLock> lock) throws Exception {
        return n == 0
                ? 1
                : Barrier.wrap(cache, lock, "a", () -> n * factorial(n - 1, lock))
                        .call();
    }

    @Test
    void aReentrantLockLetsItCallItselfAndAPlainOneDoesNotHang() throws Exception {
        assertEquals(120, factorial(5, RLock::new));
        assertFalse(new RLock(cache, "a").isLocked());
        Inspector.of(cache).delete("a");
        assertThrows(IllegalMonitorStateException.class, () -> factorial(5, Lock::new));
        assertFalse(new Lock(cache, "a").isLocked());
    }

    @Test
    void whatItThrowsIsThrownOnAndTheLockIsReleased() {
        BoundedSemaphore one = new BoundedSemaphore(cache, "s", 1);
        for (Throwable thrown :
                List.of(new IOException("x"), new IllegalStateException("x"), new AssertionError("x"))) {
            Callable<?> body = () -> {
                if (thrown instanceof Error error) {
                    throw error;
                }
                throw (Exception) thrown;
            };
            assertSame(thrown, assertThrows(Throwable.class, Barrier.wrap(cache, Lock::new, "a", body)::call));
            assertSame(thrown, assertThrows(Throwable.class, Barrier.wrap(one, body)::call));
        }
        assertFalse(new Lock(cache, "a").isLocked());
        assertEquals(1, one.availablePermits());
    }

    @Test
    void whoIsInterruptedWhileItWaitsRunsNothing() throws Exception {
        Callable<String> guarded = Barrier.wrap(cache, Lock::new, "a", this::enter);
        Callable<String> limited = Barrier.wrap(new BoundedSemaphore(cache, "s", 1), this::enter);
        try (LockHandle held = new Lock(cache, "a").acquire();
                Permit permit = new BoundedSemaphore(cache, "s", 1).acquirePermit()) {
            for (Callable<String> each : List.of(guarded, limited)) {
                Running waits = Running.start(each);
                await().atMost(SOON)
                        .until(() -> waits.isAsleep()
                                || !Inspector.of(cache).waiters().isEmpty());
                waits.interrupt();
                assertEquals(InterruptedException.class, waits.end());
            }
            assertTrue(held.isValid() && permit.isValid());
        }
        assertEquals(0, most.get());
    }

    @Test
    void aLockThatIsLostMeanwhileIsToldAfterTheResultAndHidesNoException() {
        Lock lock = new Lock(cache, "a");
        Callable<Boolean> forced =
                () -> lock.forceUnlock(lock.holder().orElseThrow().token());
        assertThrows(LockLostException.class, Barrier.wrap(cache, Lock::new, "a", forced)::call);
        IOException thrown = new IOException("x");
        Callable<Boolean> failing = () -> {
            assertTrue(forced.call());
            throw thrown;
        };
        assertSame(thrown, assertThrows(IOException.class, Barrier.wrap(cache, Lock::new, "a", failing)::call));
        assertEquals(LockLostException.class, thrown.getSuppressed()[0].getClass());
    }

    @Test
    void insideATransactionItIsNotRun() {
        Callable<String> guarded = Barrier.wrap(cache, Lock::new, "a", this::enter);
        assertThrows(IllegalStateException.class, () -> cache.transact(guarded));
        assertEquals(0, most.get());
    }

    @Test
    void aNameOfAnotherKindAndAClosedCacheAreRefused() {
        new CyclicBarrier(cache, "a", 2);
        assertThrows(NameInUseException.class, Barrier.wrap(cache, Lock::new, "a", this::enter)::call);
        Callable<String> guarded = Barrier.wrap(cache, Lock::new, "b", this::enter);
        cache.close();
        assertThrows(CacheClosedException.class, guarded::call);
        assertEquals(0, most.get());
    }
}

package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.coordination.CacheFixture;
import dev.latchkey.coordination.NameInUseException;
import dev.latchkey.coordination.Running;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.event.RateLimiterEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What only shared rate limiters do, and the smooth ones. */
final class SharedRateLimiterTest extends CacheFixture {
    private static final Duration LONG = Duration.ofHours(1);

    private static RateLimiterConfig config(int limit, Duration timeout) {
        return RateLimiterContract.config(limit, LONG, timeout);
    }

    private SharedRateLimiter smooth(int limit, int burst, Duration timeout) {
        return SharedRateLimiter.builder(cache, "even", config(limit, timeout))
                .smooth(burst)
                .build();
    }

    @Test
    void allObjectsOfANameAreOne() {
        RateLimiter first = SharedRateLimiter.of(cache, "a", config(3, Duration.ZERO));
        RateLimiter second = SharedRateLimiter.of(cache, "a", config(3, Duration.ZERO));
        RateLimiter other = SharedRateLimiter.of(cache, "b", config(3, Duration.ZERO));
        assertTrue(first.acquirePermission(2));
        assertFalse(second.acquirePermission(2));
        assertEquals(1, second.getMetrics().getAvailablePermissions());
        assertTrue(other.acquirePermission(3));
        SharedBulkhead.of(cache, "a", BulkheadContract.config(1, Duration.ZERO)).acquirePermission();
    }

    @Test
    void aChangedLimitCountsForAllObjectsAndStaysUntilTheConfigurationIsAnother() {
        for (boolean smooth : new boolean[] {false, true}) {
            RateLimiter first = changing(smooth, 3);
            RateLimiter second = changing(smooth, 3);
            first.changeLimitForPeriod(7);
            assertEquals(7, second.getRateLimiterConfig().getLimitForPeriod());
            assertEquals(7, changing(smooth, 3).getRateLimiterConfig().getLimitForPeriod());
            assertEquals(5, changing(smooth, 5).getRateLimiterConfig().getLimitForPeriod());
            assertEquals(5, second.getRateLimiterConfig().getLimitForPeriod());
            assertTrue(second.acquirePermission());
        }
    }

    private RateLimiter changing(boolean smooth, int limit) {
        SharedRateLimiter.Builder builder =
                SharedRateLimiter.builder(cache, "c" + smooth, config(limit, Duration.ZERO));
        return (smooth ? builder.smooth() : builder).build();
    }

    @Test
    void aSmoothOneHasItsBurstAndThenOneAfterTheOther() {
        RateLimiter limiter = smooth(60, 2, LONG);
        assertEquals(2, limiter.getMetrics().getAvailablePermissions());
        long start = System.nanoTime();
        assertEquals(0, limiter.reservePermission(2));
        long next = limiter.reservePermission();
        long elapsed = System.nanoTime() - start;
        long minute = Duration.ofMinutes(1).toNanos();
        assertTrue(next >= minute - elapsed && next <= minute, next + " after " + elapsed);
        assertThrows(IllegalArgumentException.class, () -> limiter.acquirePermission(3));
    }

    @Test
    void aSmoothOneRefusesWhatComesTooLateAndReservesNothing() {
        RateLimiter limiter = smooth(60, 1, Duration.ofSeconds(90));
        assertEquals(0, limiter.reservePermission());
        assertTrue(limiter.reservePermission() > 0);
        assertTrue(limiter.reservePermission() < 0);
        limiter.changeTimeoutDuration(Duration.ofSeconds(125));
        assertTrue(limiter.reservePermission() > 0);
    }

    @Test
    void aSmoothOneCanBeDrainedAndWaitedFor() {
        SharedRateLimiter limiter = SharedRateLimiter.builder(
                        cache, "fast", RateLimiterContract.config(100, Duration.ofSeconds(1), SOON))
                .smooth(50)
                .build();
        List<RateLimiterEvent> events = new ArrayList<>();
        limiter.getEventPublisher().onEvent(events::add);
        long start = System.nanoTime();
        limiter.drainPermissions();
        assertTrue(events.get(0).getNumberOfPermits() >= 50, events::toString);
        for (int i = 0; i < 10; i++) {
            assertTrue(limiter.acquirePermission());
        }
        assertTrue(System.nanoTime() - start >= Duration.ofMillis(90).toNanos());
    }

    @Test
    void anInterruptEndsTheWaitForASmoothOne() {
        RateLimiter limiter = smooth(1, 1, LONG.multipliedBy(2));
        assertTrue(limiter.acquirePermission());
        Running waiter = Running.start(limiter::acquirePermission);
        Awaitility.await().atMost(SOON).until(() -> limiter.getMetrics().getNumberOfWaitingThreads() == 1);
        waiter.interrupt();
        assertEquals(false, waiter.outcome());
        assertTrue(waiter.wasInterrupted());
    }

    @Test
    void whoeverIsInterruptedGivesBackWhatIsToCome() {
        RateLimiter limiter = SharedRateLimiter.of(cache, "a", config(1, LONG.multipliedBy(2)));
        assertTrue(limiter.acquirePermission());
        Running waiter = Running.start(limiter::acquirePermission);
        Awaitility.await().atMost(SOON).until(() -> limiter.getMetrics().getAvailablePermissions() == -1);
        waiter.interrupt();
        assertEquals(false, waiter.outcome());
        assertEquals(0, limiter.getMetrics().getAvailablePermissions());
    }

    @Test
    void whatIsRolledBackWasNotUsed() {
        RateLimiter fixed = SharedRateLimiter.of(cache, "a", config(2, Duration.ZERO));
        RateLimiter even = smooth(2, 2, Duration.ZERO);
        for (RateLimiter limiter : List.of(fixed, even)) {
            assertThrows(
                    CacheException.class,
                    () -> cache.transact(() -> {
                        assertTrue(limiter.acquirePermission(2));
                        assertFalse(limiter.acquirePermission());
                        throw new Exception("rolled back");
                    }));
            assertTrue(limiter.acquirePermission(2));
            limiter.changeTimeoutDuration(LONG.multipliedBy(2));
            assertThrows(IllegalStateException.class, () -> cache.transact(() -> limiter.acquirePermission()));
        }
    }

    @Test
    void aBusyDatabaseIsARefusal() throws Exception {
        RateLimiter limiter = SharedRateLimiter.of(cache, "a", config(3, Duration.ZERO));
        try (BusyDatabase busy = new BusyDatabase()) {
            assertFalse(limiter.acquirePermission());
            assertTrue(limiter.reservePermission() < 0);
        }
        assertTrue(limiter.acquirePermission());
    }

    @Test
    void aBadUseIsRefused() {
        RateLimiter limiter = SharedRateLimiter.of(cache, "even", config(3, Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> limiter.acquirePermission(0));
        assertThrows(IllegalArgumentException.class, () -> limiter.reservePermission(-1));
        assertThrows(NameInUseException.class, () -> smooth(3, 3, Duration.ZERO), "fixed and smooth at once");
        assertThrows(
                IllegalArgumentException.class,
                () -> SharedRateLimiter.of(cache, "x".repeat(901), config(3, Duration.ZERO)));
        assertThrows(
                IllegalArgumentException.class, () -> SharedRateLimiter.builder(cache, "a", config(3, Duration.ZERO))
                        .smooth(0));
        assertThrows(
                IllegalArgumentException.class,
                () -> SharedRateLimiter.of(
                        cache, "a", RateLimiterContract.config(1, Duration.ofDays(365 * 40), Duration.ZERO)));
        cache.close();
        assertThrows(CacheClosedException.class, limiter::acquirePermission);
    }
}

package dev.latchkey.coordination.resilience4j;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.coordination.CacheFixture;
import dev.latchkey.coordination.Running;
import io.github.resilience4j.core.exception.AcquirePermissionCancelledException;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import io.github.resilience4j.ratelimiter.event.RateLimiterEvent;
import io.github.resilience4j.ratelimiter.event.RateLimiterOnDrainedEvent;
import io.github.resilience4j.ratelimiter.event.RateLimiterOnFailureEvent;
import io.github.resilience4j.ratelimiter.event.RateLimiterOnSuccessEvent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * How a rate limiter of Resilience4j behaves, whoever implements it: what these test classes of resilience4j-ratelimiter 2.4.0 show,
 * written against the interface.
 *
 * <ul>
 *   <li>{@code internal.AtomicRateLimiterTest}, {@code internal.SemaphoreBasedRateLimiterImplTest}, {@code
 *       internal.RateLimitersImplementationTest}: permissions, periods, reservations, interrupts, changes, metrics. Without what they look up
 *       by {@code getDetailedMetrics}, which is no part of the interface; and without permissions that stay used when their caller is
 *       interrupted, and a call for several that is spread over two periods, in which the shared one differs on purpose.
 *   <li>{@code RateLimiterTest}, {@code RequestNotPermittedExceptionTest}: decorators and what they throw.
 *   <li>{@code RateLimiterEventPublisherTest}: events.
 *   <li>{@code RateLimiterWithConditionalDrainTest}, {@code RateLimiterWithConditionalDrainIntegrationTest}: draining by result.
 *   <li>{@code RateLimiterRegistryTest}, {@code internal.InMemoryRateLimiterRegistryTest}: see {@link RegistryContract}.
 * </ul>
 *
 * <p>The others do not apply: {@code RateLimiterConfigTest} is about the class of configurations, which is Resilience4j's own here too, {@code
 * internal.SemaphoreBasedRateLimiterParameterizedTest} and {@code internal.SemaphoreBasedRateLimiterRefreshLimitRegressionTest} about the scheduler
 * of another implementation.
 */
abstract class RateLimiterContract extends CacheFixture {
    static final Duration LONG = Duration.ofHours(1);
    static final Duration PERIOD = Duration.ofMillis(400);
    /** So that a few calls are made within one period. */
    private static final Duration LONGER_PERIOD = Duration.ofSeconds(3);

    /** A rate limiter that nobody has used. */
    abstract RateLimiter limiter(RateLimiterConfig config, Map<String, String> tags);

    RateLimiter limiter(int limit, Duration period, Duration timeout) {
        return limiter(config(limit, period, timeout), Map.of());
    }

    static RateLimiterConfig config(int limit, Duration period, Duration timeout) {
        return RateLimiterConfig.custom()
                .limitForPeriod(limit)
                .limitRefreshPeriod(period)
                .timeoutDuration(timeout)
                .build();
    }

    private static int available(RateLimiter limiter) {
        return limiter.getMetrics().getAvailablePermissions();
    }

    private static void awaitAvailable(RateLimiter limiter, int permissions) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(() -> available(limiter) == permissions);
    }

    private static void awaitWaiting(RateLimiter limiter, int threads) {
        await().atMost(SOON)
                .pollInterval(Duration.ofMillis(2))
                .until(() -> limiter.getMetrics().getNumberOfWaitingThreads() == threads);
    }

    @Test
    void aPeriodHasItsPermissionsAndNotOneMore() {
        RateLimiter limiter = limiter(3, LONG, Duration.ZERO);
        assertEquals(3, available(limiter));
        for (int i = 0; i < 3; i++) {
            assertTrue(limiter.acquirePermission());
        }
        assertFalse(limiter.acquirePermission());
        assertEquals(0, available(limiter));
        assertTrue(limiter.reservePermission() < 0);
    }

    @Test
    void theNextPeriodHasAllOfThemAgain() {
        RateLimiter limiter = limiter(2, PERIOD, Duration.ZERO);
        assertTrue(limiter.acquirePermission(2));
        awaitAvailable(limiter, 2);
        assertTrue(limiter.acquirePermission());
        assertTrue(limiter.acquirePermission());
    }

    @Test
    void whatIsNotUsedIsNotSaved() {
        RateLimiter limiter = limiter(2, Duration.ofMillis(50), Duration.ZERO);
        assertTrue(limiter.acquirePermission());
        await().pollDelay(Duration.ofMillis(300)).until(() -> available(limiter) == 2);
        limiter.changeTimeoutDuration(LONG);
        long first = System.nanoTime();
        for (int i = 0; i < 5; i++) {
            assertTrue(limiter.acquirePermission());
        }
        Duration took = Duration.ofNanos(System.nanoTime() - first);
        assertTrue(took.toMillis() >= 50, "five of two in each 50 ms took " + took);
    }

    @Test
    void severalAreHadAtOnceIfThereAreSoMany() {
        RateLimiter limiter = limiter(10, LONG, Duration.ZERO);
        assertTrue(limiter.acquirePermission(1));
        assertTrue(limiter.acquirePermission(5));
        assertFalse(limiter.acquirePermission(5));
        assertEquals(4, available(limiter));
        assertTrue(limiter.acquirePermission(4));
        assertFalse(limiter.acquirePermission());
    }

    @Test
    void aReservationTellsHowLongToWaitAndIsTaken() {
        RateLimiter limiter = limiter(1, LONG, LONG.multipliedBy(2));
        assertEquals(0, limiter.reservePermission());
        long wait = limiter.reservePermission();
        assertTrue(wait > 0 && wait <= LONG.toNanos(), "wait " + wait);
        assertEquals(-1, available(limiter));
        long next = limiter.reservePermission();
        assertTrue(next > LONG.toNanos() && next <= LONG.toNanos() * 2, "next " + next);
        assertTrue(limiter.reservePermission() < 0, "later than anybody waits");
        assertEquals(-2, available(limiter));
    }

    @Test
    void moreThanThereAreInAPeriodComesAfterSeveral() {
        RateLimiter limiter = limiter(1, LONG, LONG.multipliedBy(5));
        assertTrue(limiter.reservePermission(3) > LONG.toNanos());
    }

    @Test
    void thoseOfTheNextPeriodAreReservedOneAfterTheOther() {
        RateLimiter limiter = limiter(3, LONG, LONG);
        for (int i = 0; i < 3; i++) {
            assertEquals(0, limiter.reservePermission());
        }
        for (int i = 0; i < 3; i++) {
            assertTrue(limiter.reservePermission() > 0);
        }
        assertTrue(limiter.reservePermission() < 0);
    }

    @Test
    void whoeverWaitsHasItInTheNextPeriod() {
        RateLimiter limiter = limiter(1, PERIOD, SOON);
        assertTrue(limiter.acquirePermission());
        Running waiter = Running.start(limiter::acquirePermission);
        assertEquals(true, waiter.outcome());
        awaitWaiting(limiter, 0);
        awaitAvailable(limiter, 1);
    }

    @Test
    void whoeverWouldWaitTooLongIsRefusedAfterItsTime() {
        RateLimiter limiter = limiter(1, LONG, Duration.ofMillis(60));
        assertTrue(limiter.acquirePermission());
        long start = System.nanoTime();
        assertFalse(limiter.acquirePermission());
        assertTrue(System.nanoTime() - start >= Duration.ofMillis(60).toNanos());
        assertEquals(0, available(limiter), "nothing is reserved");
    }

    @Test
    void whoeverWaitsIsCounted() {
        RateLimiter limiter = limiter(1, LONG, LONG);
        assertTrue(limiter.acquirePermission());
        assertEquals(0, limiter.getMetrics().getNumberOfWaitingThreads());
        Running waiter = Running.start(limiter::acquirePermission);
        awaitWaiting(limiter, 1);
        awaitAvailable(limiter, -1);
        waiter.interrupt();
        assertEquals(false, waiter.outcome());
        awaitWaiting(limiter, 0);
    }

    @Test
    void anInterruptEndsTheWaitWithoutAnExceptionAndTheFlagStays() {
        RateLimiter limiter = limiter(1, LONG, LONG);
        assertTrue(limiter.acquirePermission());
        Running waiter = Running.start(limiter::acquirePermission);
        awaitWaiting(limiter, 1);
        waiter.interrupt();
        assertEquals(false, waiter.outcome());
        assertTrue(waiter.wasInterrupted());
    }

    @Test
    void anInterruptDoesNotKeepAnybodyFromWhatIsThere() {
        RateLimiter limiter = limiter(1, LONG, LONG);
        Running caller = Running.start(() -> {
            Thread.currentThread().interrupt();
            return limiter.acquirePermission();
        });
        assertEquals(true, caller.outcome());
        assertTrue(caller.wasInterrupted());
    }

    @Test
    void anotherLimitCountsFromTheNextPeriodOn() {
        RateLimiter limiter = limiter(1, LONGER_PERIOD, Duration.ZERO);
        assertTrue(limiter.acquirePermission());
        limiter.changeLimitForPeriod(2);
        assertEquals(2, limiter.getRateLimiterConfig().getLimitForPeriod());
        awaitAvailable(limiter, 2);
        assertTrue(limiter.acquirePermission(2));
        assertFalse(limiter.acquirePermission());
    }

    @Test
    void anotherLimitLeavesTheCurrentPeriodAsItIs() {
        RateLimiter limiter = limiter(3, LONG, Duration.ZERO);
        assertTrue(limiter.acquirePermission());
        limiter.changeLimitForPeriod(10);
        assertEquals(2, available(limiter));
        limiter.changeLimitForPeriod(1);
        assertEquals(2, available(limiter));
    }

    @Test
    void anotherTimeoutIsThatOfTheNextCall() {
        RateLimiter limiter = limiter(1, LONG, Duration.ZERO);
        RateLimiterConfig before = limiter.getRateLimiterConfig();
        assertEquals(0, limiter.reservePermission());
        assertTrue(limiter.reservePermission() < 0);
        limiter.changeTimeoutDuration(LONG);
        assertNotSame(before, limiter.getRateLimiterConfig());
        assertEquals(LONG, limiter.getRateLimiterConfig().getTimeoutDuration());
        assertEquals(1, limiter.getRateLimiterConfig().getLimitForPeriod());
        assertEquals(LONG, limiter.getRateLimiterConfig().getLimitRefreshPeriod());
        assertTrue(limiter.reservePermission() > 0);
    }

    @Test
    void aBadConfigurationIsRefused() {
        RateLimiter limiter = limiter(1, LONG, Duration.ZERO);
        assertThrows(IllegalArgumentException.class, () -> limiter.changeLimitForPeriod(0));
        assertThrows(NullPointerException.class, () -> limiter.changeTimeoutDuration(null));
        assertEquals(1, limiter.getRateLimiterConfig().getLimitForPeriod());
    }

    @Test
    void drainingTakesWhatIsLeftOfThePeriod() {
        RateLimiter limiter = limiter(10, LONGER_PERIOD, Duration.ZERO);
        awaitAvailable(limiter, 10);
        limiter.drainPermissions();
        assertFalse(limiter.acquirePermission());
        awaitAvailable(limiter, 10);
        assertTrue(limiter.acquirePermission());
    }

    @Test
    void drainingWhatIsEmptyTakesNothingAndTellsSo() {
        RateLimiter limiter = limiter(10, LONG, Duration.ZERO);
        limiter.drainPermissions();
        List<RateLimiterEvent> events = new CopyOnWriteArrayList<>();
        limiter.getEventPublisher().onEvent(events::add);
        limiter.drainPermissions();
        assertEquals(1, events.size());
        assertEquals(
                0,
                assertInstanceOf(RateLimiterOnDrainedEvent.class, events.get(0)).getNumberOfPermits());
        assertEquals(0, available(limiter));
    }

    @Test
    void aResultMayDrainIt() {
        RateLimiter limiter = limiter(
                RateLimiterConfig.from(config(10, LONG, Duration.ZERO))
                        .drainPermissionsOnResult(result -> result.isLeft()
                                || result.get() != null && result.get().equals("enough"))
                        .build(),
                Map.of());
        assertEquals("more", limiter.executeSupplier(() -> "more"));
        assertEquals(9, available(limiter));
        assertEquals("enough", limiter.executeSupplier(() -> "enough"));
        assertEquals(0, available(limiter));
        assertThrows(RequestNotPermitted.class, () -> limiter.executeSupplier(() -> "more"));
    }

    @Test
    void anErrorMayDrainIt() {
        RateLimiter limiter = limiter(
                RateLimiterConfig.from(config(10, LONG, Duration.ZERO))
                        .drainPermissionsOnResult(result -> result.isLeft())
                        .build(),
                Map.of());
        assertThrows(
                IllegalStateException.class,
                () -> limiter.executeRunnable(() -> {
                    throw new IllegalStateException("too many");
                }));
        assertEquals(0, available(limiter));
    }

    @Test
    void itTellsOfSuccessAndFailure() {
        RateLimiter limiter = limiter(3, LONG, Duration.ZERO);
        List<RateLimiterEvent> events = new CopyOnWriteArrayList<>();
        List<RateLimiterEvent> successes = new CopyOnWriteArrayList<>();
        List<RateLimiterEvent> failures = new CopyOnWriteArrayList<>();
        limiter.getEventPublisher().onEvent(events::add);
        limiter.getEventPublisher().onSuccess(successes::add).onFailure(failures::add);
        limiter.acquirePermission(2);
        limiter.reservePermission();
        limiter.acquirePermission();
        limiter.reservePermission(2);
        assertEquals(
                List.of(
                        RateLimiterOnSuccessEvent.class,
                        RateLimiterOnSuccessEvent.class,
                        RateLimiterOnFailureEvent.class,
                        RateLimiterOnFailureEvent.class),
                events.stream().map(Object::getClass).toList());
        assertEquals(
                List.of(2, 1, 1, 2),
                events.stream().map(RateLimiterEvent::getNumberOfPermits).toList());
        assertEquals(events.subList(0, 2), successes);
        assertEquals(events.subList(2, 4), failures);
        assertEquals(limiter.getName(), events.get(0).getRateLimiterName());
    }

    @Test
    void decoratedCallsAreLimited() throws Throwable {
        RateLimiter limiter = limiter(4, LONG, Duration.ZERO);
        AtomicInteger calls = new AtomicInteger();
        RateLimiter.decorateRunnable(limiter, calls::incrementAndGet).run();
        assertEquals(
                2, RateLimiter.decorateCallable(limiter, calls::incrementAndGet).call());
        assertEquals(
                3,
                RateLimiter.<Integer, Integer>decorateFunction(limiter, calls::addAndGet)
                        .apply(1));
        assertEquals(
                4,
                RateLimiter.decorateCheckedSupplier(limiter, calls::incrementAndGet)
                        .get());
        RequestNotPermitted refused = assertThrows(
                RequestNotPermitted.class, RateLimiter.decorateRunnable(limiter, calls::incrementAndGet)::run);
        assertTrue(String.valueOf(refused.getMessage()).contains(limiter.getName()), refused::toString);
        assertEquals(4, calls.get());
    }

    private static String staged(RateLimiter limiter, String result) {
        Supplier<CompletionStage<String>> stage = () -> CompletableFuture.completedFuture(result);
        return RateLimiter.decorateCompletionStage(limiter, stage)
                .get()
                .toCompletableFuture()
                .join();
    }

    @Test
    void decoratedStagesAreLimited() {
        RateLimiter limiter = limiter(1, LONG, Duration.ZERO);
        assertEquals("done", staged(limiter, "done"));
        CompletionException refused = assertThrows(CompletionException.class, () -> staged(limiter, "again"));
        assertInstanceOf(RequestNotPermitted.class, refused.getCause());
    }

    @Test
    void anInterruptedCallIsCancelled() {
        RateLimiter limiter = limiter(1, LONG, LONG);
        assertTrue(limiter.acquirePermission());
        Running caller = Running.start(() -> limiter.executeSupplier(() -> "called"));
        awaitWaiting(limiter, 1);
        caller.interrupt();
        assertEquals(AcquirePermissionCancelledException.class, caller.end());
        assertTrue(caller.wasInterrupted());
    }

    @Test
    void aStackTraceMayBeLeftOut() {
        RateLimiter limiter = limiter(
                RateLimiterConfig.from(config(1, LONG, Duration.ZERO))
                        .writableStackTraceEnabled(false)
                        .build(),
                Map.of());
        assertTrue(limiter.acquirePermission());
        RequestNotPermitted refused =
                assertThrows(RequestNotPermitted.class, () -> limiter.executeSupplier(() -> "called"));
        assertEquals(0, refused.getStackTrace().length);
    }

    @Test
    void itKnowsItsTags() {
        assertEquals(
                Map.of("a", "b"),
                limiter(config(1, LONG, Duration.ZERO), Map.of("a", "b")).getTags());
    }
}

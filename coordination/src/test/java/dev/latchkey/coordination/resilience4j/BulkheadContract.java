package dev.latchkey.coordination.resilience4j;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.coordination.CacheFixture;
import dev.latchkey.coordination.Running;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.bulkhead.event.BulkheadEvent;
import io.github.resilience4j.core.exception.AcquirePermissionCancelledException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * How a bulkhead of Resilience4j behaves, whoever implements it: what these test classes of resilience4j-bulkhead 2.4.0 show, written
 * against the interface.
 *
 * <ul>
 *   <li>{@code internal.SemaphoreBulkheadTest}: permissions, waiting, interrupts, changes. Without a change that waits until calls are over,
 *       in which the shared one differs on purpose.
 *   <li>{@code BulkheadTest}, {@code BulkheadFutureTest}: decorators, what they throw, and that a permission comes back once.
 *   <li>{@code BulkheadEventPublisherTest}: events.
 *   <li>{@code BulkheadRegistryTest}, {@code internal.InMemoryBulkheadRegistryTest}: see {@link RegistryContract}.
 * </ul>
 *
 * <p>The others do not apply: {@code BulkheadConfigTest} and {@code event.BulkheadEventTest} are about classes that are Resilience4j's own here
 * too; {@code ThreadPoolBulkheadTest}, {@code ThreadPoolBulkheadConfigTest}, {@code ThreadPoolBulkheadEventPublisherTest}, {@code
 * ThreadPoolBulkheadRegistryTest}, {@code internal.FixedThreadPoolBulkheadTest}, {@code ContextPropagatorTest} and {@code
 * ScopedValueBulkheadIntegrationTest} about pools of threads, which no two processes can share.
 */
abstract class BulkheadContract extends CacheFixture {
    /** A bulkhead that nobody has used. */
    abstract Bulkhead bulkhead(BulkheadConfig config, Map<String, String> tags);

    Bulkhead bulkhead(int calls, Duration wait) {
        return bulkhead(config(calls, wait), Map.of());
    }

    static BulkheadConfig config(int calls, Duration wait) {
        return BulkheadConfig.custom()
                .maxConcurrentCalls(calls)
                .maxWaitDuration(wait)
                .build();
    }

    private static int available(Bulkhead bulkhead) {
        return bulkhead.getMetrics().getAvailableConcurrentCalls();
    }

    private static void awaitWaiting(Running waiter) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(waiter::isWaiting);
    }

    @Test
    void soManyAreLetInAndNotOneMore() {
        Bulkhead bulkhead = bulkhead(2, Duration.ZERO);
        assertEquals(2, available(bulkhead));
        assertEquals(2, bulkhead.getMetrics().getMaxAllowedConcurrentCalls());
        assertTrue(bulkhead.tryAcquirePermission());
        bulkhead.acquirePermission();
        assertEquals(0, available(bulkhead));
        assertFalse(bulkhead.tryAcquirePermission());
        BulkheadFullException full = assertThrows(BulkheadFullException.class, bulkhead::acquirePermission);
        assertTrue(String.valueOf(full.getMessage()).contains(bulkhead.getName()), full::toString);
    }

    @Test
    void whatIsGivenBackIsHadByTheNext() {
        Bulkhead bulkhead = bulkhead(1, Duration.ZERO);
        assertTrue(bulkhead.tryAcquirePermission());
        bulkhead.releasePermission();
        assertEquals(1, available(bulkhead));
        assertTrue(bulkhead.tryAcquirePermission());
        bulkhead.onComplete();
        assertEquals(1, available(bulkhead));
    }

    @Test
    void anotherThreadMayGiveItBack() throws Exception {
        Bulkhead bulkhead = bulkhead(1, Duration.ZERO);
        assertTrue(bulkhead.tryAcquirePermission());
        elsewhere(() -> {
            bulkhead.onComplete();
            return true;
        });
        assertTrue(bulkhead.tryAcquirePermission());
    }

    @Test
    void whereNobodyIsLetInNobodyIsLetIn() {
        Bulkhead bulkhead = bulkhead(0, Duration.ZERO);
        assertFalse(bulkhead.tryAcquirePermission());
        assertEquals(0, available(bulkhead));
        bulkhead.changeConfig(config(1, Duration.ZERO));
        assertTrue(bulkhead.tryAcquirePermission());
        bulkhead.onComplete();
        bulkhead.changeConfig(config(0, Duration.ZERO));
        assertFalse(bulkhead.tryAcquirePermission());
        assertEquals(0, bulkhead.getMetrics().getMaxAllowedConcurrentCalls());
    }

    @Test
    void whoeverWaitsInVainIsRefusedAfterItsTime() {
        Bulkhead bulkhead = bulkhead(1, Duration.ofMillis(60));
        assertTrue(bulkhead.tryAcquirePermission());
        long start = System.nanoTime();
        assertFalse(bulkhead.tryAcquirePermission());
        assertTrue(System.nanoTime() - start >= Duration.ofMillis(60).toNanos());
    }

    @Test
    void whoeverWaitsIsLetInWhenACallEnds() {
        Bulkhead bulkhead = bulkhead(1, SOON);
        assertTrue(bulkhead.tryAcquirePermission());
        Running waiter = Running.start(bulkhead::tryAcquirePermission);
        awaitWaiting(waiter);
        bulkhead.onComplete();
        assertEquals(true, waiter.outcome());
        assertEquals(0, available(bulkhead));
    }

    @Test
    void anInterruptEndsTheWaitAndTheFlagStays() {
        Bulkhead bulkhead = bulkhead(1, SOON);
        assertTrue(bulkhead.tryAcquirePermission());
        Running trying = Running.start(bulkhead::tryAcquirePermission);
        awaitWaiting(trying);
        trying.interrupt();
        assertEquals(false, trying.outcome());
        assertTrue(trying.wasInterrupted());
        Running acquiring = Running.start(() -> {
            bulkhead.acquirePermission();
            return "let in";
        });
        awaitWaiting(acquiring);
        acquiring.interrupt();
        assertEquals(AcquirePermissionCancelledException.class, acquiring.end());
        assertTrue(acquiring.wasInterrupted());
        bulkhead.onComplete();
        assertEquals(1, available(bulkhead));
    }

    @Test
    void whoeverIsInterruptedBeforeIsNotLetIn() {
        Bulkhead bulkhead = bulkhead(1, Duration.ZERO);
        Running caller = Running.start(() -> {
            Thread.currentThread().interrupt();
            return bulkhead.tryAcquirePermission();
        });
        assertEquals(false, caller.outcome());
        assertTrue(caller.wasInterrupted());
        assertEquals(1, available(bulkhead));
    }

    @Test
    void anotherConfigurationCounts() {
        Bulkhead bulkhead = bulkhead(3, Duration.ofSeconds(5));
        bulkhead.changeConfig(config(5, Duration.ofSeconds(7)));
        assertEquals(5, bulkhead.getBulkheadConfig().getMaxConcurrentCalls());
        assertEquals(Duration.ofSeconds(7), bulkhead.getBulkheadConfig().getMaxWaitDuration());
        assertEquals(5, available(bulkhead));
        bulkhead.changeConfig(config(2, Duration.ZERO));
        assertEquals(2, bulkhead.getMetrics().getMaxAllowedConcurrentCalls());
        assertEquals(2, available(bulkhead));
        bulkhead.changeConfig(config(2, Duration.ZERO));
        assertTrue(bulkhead.tryAcquirePermission());
        assertTrue(bulkhead.tryAcquirePermission());
        assertFalse(bulkhead.tryAcquirePermission());
    }

    @Test
    void aHigherMaximumLetsInWhoeverWaits() {
        Bulkhead bulkhead = bulkhead(1, SOON);
        assertTrue(bulkhead.tryAcquirePermission());
        Running waiter = Running.start(bulkhead::tryAcquirePermission);
        awaitWaiting(waiter);
        bulkhead.changeConfig(config(2, SOON));
        assertEquals(true, waiter.outcome());
    }

    @Test
    void anotherWaitDoesNotChangeThatOfWhoeverWaits() {
        Bulkhead bulkhead = bulkhead(1, SOON);
        assertTrue(bulkhead.tryAcquirePermission());
        Running waiter = Running.start(bulkhead::tryAcquirePermission);
        awaitWaiting(waiter);
        bulkhead.changeConfig(config(1, Duration.ZERO));
        assertFalse(bulkhead.tryAcquirePermission());
        assertFalse(waiter.isOver());
        bulkhead.onComplete();
        assertEquals(true, waiter.outcome());
    }

    @Test
    void itTellsWhatHappens() {
        Bulkhead bulkhead = bulkhead(1, Duration.ZERO);
        List<BulkheadEvent> events = new CopyOnWriteArrayList<>();
        List<BulkheadEvent> one = new CopyOnWriteArrayList<>();
        bulkhead.getEventPublisher().onEvent(events::add);
        bulkhead.getEventPublisher()
                .onCallPermitted(one::add)
                .onCallRejected(one::add)
                .onCallFinished(one::add);
        bulkhead.tryAcquirePermission();
        bulkhead.tryAcquirePermission();
        bulkhead.onComplete();
        bulkhead.tryAcquirePermission();
        bulkhead.releasePermission();
        assertEquals(
                List.of(
                        BulkheadEvent.Type.CALL_PERMITTED,
                        BulkheadEvent.Type.CALL_REJECTED,
                        BulkheadEvent.Type.CALL_FINISHED,
                        BulkheadEvent.Type.CALL_PERMITTED),
                events.stream().map(BulkheadEvent::getEventType).toList());
        assertEquals(events, one);
        assertEquals(bulkhead.getName(), events.get(0).getBulkheadName());
    }

    @Test
    void aDecoratedCallIsInsideUntilItEnds() throws Throwable {
        Bulkhead bulkhead = bulkhead(1, Duration.ZERO);
        assertEquals(0, bulkhead.executeSupplier(() -> available(bulkhead)));
        assertEquals(0, bulkhead.executeCallable(() -> available(bulkhead)));
        assertEquals(0, bulkhead.executeCheckedSupplier(() -> available(bulkhead)));
        assertThrows(
                IllegalStateException.class,
                () -> bulkhead.executeRunnable(() -> {
                    throw new IllegalStateException("failed");
                }));
        assertThrows(
                BulkheadFullException.class, () -> bulkhead.executeRunnable(() -> bulkhead.executeRunnable(() -> {})));
        assertEquals(1, available(bulkhead));
    }

    @Test
    void aDecoratedStageIsInsideUntilItIsComplete() {
        Bulkhead bulkhead = bulkhead(1, Duration.ZERO);
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> inside =
                bulkhead.executeCompletionStage(() -> stage).toCompletableFuture();
        assertEquals(0, available(bulkhead));
        CompletionException full = assertThrows(CompletionException.class, () -> bulkhead.executeCompletionStage(
                        () -> CompletableFuture.completedFuture("second"))
                .toCompletableFuture()
                .join());
        assertInstanceOf(BulkheadFullException.class, full.getCause());
        stage.complete("first");
        assertEquals("first", inside.join());
        assertEquals(1, available(bulkhead));
        assertThrows(CompletionException.class, () -> bulkhead.executeCompletionStage(
                        () -> CompletableFuture.failedFuture(new IllegalStateException("failed")))
                .toCompletableFuture()
                .join());
        assertEquals(1, available(bulkhead));
    }

    @Test
    void aDecoratedFutureGivesItBackOnce() throws Exception {
        Bulkhead bulkhead = bulkhead(2, Duration.ZERO);
        Future<String> future = Bulkhead.decorateFuture(bulkhead, () -> CompletableFuture.completedFuture("done"))
                .get();
        assertEquals(1, available(bulkhead));
        assertEquals("done", future.get());
        assertEquals("done", future.get(1, TimeUnit.SECONDS));
        assertEquals(2, available(bulkhead));
    }

    @Test
    void aStackTraceMayBeLeftOut() {
        Bulkhead bulkhead = bulkhead(
                BulkheadConfig.from(config(1, Duration.ZERO))
                        .writableStackTraceEnabled(false)
                        .build(),
                Map.of());
        assertTrue(bulkhead.tryAcquirePermission());
        assertEquals(
                0,
                assertThrows(BulkheadFullException.class, bulkhead::acquirePermission)
                        .getStackTrace()
                        .length);
    }

    @Test
    void itKnowsItsTags() {
        assertEquals(
                Map.of("a", "b"),
                bulkhead(config(1, Duration.ZERO), Map.of("a", "b")).getTags());
    }
}

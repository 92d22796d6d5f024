package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.latchkey.coordination.CacheFixture;
import dev.latchkey.coordination.resilience4j.SharedCircuitBreakers.Policy;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.micrometer.tagged.TaggedBulkheadMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedBulkheadMetricsPublisher;
import io.github.resilience4j.micrometer.tagged.TaggedCircuitBreakerMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedRateLimiterMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedRateLimiterMetricsPublisher;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.ratelimiter.event.RateLimiterEvent;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Meters and event consumers belong to the shared instance, however it came into a registry. */
final class MetersTest extends CacheFixture {
    private static final RateLimiterConfig LIMIT = RateLimiterContract.config(10, Duration.ofHours(1), Duration.ZERO);
    private static final BulkheadConfig CALLS = BulkheadContract.config(5, Duration.ZERO);

    private final MeterRegistry meters = new SimpleMeterRegistry();

    private double gauge(String name) {
        return meters.get(name).tag("name", "backend").gauge().value();
    }

    /** What an event consumer registry does with each instance. */
    private static List<RateLimiterEvent> consumers(RateLimiterRegistry registry) {
        List<RateLimiterEvent> events = new CopyOnWriteArrayList<>();
        registry.getEventPublisher()
                .onEntryAdded(event -> event.getAddedEntry().getEventPublisher().onEvent(events::add))
                .onEntryReplaced(
                        event -> event.getNewEntry().getEventPublisher().onEvent(events::add));
        return events;
    }

    @Test
    void aRateLimiterThatIsAskedForByItsName() {
        RateLimiterRegistry registry = SharedRateLimiterRegistry.of(cache, LIMIT);
        TaggedRateLimiterMetrics.ofRateLimiterRegistry(registry).bindTo(meters);
        List<RateLimiterEvent> events = consumers(registry);
        registry.rateLimiter("backend", LIMIT).acquirePermission(3); // as the aspect of the annotation does
        SharedRateLimiter.of(cache, "backend", LIMIT).acquirePermission(2);
        assertInstanceOf(SharedRateLimiter.class, registry.rateLimiter("backend"));
        assertEquals(5, gauge("resilience4j.ratelimiter.available.permissions"));
        assertEquals(0, gauge("resilience4j.ratelimiter.waiting_threads"));
        assertEquals(1, events.size());
        assertEquals(3, events.get(0).getNumberOfPermits());
    }

    @Test
    void aRateLimiterThatReplacesAStockOne() {
        RateLimiterRegistry registry = RateLimiterRegistry.of(LIMIT);
        TaggedRateLimiterMetrics.ofRateLimiterRegistry(registry).bindTo(meters);
        List<RateLimiterEvent> events = consumers(registry);
        RateLimiter stock = registry.rateLimiter("backend");
        stock.acquirePermission();
        SharedRateLimiter shared = SharedRateLimiter.of(cache, "backend", LIMIT);
        registry.replace("backend", shared);
        assertSame(shared, registry.rateLimiter("backend"));
        events.clear();
        shared.acquirePermission(4);
        assertEquals(6, gauge("resilience4j.ratelimiter.available.permissions"));
        assertEquals(4, events.get(0).getNumberOfPermits());
    }

    @Test
    void aBulkheadThatIsAskedForByItsName() {
        BulkheadRegistry registry = SharedBulkheadRegistry.of(cache, CALLS);
        TaggedBulkheadMetrics.ofBulkheadRegistry(registry).bindTo(meters);
        Bulkhead bulkhead = registry.bulkhead("backend", CALLS);
        bulkhead.acquirePermission();
        SharedBulkhead.of(cache, "backend", CALLS).acquirePermission();
        assertInstanceOf(SharedBulkhead.class, bulkhead);
        assertEquals(3, gauge("resilience4j.bulkhead.available.concurrent.calls"));
        assertEquals(5, gauge("resilience4j.bulkhead.max.allowed.concurrent.calls"));
    }

    @Test
    void aBulkheadThatReplacesAStockOne() {
        BulkheadRegistry registry = BulkheadRegistry.of(CALLS);
        TaggedBulkheadMetrics.ofBulkheadRegistry(registry).bindTo(meters);
        registry.bulkhead("backend");
        registry.replace("backend", SharedBulkhead.of(cache, "backend", CALLS));
        registry.bulkhead("backend").acquirePermission();
        assertEquals(4, gauge("resilience4j.bulkhead.available.concurrent.calls"));
    }

    /** As the starters bind them. */
    @Test
    void publishersThatTheRegistryTellsOfItsInstances() {
        RateLimiterRegistry limiters = SharedRateLimiterRegistry.of(
                cache, Map.of("default", LIMIT), List.of(new TaggedRateLimiterMetricsPublisher(meters)), Map.of());
        BulkheadRegistry bulkheads = SharedBulkheadRegistry.of(
                cache, Map.of("default", CALLS), List.of(new TaggedBulkheadMetricsPublisher(meters)), Map.of());
        limiters.rateLimiter("backend").acquirePermission();
        bulkheads.bulkhead("backend").acquirePermission();
        assertEquals(9, gauge("resilience4j.ratelimiter.available.permissions"));
        assertEquals(4, gauge("resilience4j.bulkhead.available.concurrent.calls"));
    }

    @Test
    void aRegistryOfSmoothOnes() {
        RateLimiterRegistry limiters =
                SharedRateLimiterRegistry.smooth(cache, Map.of("default", LIMIT), List.of(), Map.of());
        RateLimiter limiter = limiters.rateLimiter("backend");
        assertEquals(0, limiter.reservePermission(10));
        limiter.changeTimeoutDuration(Duration.ofMinutes(6));
        long wait = limiter.reservePermission();
        assertEquals(6, Math.round(wait / 60e9), "a tenth of an hour");
    }

    @Test
    void aBreakerThatAnotherOpens() {
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(Resilience4jChild.config());
        CircuitBreakerRegistry other = CircuitBreakerRegistry.of(Resilience4jChild.config());
        TaggedCircuitBreakerMetrics.ofCircuitBreakerRegistry(registry).bindTo(meters);
        try (SharedCircuitBreakers here = SharedCircuitBreakers.attach(cache, registry, Policy.firstOpensAll());
                SharedCircuitBreakers there = SharedCircuitBreakers.attach(cache, other, Policy.firstOpensAll())) {
            CircuitBreaker breaker = registry.circuitBreaker("backend");
            for (int i = 0; i < 4; i++) {
                other.circuitBreaker("backend").onError(1, TimeUnit.MILLISECONDS, new IllegalStateException("failed"));
            }
            Awaitility.await().atMost(SOON).until(() -> breaker.getState() == CircuitBreaker.State.OPEN);
            assertEquals(
                    1,
                    meters.get("resilience4j.circuitbreaker.state")
                            .tag("name", "backend")
                            .tag("state", "open")
                            .gauge()
                            .value());
        }
    }
}

package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.resilience4j.SharedBulkheadRegistry;
import dev.latchkey.coordination.resilience4j.SharedCircuitBreakers;
import dev.latchkey.coordination.resilience4j.SharedCircuitBreakers.Policy;
import dev.latchkey.coordination.resilience4j.SharedRateLimiterRegistry;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.decorators.Decorators;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.retry.Retry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Calls a backend through Resilience4j, within limits that count for all processes together; run it in three terminals at once. */
public final class Resilience4jMain {
    private static final int CALLS = 20;

    private Resilience4jMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            // in place of RateLimiterRegistry.of and BulkheadRegistry.of; all else is as with Resilience4j alone
            RateLimiterRegistry limiters = SharedRateLimiterRegistry.of(
                    cache,
                    RateLimiterConfig.custom()
                            .limitForPeriod(10)
                            .limitRefreshPeriod(Duration.ofMillis(200))
                            .timeoutDuration(Duration.ofSeconds(20))
                            .build());
            BulkheadRegistry bulkheads = SharedBulkheadRegistry.of(
                    cache,
                    BulkheadConfig.custom()
                            .maxConcurrentCalls(2)
                            .maxWaitDuration(Duration.ofSeconds(20))
                            .build());

            // stock breakers, which open in all processes when one opens
            CircuitBreakerRegistry breakers = CircuitBreakerRegistry.ofDefaults();
            try (SharedCircuitBreakers shared = SharedCircuitBreakers.attach(cache, breakers, Policy.firstOpensAll())) {
                AtomicInteger attempts = new AtomicInteger();
                Supplier<Long> call = Decorators.ofSupplier(() -> backend(cache, attempts.incrementAndGet()))
                        .withRateLimiter(limiters.rateLimiter("backend"))
                        .withBulkhead(bulkheads.bulkhead("backend"))
                        .withCircuitBreaker(breakers.circuitBreaker("backend"))
                        .withRetry(Retry.ofDefaults("backend"))
                        .decorate();
                long most = 0;
                for (int i = 0; i < CALLS; i++) {
                    most = Math.max(most, call.get());
                }
                System.out.println(
                        "calls: " + CALLS + ", attempts: " + attempts + ", never more than 2 at once: " + (most <= 2));
                System.out.println(
                        "breaker: " + breakers.circuitBreaker("backend").getState() + " by " + shared);
            }
        }
    }

    /** How many are in here, of all processes; every tenth attempt fails. */
    private static long backend(Cache cache, int attempt) {
        long inside = cache.incr("inside");
        cache.incr("served");
        cache.decr("inside");
        if (attempt % 10 == 0) {
            throw new IllegalStateException("the backend failed");
        }
        return inside;
    }
}

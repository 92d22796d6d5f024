package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.resilience4j.SharedCircuitBreakers.Policy;
import dev.latchkey.testing.Child;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process that does what it is told, line by line. Instants are {@code System.nanoTime}, which is one clock for all processes of a
 * host.
 */
final class Resilience4jChild {
    static final int PROBES = 2;
    static final Duration OPEN = Duration.ofMillis(200);

    private Resilience4jChild() {}

    /** The thread that does it is one of which {@code Delay} can tell for how long it had no processor. */
    public static void main(String[] arguments) throws Exception {
        Child.start();
        Thread worker = new Thread(() -> work(Path.of(arguments[0])), "w");
        worker.start();
        worker.join();
    }

    private static void work(Path directory) {
        Cache cache = Cache.open(directory);
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(config());
        SharedCircuitBreakers shared = SharedCircuitBreakers.attach(cache, registry, Policy.firstOpensAll());
        CircuitBreaker breaker = registry.circuitBreaker("backend");
        Child.say("OPEN");
        while (true) {
            try {
                String[] command = Child.hear().split(" ", -1);
                Child.say(
                        switch (command[0]) {
                            case "use" ->
                                use(
                                        cache,
                                        command[1],
                                        Integer.parseInt(command[2]),
                                        Long.parseLong(command[3]),
                                        Path.of(command[4]));
                            case "enter" -> enter(cache, command[1], Integer.parseInt(command[2]));
                            case "fail" -> fail(breaker);
                            case "state" -> awaitState(breaker, CircuitBreaker.State.valueOf(command[1]));
                            case "probes" -> "PROBES " + probes(breaker);
                            case "refused" -> "REFUSED " + !breaker.tryAcquirePermission();
                            case "succeed" -> succeed(breaker);
                            case "close" -> close(shared, cache);
                            default -> "UNKNOWN " + command[0];
                        });
            } catch (Throwable t) {
                Child.say("FAILED " + t);
            }
        }
    }

    static CircuitBreakerConfig config() {
        return CircuitBreakerConfig.custom()
                .slidingWindowSize(4)
                .minimumNumberOfCalls(4)
                .permittedNumberOfCallsInHalfOpenState(PROBES)
                .waitDurationInOpenState(OPEN)
                .build();
    }

    static RateLimiter limiter(Cache cache, String name, int limit) {
        SharedRateLimiter.Builder builder = SharedRateLimiter.builder(
                cache, name, RateLimiterContract.config(limit, Resilience4jProcessTest.PERIOD, Duration.ZERO));
        return (name.startsWith("smooth") ? builder.smooth(Resilience4jProcessTest.BURST) : builder).build();
    }

    /** One thread asks again and again, and one reserves; notes between which two instants each permission was to be used. */
    private static String use(Cache cache, String name, int limit, long until, Path file) throws Exception {
        RateLimiter asking = limiter(cache, name, limit);
        RateLimiter reserving = limiter(cache, name, limit);
        reserving.changeTimeoutDuration(Duration.ofMillis(100));
        List<String> had = Collections.synchronizedList(new ArrayList<>());
        Thread thread = new Thread(() -> {
            for (long before = System.nanoTime(); before < until; before = System.nanoTime()) {
                if (asking.acquirePermission()) {
                    had.add(before + " " + System.nanoTime());
                }
            }
        });
        thread.start();
        for (long before = System.nanoTime(); before < until; before = System.nanoTime()) {
            long wait = reserving.reservePermission();
            long after = System.nanoTime();
            if (wait >= 0) {
                had.add((before + wait) + " " + (after + wait) + (wait > 0 ? " reserved" : ""));
                Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
            }
        }
        thread.join();
        Files.write(file, had);
        return "USED " + had.size();
    }

    private static String enter(Cache cache, String name, int calls) {
        SharedBulkhead bulkhead =
                SharedBulkhead.of(cache, name, BulkheadContract.config(calls, Duration.ofSeconds(20)));
        for (int i = 0; i < calls; i++) {
            bulkhead.acquirePermission();
        }
        return "ENTERED " + System.nanoTime();
    }

    private static String fail(CircuitBreaker breaker) {
        for (int i = 0; i < 4; i++) {
            breaker.onError(1, TimeUnit.MILLISECONDS, new IllegalStateException("failed"));
        }
        return "OPENED " + System.nanoTime();
    }

    private static String awaitState(CircuitBreaker breaker, CircuitBreaker.State state) throws InterruptedException {
        while (breaker.getState() != state) {
            Thread.sleep(0, 100_000);
        }
        return state + " " + System.nanoTime();
    }

    /** How many calls are let through once it is half open here. */
    private static int probes(CircuitBreaker breaker) throws InterruptedException {
        while (!breaker.tryAcquirePermission()) {
            Thread.sleep(1);
        }
        int probes = 1;
        while (breaker.tryAcquirePermission()) {
            probes++;
        }
        return probes;
    }

    private static String succeed(CircuitBreaker breaker) {
        for (int i = 0; i < PROBES; i++) {
            breaker.onSuccess(1, TimeUnit.MILLISECONDS);
        }
        return "SUCCEEDED";
    }

    private static String close(SharedCircuitBreakers shared, Cache cache) {
        shared.close();
        cache.close();
        return "CLOSED";
    }
}

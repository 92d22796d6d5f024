package dev.latchkey.coordination.resilience4j;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.coordination.CacheFixture;
import dev.latchkey.coordination.resilience4j.SharedCircuitBreakers.Policy;
import dev.latchkey.testing.Stalls;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Breakers of several registries, each of which is to the others what one of another process is. */
final class SharedCircuitBreakersTest extends CacheFixture {
    private static final int PROBES = 2;
    private static final Duration MOST = Duration.ofMillis(100);
    /** Until the store has been told that a breaker opened, it counts by itself how long it is open. */
    private static final Duration LONG_ENOUGH_TO_BE_TOLD = Duration.ofSeconds(2);

    private final List<CircuitBreaker> breakers = new ArrayList<>();
    private final List<SharedCircuitBreakers> shared = new ArrayList<>();

    private static CircuitBreakerConfig config(Duration wait) {
        return CircuitBreakerConfig.custom()
                .slidingWindowSize(4)
                .minimumNumberOfCalls(4)
                .failureRateThreshold(50)
                .permittedNumberOfCallsInHalfOpenState(PROBES)
                .waitDurationInOpenState(wait)
                .build();
    }

    /** One registry more, attached, and its breaker. */
    private CircuitBreaker member(Policy policy, Duration wait) {
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(config(wait));
        shared.add(SharedCircuitBreakers.attach(cache, registry, policy));
        CircuitBreaker breaker = registry.circuitBreaker("backend");
        breakers.add(breaker);
        return breaker;
    }

    private void members(int number, Policy policy, Duration wait) {
        for (int i = 0; i < number; i++) {
            member(policy, wait);
        }
    }

    private static void fail(CircuitBreaker breaker) {
        for (int i = 0; i < 4; i++) {
            breaker.onError(1, TimeUnit.MILLISECONDS, new IllegalStateException("failed"));
        }
    }

    private void awaitAll(State state) {
        breakers.forEach(breaker -> awaitState(breaker, state));
    }

    private static void awaitState(CircuitBreaker breaker, State state) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(() -> breaker.getState() == state);
    }

    /** It is not to come, for as long as it would otherwise take several times. */
    private static void assertStays(CircuitBreaker breaker, State state) {
        await().during(Duration.ofMillis(250))
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> breaker.getState() == state);
    }

    /** Has a breaker refuse calls until it may probe, and answers how many it lets through then. */
    private static int awaitProbes(CircuitBreaker breaker) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(breaker::tryAcquirePermission);
        int probes = 1;
        while (breaker.tryAcquirePermission()) {
            probes++;
        }
        return probes;
    }

    private static void succeed(CircuitBreaker breaker, int calls) {
        for (int i = 0; i < calls; i++) {
            breaker.onSuccess(1, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void theFirstToOpenOpensAllSoon() {
        members(3, Policy.firstOpensAll(), SOON);
        Duration unmeasured = openAll(); // which loads classes
        breakers.get(0).transitionToClosedState();
        awaitAll(State.CLOSED);
        Duration took = openAll();
        assertTrue(took.compareTo(MOST) <= 0, "took " + took + ", and before that " + unmeasured);
        assertFalse(breakers.get(2).tryAcquirePermission());
    }

    /** How long it takes, without the time for which the machine stood still. */
    private Duration openAll() {
        try (Stalls stalls = new Stalls()) {
            fail(breakers.get(0));
            long start = System.nanoTime();
            awaitAll(State.OPEN);
            long end = System.nanoTime();
            return Duration.ofNanos(end - start - stalls.nanosWithin(start, end));
        }
    }

    @Test
    void oneThatComesLaterOpensToo() {
        fail(member(Policy.firstOpensAll(), SOON));
        CircuitBreaker second = member(Policy.firstOpensAll(), SOON);
        awaitState(second, State.OPEN);
    }

    @Test
    void oneThatIsOpenWhenItComesOpensAll() {
        CircuitBreaker first = member(Policy.firstOpensAll(), SOON);
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(config(SOON));
        fail(registry.circuitBreaker("backend"));
        shared.add(SharedCircuitBreakers.attach(cache, registry, Policy.firstOpensAll()));
        awaitState(first, State.OPEN);
    }

    @Test
    void oneMemberProbesAndAllClose() {
        members(3, Policy.firstOpensAll(), LONG_ENOUGH_TO_BE_TOLD);
        fail(breakers.get(0));
        awaitAll(State.OPEN);
        assertEquals(PROBES, awaitProbes(breakers.get(1)));
        for (int i = 0; i < 100; i++) {
            assertFalse(breakers.get(0).tryAcquirePermission(), "more probes than permitted");
            assertFalse(breakers.get(2).tryAcquirePermission(), "more probes than permitted");
        }
        long end = System.nanoTime() + Duration.ofMillis(250).toNanos();
        while (System.nanoTime() < end) { // also after the time that it would be open by itself
            assertFalse(breakers.get(2).tryAcquirePermission(), "another one probes");
            LockSupport.parkNanos(1_000_000);
        }
        succeed(breakers.get(1), PROBES);
        awaitAll(State.CLOSED);
    }

    @Test
    void aFailedProbeKeepsAllOpenForTheirTime() {
        members(2, Policy.firstOpensAll(), Duration.ofMillis(50));
        fail(breakers.get(0));
        awaitAll(State.OPEN);
        awaitProbes(breakers.get(0));
        fail(breakers.get(0));
        awaitAll(State.OPEN);
        assertEquals(PROBES, awaitProbes(breakers.get(1)));
        succeed(breakers.get(1), PROBES);
        awaitAll(State.CLOSED);
    }

    @Test
    void aMemberWithoutCallsLetsAnotherProbe() {
        members(2, Policy.firstOpensAll(), LONG_ENOUGH_TO_BE_TOLD);
        fail(breakers.get(0));
        awaitAll(State.OPEN);
        awaitProbes(breakers.get(0));
        breakers.get(0).releasePermission();
        assertFalse(breakers.get(1).tryAcquirePermission());
        await().during(Duration.ofMillis(1500))
                .atMost(SOON)
                .until(() -> !breakers.get(1).tryAcquirePermission()); // one probe is under way still
        breakers.get(0).releasePermission();
        assertEquals(PROBES, awaitProbes(breakers.get(1)));
        assertFalse(breakers.get(0).tryAcquirePermission());
        succeed(breakers.get(1), PROBES);
        awaitAll(State.CLOSED);
    }

    @Test
    void aQuorumOpensAllAndFewerDoNot() {
        members(3, Policy.quorum(2), SOON);
        fail(breakers.get(0));
        assertStays(breakers.get(1), State.CLOSED);
        assertEquals(State.OPEN, breakers.get(0).getState());
        fail(breakers.get(1));
        awaitAll(State.OPEN);
    }

    @Test
    void whoeverHasClosedHasNoVote() {
        members(3, Policy.quorum(2), SOON);
        fail(breakers.get(0));
        assertStays(breakers.get(1), State.CLOSED);
        breakers.get(0).transitionToClosedState();
        assertStays(breakers.get(0), State.CLOSED);
        fail(breakers.get(1));
        assertStays(breakers.get(2), State.CLOSED);
        fail(breakers.get(0));
        awaitAll(State.OPEN);
    }

    @Test
    void onlyAnOperatorOpensAllIfThePolicySaysSo() {
        members(2, Policy.operatorOnly(), SOON);
        fail(breakers.get(0));
        assertStays(breakers.get(1), State.CLOSED);
        assertEquals(State.OPEN, breakers.get(0).getState());
        breakers.get(1).transitionToForcedOpenState();
        awaitAll(State.FORCED_OPEN);
        breakers.get(0).transitionToClosedState();
        awaitAll(State.CLOSED);
    }

    @Test
    void whatAnOperatorWantsCountsForAllWithEveryPolicy() {
        members(2, Policy.firstOpensAll(), SOON);
        breakers.get(0).transitionToDisabledState();
        awaitAll(State.DISABLED);
        breakers.get(1).transitionToMetricsOnlyState();
        awaitAll(State.METRICS_ONLY);
        breakers.get(0).transitionToForcedOpenState();
        awaitAll(State.FORCED_OPEN);
        breakers.get(1).reset();
        awaitAll(State.CLOSED);
        fail(breakers.get(0));
        awaitAll(State.OPEN);
        breakers.get(1).transitionToClosedState();
        awaitAll(State.CLOSED);
    }

    @Test
    void nothingComesBackAsAnEcho() {
        members(3, Policy.firstOpensAll(), SOON);
        List<String> transitions = new java.util.concurrent.CopyOnWriteArrayList<>();
        breakers.forEach(breaker -> breaker.getEventPublisher()
                .onStateTransition(
                        event -> transitions.add(event.getStateTransition().name())));
        fail(breakers.get(0));
        awaitAll(State.OPEN);
        assertStays(breakers.get(1), State.OPEN);
        assertEquals(List.of("CLOSED_TO_OPEN", "CLOSED_TO_OPEN", "CLOSED_TO_OPEN"), transitions);
        assertEquals(1, stored().epoch());
    }

    private BreakerState stored() {
        return BreakerState.of(cache.unwrap(CoordinationEngine.class)
                .states()
                .read(
                        BreakerState.KIND,
                        RowName.CIRCUIT_BREAKER.of("backend"),
                        dev.latchkey.cache.spi.Deadline.never()));
    }

    @Test
    void whatIsClosedGoesOnByItself() {
        members(2, Policy.firstOpensAll(), Duration.ofSeconds(3));
        fail(breakers.get(0));
        awaitAll(State.OPEN);
        shared.get(1).close();
        assertFalse(breakers.get(1).tryAcquirePermission());
        assertEquals(PROBES, awaitProbes(breakers.get(1)));
        succeed(breakers.get(1), PROBES);
        assertEquals(State.CLOSED, breakers.get(1).getState());
        assertStays(breakers.get(0), State.OPEN);
    }

    @Test
    void aCacheThatIsClosedLetsThemGoOnByThemselves() {
        members(1, Policy.firstOpensAll(), Duration.ofMillis(100));
        fail(breakers.get(0));
        awaitState(breakers.get(0), State.OPEN);
        cache.close();
        assertEquals(PROBES, awaitProbes(breakers.get(0)));
        shared.get(0).close();
    }

    @Test
    void whoeverIsClosedProbesNoMore() {
        members(2, Policy.firstOpensAll(), Duration.ofMillis(20));
        fail(breakers.get(0));
        awaitAll(State.OPEN);
        awaitProbes(breakers.get(0));
        shared.get(0).close();
        assertEquals(PROBES, awaitProbes(breakers.get(1)));
    }

    @Test
    void aBreakerThatIsRemovedOrReplacedIsFollowedNoMore() {
        CircuitBreaker first = member(Policy.firstOpensAll(), SOON);
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(config(SOON));
        shared.add(SharedCircuitBreakers.attach(cache, registry, Policy.firstOpensAll()));
        CircuitBreaker old = registry.circuitBreaker("backend");
        CircuitBreaker other = CircuitBreaker.of("backend", config(SOON));
        registry.replace("backend", other);
        fail(old);
        assertStays(first, State.CLOSED);
        fail(first);
        awaitState(other, State.OPEN);
        registry.remove("backend");
        first.transitionToClosedState();
        assertStays(other, State.OPEN);
    }

    /** Whatever it does while it is followed for the first time. */
    @Test
    void aBreakerThatIsRemovedWhileItBeginsIsFollowedNoMore() throws Exception {
        CircuitBreaker first = member(Policy.firstOpensAll(), SOON);
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(config(SOON));
        shared.add(SharedCircuitBreakers.attach(cache, registry, Policy.firstOpensAll()));
        CircuitBreaker stock = CircuitBreaker.of("backend", config(SOON));
        CountDownLatch removed = new CountDownLatch(1);
        CircuitBreaker watched = (CircuitBreaker) Proxy.newProxyInstance(
                CircuitBreaker.class.getClassLoader(), new Class<?>[] {CircuitBreaker.class}, (proxy, method, args) -> {
                    if (method.getName().equals("getState") && removed.getCount() > 0) {
                        registry.remove("backend");
                        fail(stock);
                        removed.countDown();
                    }
                    return switch (method.getName()) {
                        case "equals" -> Proxy.isProxyClass(args[0].getClass());
                        case "hashCode" -> System.identityHashCode(proxy);
                        default -> method.invoke(stock, args);
                    };
                });
        registry.circuitBreaker("backend");
        registry.replace("backend", watched);
        assertTrue(removed.await(20, TimeUnit.SECONDS));
        assertEquals(State.OPEN, stock.getState());
        assertStays(first, State.CLOSED);
    }

    @Test
    void aBusyDatabaseDelaysNoCall() throws Exception {
        members(2, Policy.firstOpensAll(), SOON);
        awaitAll(State.CLOSED);
        try (BusyDatabase busy = new BusyDatabase()) {
            fail(breakers.get(0));
            assertFalse(breakers.get(0).tryAcquirePermission());
            assertFalse(busy.isOver(), "waited for its end");
            assertEquals(State.CLOSED, breakers.get(1).getState());
        }
        awaitAll(State.OPEN);
    }

    @Test
    void aQuorumHasAtLeastOne() {
        assertThrows(IllegalArgumentException.class, () -> Policy.quorum(0));
    }

    /** Who asks the store for what, as an engine says that counts it. */
    private Cache counting(Map<String, Integer> calls) {
        StateStore states =
                proxy(StateStore.class, cache.unwrap(CoordinationEngine.class).states(), (method, result) -> {
                    calls.merge(Thread.currentThread().getName() + " " + method, 1, Integer::sum);
                    return result;
                });
        CoordinationEngine engine = proxy(
                CoordinationEngine.class,
                cache.unwrap(CoordinationEngine.class),
                (method, result) -> method.equals("states") ? states : result);
        return proxy(Cache.class, cache, (method, result) -> method.equals("unwrap") ? engine : result);
    }

    private interface After {
        Object result(String method, Object result);
    }

    private static <T> T proxy(Class<T> type, T of, After after) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, args) -> {
            try {
                return after.result(method.getName(), method.invoke(of, args));
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }

    @Test
    void aMillionCallsOfAClosedBreakerCommitAndReadNothing() {
        Map<String, Integer> calls = new ConcurrentHashMap<>();
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(config(SOON));
        try (SharedCircuitBreakers attached =
                SharedCircuitBreakers.attach(counting(calls), registry, Policy.firstOpensAll())) {
            CircuitBreaker breaker = registry.circuitBreaker("backend");
            String look = "latchkey-breakers list";
            await().atMost(SOON).until(() -> calls.containsKey("latchkey-breakers update"));
            int before = calls.getOrDefault(look, 0);
            await().atMost(SOON).until(() -> calls.getOrDefault(look, 0) > before); // it has begun to follow
            calls.clear();
            long start = System.nanoTime();
            for (int i = 0; i < 1_000_000; i++) {
                if (!breaker.tryAcquirePermission()) {
                    throw new AssertionError("refused");
                }
            }
            long millis = (System.nanoTime() - start) / 1_000_000;
            int looks = calls.getOrDefault(look, 0);
            calls.remove(look);
            assertEquals(Map.of(), calls, "somebody asked the store");
            assertTrue(looks <= 2 + millis / 40, looks + " looks in " + millis + " ms");
            fail(breaker);
            await().atMost(SOON).until(() -> calls.containsKey("latchkey-breakers update"));
            assertFalse(calls.keySet().stream().anyMatch(who -> !who.startsWith("latchkey-breakers")), calls::toString);
        }
    }

    @Test
    void transitionsAreToldWhileCallsGoOn() throws Exception {
        members(2, Policy.firstOpensAll(), Duration.ofMillis(5));
        AtomicBoolean end = new AtomicBoolean();
        var caller = threads.submit(() -> {
            while (!end.get()) {
                for (CircuitBreaker breaker : breakers) {
                    if (breaker.tryAcquirePermission()) {
                        breaker.onSuccess(1, TimeUnit.MILLISECONDS);
                    }
                }
            }
        });
        for (int i = 0; i < 20; i++) {
            fail(breakers.get(i % 2));
            fail(breakers.get(i % 2));
            awaitAll(State.CLOSED);
        }
        end.set(true);
        get(caller);
    }
}

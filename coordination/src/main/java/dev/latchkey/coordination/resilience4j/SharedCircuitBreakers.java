package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/*
 * One thread for all breakers of a registry does all that has to do with the store. It sleeps until the bell is rung, by a change in
 * the store or by a breaker of this process, and looks every 40 ms in any case. What a breaker does by itself is noted by its event
 * consumers, on the threads of the callers, and told to the store by this thread; what this thread does to a breaker is not noted. So
 * no caller ever waits for the store, and nothing that came from the store goes back there.
 */
/**
 * Circuit breakers of Resilience4j that open, close and are forced open in all processes which open one directory. The breakers are the
 * stock ones, each with its own window; what is shared is the outcome.
 *
 * <pre>{@code
 * CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(config);
 * SharedCircuitBreakers shared = SharedCircuitBreakers.attach(cache, registry, Policy.firstOpensAll());
 * CircuitBreaker backend = registry.circuitBreaker("backend");
 * Supplier<Page> guarded = CircuitBreaker.decorateSupplier(backend, this::fetch);
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> It follows the breakers that the registry has and those that come; breakers of one name are one in all
 * processes that attach theirs to the directory. All are to have the same policy and configuration; a rate limiter or bulkhead may have the
 * same name. A breaker that is attached while the others are open opens. The last state stays stored when all processes have ended.
 *
 * <p><b>Opening.</b> By {@link Policy#firstOpensAll} all are open as soon as one has opened by the calls it saw; by {@link Policy#quorum} as soon
 * as so many have, of those that live; by {@link Policy#operatorOnly} each opens for itself. What an operator wants, {@code
 * transitionToForcedOpenState}, {@code transitionToDisabledState}, {@code transitionToMetricsOnlyState} and whatever ends these, counts for all, and
 * calls do not undo it.
 *
 * <p><b>Half open.</b> When they have been open for the time that the configuration says (that of {@code waitIntervalFunctionInOpenState}, also after
 * {@code transitionToOpenStateFor}), the first process in which a call is refused may probe; that call stays refused, those after it are let
 * through, {@code permittedNumberOfCallsInHalfOpenState} of them in all processes together. The others stay open until it has found out: then all are
 * closed, or open again. If it has no calls in flight and none has ended for a second while another process has calls, that one may probe.
 *
 * <p><b>Blocking.</b> No call of a breaker looks at the store, in whatever state it is; a thread of its own tells and follows changes, which
 * takes a few milliseconds, and 50 if a wake-up is lost. While the database is busy nothing is shared, and breakers stay as they are. {@link
 * #close} waits for that thread.
 *
 * <p><b>Crashes.</b> If the process that probes dies, another one that has calls may probe within 50 milliseconds, and all of the permitted calls
 * are there again. Votes of the dead do not count. What is open stays open for its time.
 *
 * <p><b>Thread safety.</b> Any thread may attach and close.
 *
 * <p><b>Errors.</b> A breaker whose name has more than 900 characters is an {@link IllegalArgumentException} where it is made. A cache that is
 * closed closes this too.
 *
 * <p><b>Source.</b> Asked for in Resilience4j's issue 1756; its maintainers want no call of a store in the path of a call.
 */
public final class SharedCircuitBreakers implements AutoCloseable {
    private static final AtomicLong NUMBERS = new AtomicLong();
    private static final long LOOK_NANOS = Duration.ofMillis(40).toNanos();

    private final CoordinationEngine engine;
    private final Policy policy;
    private final long number = NUMBERS.incrementAndGet();
    private final Map<CircuitBreaker, SharedBreaker> breakers = new ConcurrentHashMap<>();
    private final Attached attached;
    private final Thread worker;
    private volatile boolean closed;

    private SharedCircuitBreakers(CoordinationEngine engine, Policy policy) {
        this.engine = engine;
        this.policy = policy;
        this.attached = engine.attachment(Attached.class, Attached::new);
        this.worker = new Thread(this::work, "latchkey-breakers");
        worker.setDaemon(true);
    }

    /** When breakers that have opened by the calls they saw open all others. */
    public static final class Policy {
        private final int quorum;

        private Policy(int quorum) {
            this.quorum = quorum;
        }

        /**
         * The first to open opens all.
         *
         * @return the policy
         */
        public static Policy firstOpensAll() {
            return new Policy(1);
        }

        /**
         * So many processes have to have opened theirs; until then each is open for itself.
         *
         * @param processes how many, at least 1
         * @return the policy
         * @throws IllegalArgumentException if it is below 1
         */
        public static Policy quorum(int processes) {
            if (processes < 1) {
                throw new IllegalArgumentException("processes must be > 0, was " + processes);
            }
            return new Policy(processes);
        }

        /**
         * Never: only what an operator wants counts for all.
         *
         * @return the policy
         */
        public static Policy operatorOnly() {
            return new Policy(0);
        }

        @Override
        public String toString() {
            return quorum == 0 ? "operatorOnly" : "quorum " + quorum;
        }
    }

    /** Those of one directory in this process, which end with its engine. */
    private static final class Attached implements AutoCloseable {
        private final Set<SharedCircuitBreakers> all = ConcurrentHashMap.newKeySet();

        Attached(CoordinationEngine engine) {}

        @Override
        public void close() {
            all.forEach(SharedCircuitBreakers::close);
        }
    }

    /**
     * Shares the breakers of a registry, from now on until it is closed.
     *
     * @param cache the directory
     * @param registry the breakers
     * @param policy when all open
     * @return what ends it
     * @throws IllegalArgumentException if the cache does not support coordination
     */
    public static SharedCircuitBreakers attach(Cache cache, CircuitBreakerRegistry registry, Policy policy) {
        CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
        SharedCircuitBreakers shared = new SharedCircuitBreakers(engine, Objects.requireNonNull(policy, "policy"));
        shared.attached.all.add(shared);
        registry.getEventPublisher()
                .onEntryAdded(event -> shared.add(event.getAddedEntry()))
                .onEntryRemoved(event -> shared.remove(event.getRemovedEntry()))
                .onEntryReplaced(event -> {
                    shared.remove(event.getOldEntry());
                    shared.add(event.getNewEntry());
                });
        registry.getAllCircuitBreakers().forEach(shared::add);
        shared.worker.start();
        return shared;
    }

    private void add(CircuitBreaker breaker) {
        if (!closed && breakers.putIfAbsent(breaker, new SharedBreaker(this, breaker)) == null) {
            Objects.requireNonNull(breakers.get(breaker)).listen();
            ring();
        }
    }

    private void remove(CircuitBreaker breaker) {
        SharedBreaker removed = breakers.get(breaker);
        if (removed != null) {
            removed.leave();
            ring();
        }
    }

    // For its breakers

    CoordinationEngine engine() {
        return engine;
    }

    int quorum() {
        return policy.quorum;
    }

    long number() {
        return number;
    }

    boolean isWorker() {
        return Thread.currentThread() == worker;
    }

    void ring() {
        if (!closed) {
            engine.signal().ring(BreakerState.BELL);
        }
    }

    // The thread

    private void work() {
        try {
            while (!closed) {
                int seen = engine.signal().seen(BreakerState.BELL);
                look();
                if (!closed) {
                    engine.signal().await(BreakerState.BELL, seen, LOOK_NANOS);
                }
            }
            breakers.values().forEach(SharedBreaker::leave);
            look();
        } catch (CacheClosedException e) {
            // the engine was closed without us
        } finally {
            breakers.values().forEach(SharedBreaker::handBack);
        }
    }

    private void look() {
        try {
            Map<String, State> rows = new HashMap<>();
            for (State row : engine.states().list(BreakerState.KIND, Deadline.never())) {
                rows.put(row.name(), row);
            }
            for (SharedBreaker breaker : breakers.values()) {
                breaker.look(rows.get(breaker.row()));
                if (breaker.hasLeft()) {
                    breakers.values().remove(breaker);
                    breaker.handBack();
                }
            }
        } catch (CacheClosedException e) {
            throw e;
        } catch (CacheException e) {
            // busy: the next look will do
        }
    }

    /** Ends it: each breaker goes on by itself from the state in which it is. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            engine.signal().ring(BreakerState.BELL);
        }
        boolean interrupted = false;
        while (worker.isAlive() && !isWorker()) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        attached.all.remove(this);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return "SharedCircuitBreakers[" + policy + " in " + engine.directory() + "]";
    }
}

package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.coordination.resilience4j.BreakerState.Actor;
import dev.latchkey.coordination.resilience4j.BreakerState.Change;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** One breaker of this process, which follows what is stored and tells what it does by itself. */
final class SharedBreaker {
    /** An open breaker is told to stay so for as long; when it is half open is decided by the store. */
    private static final Duration FOR_EVER = Duration.ofDays(36_500);

    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final long IDLE_NANOS = Duration.ofSeconds(1).toNanos();

    private final SharedCircuitBreakers shared;
    private final CoordinationEngine engine;
    private final CircuitBreaker breaker;
    private final CircuitBreakerConfig config;
    private final String row;

    /** What it did by itself, and the store has not been told. */
    private final Queue<Change> changes = new ConcurrentLinkedQueue<>();
    /** A call was refused that could be a probe. */
    private volatile boolean wanted;
    /** From when on a refused call could be one. */
    private volatile long probeFromNanos = Long.MAX_VALUE;
    /** When a probe ended, or probing began. */
    private volatile long progressNanos;

    private volatile boolean leaving;
    private boolean left;

    // of the one thread
    private @Nullable BreakerState followed;
    private boolean begun;

    SharedBreaker(SharedCircuitBreakers shared, CircuitBreaker breaker) {
        this.shared = shared;
        this.engine = shared.engine();
        this.breaker = breaker;
        this.config = breaker.getCircuitBreakerConfig();
        this.row = RowName.CIRCUIT_BREAKER.of(breaker.getName());
    }

    String row() {
        return row;
    }

    // On the threads of callers

    void listen() {
        breaker.getEventPublisher()
                .onStateTransition(event -> note(
                        event.getStateTransition().getFromState(),
                        event.getStateTransition().getToState()))
                .onCallNotPermitted(event -> want())
                .onSuccess(event -> progressNanos = now())
                .onError(event -> progressNanos = now())
                .onIgnoredError(event -> progressNanos = now());
    }

    private long now() {
        return engine.clock().nanos();
    }

    private void note(State from, State to) {
        if (!shared.isWorker() && !leaving) {
            changes.add(new Change(from, to));
            shared.ring();
        }
    }

    private void want() {
        if (!wanted && now() >= probeFromNanos && !shared.isWorker() && !leaving) {
            wanted = true;
            shared.ring();
        }
    }

    /** It is to follow no more. */
    void leave() {
        leaving = true;
    }

    boolean hasLeft() {
        return left;
    }

    // On the one thread

    private Actor actor() {
        return Actor.of(
                engine.sessions().self(Deadline.after(PATIENCE)).id(),
                shared.number(),
                engine.clock(),
                engine.sessions()::isDead);
    }

    private BreakerState update(
            BiFunction<dev.latchkey.cache.spi.State, Actor, Decision<BreakerState>> rule, Actor actor) {
        return engine.states()
                .update(BreakerState.KIND, row, null, from -> rule.apply(from, actor), Deadline.after(PATIENCE))
                .result();
    }

    /** Tells what it did, and follows what is stored. */
    void look(dev.latchkey.cache.spi.@Nullable State stored) {
        BreakerState state = stored == null ? BreakerState.NEW : BreakerState.of(stored);
        if (!begun && leaving) {
            left = true; // what it has done since is not for the others
            return;
        }
        if (!begun) {
            state = begin();
        }
        boolean told = false;
        for (Change change = changes.peek(); change != null; change = changes.peek()) {
            Change next = change;
            state = update(
                    (from, actor) -> BreakerState.changed(from, next, shared.quorum(), this::wait, actor), actor());
            changes.remove();
            told = true;
        }
        if (leaving) {
            if (!state.votes().isEmpty() || state.state() == State.HALF_OPEN) {
                followed = update(BreakerState::left, actor());
            }
            left = true;
            return;
        }
        follow(state, told);
        if (isDue(state)) {
            follow(update(BreakerState::wanted, actor()), false);
        } else if (state.wished() && isIdleProber(state)) {
            handOn();
        }
    }

    /**
     * A breaker that is not closed when it comes has opened, unless something else is stored. The session is opened now, and not when
     * others wait to be told.
     */
    private BreakerState begin() {
        BreakerState state = update((from, actor) -> Decision.keep(from, BreakerState.of(from)), actor());
        State own = breaker.getState();
        if (state.state() == State.CLOSED) {
            followed = state;
            boolean before = !leaving; // asked after its state: what it has done since it left is not for the others
            if (before && own != State.CLOSED && changes.isEmpty()) {
                changes.add(new Change(State.CLOSED, own));
            }
        }
        begun = true;
        return state;
    }

    private long wait(int attempts) {
        return TimeUnit.MILLISECONDS.toNanos(
                config.getWaitIntervalFunctionInOpenState().apply(attempts));
    }

    private void follow(BreakerState state, boolean again) {
        boolean sameEpoch = followed != null && followed.epoch() == state.epoch();
        boolean openForItself = state.state() == State.CLOSED && sameEpoch;
        if (sameEpoch && (!again || openForItself)) {
            followed = state;
            return;
        }
        try {
            become(state);
        } catch (IllegalStateTransitionException e) {
            return; // a caller was faster, and that is told at the next look
        }
        followed = state;
        wanted = config.isAutomaticTransitionFromOpenToHalfOpenEnabled();
    }

    private void become(BreakerState state) {
        Actor actor = actor();
        State target =
                state.state() == State.HALF_OPEN && !state.prober().equals(actor.member()) ? State.OPEN : state.state();
        State own = breaker.getState();
        if (own == State.METRICS_ONLY && (target == State.OPEN || target == State.HALF_OPEN)) {
            breaker.transitionToClosedState(); // there is no other way
        }
        progressNanos = actor.nanos();
        switch (target) {
            case OPEN ->
                breaker.transitionToOpenStateUntil(config.getClock().instant().plus(FOR_EVER));
            case HALF_OPEN -> halfOpen();
            case CLOSED -> {
                if (own != State.CLOSED) {
                    breaker.transitionToClosedState();
                }
            }
            case FORCED_OPEN -> {
                if (own != State.FORCED_OPEN) {
                    breaker.transitionToForcedOpenState();
                }
            }
            case DISABLED -> {
                if (own != State.DISABLED) {
                    breaker.transitionToDisabledState();
                }
            }
            case METRICS_ONLY -> {
                if (own != State.METRICS_ONLY) {
                    breaker.transitionToMetricsOnlyState();
                }
            }
        }
        probeFromNanos = target == State.OPEN ? actor.nanos() + state.leftNanos(actor) : Long.MAX_VALUE;
    }

    private void halfOpen() {
        if (breaker.getState() == State.CLOSED) {
            breaker.transitionToOpenState(); // there is no other way
        }
        if (breaker.getState() != State.HALF_OPEN) {
            breaker.transitionToHalfOpenState();
        }
    }

    /** Whether this one could probe, or has not told yet that it would. */
    private boolean isDue(BreakerState state) {
        if (!wanted) {
            return false;
        }
        Actor actor = actor();
        return switch (state.state()) {
            case OPEN -> state.leftNanos(actor) == 0;
            case HALF_OPEN ->
                !state.prober().equals(actor.member()) && (!state.wished() || actor.hasDied(state.prober()));
            default -> false;
        };
    }

    private boolean isIdleProber(BreakerState state) {
        return state.state() == State.HALF_OPEN
                && state.prober().equals(actor().member())
                && now() - progressNanos >= IDLE_NANOS;
    }

    /** Lets another one probe, if no probe is under way here: then all permissions that are not used up can be had. */
    private void handOn() {
        if (breaker.getState() != State.HALF_OPEN) {
            return;
        }
        int unused = config.getPermittedNumberOfCallsInHalfOpenState()
                - breaker.getMetrics().getNumberOfBufferedCalls();
        int taken = 0;
        while (taken < unused && breaker.tryAcquirePermission()) {
            taken++;
        }
        boolean handedOn = false;
        try {
            if (taken == unused) {
                follow(update(BreakerState::left, actor()), false);
                handedOn = true;
            }
        } finally {
            for (int i = 0; i < taken && !handedOn; i++) {
                breaker.releasePermission();
            }
        }
    }

    /** It goes on by itself: an open one for the time that is left. */
    void handBack() {
        BreakerState last = followed;
        if (last != null && breaker.getState() == State.OPEN && last.state() != State.CLOSED) {
            long until = last.boot().equals(engine.clock().bootId()) ? last.untilNanos() : 0;
            Instant end = config.getClock().instant().plusNanos(Math.max(0, until - now()));
            breaker.transitionToOpenStateUntil(end);
        }
    }
}

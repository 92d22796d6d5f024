package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.HostClock;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongPredicate;

/**
 * What is decided about a circuit breaker for all processes. A member is a breaker of this name in one process. Legal transitions, each
 * one update of the row; each but those of votes and of the wish begins a new epoch, which every member follows:
 *
 * <pre>
 *   CLOSED    -> CLOSED, one vote more   a member opened, and the votes of the living are fewer than the policy wants
 *   CLOSED    -> CLOSED, one vote less   a member that voted has closed
 *   CLOSED    -> OPEN(until)             a member opened, otherwise
 *   OPEN      -> HALF_OPEN(prober)       its time is over, and a member has a call that it would let through
 *   HALF_OPEN -> HALF_OPEN, wished       another member has a call as well
 *   HALF_OPEN -> OPEN(now)               the prober has no use for it, or is closed
 *   HALF_OPEN -> HALF_OPEN(another)      the prober is dead, and another member has a call
 *   HALF_OPEN -> OPEN(until)             the prober opened again
 *   OPEN, HALF_OPEN -> CLOSED            a member closed: the prober found all well, or an operator wanted it
 *   any       -> FORCED_OPEN, DISABLED, METRICS_ONLY     an operator wanted it
 *   FORCED_OPEN, DISABLED, METRICS_ONLY -> any           an operator ended that
 * </pre>
 *
 * @param state what every member follows; in HALF_OPEN all but the prober stay open
 * @param epoch grows with every change that members follow
 * @param attempts how often it opened since it was closed
 * @param untilNanos when OPEN is over, on the host clock of the boot; after a boot it is
 * @param boot which boot that counts from
 * @param prober the member that may probe, empty if none
 * @param wished whether another member wants to
 * @param votes the members that have opened by themselves
 */
record BreakerState(
        State state,
        long epoch,
        int attempts,
        long untilNanos,
        String boot,
        String prober,
        boolean wished,
        Set<String> votes) {
    static final String KIND = "circuitbreaker";
    /** What is rung whenever a breaker changes. */
    static final String BELL = "resilience4j/circuitbreaker";

    /** What is not stored is closed. */
    static final BreakerState NEW = new BreakerState(State.CLOSED, 0, 0, 0, "", "", false, Set.of());

    /**
     * Who acts, and when.
     *
     * @param member the member
     * @param nanos the host clock
     * @param boot its boot
     * @param isDead whether a session is
     */
    record Actor(String member, long nanos, String boot, LongPredicate isDead) {
        static Actor of(long session, long number, HostClock clock, LongPredicate isDead) {
            return new Actor(session + "." + number, clock.nanos(), clock.bootId(), isDead);
        }

        boolean hasDied(String who) {
            return isDead.test(Long.parseLong(who.substring(0, who.indexOf('.'))));
        }
    }

    /**
     * What a member did by itself, or an operator with it.
     *
     * @param from its state before
     * @param to its state after
     */
    record Change(State from, State to) {}

    /** How long to stay open, for a number of attempts. */
    interface Wait {
        long nanos(int attempts);
    }

    static BreakerState of(dev.latchkey.cache.spi.State row) {
        return row.exists() ? parse(row.detail()) : NEW;
    }

    static BreakerState parse(String detail) {
        Map<String, String> values = new HashMap<>();
        for (String pair : detail.split(" ", -1)) {
            int equals = pair.indexOf('=');
            values.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        String votes = values.getOrDefault("votes", "");
        return new BreakerState(
                State.valueOf(values.getOrDefault("state", "")),
                Long.parseLong(values.getOrDefault("epoch", "")),
                Integer.parseInt(values.getOrDefault("attempts", "")),
                Long.parseLong(values.getOrDefault("until", "")),
                values.getOrDefault("boot", ""),
                values.getOrDefault("prober", ""),
                Boolean.parseBoolean(values.getOrDefault("wished", "")),
                votes.isEmpty() ? Set.of() : new LinkedHashSet<>(List.of(votes.split(",", -1))));
    }

    String detail() {
        return "state=" + state + " epoch=" + epoch + " attempts=" + attempts + " until=" + untilNanos + " boot=" + boot
                + " prober=" + prober + " wished=" + wished + " votes=" + String.join(",", votes);
    }

    /** Whether an operator has said so, and not calls. */
    static boolean isCommand(State state) {
        return state == State.FORCED_OPEN || state == State.DISABLED || state == State.METRICS_ONLY;
    }

    /** How long it is to stay open yet. */
    long leftNanos(Actor actor) {
        return boot.equals(actor.boot) ? Math.max(0, untilNanos - actor.nanos) : 0;
    }

    private BreakerState next(State to) {
        return new BreakerState(to, epoch + 1, to == State.CLOSED ? 0 : attempts, 0, "", "", false, Set.of());
    }

    private BreakerState open(int attempt, long forNanos, Actor actor) {
        return new BreakerState(
                State.OPEN, epoch + 1, attempt, actor.nanos + forNanos, actor.boot, "", false, Set.of());
    }

    private BreakerState halfOpen(Actor actor) {
        return new BreakerState(State.HALF_OPEN, epoch + 1, attempts, 0, "", actor.member, false, Set.of());
    }

    private BreakerState voted(Set<String> otherVotes) {
        return new BreakerState(state, epoch, attempts, untilNanos, boot, prober, wished, otherVotes);
    }

    /**
     * What follows from a change of a member.
     *
     * @param quorum how many living members must have opened for all to open; 0 if none of that is shared
     */
    static Decision<BreakerState> changed(
            dev.latchkey.cache.spi.State row, Change change, int quorum, Wait wait, Actor actor) {
        BreakerState state = of(row);
        boolean byOperator = isCommand(change.from) || isCommand(change.to);
        if (isCommand(state.state) && !byOperator) {
            return decide(row, state); // calls do not undo what an operator has said
        }
        return decide(
                row,
                switch (change.to) {
                    case OPEN -> state.afterOpening(byOperator ? 1 : quorum, wait, actor);
                    case HALF_OPEN -> byOperator || state.state == State.OPEN ? state.halfOpen(actor) : state;
                    case CLOSED ->
                        state.state == State.CLOSED
                                ? state.voted(without(state.votes, actor))
                                : state.next(State.CLOSED);
                    case DISABLED, FORCED_OPEN, METRICS_ONLY ->
                        state.state == change.to ? state : state.next(change.to);
                });
    }

    private BreakerState afterOpening(int quorum, Wait wait, Actor actor) {
        boolean probed = state == State.HALF_OPEN && prober.equals(actor.member);
        if (probed) {
            return open(attempts + 1, wait.nanos(attempts + 1), actor);
        }
        if (state == State.OPEN || state == State.HALF_OPEN || quorum == 0) {
            return this;
        }
        Set<String> all = with(votes, actor);
        return all.size() >= quorum ? open(1, wait.nanos(1), actor) : voted(all);
    }

    private static Set<String> without(Set<String> votes, Actor actor) {
        Set<String> rest = new LinkedHashSet<>(votes);
        rest.removeIf(vote -> vote.equals(actor.member) || actor.hasDied(vote));
        return rest;
    }

    private static Set<String> with(Set<String> votes, Actor actor) {
        Set<String> all = without(votes, actor);
        all.add(actor.member);
        return all;
    }

    /** A member has a call that it would let through as a probe. */
    static Decision<BreakerState> wanted(dev.latchkey.cache.spi.State row, Actor actor) {
        BreakerState state = of(row);
        boolean free = state.state == State.OPEN && state.leftNanos(actor) == 0
                || state.state == State.HALF_OPEN && actor.hasDied(state.prober);
        if (free) {
            return decide(row, state.halfOpen(actor));
        }
        boolean wishes = state.state == State.HALF_OPEN && !state.prober.equals(actor.member);
        return decide(
                row,
                wishes
                        ? new BreakerState(
                                state.state,
                                state.epoch,
                                state.attempts,
                                state.untilNanos,
                                state.boot,
                                state.prober,
                                true,
                                state.votes)
                        : state);
    }

    /** A member probes no more and votes no more. */
    static Decision<BreakerState> left(dev.latchkey.cache.spi.State row, Actor actor) {
        BreakerState state = of(row);
        return decide(
                row,
                state.state == State.HALF_OPEN && state.prober.equals(actor.member)
                        ? state.open(state.attempts, 0, actor)
                        : state.votes.contains(actor.member) ? state.voted(without(state.votes, actor)) : state);
    }

    private static Decision<BreakerState> decide(dev.latchkey.cache.spi.State row, BreakerState next) {
        return next.equals(of(row))
                ? Decision.keep(row, next)
                : Decision.store(row.withDetail(next.detail()), next).ringing(BELL);
    }
}

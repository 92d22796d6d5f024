package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;

/**
 * The seats of a cyclic barrier, and all that can happen to them. {@code g} is the generation.
 *
 * <pre>
 *   (nothing)                 -> WAITING(1, no seats)                       the first object of the name
 *   WAITING(g, seats)         -> WAITING(g, seats + one)                    arrive
 *   WAITING(g, all but one)   -> WAITING(g + 1), those seats PASSED         arrive, without an action
 *   WAITING(g, all but one)   -> ACTING(g, by the last)                     arrive, with an action
 *   ACTING(g, by)             -> WAITING(g + 1), those seats PASSED         acted
 *   ACTING(g, by)             -> BROKEN(g), those seats BROKEN              the action failed, or any of their processes died
 *   WAITING(g, seats)         -> BROKEN(g), those seats BROKEN              time-out, interrupt, or a process of theirs died
 *   any                       -> WAITING(g + 1), waiting seats BROKEN       reset
 *   seat PASSED or BROKEN     -> (gone)                                     its party has read it, or is dead
 * </pre>
 *
 * <p>Written as {@code "4 17 WAITING"}, the parties, the generation and the phase, with the actor behind {@code ACTING}; and in the
 * column of the line the seats, {@code "123.5#3 456.9#0+"}: seat 5 of session 123 arrived first of four and waits, seat 9 of 456 arrived
 * last and its generation has passed. Behind each stands its {@link Arrival}.
 */
record BarrierState(int parties, long generation, Phase phase, long actorSession, long actorSeat, List<Seat> seats) {
    static final String KIND = "cyclicbarrier";

    enum Phase {
        WAITING,
        ACTING,
        BROKEN
    }

    /** What became of a seat's generation. */
    enum Outcome {
        PENDING(""),
        PASSED("+"),
        BROKEN("!");

        private final String mark;

        Outcome(String mark) {
            this.mark = mark;
        }
    }

    /** A party that has arrived; {@code index} counts down to 0 for the last. */
    record Seat(long session, long id, int index, Outcome outcome, Arrival arrival) {
        static Seat parse(String seat) {
            String text = Arrival.without(seat);
            Outcome outcome =
                    text.endsWith("+") ? Outcome.PASSED : text.endsWith("!") ? Outcome.BROKEN : Outcome.PENDING;
            int dot = text.indexOf('.');
            int hash = text.indexOf('#');
            return new Seat(
                    Long.parseLong(text.substring(0, dot)),
                    Long.parseLong(text.substring(dot + 1, hash)),
                    Integer.parseInt(text.substring(hash + 1, text.length() - outcome.mark.length())),
                    outcome,
                    Arrival.parse(seat));
        }

        boolean is(long itsSession, long itsId) {
            return session == itsSession && id == itsId;
        }

        Seat as(Outcome other) {
            return new Seat(session, id, index, other, arrival);
        }

        @Override
        public String toString() {
            return session + "." + id + "#" + index + outcome.mark + arrival;
        }
    }

    /** What an arrival came to. */
    enum Arrived {
        WAITS,
        /** It was the last, and all have passed; it has no seat. */
        PASSED,
        /** It was the last, and is to act and to say so. */
        ACTS,
        /** The action of the generation before is under way; nothing was written. */
        NOT_YET,
        BROKEN
    }

    static BarrierState of(State state, int parties) {
        if (!state.exists() || state.detail().isEmpty()) {
            return new BarrierState(parties, 1, Phase.WAITING, 0, 0, List.of());
        }
        String[] words = state.detail().split(" ", -1);
        Phase phase = Phase.valueOf(words[2]);
        List<Seat> seats = new ArrayList<>();
        for (String seat : state.line().isEmpty() ? new String[0] : state.line().split(" ", -1)) {
            seats.add(Seat.parse(seat));
        }
        return new BarrierState(
                Integer.parseInt(words[0]),
                Long.parseLong(words[1]),
                phase,
                phase == Phase.ACTING ? Long.parseLong(words[3]) : 0,
                phase == Phase.ACTING ? Long.parseLong(words[4]) : 0,
                List.copyOf(seats));
    }

    /** How many have arrived in this generation. */
    int waiting() {
        return (int)
                seats.stream().filter(seat -> seat.outcome == Outcome.PENDING).count();
    }

    /** The sessions of those who have arrived in this generation. */
    Set<Long> waitingSessions() {
        return seats.stream()
                .filter(seat -> seat.outcome == Outcome.PENDING)
                .map(Seat::session)
                .collect(Collectors.toSet());
    }

    /** The sessions that have a seat and are dead. */
    Set<Long> dead(LongPredicate isDead) {
        return seats.stream().map(Seat::session).distinct().filter(isDead::test).collect(Collectors.toSet());
    }

    /** What became of a seat; empty if it is gone, since its session was taken for dead. */
    Optional<Outcome> outcome(long session, long id) {
        return seats.stream()
                .filter(seat -> seat.is(session, id))
                .map(Seat::outcome)
                .findFirst();
    }

    private BarrierState with(Phase next, long nextGeneration, List<Seat> left) {
        return new BarrierState(parties, nextGeneration, next, 0, 0, List.copyOf(left));
    }

    private List<Seat> ended(Outcome outcome) {
        return seats.stream()
                .map(seat -> seat.outcome == Outcome.PENDING ? seat.as(outcome) : seat)
                .toList();
    }

    private BarrierState passed() {
        return with(Phase.WAITING, generation + 1, ended(Outcome.PASSED));
    }

    private BarrierState broken() {
        return with(Phase.BROKEN, generation, ended(Outcome.BROKEN));
    }

    private BarrierState without(long session, long id) {
        List<Seat> left = new ArrayList<>(seats);
        return left.removeIf(seat -> seat.is(session, id))
                ? new BarrierState(parties, generation, phase, actorSession, actorSeat, List.copyOf(left))
                : this;
    }

    /** Without the seats of the dead; one of them that was waited with breaks the generation. */
    private BarrierState without(Set<Long> dead) {
        List<Seat> left = new ArrayList<>(seats);
        if (!left.removeIf(seat -> dead.contains(seat.session))) {
            return this;
        }
        boolean breaks = waitingSessions().stream().anyMatch(dead::contains);
        BarrierState kept = new BarrierState(parties, generation, phase, actorSession, actorSeat, List.copyOf(left));
        return breaks ? kept.broken() : kept;
    }

    /** The first object of the name. */
    static Decision<BarrierState> found(State from, int parties) {
        BarrierState state = of(from, parties);
        return decide(from, state, state, Set.of());
    }

    /** A party takes a seat, unless the barrier is broken. */
    static Decision<Arrived> arrive(
            State from, int parties, long session, long id, Arrival arrival, boolean acts, Set<Long> dead) {
        BarrierState state = of(from, parties).without(dead);
        if (state.phase == Phase.ACTING) {
            return decide(from, state, Arrived.NOT_YET, dead);
        }
        if (state.phase == Phase.BROKEN) {
            return decide(from, state, Arrived.BROKEN, dead);
        }
        int index = state.parties - 1 - state.waiting();
        if (index == 0 && !acts) {
            return decide(from, state.passed(), Arrived.PASSED, dead).grantingTo(session);
        }
        List<Seat> more = new ArrayList<>(state.seats);
        more.add(new Seat(session, id, index, Outcome.PENDING, arrival));
        BarrierState next = index == 0
                ? new BarrierState(state.parties, state.generation, Phase.ACTING, session, id, List.copyOf(more))
                : state.with(Phase.WAITING, state.generation, more);
        return decide(from, next, index == 0 ? Arrived.ACTS : Arrived.WAITS, dead)
                .grantingTo(session);
    }

    /** The action is over: the generation has passed, or it is broken. Whether it has passed; the actor's seat is gone. */
    static Decision<Boolean> acted(State from, int parties, long session, long id, boolean succeeded, Set<Long> dead) {
        BarrierState state = of(from, parties).without(dead);
        boolean acting = state.phase == Phase.ACTING && state.actorSession == session && state.actorSeat == id;
        BarrierState left = state.without(session, id);
        BarrierState next = !acting ? left : succeeded ? left.passed() : left.broken();
        return decide(from, next, acting && succeeded, dead);
    }

    /** What a party learns that leaves its seat. */
    enum Left {
        PASSED,
        BROKEN,
        /** It went before the end, and has broken the generation for the others. */
        TOO_EARLY,
        /** The action is under way, and the seat is kept. */
        NOT_YET
    }

    /** A party leaves its seat; whoever goes before the end breaks the generation. */
    static Decision<Left> leave(State from, int parties, long session, long id) {
        BarrierState state = of(from, parties);
        Outcome outcome = state.outcome(session, id).orElse(Outcome.BROKEN);
        BarrierState left = state.without(session, id);
        return switch (outcome) {
            case PASSED -> decide(from, left, Left.PASSED, Set.of());
            case BROKEN -> decide(from, left, Left.BROKEN, Set.of());
            case PENDING ->
                state.phase == Phase.ACTING
                        ? Decision.keep(from, Left.NOT_YET)
                        : decide(from, left.broken(), Left.TOO_EARLY, Set.of());
        };
    }

    /** A party was interrupted before it came: as if it had come and left, unless the end of the generation is near. */
    static Decision<Boolean> interrupt(State from, int parties) {
        BarrierState state = of(from, parties);
        return state.phase == Phase.ACTING ? Decision.keep(from, false) : decide(from, state.broken(), true, Set.of());
    }

    /** The dead are taken off their seats. */
    static Decision<Boolean> bury(State from, int parties, Set<Long> dead) {
        return decide(from, of(from, parties).without(dead), true, dead);
    }

    /** Whoever waits finds the barrier broken, and whoever comes finds it as new. */
    static Decision<Boolean> reset(State from, int parties) {
        BarrierState state = of(from, parties);
        return decide(
                from, state.with(Phase.WAITING, state.generation + 1, state.ended(Outcome.BROKEN)), true, Set.of());
    }

    /** Rings whenever a generation has ended or an action is over. */
    private static <R> Decision<R> decide(State from, BarrierState next, R result, Set<Long> dead) {
        State stored = new State(
                from.kind(), from.name(), from.version(), from.token(), from.holds(), next.line(), next.detail());
        Decision<R> decision = Decision.store(stored, result);
        if (!dead.isEmpty()) {
            decision = decision.burying(dead);
        }
        BarrierState before = of(from, next.parties);
        boolean ended =
                before.generation != next.generation || next.phase == Phase.BROKEN && before.phase != Phase.BROKEN;
        return ended ? decision.ringing(from.name()) : decision;
    }

    private String detail() {
        return parties + " " + generation + " " + phase
                + (phase == Phase.ACTING ? " " + actorSession + " " + actorSeat : "");
    }

    private String line() {
        return seats.stream().map(Seat::toString).collect(Collectors.joining(" "));
    }
}

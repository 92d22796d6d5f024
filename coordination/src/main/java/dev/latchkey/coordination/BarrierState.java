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
 *   (nothing)                 -> WAITING(1, no seats)                       found, by the first object of the name
 *   WAITING(g, seats)         -> WAITING(g, seats + one)                    arrive
 *   WAITING(g, all but one)   -> WAITING(g + 1), those seats PASSED         arrive, without an action
 *   WAITING(g, all but one)   -> ACTING(g, all, the last with index 0)      arrive, with an action
 *   ACTING(g)                 -> WAITING(g + 1), those seats PASSED         acted
 *   ACTING(g)                 -> BROKEN(g), those seats BROKEN              acted, but failed; or any of their processes died
 *   WAITING(g, seats)         -> BROKEN(g), those seats BROKEN              leave, arrive interrupted, or a process of theirs died
 *   any                       -> WAITING(g + 1), pending seats BROKEN       reset
 *   seat PASSED or BROKEN     -> (gone)                                     leave, or its process is dead
 * </pre>
 *
 * <p>Written as {@code "4 17 WAITING"}, the parties, the generation and the phase, and in the column of the line the seats, {@code
 * "123.5#3 456.9#0+"}: seat 5 of session 123 was taken first of four and is pending, seat 9 of 456 was taken last and its generation
 * has passed ({@code !}: is broken). Behind each stands its {@link Arrival}.
 */
record BarrierState(int parties, long generation, Phase phase, List<Seat> seats) {
    static final String KIND = "cyclicbarrier";

    enum Phase {
        WAITING,
        /** All have come, and the last of them runs the action. */
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

    /** One call of {@code await}. */
    record Party(long session, long id) {}

    /** The seat of a party that has arrived; {@code index} counts down to 0 for the last. */
    record Seat(Party party, int index, Outcome outcome, Arrival arrival) {
        static Seat parse(String seat) {
            String text = Arrival.without(seat);
            Outcome outcome =
                    text.endsWith("+") ? Outcome.PASSED : text.endsWith("!") ? Outcome.BROKEN : Outcome.PENDING;
            int dot = text.indexOf('.');
            int hash = text.indexOf('#');
            return new Seat(
                    new Party(Long.parseLong(text.substring(0, dot)), Long.parseLong(text.substring(dot + 1, hash))),
                    Integer.parseInt(text.substring(hash + 1, text.length() - outcome.mark.length())),
                    outcome,
                    Arrival.parse(seat));
        }

        long session() {
            return party.session;
        }

        boolean isPending() {
            return outcome == Outcome.PENDING;
        }

        /** What a seat learns when its generation has ended, if it has not before. */
        Seat ended(Outcome how) {
            return isPending() ? new Seat(party, index, how, arrival) : this;
        }

        @Override
        public String toString() {
            return party.session + "." + party.id + "#" + index + outcome.mark + arrival;
        }
    }

    /** What an arrival came to. */
    enum Arrived {
        WAITS,
        /** It was the last, and all have passed; it has no seat. */
        PASSED,
        /** It was the last, and is to act and to say so. */
        ACTS,
        /** The action of the generation before is under way; it has no seat. */
        NOT_YET,
        /** The barrier was broken before; it has no seat. */
        BROKEN,
        /** It came interrupted and has broken the barrier; it has no seat. */
        INTERRUPTED
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

    /** What is stored, or a barrier as new if nothing is. */
    static BarrierState of(State state, int parties) {
        if (!state.exists()) {
            return new BarrierState(parties, 1, Phase.WAITING, List.of());
        }
        String[] words = state.detail().split(" ", -1);
        List<Seat> seats = new ArrayList<>();
        for (String seat : state.line().isEmpty() ? new String[0] : state.line().split(" ", -1)) {
            seats.add(Seat.parse(seat));
        }
        return new BarrierState(
                Integer.parseInt(words[0]), Long.parseLong(words[1]), Phase.valueOf(words[2]), List.copyOf(seats));
    }

    // Asking

    /** Those who have arrived in this generation and wait for its end. */
    List<Seat> pending() {
        return seats.stream().filter(Seat::isPending).toList();
    }

    /** The seat of a party; empty if it is gone, since its session was taken for dead or the barrier was deleted. */
    Optional<Seat> seat(Party party) {
        return seats.stream().filter(seat -> seat.party.equals(party)).findFirst();
    }

    /** Those that have a seat. */
    Set<Long> sessions() {
        return seats.stream().map(Seat::session).collect(Collectors.toSet());
    }

    /** The sessions that have a seat and are dead. */
    Set<Long> dead(LongPredicate isDead) {
        return sessions().stream().filter(isDead::test).collect(Collectors.toSet());
    }

    /** Without the seats of the dead; one of them that was waited with breaks the generation. */
    BarrierState without(Set<Long> dead) {
        boolean breaks = pending().stream().anyMatch(seat -> dead.contains(seat.session()));
        List<Seat> left =
                seats.stream().filter(seat -> !dead.contains(seat.session())).toList();
        BarrierState living = new BarrierState(parties, generation, phase, left);
        return breaks ? living.ended(Outcome.BROKEN) : living;
    }

    // Changes

    /** The first object of the name. */
    static Decision<BarrierState> found(State from, int parties) {
        BarrierState state = of(from, parties);
        return decide(from, state, state);
    }

    /**
     * A party takes a seat, or passes at once. Whoever comes interrupted comes and leaves. Who was found dead may have been found long
     * ago: whoever may be the last asks again who lives.
     */
    static Decision<Arrived> arrive(
            State from,
            int parties,
            Party party,
            Arrival arrival,
            boolean acts,
            boolean interrupted,
            Set<Long> foundDead,
            LongPredicate isDead) {
        BarrierState stored = of(from, parties);
        Set<Long> dead = stored.pending().size() < stored.parties - 1 ? foundDead : stored.dead(isDead);
        BarrierState state = stored.without(dead);
        if (state.phase != Phase.WAITING) {
            Arrived refused = state.phase == Phase.ACTING ? Arrived.NOT_YET : Arrived.BROKEN;
            return decide(from, state, refused).burying(dead);
        }
        if (interrupted) {
            return decide(from, state.ended(Outcome.BROKEN), Arrived.INTERRUPTED);
        }
        int index = state.parties - 1 - state.pending().size();
        if (index == 0 && !acts) {
            return decide(from, state.ended(Outcome.PASSED), Arrived.PASSED)
                    .grantingTo(party.session)
                    .burying(dead);
        }
        List<Seat> more = new ArrayList<>(state.seats);
        more.add(new Seat(party, index, Outcome.PENDING, arrival));
        Phase next = index == 0 ? Phase.ACTING : Phase.WAITING;
        return decide(
                        from,
                        new BarrierState(state.parties, state.generation, next, more),
                        index == 0 ? Arrived.ACTS : Arrived.WAITS)
                .grantingTo(party.session)
                .burying(dead);
    }

    /** The action is over: the generation has passed, or it is broken. Whether it has passed; the actor's seat is gone. */
    static Decision<Boolean> acted(State from, int parties, Party actor, boolean succeeded) {
        BarrierState state = of(from, parties);
        boolean acting = state.seat(actor).filter(Seat::isPending).isPresent();
        BarrierState left = state.without(actor);
        Outcome outcome = succeeded ? Outcome.PASSED : Outcome.BROKEN;
        return decide(from, acting ? left.ended(outcome) : left, acting && succeeded);
    }

    /** A party leaves its seat; whoever goes before the end breaks the generation, but nobody goes while the action runs. */
    static Decision<Left> leave(State from, int parties, Party party) {
        BarrierState state = of(from, parties);
        BarrierState left = state.without(party);
        return switch (state.seat(party).map(Seat::outcome).orElse(Outcome.BROKEN)) {
            case PASSED -> decide(from, left, Left.PASSED);
            case BROKEN -> decide(from, left, Left.BROKEN);
            case PENDING ->
                state.phase == Phase.ACTING
                        ? Decision.keep(from, Left.NOT_YET)
                        : decide(from, left.ended(Outcome.BROKEN), Left.TOO_EARLY);
        };
    }

    /** The dead are taken off their seats. */
    static Decision<Boolean> bury(State from, int parties, Set<Long> dead) {
        return decide(from, of(from, parties).without(dead), true).burying(dead);
    }

    /** Whoever waits finds the barrier broken, and whoever comes finds it as new. */
    static Decision<Boolean> reset(State from, int parties) {
        BarrierState broken = of(from, parties).ended(Outcome.BROKEN);
        BarrierState anew = new BarrierState(broken.parties, broken.generation + 1, Phase.WAITING, broken.seats);
        return decide(from, anew, true);
    }

    private BarrierState without(Party party) {
        return new BarrierState(
                parties,
                generation,
                phase,
                seats.stream().filter(seat -> !seat.party.equals(party)).toList());
    }

    /** The generation is over; the next begins at once if it has passed, and by a reset if it is broken. */
    private BarrierState ended(Outcome how) {
        List<Seat> told = seats.stream().map(seat -> seat.ended(how)).toList();
        return how == Outcome.PASSED
                ? new BarrierState(parties, generation + 1, Phase.WAITING, told)
                : new BarrierState(parties, generation, Phase.BROKEN, told);
    }

    /** Rings whenever a generation has ended. */
    private static <R> Decision<R> decide(State from, BarrierState next, R result) {
        State stored = new State(
                from.kind(), from.name(), from.version(), from.token(), from.holds(), next.line(), next.detail());
        BarrierState before = of(from, next.parties);
        boolean ended =
                before.generation != next.generation || before.phase != next.phase && next.phase != Phase.ACTING;
        Decision<R> decision = Decision.store(stored, result);
        return ended ? decision.ringing(from.name()) : decision;
    }

    private String detail() {
        return parties + " " + generation + " " + phase;
    }

    private String line() {
        return seats.stream().map(Seat::toString).collect(Collectors.joining(" "));
    }
}

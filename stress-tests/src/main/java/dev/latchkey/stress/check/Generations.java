package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/*
 *   arrive quick 4 -> 3                      the first of four; the last has index 0
 *   arrive slow 3 -> 0 1 81230 81295         with an action, which this call has run once, from 81230 to 81295
 *
 * Which calls were one generation is not written down. But all of its parties have come before the action began, or the last has returned;
 * and none goes before the action has ended, or the last has asked. So it must be possible to give each call that has passed to one that
 * was the last of a generation, each index once, and to each last one all its parties. A party that was killed may have been any; so may
 * one whose time was over, as its seat is kept as long as a busy database does not take note that it has gone.
 *
 * If every party can have its generation and every generation its parties, both is possible at once (Mendelsohn and Dulmage).
 */
/** A generation of a barrier is passed by all its parties, none of them dead, after its action has run once; or by none. */
public final class Generations implements Checker {
    private static final long SEAT_KEPT_NANOS = Duration.ofSeconds(2).toNanos();

    private final long noticedNanos;

    /** With 300 ms for a death to be noticed: many times what it takes, since the processors are shared with many processes. */
    public Generations() {
        this(Duration.ofMillis(300));
    }

    /** With a time in which a death must have been noticed. */
    public Generations(Duration noticed) {
        noticedNanos = noticed.toNanos();
    }

    /**
     * A generation that was passed, or may have been.
     *
     * @param come when all had come
     * @param gone when the first could go
     */
    private record Pass(Operation last, long come, long gone) {}

    /** The place of one party in a generation. */
    private record Seat(Pass pass, int index) {}

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("BARRIER");
        List<Operation> operations = run.operations();
        Lives lives = new Lives(run, operations);
        Map<List<String>, List<Operation>> barriers = new TreeMap<>(Comparator.comparing(List::toString));
        for (Operation operation : operations) {
            if (operation.name().equals("arrive")) {
                barriers.computeIfAbsent(operation.arguments(), absent -> new ArrayList<>())
                        .add(operation);
            }
        }
        barriers.forEach((words, all) -> judge(Integer.parseInt(words.get(1)), all, lives, violations));
        return violations.list();
    }

    private void judge(int number, List<Operation> all, Lives lives, Violations violations) {
        List<Pass> passes = new ArrayList<>();
        List<Pass> perhaps = new ArrayList<>();
        Map<Integer, List<Operation>> seated = new HashMap<>();
        List<Operation> gone = new ArrayList<>();
        for (Operation arrival : all) {
            if (arrival.isOk()) {
                judgeAction(arrival, violations);
                if (index(arrival) == 0) {
                    passes.add(pass(arrival));
                } else {
                    seated.computeIfAbsent(index(arrival), absent -> new ArrayList<>())
                            .add(arrival);
                }
            } else if (arrival.isUnknown()) {
                perhaps.add(new Pass(arrival, lives.killed(arrival.process()), arrival.invoked()));
                gone.add(arrival);
            } else if (arrival.outcome() == Kind.FAIL && !arrival.result().equals(List.of("broken"))) {
                gone.add(arrival);
            }
        }
        perhaps.addAll(passes);
        seated.forEach((index, calls) -> {
            Matching<Operation, Pass> generations =
                    new Matching<>(Generations::end, perhaps, Pass::gone, (party, pass) -> fits(pass, party, lives));
            for (Operation call : generations.without(calls)) {
                violations.add("it passed, but no generation: " + Violations.text(call));
            }
        });
        List<Seat> seats = new ArrayList<>();
        for (Pass pass : passes) {
            for (int index = 1; index < number; index++) {
                seats.add(new Seat(pass, index));
            }
        }
        List<Operation> others = new ArrayList<>(gone);
        seated.values().forEach(others::addAll);
        Matching<Seat, Operation> parties = new Matching<>(
                seat -> seat.pass.come,
                others,
                Operation::invoked,
                (seat, party) -> (!party.isOk() || index(party) == seat.index) && fits(seat.pass, party, lives));
        for (Seat seat : parties.without(seats)) {
            violations.add(
                    "it passed without the party of index " + seat.index + ": " + Violations.text(seat.pass.last));
        }
    }

    private static int index(Operation arrival) {
        return Integer.parseInt(arrival.result().get(0));
    }

    private static boolean hasAction(Operation arrival) {
        return arrival.result().size() > 1;
    }

    private static Pass pass(Operation last) {
        return hasAction(last)
                ? new Pass(
                        last,
                        Long.parseLong(last.result().get(2)),
                        Long.parseLong(last.result().get(3)))
                : new Pass(last, last.returned(), last.invoked());
    }

    private static void judgeAction(Operation arrival, Violations violations) {
        String expected = index(arrival) == 0 ? "1" : "0";
        if (hasAction(arrival) && !arrival.result().get(1).equals(expected)) {
            violations.add("the action was run " + arrival.result().get(1) + " times, not " + expected + ": "
                    + Violations.text(arrival));
        }
    }

    /** When a party may last have gone; of those that were killed nobody asks. */
    private static long end(Operation party) {
        return party.isOk() ? party.returned() : party.returned() + SEAT_KEPT_NANOS;
    }

    /** Whether a party may have been one of a generation. */
    private boolean fits(Pass pass, Operation party, Lives lives) {
        if (party.invoked() > pass.come || party.equals(pass.last)) {
            return false;
        }
        if (party.isUnknown()) {
            long killed = lives.killed(party.process());
            return pass.gone <= killed || lives.undisturbedNanos(killed, pass.gone) <= noticedNanos;
        }
        return pass.gone <= end(party);
    }
}

package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/*
 *   count loaded-17 part-2      participant 2 has counted; refused if it has before, or if the latch is open
 *   begin loaded-17             a new round has begun; refused if the last one is not over
 *   pass loaded-17              somebody has waited; refused when its time was over
 *
 * Every round takes as many counts as the latch has. So by how many rounds have begun and how often it was counted one knows whether it
 * was open: those that returned before an instant have happened, of the others that were invoked before it nobody knows.
 */
/** A latch opens when it was counted down as often as it has to be, by each participant once in a round; not before, nor later. */
public final class LatchRounds implements Checker {
    private final int count;

    /** For latches that have to be counted down so often in each round. */
    public LatchRounds(int count) {
        this.count = count;
    }

    /** What was asked of one latch, without what was refused. */
    private static final class Latch {
        final List<Operation> counts = new ArrayList<>();
        final List<Operation> begins = new ArrayList<>();
        final List<Operation> passes = new ArrayList<>();
        /** Those whose time was over. */
        final List<Operation> timedOut = new ArrayList<>();

        void add(Operation operation) {
            if (operation.name().equals("pass") && operation.result().equals(List.of("busy"))) {
                timedOut.add(operation);
            } else if (operation.outcome() != Kind.FAIL) {
                switch (operation.name()) {
                    case "count" -> counts.add(operation);
                    case "begin" -> begins.add(operation);
                    default -> passes.add(operation);
                }
            }
        }
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("LATCH");
        Map<String, Latch> latches = new TreeMap<>();
        for (Operation operation : run.operations()) {
            if (List.of("count", "begin", "pass").contains(operation.name())) {
                latches.computeIfAbsent(operation.arguments().get(0), absent -> new Latch())
                        .add(operation);
            }
        }
        latches.values().forEach(latch -> judge(latch, violations));
        return violations.list();
    }

    private void judge(Latch latch, Violations violations) {
        for (Operation pass : latch.passes) {
            if (pass.isOk() && !mayHaveBeenOpen(latch, pass)) {
                violations.add("it passed before the latch was open: " + Violations.text(pass));
            }
        }
        for (Operation begin : latch.begins) {
            if (begin.isOk() && !mayHaveBeenOpen(latch, begin)) {
                violations.add("the round before was not over: " + Violations.text(begin));
            }
        }
        for (Operation wait : latch.timedOut) {
            if (wasOpenAllTheTime(latch, wait)) {
                violations.add("it did not pass though the latch was open: " + Violations.text(wait));
            }
        }
        judgeParticipants(latch, violations);
    }

    private boolean mayHaveBeenOpen(Latch latch, Operation call) {
        long counted = number(latch.counts, other -> other.invoked() <= call.returned());
        long rounds = 1 + number(latch.begins, other -> other.isOk() && other.returned() <= call.invoked());
        return counted >= rounds * count;
    }

    private boolean wasOpenAllTheTime(Latch latch, Operation wait) {
        long counted = number(latch.counts, other -> other.isOk() && other.returned() <= wait.invoked());
        long rounds = 1 + number(latch.begins, other -> other.invoked() <= wait.returned());
        return counted >= rounds * count;
    }

    private static long number(List<Operation> operations, Predicate<Operation> which) {
        return operations.stream().filter(which).count();
    }

    /** Between two counts of one participant a round must have begun. */
    private static void judgeParticipants(Latch latch, Violations violations) {
        for (Operation first : latch.counts) {
            for (Operation second : latch.counts) {
                boolean again = first.isOk()
                        && second.isOk()
                        && first.arguments().equals(second.arguments())
                        && first.returned() < second.invoked();
                if (again
                        && latch.begins.stream()
                                .noneMatch(begin ->
                                        begin.invoked() <= second.returned() && begin.returned() >= first.invoked())) {
                    violations.add("it was counted twice in a round, after " + Violations.text(first) + ": "
                            + Violations.text(second));
                }
            }
        }
    }
}

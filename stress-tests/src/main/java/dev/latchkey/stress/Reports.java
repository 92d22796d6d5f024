package dev.latchkey.stress;

import dev.latchkey.stress.check.Checker;
import dev.latchkey.stress.check.Run;
import dev.latchkey.stress.check.Violation;
import dev.latchkey.stress.history.Operation;
import dev.latchkey.stress.referee.Event;
import dev.latchkey.stress.referee.RefereeRecord;
import dev.latchkey.stress.referee.Verb;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The referee was told of everything: it cannot judge what was not reported, and nobody would notice. */
final class Reports implements Checker {
    private final RefereeRecord record;

    Reports(RefereeRecord record) {
        this.record = record;
    }

    /** That a process was somewhere. */
    private record Entry(String process, String place, String number) {}

    @Override
    public List<Violation> check(Run run) {
        Set<Entry> told = new HashSet<>();
        for (Event event : record.events()) {
            if (event.verb() == Verb.ENTER || event.verb() == Verb.LEASE || event.verb() == Verb.ONCE) {
                told.add(new Entry(event.process(), event.place(), Long.toString(event.number())));
            }
        }
        List<Violation> violations = new ArrayList<>();
        for (Operation operation : run.operations()) {
            boolean missing = operation.isOk()
                    && run.killed(operation.process()).isEmpty()
                    && switch (operation.name()) {
                        case "lock" -> !wasToldOfAll(operation, told);
                        case "incr" -> !told.contains(entry(operation, operation.arguments(), operation.result()));
                        case "claim", "pull" ->
                            !told.contains(entry(
                                    operation,
                                    operation.result(),
                                    operation.result().subList(1, 2)));
                        default -> false;
                    };
            if (missing) {
                violations.add(new Violation("HARNESS", "the referee was not told of " + operation));
            }
        }
        return violations;
    }

    private static boolean wasToldOfAll(Operation lock, Set<Entry> told) {
        List<String> places = List.of(lock.arguments().get(0).split("\\+", -1));
        List<String> tokens = List.of(lock.result().get(0).split("\\+", -1));
        for (int i = 0; i < tokens.size(); i++) {
            if (!told.contains(entry(lock, places.subList(i, i + 1), tokens.subList(i, i + 1)))) {
                return false;
            }
        }
        return true;
    }

    private static Entry entry(Operation operation, List<String> place, List<String> number) {
        return new Entry(operation.process(), place.get(0), number.get(0));
    }
}

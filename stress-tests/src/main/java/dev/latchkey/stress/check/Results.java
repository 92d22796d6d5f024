package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.List;

/**
 * An acknowledgement and the result that is written with it are one transaction: in the end there are as many results as
 * acknowledgements that were to bring one, give or take those of unknown outcome.
 */
public final class Results implements Checker {
    /** The key under which results are counted. */
    public static final String KEY = "results";
    /** The third argument of an acknowledgement that brings a result. */
    public static final String WITH_RESULT = "with_result";

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("RESULTS");
        List<Operation> ends = run.operations().stream()
                .filter(operation -> operation.name().equals("ack")
                        && operation.arguments().contains(WITH_RESULT)
                        && operation.outcome() != Kind.FAIL)
                .toList();
        long certain = ends.stream().filter(Operation::isOk).count();
        String stored = run.remains().values().getOrDefault(KEY, "0");
        boolean fits = stored.matches("\\d{1,18}")
                && Long.parseLong(stored) >= certain
                && Long.parseLong(stored) <= ends.size();
        if (!fits) {
            violations.add(stored + " results of " + certain + " acknowledgements with one, and "
                    + (ends.size() - certain) + " of unknown outcome");
        }
        return violations.list();
    }
}

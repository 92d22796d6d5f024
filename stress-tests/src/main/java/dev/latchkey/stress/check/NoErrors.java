package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import java.util.List;

/** No fault of a run may show as an error: no operation ends in {@code ERROR}. */
public final class NoErrors implements Checker {
    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("NO_ERRORS");
        run.operations().stream()
                .filter(operation -> operation.outcome() == Kind.ERROR)
                .forEach(operation -> violations.add(Violations.text(operation)));
        return violations.list();
    }
}

package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What one checker has found: the first twenty in words, the rest as a number. */
final class Violations {
    private static final int MOST = 20;

    private final String promise;
    private final Set<String> texts = new LinkedHashSet<>();
    private int more;

    Violations(String promise) {
        this.promise = promise;
    }

    void add(String text) {
        if (texts.size() < MOST) {
            texts.add(text);
        } else if (!texts.contains(text)) {
            more++;
        }
    }

    List<Violation> list() {
        List<Violation> list = new ArrayList<>();
        texts.forEach(text -> list.add(new Violation(promise, text)));
        if (more > 0) {
            list.add(new Violation(promise, "and " + more + " more"));
        }
        return list;
    }

    /** An operation as a violation names it, with the instants that its lines in the log bear. */
    static String text(Operation operation) {
        String call = operation.process() + "." + operation.thread() + " " + operation.name() + operation.arguments();
        String end = operation.isUnknown()
                ? " without return"
                : " -> " + operation.outcome() + operation.result() + " at " + operation.returned();
        return call + " at " + operation.invoked() + end;
    }
}

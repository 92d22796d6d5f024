package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A queue never holds more items than it may. What is certainly in it at an instant are the items whose push has returned by then, without
 * those whose pull has begun: a pull counts from its beginning, also if it took nothing that is known of, and a push from its end.
 */
public final class Capacity implements Checker {
    private final String queue;
    private final int most;

    /**
     * Judges a run.
     *
     * @param queue the queue that {@code push} and {@code pull} name first
     * @param most how many items it may hold
     */
    public Capacity(String queue, int most) {
        this.queue = queue;
        this.most = most;
    }

    /** One more item is there, or perhaps one less. */
    private record Change(long nanos, int by, Operation operation) {}

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("CAPACITY");
        List<Change> changes = new ArrayList<>();
        for (Operation operation : run.operations()) {
            if (!operation.arguments().isEmpty() && operation.arguments().get(0).equals(queue)) {
                if (operation.name().equals("push") && operation.isOk()) {
                    changes.add(new Change(operation.returned(), 1, operation));
                } else if (operation.name().equals("pull") && operation.outcome() != Kind.FAIL) {
                    changes.add(new Change(operation.invoked(), -1, operation));
                }
            }
        }
        changes.sort(Comparator.comparingLong(Change::nanos).thenComparingInt(Change::by));
        int certain = 0;
        for (Change change : changes) {
            certain += change.by;
            if (certain > most) {
                violations.add("at least " + certain + " items, of at most " + most + ", after "
                        + Violations.text(change.operation));
            }
        }
        return violations.list();
    }
}

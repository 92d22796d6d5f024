package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A queue never holds more items than it may. An item is certainly in it from when its push has returned until the pull begins that gets
 * it; items that nobody is known to have pulled do not count.
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

    /** An item comes or goes. */
    private record Change(long nanos, int by, Operation operation) {}

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("CAPACITY");
        int certain = 0;
        for (Change change : changes(run.operations())) {
            certain += change.by;
            if (certain > most) {
                violations.add("at least " + certain + " items, of at most " + most + ", after "
                        + Violations.text(change.operation));
            }
        }
        return violations.list();
    }

    private List<Change> changes(List<Operation> operations) {
        Map<List<String>, Operation> pushes = new HashMap<>();
        for (Operation push : operations) {
            if (isOf(push, "push")) {
                pushes.put(push.arguments().subList(2, 4), push);
            }
        }
        List<Change> changes = new ArrayList<>();
        for (Operation pull : operations) {
            Operation push = isOf(pull, "pull") ? pushes.get(item(pull)) : null;
            if (push != null && push.returned() < pull.invoked()) {
                changes.add(new Change(push.returned(), 1, push));
                changes.add(new Change(pull.invoked(), -1, pull));
            }
        }
        changes.sort(Comparator.comparingLong(Change::nanos).thenComparingInt(Change::by));
        return changes;
    }

    private boolean isOf(Operation operation, String name) {
        return operation.name().equals(name)
                && operation.isOk()
                && operation.arguments().get(0).equals(queue);
    }

    private static List<String> item(Operation pull) {
        return List.of(
                pull.result().get(0).substring("from-".length()), pull.result().get(1));
    }
}

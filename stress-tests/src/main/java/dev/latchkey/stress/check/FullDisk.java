package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A disk without space refuses only what grows, and only until there is space again: nothing else is ever refused for it, above all
 * no delete and no release, and nothing at all if the disk was not full.
 */
public final class FullDisk implements Checker {
    /** Why an operation has failed that needs space. */
    public static final String FULL = "full";

    /** What makes something longer. */
    private static final Set<String> GROWING = Set.of("store", "push", "put", "incr", "fence");

    /** Every process looks once a second; the processors are shared with many. */
    private static final long RESUMED_NANOS = Duration.ofSeconds(5).toNanos();

    /** When there was no space, or may not have been. */
    private record Stretch(long from, long to) {
        boolean overlaps(Operation operation) {
            return operation.returned() >= from && operation.invoked() <= to;
        }
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("FULL_DISK");
        List<Stretch> full = stretches(run.faults());
        for (Operation operation : run.operations()) {
            if (operation.outcome() != Kind.FAIL || !operation.result().equals(List.of(FULL))) {
                continue;
            }
            if (full.stream().noneMatch(stretch -> stretch.overlaps(operation))) {
                violations.add("refused though the disk was not full: " + Violations.text(operation));
            } else if (!GROWING.contains(operation.name())) {
                violations.add("refused though it needs no space: " + Violations.text(operation));
            }
        }
        return violations.list();
    }

    private static List<Stretch> stretches(List<Fault> faults) {
        List<Stretch> stretches = new ArrayList<>();
        long filled = Long.MIN_VALUE;
        for (Fault fault : faults) {
            if (fault.kind() == Fault.Kind.DISK_FILLED) {
                filled = fault.nanos();
            } else if (fault.kind() == Fault.Kind.DISK_FREED) {
                stretches.add(new Stretch(filled, fault.nanos() + RESUMED_NANOS));
                filled = Long.MIN_VALUE;
            }
        }
        if (filled != Long.MIN_VALUE) {
            stretches.add(new Stretch(filled, Long.MAX_VALUE));
        }
        return stretches;
    }
}

package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * At no moment is more held of a name than there is, whoever is killed or stopped: one lock, a writer or readers, the permits of a
 * semaphore. The times of holding, see {@link Hold}, of one name take no more seats than it has; a thread that writes may read as well.
 * And no release is refused as lost unless its token was forced, its lease was over or its process closed the directory.
 */
public final class MutualExclusion implements Checker {
    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("MUTUAL_EXCLUSION");
        List<Operation> operations = run.operations();
        Hold.byName(operations, new Lives(run, operations)).forEach((name, holds) -> {
            requireRoom(name, holds, violations);
            holds.forEach(hold -> requireKept(hold, violations));
        });
        return violations.list();
    }

    private static void requireRoom(String name, List<Hold> holds, Violations violations) {
        List<Hold> held = new ArrayList<>();
        for (Hold hold : holds.stream()
                .filter(each -> each.from() < each.to())
                .sorted(Comparator.comparingLong(Hold::from))
                .toList()) {
            held.removeIf(other -> other.to() <= hold.from());
            List<Hold> others =
                    held.stream().filter(other -> !isDowngrade(other, hold)).toList();
            if (hold.excludes(
                    others.stream().mapToLong(other -> other.seats().units()).sum())) {
                Hold longest =
                        others.stream().max(Comparator.comparingLong(Hold::to)).orElse(hold);
                violations.add(name + " was held until " + (longest.to() == Long.MAX_VALUE ? "the end" : longest.to())
                        + " by " + Violations.text(longest.grant()) + " and granted by "
                        + Violations.text(hold.grant()));
            }
            held.add(hold);
        }
    }

    /** Whether a thread reads what it writes. */
    private static boolean isDowngrade(Hold writing, Hold reading) {
        return reading.isDowngrade()
                && writing.process().equals(reading.process())
                && writing.grant().thread().equals(reading.grant().thread());
    }

    private static void requireKept(Hold hold, Violations violations) {
        Operation release = hold.release();
        if (release != null && release.outcome() == Kind.FAIL && hold.taken() > release.returned()) {
            violations.add("nobody forced it, and yet it was lost: " + Violations.text(release));
        }
    }
}

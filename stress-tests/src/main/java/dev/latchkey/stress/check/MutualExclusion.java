package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.Comparator;
import java.util.List;

/**
 * At no moment do two holders of a lock exist, whoever is killed or stopped. The times of holding, see {@link Hold}, of one
 * name do not overlap; and no release is refused as lost unless its token was forced or its process closed the directory.
 */
public final class MutualExclusion implements Checker {
    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("MUTUAL_EXCLUSION");
        List<Operation> operations = run.operations();
        Hold.byName(operations, new Lives(run.faults(), operations)).forEach((name, holds) -> {
            requireDisjoint(name, holds, violations);
            holds.forEach(hold -> requireKept(hold, violations));
        });
        return violations.list();
    }

    private static void requireDisjoint(String name, List<Hold> holds, Violations violations) {
        Hold longest = null;
        for (Hold hold : holds.stream()
                .filter(each -> each.from() < each.to())
                .sorted(Comparator.comparingLong(Hold::from))
                .toList()) {
            if (longest != null && hold.from() < longest.to()) {
                violations.add(name + " was held until " + (longest.to() == Long.MAX_VALUE ? "the end" : longest.to())
                        + " by " + Violations.text(longest.grant()) + " and granted by "
                        + Violations.text(hold.grant()));
            }
            longest = longest == null || hold.to() > longest.to() ? hold : longest;
        }
    }

    private static void requireKept(Hold hold, Violations violations) {
        Operation unlock = hold.unlock();
        if (unlock != null && unlock.outcome() == Kind.FAIL && hold.taken() > unlock.returned()) {
            violations.add("nobody forced it, and yet it was lost: " + Violations.text(unlock));
        }
    }
}

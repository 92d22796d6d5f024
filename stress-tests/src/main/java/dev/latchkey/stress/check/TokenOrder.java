package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;

/**
 * The tokens of one name grow with every grant, also of read locks and permits. No token is given twice; of two grants of which the
 * one had returned before the other was asked for, the later has the greater token; and of two that cannot be held together tokens
 * rise in the order in which they returned, because a grant lasts until its owner gives it up, which cannot be before it returned.
 * (The last rule leaves out grants that were forced, over or closed before they returned; at equal instants any order will do.)
 */
public final class TokenOrder implements Checker {
    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("TOKEN_ORDER");
        List<Operation> operations = run.operations();
        Hold.byName(operations, new Lives(run, operations)).forEach((name, all) -> {
            List<Hold> holds = all.stream().filter(Hold::hasToken).toList();
            List<Numbered> grants = holds.stream()
                    .map(hold -> new Numbered(hold.grant(), hold.token()))
                    .toList();
            Numbered.requireDistinct(grants, (first, second) -> report("the same", first, second, violations));
            Numbered.requireRising(grants, (first, second) -> report("no greater", first, second, violations));
            requireRisingReturns(holds, violations);
        });
        return violations.list();
    }

    private static void requireRisingReturns(List<Hold> holds, Violations violations) {
        TreeMap<Long, Hold> highest = new TreeMap<>(); // of those with so many seats
        for (Hold hold : holds.stream()
                .filter(each -> !each.isLostAtOnce())
                .sorted(Comparator.comparingLong(Hold::from).thenComparingLong(Hold::token))
                .toList()) {
            highest.values().stream()
                    .filter(before -> before.excludes(hold.seats().units()) && before.token() > hold.token())
                    .findFirst()
                    .ifPresent(before -> report(
                            "no greater",
                            new Numbered(before.grant(), before.token()),
                            new Numbered(hold.grant(), hold.token()),
                            violations));
            highest.merge(hold.seats().units(), hold, (a, b) -> a.token() > b.token() ? a : b);
        }
    }

    private static void report(String how, Numbered first, Numbered second, Violations violations) {
        violations.add("after " + Violations.text(first.operation()) + " " + how + " token: "
                + Violations.text(second.operation()));
    }
}

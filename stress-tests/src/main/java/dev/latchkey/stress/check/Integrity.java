package dev.latchkey.stress.check;

import java.util.List;

/** The database is whole, and its rows, value files and counters fit together. */
public final class Integrity implements Checker {
    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("INTEGRITY");
        if (!run.remains().integrity().equals("ok")) {
            violations.add("integrity_check: " + run.remains().integrity());
        }
        run.remains().faults().forEach(violations::add);
        return violations.list();
    }
}

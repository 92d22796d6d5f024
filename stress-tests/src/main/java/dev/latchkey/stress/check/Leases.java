package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Whoever outlives a lease has lost the lock. What is asked for with its token when the lease is over for certain, counted from when the
 * grant returned, is refused: a fenced write, and a release by the thread that held it. (Closing a handle never fails.)
 */
public final class Leases implements Checker {
    private static final Set<String> WITH_HANDLE = Set.of("handle", "async", "asyncFor");

    private record Key(String process, String place, String token) {}

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("LEASE");
        Map<Key, Operation> grants = new HashMap<>();
        for (Operation operation : run.operations()) {
            if (operation.name().equals("lock") && operation.isOk()) {
                grants.put(key(operation, operation.result().get(0)), operation);
            } else if ((operation.name().equals("fence") || operation.name().equals("unlock")) && operation.isOk()) {
                Operation grant =
                        grants.get(key(operation, operation.arguments().get(1)));
                if (grant != null && isTooLate(operation, grant)) {
                    violations.add(
                            "the lease of " + Violations.text(grant) + " was over at " + Violations.text(operation));
                }
            }
        }
        return violations.list();
    }

    private static boolean isTooLate(Operation use, Operation grant) {
        boolean closes = use.name().equals("unlock")
                && WITH_HANDLE.contains(grant.arguments().get(1));
        OptionalLong end = Hold.leaseEnd(grant, grant.returned());
        return !closes && end.isPresent() && use.invoked() > end.getAsLong();
    }

    private static Key key(Operation operation, String token) {
        return new Key(operation.process(), operation.arguments().get(0), token);
    }
}

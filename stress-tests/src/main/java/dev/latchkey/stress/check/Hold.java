package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The time during which a process certainly held a lock: from the return of {@code lock} until the first of: {@code unlock}
 * invoked, its process killed, its token forced (invoked, and not refused), its process's last cache closed.
 *
 * @param unlock its release, if it came to that
 * @param taken when it was first forced or given back by closing the cache, or {@link Long#MAX_VALUE}
 * @param to {@link Long#MAX_VALUE} if it never ended
 */
record Hold(Operation grant, long token, @Nullable Operation unlock, long taken, long to) {
    private record Key(String process, String name, String token) {}

    long from() {
        return grant.returned();
    }

    String process() {
        return grant.process();
    }

    /** Whether it was over before its owner knew of it, though that lived. */
    boolean isLostAtOnce() {
        return taken <= from();
    }

    /** All grants of a run, by the name of the lock. */
    static Map<String, List<Hold>> byName(List<Operation> operations, Lives lives) {
        Map<Key, List<Operation>> unlocks = new HashMap<>();
        Map<Key, Long> forces = new HashMap<>();
        for (Operation operation : operations) {
            if (operation.name().equals("unlock")) {
                Key key = new Key(operation.process(), lock(operation), token(operation));
                unlocks.computeIfAbsent(key, absent -> new ArrayList<>()).add(operation);
            } else if (operation.name().equals("force") && operation.outcome() != Kind.FAIL) {
                forces.merge(new Key("", lock(operation), token(operation)), operation.invoked(), Math::min);
            }
        }
        Map<String, List<Hold>> holds = new TreeMap<>();
        for (Operation operation : operations) {
            if (operation.name().equals("lock") && operation.isOk()) {
                String name = lock(operation);
                String token = operation.result().get(0);
                Operation unlock = unlocks.getOrDefault(new Key(operation.process(), name, token), List.of()).stream()
                        .filter(each -> each.invoked() >= operation.returned())
                        .findFirst()
                        .orElse(null);
                long forced = forces.getOrDefault(new Key("", name, token), Long.MAX_VALUE);
                holds.computeIfAbsent(name, absent -> new ArrayList<>()).add(hold(operation, unlock, forced, lives));
            }
        }
        return holds;
    }

    private static Hold hold(Operation grant, @Nullable Operation unlock, long forced, Lives lives) {
        long taken = Math.min(forced, lives.closedAfter(grant.process(), grant.invoked()));
        long released = unlock == null ? Long.MAX_VALUE : unlock.invoked();
        long to = Math.min(Math.min(released, taken), lives.killed(grant.process()));
        return new Hold(grant, Long.parseLong(grant.result().get(0)), unlock, taken, to);
    }

    private static String lock(Operation operation) {
        return operation.arguments().get(0);
    }

    private static String token(Operation operation) {
        return operation.arguments().get(1);
    }
}

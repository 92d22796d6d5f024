package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is read was written, whole, and is not older than what was written before.
 *
 * <ul>
 *   <li>No value is damaged, when it is read or in the end.
 *   <li>Every number that is read was stored under that key before the read returned.
 *   <li>Between the store of what is read and the read there is no other store and no removal: none that began after that store
 *       had returned, and returned before the read began.
 *   <li>An entry that is {@link #KEPT} is never missing, from the return of its first store on.
 *   <li>An entry that a thread reads right after it has stored it is missing only if others have meanwhile written so much
 *       that it may have been evicted: more than half of the limit. (By a policy that goes by the time.)
 * </ul>
 */
public final class EntryValues implements Checker {
    /** What a read answers that finds nothing. */
    public static final String MISSING = "missing";
    /** What a read answers that finds something else than was stored. */
    public static final String DAMAGED = "damaged";
    /** Keys with this prefix are never removed, and pinned where anything is evicted. */
    public static final String KEPT = "kept-";
    /** Keys with this prefix are written by one thread alone. */
    public static final String OWN = "own-";

    private static final long MOST_BYTES_READ = 110_000;

    private final long limit;

    /** With the limit of the cache's size, or {@link Long#MAX_VALUE}: nothing is evicted then. */
    public EntryValues(long limit) {
        this.limit = limit;
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("ENTRY_VALUES");
        Map<String, Key> keys = new TreeMap<>();
        List<Operation> operations = run.operations();
        operations.forEach(operation -> add(operation, keys));
        keys.forEach((name, key) -> {
            key.reads.forEach(read -> judge(name, key, read, violations));
            judgeEnd(name, key, run.remains().values().getOrDefault(name, MISSING), violations);
        });
        judgeOwn(operations, violations);
        return violations.list();
    }

    /** What happened to one key. */
    private static final class Key {
        /** Of known and unknown outcome, by their numbers. */
        final Map<String, Operation> stores = new HashMap<>();
        /** Stores and removals that were done. */
        final List<Operation> done = new ArrayList<>();

        final List<Operation> reads = new ArrayList<>();
        /** Of all that had returned at an instant, the one that began last. */
        private @Nullable TreeMap<Long, Operation> latest;

        /** What was done before an instant, and began last of all that was. */
        @Nullable
        Operation latestBefore(long nanos) {
            if (latest == null) {
                latest = new TreeMap<>();
                Operation last = null;
                for (Operation each : done.stream()
                        .sorted(Comparator.comparingLong(Operation::returned))
                        .toList()) {
                    last = last == null || each.invoked() > last.invoked() ? each : last;
                    latest.put(each.returned(), last);
                }
            }
            Map.Entry<Long, Operation> entry = latest.lowerEntry(nanos);
            return entry == null ? null : entry.getValue();
        }
    }

    private static void add(Operation operation, Map<String, Key> keys) {
        boolean writes = operation.name().equals("store") || operation.name().equals("remove");
        boolean reads = operation.name().equals("read") || operation.name().equals("read_own");
        if (!writes && !reads || operation.outcome() == Kind.FAIL) {
            return;
        }
        Key key = keys.computeIfAbsent(operation.arguments().get(0), absent -> new Key());
        if (operation.name().equals("store")) {
            key.stores.put(operation.arguments().get(1), operation);
        }
        if (writes && operation.isOk()) {
            key.done.add(operation);
        }
        if (reads && operation.isOk()) {
            key.reads.add(operation);
        }
    }

    private static void judge(String name, Key key, Operation read, Violations violations) {
        String seen = read.result().get(0);
        Operation latest = key.latestBefore(read.invoked());
        if (seen.equals(MISSING)) {
            if (name.startsWith(KEPT) && latest != null) {
                violations.add(
                        "gone, though it was stored by " + Violations.text(latest) + ": " + Violations.text(read));
            }
            return;
        }
        Operation store = key.stores.get(seen);
        if (store == null || store.invoked() > read.returned()) {
            violations.add("not what was stored before: " + Violations.text(read));
        } else if (latest != null && latest.invoked() > store.returned()) {
            violations.add(
                    "read though " + Violations.text(latest) + " came after its store: " + Violations.text(read));
        }
    }

    private static void judgeEnd(String name, Key key, String left, Violations violations) {
        Operation latest = key.latestBefore(Long.MAX_VALUE);
        if (left.equals(MISSING)) {
            if (name.startsWith(KEPT) && latest != null) {
                violations.add(name + " is gone in the end, though it was stored by " + Violations.text(latest));
            }
            return;
        }
        Operation store = key.stores.get(left);
        if (store == null) {
            violations.add(name + " is " + left + " in the end, which was not stored");
        } else if (latest != null && latest.invoked() > store.returned()) {
            violations.add(name + " is " + left + " in the end, though " + Violations.text(latest) + " came after it");
        }
    }

    /** In the order of their invocation, so that only the last few before a read can overlap it. */
    private void judgeOwn(List<Operation> operations, Violations violations) {
        for (int i = 0; i < operations.size(); i++) {
            Operation read = operations.get(i);
            if (!read.name().equals("read_own")
                    || !read.isOk()
                    || !read.result().get(0).equals(MISSING)) {
                continue;
            }
            long written = writtenByOthers(operations, read);
            if (written <= limit / 2) {
                violations.add("evicted at once, though others wrote only " + written + " bytes meanwhile: "
                        + Violations.text(read));
            }
        }
    }

    private static long writtenByOthers(List<Operation> operations, Operation read) {
        long from = operations.stream()
                .filter(each -> each.name().equals("store")
                        && each.arguments()
                                .subList(0, 2)
                                .equals(read.arguments().subList(0, 2)))
                .mapToLong(Operation::invoked)
                .findFirst()
                .orElse(read.invoked());
        return operations.stream()
                .filter(each -> each.invoked() < read.returned() && each.returned() > from)
                .filter(each -> !each.arguments().contains(read.arguments().get(0)))
                .mapToLong(EntryValues::bytes)
                .sum();
    }

    /** How many bytes an operation puts before others in the order of the policy; what is read counts too. */
    private static long bytes(Operation operation) {
        return switch (operation.name()) {
            case "store", "push" ->
                Long.parseLong(operation.arguments().get(operation.arguments().size() - 1));
            case "read", "read_own" -> MOST_BYTES_READ;
            default -> 0;
        };
    }
}

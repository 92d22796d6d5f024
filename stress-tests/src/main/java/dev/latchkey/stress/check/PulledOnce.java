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
 * Items of the queues of the cache itself are delivered at most once, and lost only with their taker.
 *
 * <ul>
 *   <li>No item is pulled twice, nor pulled before it was pushed.
 *   <li>Of the queue {@link #IN_ORDER}, the items of one producer are pulled in the order of their numbers, unless the pulls
 *       overlap.
 *   <li>In the end, when the queues are drained, no more items are missing than pulls were cut off by a kill. (Python takes
 *       an item before it reads its file, and writes the file of an item before the row: its own {@code check(fix=True)} may
 *       delete the file in between. So of the items with files as many more may be missing as calls of Python
 *       coincided with that.)
 * </ul>
 */
public final class PulledOnce implements Checker {
    /** The queue that is pushed to at the back and pulled from at the front. */
    public static final String IN_ORDER = "in-order";

    /** Shorter items have no file. */
    private static final long LARGE = 32_000;

    private final boolean drained;

    /**
     * Judges a run.
     *
     * @param drained whether all items must be gone in the end
     */
    public PulledOnce(boolean drained) {
        this.drained = drained;
    }

    /** What is known of one item. */
    private static final class Item {
        final List<Operation> pulls = new ArrayList<>();

        @Nullable
        Operation push;
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("PULLED_ONCE");
        List<Operation> operations = run.operations();
        Map<NumberedItem, Item> items = items(operations);
        items.values().forEach(item -> judge(item, violations));
        judgeOrder(items, violations);
        if (drained) {
            judgeLosses(items, operations, violations);
        }
        return violations.list();
    }

    private static Map<NumberedItem, Item> items(List<Operation> operations) {
        Map<NumberedItem, Item> items = new HashMap<>();
        for (Operation operation : operations) {
            if (operation.name().equals("push") && operation.outcome() != Kind.FAIL) {
                item(items, operation.arguments().subList(2, 4)).push = operation;
            } else if (operation.name().equals("pull") && operation.isOk()) {
                List<String> words = operation.result();
                item(items, List.of(words.get(0).substring("from-".length()), words.get(1)))
                        .pulls
                        .add(operation);
            }
        }
        return items;
    }

    private static Item item(Map<NumberedItem, Item> items, List<String> words) {
        NumberedItem item = new NumberedItem(Long.parseLong(words.get(0)), Long.parseLong(words.get(1)));
        return items.computeIfAbsent(item, absent -> new Item());
    }

    private static void judge(Item item, Violations violations) {
        for (Operation pull : item.pulls) {
            if (item.push == null || item.push.invoked() > pull.returned()) {
                violations.add("pulled, but not pushed before: " + Violations.text(pull));
            }
        }
        if (item.pulls.size() > 1) {
            violations.add("pulled by " + Violations.text(item.pulls.get(0)) + " and again by "
                    + Violations.text(item.pulls.get(1)));
        }
    }

    private static void judgeOrder(Map<NumberedItem, Item> items, Violations violations) {
        Map<Long, List<Numbered>> byProducer = new TreeMap<>();
        items.forEach((number, item) -> item.pulls.stream()
                .filter(pull -> pull.arguments().get(0).equals(IN_ORDER))
                .forEach(pull -> byProducer
                        .computeIfAbsent(number.producer(), absent -> new ArrayList<>())
                        .add(new Numbered(pull, number.sequence()))));
        byProducer
                .values()
                .forEach(pulls -> Numbered.requireRising(
                        pulls,
                        (first, second) -> violations.add("pulled after " + Violations.text(first.operation())
                                + ", though pushed before: " + Violations.text(second.operation()))));
    }

    private static void judgeLosses(Map<NumberedItem, Item> items, List<Operation> operations, Violations violations) {
        List<Operation> lost = items.values().stream()
                .filter(item -> item.pulls.isEmpty())
                .map(item -> item.push)
                .filter(push -> push != null && push.isOk())
                .toList();
        long cutOff = operations.stream()
                .filter(operation -> operation.name().equals("pull") && operation.isUnknown())
                .count();
        long large = lost.stream().filter(PulledOnce::isLarge).count();
        long small = lost.size() - large;
        long repaired = large == 0 ? 0 : duringRepairs(operations);
        if (small > cutOff || lost.size() > cutOff + repaired) {
            violations.add(small + " small and " + large + " large items are lost; pulls that were cut off: " + cutOff
                    + ", calls of Python during repairs: " + repaired + "; the first: "
                    + Violations.text(lost.get(0)));
        }
    }

    private static boolean isLarge(Operation push) {
        return Long.parseLong(push.arguments().get(4)) > LARGE;
    }

    /** How many pushes and pulls of Python coincide with a repair by another process of Python. */
    private static long duringRepairs(List<Operation> operations) {
        List<Operation> repairs = operations.stream()
                .filter(operation -> operation.name().equals("fix"))
                .toList();
        return operations.stream()
                .filter(operation -> isOfPython(operation)
                        && (operation.name().equals("push") || operation.name().equals("pull")))
                .filter(operation -> repairs.stream()
                        .anyMatch(repair ->
                                repair.invoked() < operation.returned() && operation.invoked() < repair.returned()))
                .count();
    }

    private static boolean isOfPython(Operation operation) {
        return operation.process().startsWith("p");
    }
}

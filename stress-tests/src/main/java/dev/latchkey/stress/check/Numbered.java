package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** An operation and the number that it was given; numbers are given out in rising order. */
record Numbered(Operation operation, long number) {
    /** Reports pairs of which the first had returned before the second was invoked, and yet has no smaller number. */
    static void requireRising(List<Numbered> all, BiConsumer<Numbered, Numbered> wrong) {
        List<Numbered> begun = sorted(all, Comparator.comparingLong(each -> each.operation.invoked()));
        List<Numbered> ended = sorted(all, Comparator.comparingLong(each -> each.operation.returned()));
        Numbered highest = null;
        int next = 0;
        for (Numbered each : begun) {
            while (ended.get(next).operation.returned() < each.operation.invoked()) {
                Numbered before = ended.get(next++);
                highest = highest == null || before.number > highest.number ? before : highest;
            }
            if (highest != null && highest.number >= each.number) {
                wrong.accept(highest, each);
            }
        }
    }

    /** Reports reads that answer less than a number which had been given out before they were invoked. */
    static void requireFresh(List<Numbered> all, List<Numbered> reads, BiConsumer<Numbered, Numbered> wrong) {
        List<Numbered> ended = sorted(all, Comparator.comparingLong(each -> each.operation.returned()));
        Numbered highest = null;
        int next = 0;
        for (Numbered read : sorted(reads, Comparator.comparingLong(each -> each.operation.invoked()))) {
            while (next < ended.size() && ended.get(next).operation.returned() < read.operation.invoked()) {
                Numbered before = ended.get(next++);
                highest = highest == null || before.number > highest.number ? before : highest;
            }
            if (highest != null && highest.number > read.number) {
                wrong.accept(highest, read);
            }
        }
    }

    /** Reports pairs with the same number. */
    static void requireDistinct(List<Numbered> all, BiConsumer<Numbered, Numbered> wrong) {
        Map<Long, Numbered> seen = new HashMap<>();
        for (Numbered each : all) {
            Numbered first = seen.putIfAbsent(each.number, each);
            if (first != null) {
                wrong.accept(first, each);
            }
        }
    }

    private static List<Numbered> sorted(List<Numbered> all, Comparator<Numbered> order) {
        return all.stream().sorted(order).toList();
    }
}

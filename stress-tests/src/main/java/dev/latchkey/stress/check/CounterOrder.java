package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Increments by 1 of one key are atomic, survive, and are seen. No value is given twice; of two increments of which the one had returned
 * before the other was asked for, the later has the greater value; in the end the value is at least the number of
 * increments that returned and the greatest value that was seen, and at most the number of all that may have happened; and no
 * {@code get} answers less than what had been counted before it was asked.
 */
public final class CounterOrder implements Checker {
    /** What is known of one key. */
    private static final class Counter {
        final List<Numbered> values = new ArrayList<>();
        final List<Numbered> reads = new ArrayList<>();
        int unknown;
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("COUNTER_ORDER");
        counters(run).forEach((key, counter) -> {
            Numbered.requireDistinct(
                    counter.values, (first, second) -> report(first, "the same value: ", second, violations));
            Numbered.requireRising(
                    counter.values, (first, second) -> report(first, "no greater value: ", second, violations));
            Numbered.requireFresh(
                    counter.values,
                    counter.reads,
                    (first, second) -> report(first, "an older value: ", second, violations));
            judgeEnd(key, counter, run.remains().values().getOrDefault(key, "0"), violations);
        });
        return violations.list();
    }

    private static Map<String, Counter> counters(Run run) {
        Map<String, Counter> counters = new TreeMap<>();
        for (Operation operation : run.operations()) {
            if (operation.name().equals("incr") && operation.outcome() != Kind.FAIL) {
                Counter counter = counters.computeIfAbsent(operation.arguments().get(0), key -> new Counter());
                if (operation.isOk()) {
                    counter.values.add(new Numbered(
                            operation, Long.parseLong(operation.result().get(0))));
                } else {
                    counter.unknown++;
                }
            } else if (operation.name().equals("get") && operation.isOk()) {
                counters.computeIfAbsent(operation.arguments().get(0), key -> new Counter())
                        .reads
                        .add(new Numbered(
                                operation, Long.parseLong(operation.result().get(0))));
            }
        }
        return counters;
    }

    private static void judgeEnd(String key, Counter counter, String stored, Violations violations) {
        int certain = counter.values.size();
        long greatest =
                counter.values.stream().mapToLong(Numbered::number).max().orElse(0);
        String seen = key + " is " + stored + " after " + certain + " increments, " + counter.unknown
                + " of unknown outcome and " + greatest + " as the greatest value";
        if (!stored.matches("\\d{1,18}")
                || Long.parseLong(stored) < Math.max(certain, greatest)
                || Long.parseLong(stored) > certain + counter.unknown) {
            violations.add(seen);
        }
    }

    private static void report(Numbered first, String how, Numbered second, Violations violations) {
        violations.add("after " + Violations.text(first.operation()) + " " + how + Violations.text(second.operation()));
    }
}

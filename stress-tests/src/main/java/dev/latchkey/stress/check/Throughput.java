package dev.latchkey.stress.check;

import dev.latchkey.stress.check.AdmissionRate.Rate;
import dev.latchkey.stress.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * As long as at least two callers wait for a throttle, it admits nearly as many as its rate says. Judged where all callers wait ({@code
 * permit NAME 1 wait}), in time that no fault disturbs: not while a process is stopped or the machine stands still, nor soon after any
 * fault, and not when all of that time together is short.
 */
public final class Throughput implements Checker {
    /** How a caller asks that waits for as long as it takes. */
    public static final String WAIT = "wait";

    private static final long SETTLING_NANOS = Duration.ofMillis(100).toNanos();

    private final Map<String, Rate> rates;
    private final double share;
    private final long leastNanos;

    /** For throttles for which everybody waits: at least this part of the rate; judged if there is so much undisturbed time. */
    public Throughput(Map<String, Rate> rates, double share, Duration least) {
        this.rates = Map.copyOf(rates);
        this.share = share;
        this.leastNanos = least.toNanos();
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("THROUGHPUT");
        List<Operation> operations = run.operations();
        List<Lives.Span> disturbed = disturbed(run, new Lives(run, operations));
        rates.forEach((name, rate) -> {
            List<Operation> waits = operations.stream()
                    .filter(operation -> operation.name().equals("permit")
                            && operation.arguments().get(0).equals(name)
                            && operation.arguments().get(2).equals(WAIT))
                    .toList();
            judge(name, rate, waits, disturbed, violations);
        });
        return violations.list();
    }

    private static List<Lives.Span> disturbed(Run run, Lives lives) {
        List<Lives.Span> spans = new ArrayList<>(lives.stops());
        run.faults().forEach(fault -> spans.add(new Lives.Span(fault.nanos(), fault.nanos() + SETTLING_NANOS)));
        return spans;
    }

    private void judge(
            String name, Rate rate, List<Operation> waits, List<Lives.Span> disturbed, Violations violations) {
        List<Lives.Span> busy = undisturbed(withTwoWaiting(waits), disturbed);
        long time = busy.stream().mapToLong(span -> span.to() - span.from()).sum();
        if (time < leastNanos) {
            return;
        }
        long admitted = 0;
        for (Lives.Span span : busy) {
            admitted += waits.stream()
                    .filter(wait -> wait.isOk() && wait.returned() >= span.from() && wait.returned() <= span.to())
                    .count();
        }
        double nominal = time / (double) rate.intervalNanos();
        if (admitted < share * nominal) {
            violations.add(name + " admitted " + admitted + " in "
                    + Duration.ofNanos(time).toMillis() + " ms in which two waited, nominally " + Math.round(nominal));
        }
    }

    /** The stretches in which at least two calls were under way. */
    private static List<Lives.Span> withTwoWaiting(Collection<Operation> waits) {
        TreeMap<Long, Integer> changes = new TreeMap<>();
        for (Operation wait : waits) {
            if (!wait.isUnknown()) {
                changes.merge(wait.invoked(), 1, Integer::sum);
                changes.merge(wait.returned(), -1, Integer::sum);
            }
        }
        List<Lives.Span> spans = new ArrayList<>();
        int waiting = 0;
        long since = 0;
        for (var change : changes.entrySet()) {
            boolean before = waiting >= 2;
            waiting += change.getValue();
            if (!before && waiting >= 2) {
                since = change.getKey();
            } else if (before && waiting < 2) {
                spans.add(new Lives.Span(since, change.getKey()));
            }
        }
        return spans;
    }

    private static List<Lives.Span> undisturbed(List<Lives.Span> busy, List<Lives.Span> disturbed) {
        List<Lives.Span> left = busy;
        for (Lives.Span hole : disturbed) {
            List<Lives.Span> next = new ArrayList<>();
            for (Lives.Span span : left) {
                if (!hole.overlaps(span.from(), span.to())) {
                    next.add(span);
                    continue;
                }
                if (span.from() < hole.from()) {
                    next.add(new Lives.Span(span.from(), hole.from()));
                }
                if (hole.to() < span.to()) {
                    next.add(new Lives.Span(hole.to(), span.to()));
                }
            }
            left = next;
        }
        return left;
    }
}

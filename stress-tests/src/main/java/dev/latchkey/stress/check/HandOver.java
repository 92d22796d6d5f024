package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import dev.latchkey.stress.referee.Seats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is free, or whose holders have been killed, does not stay idle while somebody waits for it: for a lock, a side of one, permits,
 * or several locks which are all idle. Judged by waits that last through all of the idle stretch, in processes that live; time in
 * which any process was stopped or the machine stood still does not count, and neither do the two seconds after a lock was forced or its lease was over, in
 * which the threads of its former holder wait on.
 */
public final class HandOver implements Checker {
    private static final Set<String> WAITING = Set.of("lock", "interruptibly", "handle", "async", "together");
    private static final long FORCE_NOTICED_NANOS = Duration.ofSeconds(2).toNanos();

    private final long boundNanos;

    /** With a bound of a second: many times what a hand-over takes, since the processors are shared with many processes. */
    public HandOver() {
        this(Duration.ofSeconds(1));
    }

    /** With a bound. */
    public HandOver(Duration bound) {
        boundNanos = bound.toNanos();
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("HAND_OVER");
        List<Operation> operations = run.operations();
        Lives lives = new Lives(run, operations);
        Map<String, List<Lives.Span>> idle = new HashMap<>();
        Hold.byName(operations, lives).forEach((name, holds) -> idle.put(name, idle(holds)));
        Map<List<String>, List<Operation>> waits = operations.stream()
                .filter(HandOver::isWait)
                .collect(Collectors.groupingBy(
                        wait -> Hold.places(wait).stream().map(Seats::place).toList()));
        waits.forEach((names, all) -> {
            for (Lives.Span span : idle(names, idle)) {
                if (lives.undisturbedNanos(span.from(), span.to()) > boundNanos) {
                    judge(names, span, all, lives, violations);
                }
            }
        });
        return violations.list();
    }

    private static boolean isWait(Operation operation) {
        return operation.name().equals("lock")
                && WAITING.contains(operation.arguments().get(1));
    }

    /** The stretches in which nobody held anything of a name; what follows a forced grant begins later. */
    private static List<Lives.Span> idle(List<Hold> holds) {
        List<Lives.Span> idle = new ArrayList<>();
        long free = Long.MIN_VALUE;
        for (Hold hold :
                holds.stream().sorted(Comparator.comparingLong(Hold::from)).toList()) {
            if (free > Long.MIN_VALUE && free < hold.from()) {
                idle.add(new Lives.Span(free, hold.from()));
            }
            long end = hold.to() == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(hold.from(), hold.to());
            long taken = hold.taken() == Long.MAX_VALUE ? end : Math.max(end, hold.taken() + FORCE_NOTICED_NANOS);
            free = Math.max(free, taken);
        }
        return idle;
    }

    /** The stretches in which all names were idle. */
    private static List<Lives.Span> idle(List<String> names, Map<String, List<Lives.Span>> idle) {
        List<Lives.Span> all = idle.getOrDefault(names.get(0), List.of());
        for (String name : names.subList(1, names.size())) {
            List<Lives.Span> both = new ArrayList<>();
            for (Lives.Span other : idle.getOrDefault(name, List.of())) {
                all.stream()
                        .filter(span -> span.overlaps(other.from(), other.to()))
                        .forEach(span -> both.add(
                                new Lives.Span(Math.max(span.from(), other.from()), Math.min(span.to(), other.to()))));
            }
            all = both;
        }
        return all;
    }

    private static void judge(
            List<String> names, Lives.Span idle, List<Operation> waits, Lives lives, Violations violations) {
        for (Operation wait : waits) {
            if (wait.invoked() <= idle.from() && Math.min(wait.returned(), lives.killed(wait.process())) >= idle.to()) {
                violations.add(String.join("+", names) + " was idle for "
                        + Duration.ofNanos(idle.to() - idle.from()).toMillis() + " ms from " + idle.from() + " during "
                        + Violations.text(wait));
                return;
            }
        }
    }
}

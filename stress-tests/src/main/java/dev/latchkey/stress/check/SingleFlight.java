package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event;
import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.History;
import dev.latchkey.stress.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/*
 *   ask page-1 -> 4711              whoever asks gets the result 4711
 *   NOTE computing page-1 4711      the computation that has this result begins,
 *   NOTE computed page-1 4711       and ends
 *   invalidate page-1
 *
 * A computation that was invalidated goes on, and another may begin meanwhile. It may have been invalidated a little before it began,
 * when its turn had come already. A thread may share the outcome of another one of its process, which is older than an invalidation that
 * was over when the thread asked: as long as the call of that other one lasts.
 */
/** A result is computed by one at a time, unless it is invalidated or its computer killed; all get one that was computed, and no old one. */
public final class SingleFlight implements Checker {
    /** How long before it begins a computation may have been invalidated, and how long after it has ended it may be shared. */
    private static final long MARGIN_NANOS = Duration.ofSeconds(1).toNanos();

    /**
     * A computation.
     *
     * @param ended when it had, or its process was killed or closed
     * @param over when the call that made it had returned, or some time later if that is not known
     */
    private record Computation(String process, long number, long began, long ended, long over) {}

    /** What is known of one key. */
    private static final class Known {
        final List<Computation> computations = new ArrayList<>();
        final List<Operation> asked = new ArrayList<>();
        final List<Operation> invalidated = new ArrayList<>();
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("SINGLE_FLIGHT");
        List<Operation> operations = run.operations();
        Lives lives = new Lives(run, operations);
        Map<String, Known> keys = new TreeMap<>();
        for (Operation operation : operations) {
            if (operation.name().equals("ask")) {
                known(keys, operation).asked.add(operation);
            } else if (operation.name().equals("invalidate")) {
                known(keys, operation).invalidated.add(operation);
            }
        }
        for (History history : run.histories()) {
            addComputations(history, lives, keys);
        }
        keys.forEach((key, known) -> {
            known.computations.sort(Comparator.comparingLong(Computation::began));
            judgeOverlaps(key, known, violations);
            judgeResults(known, violations);
        });
        return violations.list();
    }

    private static Known known(Map<String, Known> keys, Operation operation) {
        return keys.computeIfAbsent(operation.arguments().get(0), absent -> new Known());
    }

    private static void addComputations(History history, Lives lives, Map<String, Known> keys) {
        Map<List<String>, Event> ends = new HashMap<>();
        Map<List<String>, Long> returns = new HashMap<>();
        Map<String, List<String>> underWay = new HashMap<>();
        for (Event event : history.events()) {
            if (event.operation().equals("computed")) {
                ends.put(event.arguments(), event);
                underWay.put(event.thread(), event.arguments());
            } else if (event.operation().equals("ask") && event.kind() != Kind.INVOKE) {
                List<String> computed = underWay.remove(event.thread());
                if (computed != null) {
                    returns.put(computed, event.nanos());
                }
            }
        }
        for (Event event : history.events()) {
            if (event.operation().equals("computing")) {
                Event end = ends.get(event.arguments());
                long killed = lives.killed(history.process());
                long closed = lives.closedAfter(history.process(), event.nanos());
                long ended = Math.min(end == null ? Long.MAX_VALUE : end.nanos(), Math.min(killed, closed));
                long over = end == null
                        ? Long.MAX_VALUE
                        : returns.getOrDefault(event.arguments(), end.nanos() + MARGIN_NANOS);
                long number = Long.parseLong(event.arguments().get(1));
                keys.computeIfAbsent(event.arguments().get(0), absent -> new Known())
                        .computations
                        .add(new Computation(history.process(), number, event.nanos(), ended, over));
            }
        }
    }

    private static void judgeOverlaps(String key, Known known, Violations violations) {
        Computation longest = null;
        for (Computation next : known.computations) {
            if (longest != null && next.began < longest.ended && !mayBeInvalid(longest, next.began, known)) {
                violations.add(key + " was computed by " + longest.process + " from " + longest.began + ", and by "
                        + next.process + " from " + next.began);
            }
            longest = longest == null || next.ended >= longest.ended ? next : longest;
        }
    }

    private static boolean mayBeInvalid(Computation computation, long until, Known known) {
        return known.invalidated.stream()
                .anyMatch(call -> call.invoked() <= until && call.returned() >= computation.began - MARGIN_NANOS);
    }

    private static void judgeResults(Known known, Violations violations) {
        Map<Long, Computation> byNumber = new HashMap<>();
        known.computations.forEach(computation -> byNumber.put(computation.number, computation));
        for (Operation ask : known.asked) {
            if (!ask.isOk()) {
                continue;
            }
            Computation computation = byNumber.get(Long.parseLong(ask.result().get(0)));
            if (computation == null || computation.began > ask.returned()) {
                violations.add("it was never computed: " + Violations.text(ask));
            } else if (isOld(ask, computation, known)) {
                violations.add("it was invalidated, computed from " + computation.began + ": " + Violations.text(ask));
            }
        }
    }

    /** Whether the result was invalidated before it was asked for, and nobody can have shared it since. */
    private static boolean isOld(Operation ask, Computation computation, Known known) {
        return computation.over < ask.invoked()
                && known.invalidated.stream()
                        .anyMatch(call -> call.isOk()
                                && computation.began < call.invoked()
                                && call.returned() < ask.invoked()
                                && !mayHaveShared(ask, call, known));
    }

    /** Whether another thread of the process had asked before the invalidation was over, and got the same when this one had asked. */
    private static boolean mayHaveShared(Operation ask, Operation invalidation, Known known) {
        return known.asked.stream()
                .anyMatch(other -> other.process().equals(ask.process())
                        && other.isOk()
                        && other.result().equals(ask.result())
                        && other.invoked() < invalidation.returned()
                        && other.returned() > ask.invoked());
    }
}

package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** When each process of a run got its first lock, was stopped, was killed, and had closed the directory. */
final class Lives {
    /** A stretch of time; {@code to} does not belong to it. */
    record Span(long from, long to) {
        boolean overlaps(long begin, long end) {
            return from < end && begin < to;
        }
    }

    private final Map<String, Long> kills = new HashMap<>();
    private final Map<String, List<Span>> stops = new HashMap<>();
    private final Map<String, List<Long>> closes = new HashMap<>();
    private final Map<String, Long> firstGrants = new HashMap<>();
    private final List<Span> anyStops;

    Lives(Run run, List<Operation> operations) {
        run.faults().forEach(this::add);
        stops.values().forEach(spans -> spans.sort(Comparator.comparingLong(Span::from)));
        anyStops = union(Stream.concat(
                        stops.values().stream().flatMap(List::stream),
                        run.stalls().stream().map(stall -> new Span(stall.from(), stall.to())))
                .toList());
        addCloses(operations);
        operations.stream()
                .filter(operation -> operation.name().equals("lock") && operation.isOk())
                .forEach(grant -> firstGrants.merge(grant.process(), grant.returned(), Math::min));
    }

    private void add(Fault fault) {
        List<Span> spans = stops.computeIfAbsent(fault.process(), process -> new ArrayList<>());
        Span last = spans.isEmpty() ? null : spans.get(spans.size() - 1);
        boolean stopped = last != null && last.to == Long.MAX_VALUE;
        switch (fault.kind()) {
            case STOP -> {
                if (!stopped) {
                    spans.add(new Span(fault.nanos(), Long.MAX_VALUE));
                }
            }
            case CONTINUE, KILL -> {
                if (stopped && last != null) {
                    spans.set(spans.size() - 1, new Span(last.from, fault.nanos()));
                }
                if (fault.kind() == Fault.Kind.KILL) {
                    kills.putIfAbsent(fault.process(), fault.nanos());
                }
            }
            case INTERRUPT, HINTS_DELETED, HINTS_ZEROED, CHECKPOINT, CLOCK_STEPPED, DISK_FILLED, DISK_FREED -> {}
        }
    }

    private static List<Span> union(List<Span> spans) {
        List<Span> union = new ArrayList<>();
        for (Span span :
                spans.stream().sorted(Comparator.comparingLong(Span::from)).toList()) {
            Span last = union.isEmpty() ? null : union.get(union.size() - 1);
            if (last != null && span.from <= last.to) {
                union.set(union.size() - 1, new Span(last.from, Math.max(last.to, span.to)));
            } else {
                union.add(span);
            }
        }
        return union;
    }

    /** A close counts if it may be that of the last cache: an open is certain only when it has returned. */
    private void addCloses(List<Operation> operations) {
        record Step(String process, long nanos, int opened) {}
        List<Step> steps = new ArrayList<>();
        for (Operation operation : operations) {
            if (operation.name().equals("open") && operation.isOk()) {
                steps.add(new Step(operation.process(), operation.returned(), 1));
            } else if (operation.name().equals("close")) {
                steps.add(new Step(operation.process(), operation.invoked(), -1));
            }
        }
        steps.sort(Comparator.comparingLong(Step::nanos));
        Map<String, Integer> open = new HashMap<>();
        for (Step step : steps) {
            if (open.merge(step.process, step.opened, Integer::sum) <= 0) {
                open.put(step.process, 0);
                closes.computeIfAbsent(step.process, process -> new ArrayList<>())
                        .add(step.nanos);
            }
        }
    }

    /** When a process was killed, or {@link Long#MAX_VALUE}. */
    long killed(String process) {
        return kills.getOrDefault(process, Long.MAX_VALUE);
    }

    /** When a process first gave back all it held by closing its last cache after an instant, or {@link Long#MAX_VALUE}. */
    long closedAfter(String process, long nanos) {
        for (long close : closes.getOrDefault(process, List.of())) {
            if (close >= nanos) {
                return close;
            }
        }
        return Long.MAX_VALUE;
    }

    /** Whether a process had not yet got any lock. */
    boolean isNew(String process, long nanos) {
        return nanos <= firstGrants.getOrDefault(process, Long.MAX_VALUE);
    }

    boolean wasStopped(String process, long from, long to) {
        return stops.getOrDefault(process, List.of()).stream().anyMatch(span -> span.overlaps(from, to));
    }

    /** When at least one process was stopped, or the machine stood still, in order and without overlaps. */
    List<Span> stops() {
        return anyStops;
    }

    /** For how long nobody was stopped, and the machine ran, between two instants. */
    long undisturbedNanos(long from, long to) {
        long left = to - from;
        for (Span span : anyStops) {
            left -= Math.max(0, Math.min(span.to, to) - Math.max(span.from, from));
        }
        return left;
    }
}

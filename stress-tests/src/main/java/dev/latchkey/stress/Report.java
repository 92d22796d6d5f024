package dev.latchkey.stress;

import dev.latchkey.stress.Outcome.Kill;
import dev.latchkey.stress.check.Fault;
import dev.latchkey.stress.check.Violation;
import dev.latchkey.stress.history.Operation;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What a run came to, in words. */
final class Report {
    private Report() {}

    /** One line for a scenario, and for each violation its text and the command that does the same again. */
    static String of(Outcome outcome) {
        StringBuilder text = new StringBuilder(line(outcome));
        for (Violation violation : outcome.violations()) {
            text.append("\nVIOLATION of ").append(violation);
            text.append("\n  replay: ").append(outcome.options().replay(outcome.scenario()));
        }
        return text.toString();
    }

    static String line(Outcome outcome) {
        List<Operation> operations = outcome.run().operations();
        long done = operations.stream().filter(Operation::isOk).count();
        long unknown = operations.stream().filter(Operation::isUnknown).count();
        return ("%-9s seed %d: %d histories, %d operations (%d done, %d unknown), %d kills %s, %d stops,"
                        + " %d interrupts, %d times no hints, %d foreign checkpoints, %d steps of the clock, %d times a full disk, log at most %d KiB, the machine stood still for %d ms: %s")
                .formatted(
                        outcome.scenario().word(),
                        outcome.options().seed(),
                        outcome.run().histories().size(),
                        operations.size(),
                        done,
                        unknown,
                        outcome.kills().size(),
                        moments(outcome.moments()),
                        outcome.faults(Fault.Kind.STOP),
                        outcome.faults(Fault.Kind.INTERRUPT),
                        outcome.faults(Fault.Kind.HINTS_DELETED) + outcome.faults(Fault.Kind.HINTS_ZEROED),
                        outcome.faults(Fault.Kind.CHECKPOINT),
                        outcome.faults(Fault.Kind.CLOCK_STEPPED),
                        outcome.faults(Fault.Kind.DISK_FILLED),
                        outcome.run().remains().longestLogBytes() / 1024,
                        outcome.stalledMillis(),
                        outcome.violations().isEmpty()
                                ? "no violation"
                                : outcome.violations().size() + " VIOLATIONS");
    }

    /** What was done to the run, one line each, and what each victim of a kill was doing. */
    static List<String> faults(Outcome outcome) {
        Map<String, Moment> moments = outcome.kills().stream()
                .collect(Collectors.toMap(Kill::process, Kill::moment, (first, second) -> first));
        return outcome.run().faults().stream()
                .map(fault -> fault.nanos() + " " + fault.kind() + " " + fault.process()
                        + (fault.kind() == Fault.Kind.KILL
                                ? " "
                                        + moments.getOrDefault(fault.process(), Moment.OTHER)
                                                .word()
                                : ""))
                .toList();
    }

    private static String moments(Map<Moment, Integer> kills) {
        return kills.entrySet().stream()
                .map(entry -> entry.getValue() + " " + entry.getKey().word())
                .collect(Collectors.joining(", ", "(", ")"));
    }

    /** The sums over several scenarios. */
    static String total(List<Outcome> outcomes) {
        Map<Moment, Integer> kills = kills(outcomes);
        return ("in all: %d histories, %d operations, %d kills %s, %d stops, %d interrupts,"
                        + " %d times no hints, %d foreign checkpoints, %d steps of the clock, %d times a full disk, the machine stood still for %d ms, %d violations")
                .formatted(
                        outcomes.stream()
                                .mapToInt(outcome -> outcome.run().histories().size())
                                .sum(),
                        outcomes.stream()
                                .mapToInt(outcome -> outcome.run().operations().size())
                                .sum(),
                        outcomes.stream()
                                .mapToInt(outcome -> outcome.kills().size())
                                .sum(),
                        moments(kills),
                        sum(outcomes, Fault.Kind.STOP),
                        sum(outcomes, Fault.Kind.INTERRUPT),
                        sum(outcomes, Fault.Kind.HINTS_DELETED) + sum(outcomes, Fault.Kind.HINTS_ZEROED),
                        sum(outcomes, Fault.Kind.CHECKPOINT),
                        sum(outcomes, Fault.Kind.CLOCK_STEPPED),
                        sum(outcomes, Fault.Kind.DISK_FILLED),
                        outcomes.stream().mapToLong(Outcome::stalledMillis).sum(),
                        outcomes.stream()
                                .mapToInt(outcome -> outcome.violations().size())
                                .sum());
    }

    private static long sum(List<Outcome> outcomes, Fault.Kind kind) {
        return outcomes.stream().mapToLong(outcome -> outcome.faults(kind)).sum();
    }

    /** How many processes were killed at which moment. */
    static Map<Moment, Integer> kills(List<Outcome> outcomes) {
        Map<Moment, Integer> kills = new EnumMap<>(Moment.class);
        for (Outcome outcome : outcomes) {
            outcome.moments().forEach((moment, count) -> kills.merge(moment, count, Integer::sum));
        }
        return kills;
    }
}

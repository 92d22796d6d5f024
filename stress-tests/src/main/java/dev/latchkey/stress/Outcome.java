package dev.latchkey.stress;

import dev.latchkey.stress.check.Fault;
import dev.latchkey.stress.check.Run;
import dev.latchkey.stress.check.Violation;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What came of a run.
 *
 * @param kills in the order in which they were found out
 */
record Outcome(ScenarioName scenario, Options options, Run run, List<Kill> kills, List<Violation> violations) {
    /** One process that was killed, and what it was doing. */
    record Kill(String process, long nanos, Moment moment) {}

    /** How many processes were killed at which moment. */
    Map<Moment, Integer> moments() {
        Map<Moment, Integer> moments = new EnumMap<>(Moment.class);
        kills.forEach(kill -> moments.merge(kill.moment, 1, Integer::sum));
        return moments;
    }

    long faults(Fault.Kind kind) {
        return run.faults().stream().filter(fault -> fault.kind() == kind).count();
    }

    /** For how long nobody could go on, through no act of ours. */
    long stalledMillis() {
        return TimeUnit.NANOSECONDS.toMillis(run.stalls().stream()
                .mapToLong(stall -> stall.to() - stall.from())
                .sum());
    }
}

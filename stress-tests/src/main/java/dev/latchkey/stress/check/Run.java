package dev.latchkey.stress.check;

import dev.latchkey.stress.history.History;
import dev.latchkey.stress.history.Operation;
import dev.latchkey.testing.Stalls;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;

/**
 * All that is known of one run of a scenario.
 *
 * @param histories one for each worker process there was
 * @param faults in the order of their time
 * @param stalls when the machine itself let nobody go on for a while
 * @param remains what was in the directory when all workers were gone
 */
public record Run(List<History> histories, List<Fault> faults, List<Stalls.Stall> stalls, Remains remains) {
    /** The operations of all processes, in the order of their invocation. */
    public List<Operation> operations() {
        return histories.stream()
                .flatMap(history -> history.operations().stream())
                .sorted(Comparator.comparingLong(Operation::invoked))
                .toList();
    }

    /** When a process was killed, if it was. */
    public OptionalLong killed(String process) {
        return faults.stream()
                .filter(fault ->
                        fault.kind() == Fault.Kind.KILL && fault.process().equals(process))
                .mapToLong(Fault::nanos)
                .findFirst();
    }

    /** How many processes were killed. */
    public int kills() {
        return (int)
                faults.stream().filter(fault -> fault.kind() == Fault.Kind.KILL).count();
    }
}

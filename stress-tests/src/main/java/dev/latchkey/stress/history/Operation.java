package dev.latchkey.stress.history;

import dev.latchkey.stress.history.Event.Kind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One operation of one thread, from its invocation to its return.
 *
 * @param returned {@link Long#MAX_VALUE} if it never did, because the process was killed in it
 * @param outcome null in the same case: nobody knows whether it took effect
 * @param result the arguments of the line that ended it
 */
public record Operation(
        String process,
        String thread,
        String name,
        List<String> arguments,
        long invoked,
        long returned,
        @Nullable Kind outcome,
        List<String> result) {
    /** Whether it has done what it was to do. */
    public boolean isOk() {
        return outcome == Kind.OK;
    }

    /** Whether its process was killed in it. */
    public boolean isUnknown() {
        return outcome == null;
    }
}

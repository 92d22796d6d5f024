package dev.latchkey.stress.check;

/**
 * Something that was done to a run on purpose.
 *
 * @param nanos right before it was done, on the host's clock
 * @param process whom it hit; empty for what hit the directory
 */
public record Fault(long nanos, Kind kind, String process) {
    /** What was done. */
    public enum Kind {
        /** SIGKILL. */
        KILL,
        /** SIGSTOP. */
        STOP,
        /** SIGCONT. */
        CONTINUE,
        /** One thread of the process was interrupted. */
        INTERRUPT,
        /** The file {@code hints} was deleted. */
        HINTS_DELETED,
        /** The words in the file {@code hints} were set to zero. */
        HINTS_ZEROED,
        /** A process that is none of the run has written the log back, or tried to. */
        CHECKPOINT,
        /** The wall clock of all processes was stepped. */
        CLOCK_STEPPED,
        /** The disk of the directory was filled up to the last page. */
        DISK_FILLED,
        /** What had filled it was deleted. */
        DISK_FREED
    }
}

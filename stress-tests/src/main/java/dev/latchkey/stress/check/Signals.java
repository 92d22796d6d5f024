package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;

/**
 * No signal is lost. A wait for a condition that ended by time-out although what it waited for had come true was not signalled, or
 * somebody took its signal with him: a process that was killed, or one that was stopped or interrupted just then. So there are at
 * most as many of them as there were such faults, for each thread.
 */
public final class Signals implements Checker {
    /** The wait ended by a signal. */
    public static final String SIGNALLED = "signalled";

    /** It ended by time-out, although what it waited for had come true. */
    public static final String LATE = "late";

    /** It ended by time-out, and there was nothing to be signalled for. */
    public static final String IN_VAIN = "in_vain";

    private final int threads;

    /**
     * For processes of so many threads.
     *
     * @param threads how many each process has
     */
    public Signals(int threads) {
        this.threads = threads;
    }

    @Override
    public java.util.List<Violation> check(Run run) {
        Violations violations = new Violations("SIGNALS");
        long late = run.operations().stream()
                .filter(operation -> operation.name().equals("await") && isLate(operation))
                .count();
        long signalled = run.operations().stream()
                .filter(operation -> operation.name().equals("await") && operation.isOk() && !isLate(operation))
                .count();
        long excused = (long) threads * run.faults().size() + 1;
        if (late > excused) {
            violations.add(late + " waits for a condition were not told that it had come true, beside " + signalled
                    + " others; " + excused + " could be excused");
        }
        return violations.list();
    }

    private static boolean isLate(Operation operation) {
        return operation.isOk() && operation.result().equals(java.util.List.of(LATE));
    }
}

package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.time.Duration;
import java.util.List;

/**
 * Nothing hangs. Every operation of a process that was not killed returns, and none lasts longer than the bound, also those
 * that wait only as long as they were told to, which is a fraction of a second. Time in which any process of the directory
 * was stopped, or the machine stood still, does not count: it may have been in a write transaction, or have held the lock.
 */
public final class NoHang implements Checker {
    private final long boundNanos;

    /** With a bound of five seconds. */
    public NoHang() {
        this(Duration.ofSeconds(5));
    }

    /** With a bound. */
    public NoHang(Duration bound) {
        boundNanos = bound.toNanos();
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("NO_HANG");
        List<Operation> operations = run.operations();
        Lives lives = new Lives(run, operations);
        for (Operation operation : operations) {
            long end = Math.min(operation.returned(), lives.killed(operation.process()));
            if (end == Long.MAX_VALUE) {
                violations.add("its process was not killed: " + Violations.text(operation));
            } else if (lives.undisturbedNanos(operation.invoked(), end) > boundNanos) {
                violations.add("it lasted longer than "
                        + Duration.ofNanos(boundNanos).toMillis() + " ms: " + Violations.text(operation));
            }
        }
        return violations.list();
    }
}

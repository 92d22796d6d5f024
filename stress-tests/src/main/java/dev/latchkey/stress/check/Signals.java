package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/*
 * An entry among the waiters is written by the transaction that gives a lock up, and a signal by a holder of the lock; so tokens tell
 * which waits a signal found: those that had given up a smaller token and got the lock again with a greater one.
 *
 *   await bell 17 rung 300 -> timed_out 21     gave up token 17, waited for 300 ms at most, has the lock again with token 21
 *   signal bell 19 rung one                    was given by the holder with token 19
 *
 * A wait cannot have ended by time-out before its time was over. If a signal had been given before, it went to that wait, or to another
 * one that it found. So a signal is lost if it found a wait which ended by time-out, and none that ended as signalled; a signal to all
 * is, if it found any wait which ended by time-out.
 *
 * A waiter that is killed passes its signal on, which takes the time that a death takes to be noticed: then a wait is judged only if
 * it went on for some time after the kill in which nobody was stopped. It may have got the lock before it died, and the signal with
 * it: so nothing is judged if the process of a killed waiter has written anything to the database since the signaller gave up the lock.
 */
/** No signal is lost, whoever is killed: it wakes one that waited when it was given, or all. */
public final class Signals implements Checker {
    /** The wait ended by a signal. */
    public static final String SIGNALLED = "signalled";

    /** It ended by time-out. */
    public static final String TIMED_OUT = "timed_out";

    /** It ended by an interrupt. */
    public static final String INTERRUPTED = "interrupted";

    /** A signal to the one who has waited longest. */
    public static final String ONE = "one";

    /** A signal to all who wait. */
    public static final String ALL = "all";

    private final long passingNanos;

    /** With a second for a death to be noticed: many times what it takes, since the processors are shared with many processes. */
    public Signals() {
        this(Duration.ofSeconds(1));
    }

    /** With a time in which a death must have been noticed. */
    public Signals(Duration passing) {
        passingNanos = passing.toNanos();
    }

    /** A wait for a condition: between which tokens of the lock. */
    private record Wait(Operation operation, long from, long to) {
        boolean ended(String how) {
            return operation.isOk() && operation.result().get(0).equals(how);
        }

        /** Before that it cannot have ended by time-out. */
        long deadline() {
            return operation.invoked()
                    + TimeUnit.MILLISECONDS.toNanos(
                            Long.parseLong(operation.arguments().get(3)));
        }

        boolean wasFoundBy(long token) {
            return from < token && token < to;
        }
    }

    private record Key(String name, String condition) {}

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("SIGNALS");
        List<Operation> operations = run.operations();
        Lives lives = new Lives(run, operations);
        Map<String, List<Hold>> holds = Hold.byName(operations, lives);
        Map<Key, List<Wait>> waits = new HashMap<>();
        for (Operation operation : operations) {
            if (operation.name().equals("await")) {
                waits.computeIfAbsent(key(operation), absent -> new ArrayList<>())
                        .add(wait(operation));
            }
        }
        for (Operation signal : operations) {
            if (signal.name().equals("signal") && signal.isOk()) {
                judge(
                        signal,
                        releasedAt(signal, holds.getOrDefault(signal.arguments().get(0), List.of())),
                        waits.getOrDefault(key(signal), List.of()),
                        run,
                        lives,
                        violations);
            }
        }
        return violations.list();
    }

    private static Key key(Operation operation) {
        return new Key(operation.arguments().get(0), operation.arguments().get(2));
    }

    private static Wait wait(Operation operation) {
        long to = operation.isOk() ? Long.parseLong(operation.result().get(1)) : Long.MAX_VALUE;
        return new Wait(operation, Long.parseLong(operation.arguments().get(1)), to);
    }

    /** When the holder that gave a signal gave up the lock; nobody else can have got it before. */
    private static long releasedAt(Operation signal, List<Hold> holds) {
        return holds.stream()
                .filter(hold ->
                        hold.token() == Long.parseLong(signal.arguments().get(1)))
                .mapToLong(Hold::to)
                .findFirst()
                .orElse(signal.invoked());
    }

    private void judge(Operation signal, long released, List<Wait> waits, Run run, Lives lives, Violations violations) {
        long token = Long.parseLong(signal.arguments().get(1));
        List<Wait> found = waits.stream().filter(wait -> wait.wasFoundBy(token)).toList();
        boolean toAll = signal.arguments().get(3).equals(ALL);
        boolean taken = found.stream()
                .anyMatch(wait ->
                        wait.ended(SIGNALLED) || wait.operation().isUnknown() && hasWritten(wait, released, run));
        for (Wait wait : found) {
            if (wait.ended(TIMED_OUT)
                    && signal.returned() < wait.deadline()
                    && (toAll || !taken && !mayBeOnItsWay(signal, wait, found, lives))) {
                violations.add(
                        "it was not told of " + Violations.text(signal) + ": " + Violations.text(wait.operation()));
                return;
            }
        }
    }

    /** Whether a process that was killed while it waited may have got the lock before, and the signal with it. */
    private static boolean hasWritten(Wait wait, long since, Run run) {
        return run.histories().stream()
                .filter(history -> history.process().equals(wait.operation().process()))
                .flatMap(history -> history.events().stream())
                .anyMatch(event -> event.operation().equals("committing") && event.nanos() > since);
    }

    /** Whether a waiter was killed, and its signal may not have been passed on before the time of a wait was over. */
    private boolean mayBeOnItsWay(Operation signal, Wait wait, List<Wait> found, Lives lives) {
        List<Long> kills = found.stream()
                .filter(other -> other.operation().isUnknown())
                .map(other -> lives.killed(other.operation().process()))
                .toList();
        long from = kills.stream().reduce(signal.returned(), Math::max);
        return !kills.isEmpty() && lives.undisturbedNanos(from, wait.deadline()) < passingNanos;
    }
}

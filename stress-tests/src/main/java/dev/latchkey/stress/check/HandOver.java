package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * A lock that is free, or whose holder has been killed, does not stay idle while somebody waits for it. Judged by waits that
 * last through all of the idle stretch, in processes that live; time in which any process was stopped does not count, and
 * neither do the two seconds after a lock was forced, in which the threads of its former holder wait on.
 */
public final class HandOver implements Checker {
    private static final Set<String> WAITING = Set.of("lock", "interruptibly", "handle");
    private static final long FORCE_NOTICED_NANOS = Duration.ofSeconds(2).toNanos();

    private final long boundNanos;

    /** With a bound of a second: many times what a hand-over takes, since the processors are shared with many processes. */
    public HandOver() {
        this(Duration.ofSeconds(1));
    }

    /** With a bound. */
    public HandOver(Duration bound) {
        boundNanos = bound.toNanos();
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("HAND_OVER");
        List<Operation> operations = run.operations();
        Lives lives = new Lives(run.faults(), operations);
        Hold.byName(operations, lives).forEach((name, holds) -> {
            for (Lives.Span idle : idle(holds)) {
                if (lives.undisturbedNanos(idle.from(), idle.to()) > boundNanos) {
                    judge(name, idle, operations, lives, violations);
                }
            }
        });
        return violations.list();
    }

    /** The stretches in which nobody held the lock; what follows a forced grant begins later. */
    private static List<Lives.Span> idle(List<Hold> holds) {
        List<Lives.Span> idle = new ArrayList<>();
        long free = Long.MAX_VALUE;
        for (Hold hold :
                holds.stream().sorted(Comparator.comparingLong(Hold::from)).toList()) {
            if (free < hold.from()) {
                idle.add(new Lives.Span(free, hold.from()));
            }
            long end = hold.to() == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(hold.from(), hold.to());
            long taken = hold.taken() == Long.MAX_VALUE ? end : Math.max(end, hold.taken() + FORCE_NOTICED_NANOS);
            free = free == Long.MAX_VALUE ? taken : Math.max(free, taken);
        }
        return idle;
    }

    private static void judge(
            String name, Lives.Span idle, List<Operation> operations, Lives lives, Violations violations) {
        for (Operation wait : operations) {
            boolean waits = wait.name().equals("lock")
                    && wait.arguments().get(0).equals(name)
                    && WAITING.contains(wait.arguments().get(1))
                    && wait.invoked() <= idle.from()
                    && Math.min(wait.returned(), lives.killed(wait.process())) >= idle.to();
            if (waits) {
                violations.add(name + " was idle for "
                        + Duration.ofNanos(idle.to() - idle.from()).toMillis() + " ms from " + idle.from() + " during "
                        + Violations.text(wait));
                return;
            }
        }
    }
}

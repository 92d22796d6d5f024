package dev.latchkey.benchmark;

import dev.latchkey.testing.Cpu;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/**
 * Whether the compilers of some JVMs have done what there was to do, by the processor time that the kernel counts for their threads: what
 * the JVM itself tells counts a compilation only when it is over, which can be seconds later where others use the processors. Python has
 * no compiler, which rests.
 */
final class CompilerWatch {
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    /** Compilations come in waves. */
    private static final int LOOKS = 5;

    private static final double RESTING_SHARE = 0.02;

    private final long[] pids;
    /** When the last looks were, and what had been used by then. */
    private final Deque<long[]> looks = new ArrayDeque<>();

    CompilerWatch(long... pids) {
        this.pids = pids;
    }

    static CompilerWatch ofThisProcess() {
        return new CompilerWatch(ProcessHandle.current().pid());
    }

    /** To be asked again and again. */
    boolean rests() {
        long now = System.nanoTime();
        if (looks.isEmpty() || now - looks.getLast()[0] >= LOOK_NANOS) {
            looks.addLast(
                    new long[] {now, Arrays.stream(pids).map(Cpu::compilerNanos).sum()});
        }
        if (looks.size() <= LOOKS) {
            return false;
        }
        long[] latest = looks.getLast();
        long[] earliest = looks.removeFirst();
        return latest[1] - earliest[1] < RESTING_SHARE * (latest[0] - earliest[0]);
    }
}

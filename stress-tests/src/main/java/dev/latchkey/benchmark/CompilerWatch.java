package dev.latchkey.benchmark;

import dev.latchkey.testing.Cpu;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

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

    private final LongSupplier clock;
    private final LongSupplier used;
    /** When the last looks were, and what had been used by then. */
    private final Deque<long[]> looks = new ArrayDeque<>();

    CompilerWatch(long... pids) {
        this(System::nanoTime, () -> Arrays.stream(pids).map(Cpu::compilerNanos).sum());
    }

    /**
     * Watches something else.
     *
     * @param clock nanoseconds
     * @param used the processor time until now, in nanoseconds
     */
    CompilerWatch(LongSupplier clock, LongSupplier used) {
        this.clock = clock;
        this.used = used;
    }

    static CompilerWatch ofThisProcess() {
        return new CompilerWatch(ProcessHandle.current().pid());
    }

    /** To be asked again and again. */
    boolean rests() {
        long now = clock.getAsLong();
        if (looks.isEmpty() || now - looks.getLast()[0] >= LOOK_NANOS) {
            looks.addLast(new long[] {now, used.getAsLong()});
        }
        if (looks.size() <= LOOKS) {
            return false;
        }
        long[] latest = looks.getLast();
        long[] earliest = looks.removeFirst();
        return latest[1] - earliest[1] < RESTING_SHARE * (latest[0] - earliest[0]);
    }
}

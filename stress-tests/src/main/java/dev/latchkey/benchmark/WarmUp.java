package dev.latchkey.benchmark;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * What a process does before it is measured, until its compilers rest, but not for ever: where others use the processors, time alone would
 * leave its code uncompiled, and their compilers would be measured instead.
 */
final class WarmUp {
    /** Of all that comes before one measurement, together. */
    static final Duration LONGEST = Duration.ofMinutes(2);

    private final LongSupplier clock;
    private final int calls;
    private final long half;
    private final long latest;

    /**
     * Begins now.
     *
     * @param calls how many there are to be at least; 0 if the compilers need not rest
     */
    WarmUp(int calls, Duration longest) {
        this(System::nanoTime, calls, longest);
    }

    /** Begins now by this clock, which is one of nanoseconds. */
    WarmUp(LongSupplier clock, int calls, Duration longest) {
        this.clock = clock;
        this.calls = calls;
        long now = clock.getAsLong();
        this.half = now + longest.toNanos() / 2;
        this.latest = now + longest.toNanos();
    }

    /** For so long, for so many calls and until the compilers rest. */
    void run(Operation operation, long nanos, BooleanSupplier compilersRest) throws Exception {
        run(operation, clock.getAsLong() + nanos, latest, compilersRest);
    }

    private void run(Operation operation, long end, long limit, BooleanSupplier compilersRest) throws Exception {
        for (int i = 0; isBefore(end) || (i < calls && isBefore(limit)); i++) {
            operation.timed();
        }
        while (calls > 0 && isBefore(limit) && !compilersRest.getAsBoolean()) {
            operation.timed();
        }
    }

    /** One of many that contend for one lock has it too seldom for a compiler to notice. Takes half of the time at most. */
    void runAlone(Operation operation, BooleanSupplier compilersRest) throws Exception {
        Optional<Operation> alone = operation.alone();
        if (alone.isPresent()) {
            run(alone.get(), clock.getAsLong(), half, compilersRest);
        }
    }

    private boolean isBefore(long instant) {
        return clock.getAsLong() - instant < 0;
    }
}

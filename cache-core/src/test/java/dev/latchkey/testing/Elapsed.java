package dev.latchkey.testing;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** How long something took, without the time for which the machine let nobody go on. */
public final class Elapsed implements AutoCloseable {
    private final Stalls stalls = new Stalls();

    /**
     * How many milliseconds lie between two moments.
     *
     * @param from a moment of {@link System#nanoTime()}
     * @param to a later one
     */
    public long millis(long from, long to) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20)); // until a stall that has just ended is written down
        return TimeUnit.NANOSECONDS.toMillis(to - from - stalls.nanosWithin(from, to));
    }

    /** The same until now. */
    public long millisSince(long from) {
        return millis(from, System.nanoTime());
    }

    @Override
    public void close() {
        stalls.close();
    }
}

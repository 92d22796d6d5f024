package dev.latchkey.testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * When the machine itself stood still: a thread that wants to be woken every millisecond writes down how late it was. What a test
 * measured beside it can be told from what the machine did to everybody.
 */
public final class Stalls implements AutoCloseable {
    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /**
     * A time in which the machine let nobody go on who wanted to, by {@link System#nanoTime()}.
     *
     * @param from its begin
     * @param to its end
     */
    public record Stall(long from, long to) {}

    private final List<Stall> stalls = new ArrayList<>();
    private final Thread thread = new Thread(this::watch, "stalls");
    private volatile boolean closed;

    /** Begins to watch. */
    public Stalls() {
        thread.setDaemon(true);
        thread.start();
    }

    private void watch() {
        while (!closed) {
            long due = System.nanoTime() + PERIOD_NANOS;
            LockSupport.parkNanos(PERIOD_NANOS);
            long now = System.nanoTime();
            if (now - due > PERIOD_NANOS) {
                synchronized (stalls) {
                    stalls.add(new Stall(due, now));
                }
            }
        }
    }

    /** For how long of a stretch of time the machine let nobody go on who wanted to. */
    public long nanosWithin(long from, long to) {
        synchronized (stalls) {
            return stalls.stream()
                    .mapToLong(stall -> Math.max(0, Math.min(stall.to, to) - Math.max(stall.from, from)))
                    .sum();
        }
    }

    /** Those that took at least so long. */
    public List<Stall> ofAtLeast(Duration length) {
        synchronized (stalls) {
            return stalls.stream()
                    .filter(stall -> stall.to - stall.from >= length.toNanos())
                    .toList();
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}

package dev.latchkey.cache.spi;

import java.time.Duration;

/**
 * How long a call may wait for the database or for its turn, and whether an interrupt ends the wait.
 *
 * <p>Measured on {@link System#nanoTime()}; every wait of one call shares one deadline.
 */
public final class Deadline {
    private static final long LONGEST_NANOS = Long.MAX_VALUE / 4;

    private final long start;
    private final long nanos;
    private final boolean unlimited;
    private final boolean interruptible;

    private Deadline(long nanos, boolean unlimited, boolean interruptible) {
        this.start = System.nanoTime();
        this.nanos = nanos;
        this.unlimited = unlimited;
        this.interruptible = interruptible;
    }

    /**
     * A deadline that never comes.
     *
     * @return an uninterruptible deadline without end
     */
    public static Deadline never() {
        return new Deadline(LONGEST_NANOS, true, false);
    }

    /**
     * A deadline that comes after {@code duration}; zero or negative means now, however large means never late.
     *
     * @param duration how long to wait from now
     * @return an uninterruptible deadline
     */
    public static Deadline after(Duration duration) {
        boolean huge = duration.compareTo(Duration.ofNanos(LONGEST_NANOS)) >= 0;
        long nanos = huge ? LONGEST_NANOS : duration.isNegative() ? 0 : duration.toNanos();
        return new Deadline(nanos, huge, false);
    }

    /**
     * The same deadline for a wait that an interrupt ends.
     *
     * @return an interruptible deadline with as much time left
     */
    public Deadline interruptibly() {
        return new Deadline(remainingNanos(), unlimited, true);
    }

    /**
     * A deadline for a step that must get a fair chance although the caller's time may be over.
     *
     * @param duration the least time to grant
     * @return this deadline, or one that comes later
     */
    public Deadline atLeast(Duration duration) {
        Deadline least = after(duration);
        return remainingNanos() >= least.remainingNanos()
                ? this
                : new Deadline(least.nanos, least.unlimited, interruptible);
    }

    /**
     * The time left.
     *
     * @return nanoseconds until the deadline, 0 when it has come
     */
    public long remainingNanos() {
        return unlimited ? LONGEST_NANOS : Math.max(0, nanos - (System.nanoTime() - start));
    }

    /**
     * Whether the time is over.
     *
     * @return true when no time is left
     */
    public boolean hasPassed() {
        return remainingNanos() == 0;
    }

    /**
     * Whether this deadline never comes.
     *
     * @return true for an untimed call
     */
    public boolean isUnlimited() {
        return unlimited;
    }

    /**
     * Whether an interrupt ends the wait.
     *
     * @return true if the caller declares {@link InterruptedException}
     */
    public boolean isInterruptible() {
        return interruptible;
    }

    /**
     * The time the caller asked for, for messages.
     *
     * @return nanoseconds from start to deadline
     */
    public long totalNanos() {
        return nanos;
    }
}

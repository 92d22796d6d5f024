package dev.latchkey.coordination.resilience4j;

/** Where the permits of a {@link SharedRateLimiter} come from; all of it is shared by all processes. */
interface Limit {
    /** Takes permits if they can be had now; no interrupt prevents it. */
    boolean tryAcquire(int permits);

    /** Waits so long for permits; false early if they would come too late. */
    boolean acquire(int permits, long nanos) throws InterruptedException;

    /** How long to wait for permits that were reserved; negative if that would be longer than {@code nanos} and nothing was. */
    long reserve(int permits, long nanos);

    /** Takes all that can be had now, and tells how many. */
    int drain();

    /** How many can be had now; negative if so many of the time to come are reserved. */
    int available();

    /** How many there are in each period. */
    int perPeriod();

    /** Sets how many there are to be in each period. */
    void change(int perPeriod);
}

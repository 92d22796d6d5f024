package dev.latchkey.coordination;

import dev.latchkey.cache.spi.CoordinationEngine;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * The threads of this process that claim from one queue. One at a time waits for an item, the others wait for that one to leave,
 * so that all of them cost as much as one, and a put wakes one thread in each process.
 *
 * <p>Whoever waits reads the database when the queue is rung, when a delay is over, and every 40 ms in any case. Between two such
 * looks only the kernel is asked, every 20 ms, whether one of those has died that have claims; while nobody else has any, nothing
 * is asked. So the claims of the dead come back within 50 ms whatever happens to the hints.
 */
final class Claimers {
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(40);
    private static final long PROBE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** Held by the one that waits for all. */
    final ReentrantLock turn = new ReentrantLock(true);

    private final CoordinationEngine engine;
    private final String name;
    private volatile long nextProbeNanos;
    private volatile boolean likely;

    Claimers(CoordinationEngine engine, String name) {
        this.engine = engine;
        this.name = name;
        this.nextProbeNanos = engine.clock().nanos();
    }

    /** Whether there probably is another item, since there was one just now: then looking before claiming is a waste. */
    boolean isLikely() {
        return likely;
    }

    void found(boolean any) {
        likely = any;
    }

    /** The dead are asked for at most every 20 ms, so that a backlog is not slowed down by it. */
    boolean isProbeDue() {
        return engine.clock().nanos() - nextProbeNanos >= 0;
    }

    /** Which of them are dead; nobody asks again for 20 ms. */
    Set<Long> dead(List<Long> claimants) {
        nextProbeNanos = engine.clock().nanos() + PROBE_NANOS;
        return claimants.stream().filter(engine.sessions()::isDead).collect(Collectors.toUnmodifiableSet());
    }

    /** Sleeps until something may have changed. An interrupt is left for the caller to notice. */
    void sleep(int seen, long longestNanos, List<Long> claimants) {
        long start = System.nanoTime();
        long nanos = Math.min(longestNanos, LOOK_NANOS);
        for (long left = nanos; left > 0; left = nanos - (System.nanoTime() - start)) {
            engine.signal().await(name, seen, claimants.isEmpty() ? left : Math.min(left, PROBE_NANOS));
            if (engine.signal().seen(name) != seen || Thread.currentThread().isInterrupted()) {
                return;
            }
            if (!dead(claimants).isEmpty()) {
                nextProbeNanos = engine.clock().nanos(); // to act on it at once
                return;
            }
        }
    }
}

package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Session;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One acquisition: what was granted to which session, and the thread that owns it, if it belongs to one. */
final class Grant {
    final Session session;
    final long id;
    final long token;
    /** Null when it belongs to a handle, which any thread may close. */
    final @Nullable Thread thread;

    private final AtomicLong units;
    /** The instant of the host clock from which on it counts as lost, 0 if there is none. */
    volatile long leaseEndNanos;
    /** Set before its release is written: from then on a state that no longer names it says nothing. */
    volatile boolean releasing;
    /** It was taken away, and not given up. */
    volatile boolean lost;
    /** How often its thread has acquired it; only that thread asks. */
    int count = 1;

    Grant(Session session, long id, long token, long units, long leaseEndNanos, @Nullable Thread thread) {
        this.session = session;
        this.id = id;
        this.token = token;
        this.units = new AtomicLong(units);
        this.leaseEndNanos = leaseEndNanos;
        this.thread = thread;
    }

    /** How many permits it still has. */
    long units() {
        return units.get();
    }

    /** Some of its permits are no longer held; answers how many are left. */
    long reduce(long by) {
        return units.addAndGet(-by);
    }

    boolean isOwnedByCurrentThread() {
        return thread == Thread.currentThread();
    }

    boolean isOver(long nowNanos) {
        return leaseEndNanos != 0 && nowNanos - leaseEndNanos >= 0;
    }
}

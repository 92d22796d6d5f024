package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Signal;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets all threads of this process that wait for a change of one name cost as much as one: one of them sleeps until the name is
 * rung or it is time to look, the others sleep until that one tells them or has left.
 */
final class SharedSleep {
    /** How often the one that sleeps for all looks, rung or not. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

    private final Signal signal;
    private final String name;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Condition over = mutex.newCondition();
    /** Whether one of them sleeps for all. */
    private boolean asleep;

    private long changes;

    SharedSleep(Signal signal, String name) {
        this.signal = signal;
        this.name = name;
    }

    /** Sleeps until the deadline at most; an uninterruptible wait must not be kept awake by an interrupt that it is to ignore. */
    boolean awaitChange(int seen, Deadline deadline) {
        return awaitChange(seen, deadline, LOOK_NANOS);
    }

    /** The same for those who look at another pace. */
    boolean awaitChange(int seen, Deadline deadline, long lookNanos) {
        boolean deaf = !deadline.isInterruptible() && Thread.interrupted();
        boolean forAll = await(seen, deadline.remainingNanos(), lookNanos);
        if (deaf) {
            Thread.currentThread().interrupt();
        }
        return forAll;
    }

    /**
     * Sleeps until the name was rung after {@code seen} was read, a change was told, the time is over or the thread is
     * interrupted; the one that sleeps for all also returns to look at the truth.
     *
     * @return whether it slept for all, and is to tell the others what it finds
     */
    boolean await(int seen, long nanos, long lookNanos) {
        long end = System.nanoTime() + nanos;
        mutex.lock();
        try {
            long before = changes;
            while (asleep) {
                long left = end - System.nanoTime();
                if (left <= 0 || changes != before || signal.seen(name) != seen) {
                    return false;
                }
                long unused = over.awaitNanos(left);
            }
            asleep = true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            mutex.unlock();
        }
        try {
            signal.await(name, seen, Math.min(end - System.nanoTime(), lookNanos));
        } finally {
            wake(signal.seen(name) != seen);
        }
        return true;
    }

    private void wake(boolean all) {
        mutex.lock();
        try {
            asleep = false;
            if (all) {
                changes++;
                over.signalAll();
            } else {
                over.signal(); // the next to sleep for all
            }
        } finally {
            mutex.unlock();
        }
    }

    /** Whoever slept for all found that the truth has changed, although perhaps nobody rang; those who are told tell nobody. */
    void tellChange() {
        mutex.lock();
        try {
            changes++;
            over.signalAll();
        } finally {
            mutex.unlock();
        }
    }
}

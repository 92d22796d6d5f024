package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Signal;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets all threads of this process that wait for a change of one name cost as much as one: one of them sleeps until the name is
 * rung or it is time to look, and looks for all; the others sleep until that one tells them or has gone.
 */
final class SharedSleep {
    /** How often the one that looks for all does so, rung or not. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

    private final Signal signal;
    private final String name;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Condition over = mutex.newCondition();
    /** Whether one of them looks for all: from its first sleep until it goes, so that no look wakes another thread. */
    private boolean watched;

    private long changes;

    SharedSleep(Signal signal, String name) {
        this.signal = signal;
        this.name = name;
    }

    /** One wait of a thread, from its first look to its last; it may sleep for one name and then for another. */
    static final class Sleeper implements AutoCloseable {
        /** Where it looks for all. */
        private @Nullable SharedSleep duty;

        /** Sleeps until the deadline at most; an uninterruptible wait must not be kept awake by an interrupt that it is to ignore. */
        void awaitChange(SharedSleep sleepers, int seen, Deadline deadline) {
            awaitChange(sleepers, seen, deadline, LOOK_NANOS);
        }

        /** The same for those who look at another pace. */
        void awaitChange(SharedSleep sleepers, int seen, Deadline deadline, long lookNanos) {
            if (duty != sleepers) {
                close();
            }
            boolean deaf = !deadline.isInterruptible() && Thread.interrupted();
            sleepers.await(this, seen, deadline.remainingNanos(), lookNanos);
            if (deaf) {
                Thread.currentThread().interrupt();
            }
        }

        /** What it found is to be looked at by all, if it looks for them; perhaps nobody rang. */
        void tellChange() {
            if (duty != null) {
                duty.tellAll();
            }
        }

        @Override
        public void close() {
            if (duty != null) {
                duty.leave();
                duty = null;
            }
        }
    }

    /**
     * Sleeps until the name was rung after {@code seen} was read, a change was told, the time is over or the thread is
     * interrupted; the one that looks for all also returns to look at the truth.
     */
    private void await(Sleeper sleeper, int seen, long nanos, long lookNanos) {
        long end = System.nanoTime() + nanos;
        if (sleeper.duty == null && !takeDuty(sleeper, seen, end)) {
            return;
        }
        signal.await(name, seen, Math.min(end - System.nanoTime(), lookNanos));
        if (signal.seen(name) != seen) {
            tellAll();
        }
    }

    /** Sleeps as long as another looks for all; false if that one has told a change, or the wait is over. */
    private boolean takeDuty(Sleeper sleeper, int seen, long end) {
        mutex.lock();
        try {
            long before = changes;
            while (watched) {
                long left = end - System.nanoTime();
                if (left <= 0 || changes != before || signal.seen(name) != seen) {
                    return false;
                }
                long unused = over.awaitNanos(left);
            }
            watched = true;
            sleeper.duty = this;
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            mutex.unlock();
        }
    }

    private void leave() {
        mutex.lock();
        try {
            watched = false;
            over.signal(); // the next to look for all
        } finally {
            mutex.unlock();
        }
    }

    /** Those who are told tell nobody. */
    private void tellAll() {
        mutex.lock();
        try {
            changes++;
            over.signalAll();
        } finally {
            mutex.unlock();
        }
    }
}

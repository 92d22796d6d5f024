package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the database in Java: short parks with a deadline instead of SQLite's own sleeps, which grow to 100 ms, cannot
 * be interrupted and prefer newcomers.
 */
final class Busy {
    private static final long SHORTEST_PARK_NANOS = TimeUnit.MICROSECONDS.toNanos(20);
    static final long LONGEST_PARK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** How much of the time that has been waited each park takes. */
    private static final int PARTS = 8;

    private Busy() {}

    static <R> R retry(Deadline deadline, Supplier<String> where, Supplier<R> attempt) {
        return retry(deadline, where, attempt, () -> LONGEST_PARK_NANOS);
    }

    /**
     * The longer it waits the less often it looks: on busy processors, many who look often keep the one they wait for from going on.
     *
     * @param refused told of each attempt that met a busy database; answers how long to park at most
     */
    static <R> R retry(Deadline deadline, Supplier<String> where, Supplier<R> attempt, LongSupplier refused) {
        boolean interrupted = false;
        long start = 0;
        try {
            while (true) {
                try {
                    return attempt.get();
                } catch (Errors.BusyException e) {
                    if (deadline.hasPassed() || (interrupted && deadline.isInterruptible())) {
                        throw timeout(deadline, where.get(), e);
                    }
                }
                long now = System.nanoTime();
                start = start == 0 ? now : start;
                long park = Math.min(refused.getAsLong(), Math.max(SHORTEST_PARK_NANOS, (now - start) / PARTS));
                LockSupport.parkNanos(Math.min(park, Math.max(1, deadline.remainingNanos())));
                interrupted |= Thread.interrupted();
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    static void run(Deadline deadline, Supplier<String> where, Runnable attempt) {
        retry(deadline, where, () -> {
            attempt.run();
            return true;
        });
    }

    static CacheTimeoutException timeout(Deadline deadline, String where, @Nullable Throwable cause) {
        String message = "database busy for " + TimeUnit.NANOSECONDS.toMillis(deadline.totalNanos()) + " ms in " + where
                + "; another process or thread holds a write transaction";
        return cause == null ? new CacheTimeoutException(message) : new CacheTimeoutException(message, cause);
    }
}

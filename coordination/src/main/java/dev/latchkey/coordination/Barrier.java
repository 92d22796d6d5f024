package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;

/**
 * Lets only one caller at a time run something, or only so many, in all processes that open one directory. For parties that
 * wait for each other see {@link CyclicBarrier}.
 *
 * <pre>{@code
 * Callable<Report> report = Barrier.wrap(cache, Lock::new, "report", this::build);
 * report.call(); // everybody else waits until it has returned
 *
 * Callable<Page> fetch = Barrier.wrap(new BoundedSemaphore(cache, "fetch", 4), this::fetch);
 * }</pre>
 *
 * <p><b>Blocking, order, crashes.</b> As the lock or the semaphore that it goes through: callers are served first come, first served,
 * and one whose process dies lets the next one in at once. A caller that is interrupted while it waits gets {@link
 * InterruptedException} and runs nothing. Whether a call may call itself depends on the lock: with {@code RLock::new} it may.
 *
 * <p><b>Errors.</b> What the wrapped function throws is thrown on, after the lock was released. If the lock was lost meanwhile, by a
 * lease or by force, a function that has returned is followed by {@link LockLostException}; one that has thrown keeps its own exception,
 * with that one suppressed.
 *
 * <p><b>Thread safety.</b> What is answered may be called by any thread at any time.
 *
 * <p><b>Source.</b> The recipe {@code barrier} of python-diskcache.
 */
public final class Barrier {
    private Barrier() {}

    /**
     * One caller at a time.
     *
     * @param <T> what is computed
     * @param cache the directory
     * @param lock makes the lock, for example {@code Lock::new}, {@code RLock::new}
     * @param name the name of the lock
     * @param body what to run
     * @return the guarded function
     */
    public static <T> Callable<T> wrap(
            Cache cache,
            BiFunction<Cache, String, ? extends java.util.concurrent.locks.Lock> lock,
            String name,
            Callable<T> body) {
        Objects.requireNonNull(body, "body");
        java.util.concurrent.locks.Lock made = Objects.requireNonNull(lock.apply(cache, name), "lock");
        return () -> {
            made.lockInterruptibly();
            return runThen(body, made::unlock);
        };
    }

    /**
     * As many callers at a time as the semaphore has permits.
     *
     * @param <T> what is computed
     * @param semaphore what limits them
     * @param body what to run
     * @return the guarded function
     */
    public static <T> Callable<T> wrap(BoundedSemaphore semaphore, Callable<T> body) {
        Objects.requireNonNull(semaphore, "semaphore");
        Objects.requireNonNull(body, "body");
        return () -> {
            Permit permit = semaphore.acquirePermit();
            return runThen(body, permit::close);
        };
    }

    private static <T> T runThen(Callable<T> body, Runnable release) throws Exception {
        T result;
        try {
            result = body.call();
        } catch (Throwable e) {
            try {
                release.run();
            } catch (RuntimeException lost) {
                e.addSuppressed(lost);
            }
            throw e;
        }
        release.run();
        return result;
    }
}

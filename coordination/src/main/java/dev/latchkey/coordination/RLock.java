package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.Deadline;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Lock} that the thread which holds it may acquire again: what {@link java.util.concurrent.locks.ReentrantLock} is within
 * one process, between the threads of all processes that open one directory.
 *
 * <pre>{@code
 * RLock lock = new RLock(cache, "account");
 * lock.lock();
 * try {
 *     transfer(); // which locks it again, and unlocks it once
 * } finally {
 *     lock.unlock();
 * }
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> All objects of one name on one directory are one lock. With the {@code java.util.concurrent} methods
 * it belongs to the thread, which must release it as often as it acquired it; with a {@link LockHandle} to the handle, and that is
 * not reentrant: a thread that holds the lock cannot acquire a handle ({@link IllegalMonitorStateException}, not a hang). A name
 * used as anything else, a {@link Lock} included, is refused ({@link NameInUseException}).
 *
 * <p><b>Blocking, crashes, errors.</b> As {@link Lock}. Acquiring it again asks nobody, is allowed inside {@code cache.transact}, and
 * keeps the fencing token; a lock that was lost is lost as a whole.
 *
 * <p><b>Units.</b> A thread may hold it {@link Integer#MAX_VALUE} times; once more is an {@link Error}, as in the JDK.
 *
 * <p><b>Source.</b> python-diskcache's recipe of the same name, with the differences of {@link Lock}; there the owner is a process
 * and a thread number, which another process may have as well.
 */
public final class RLock extends FencedLock {
    /**
     * The lock of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public RLock(Cache cache, String name) {
        this(cache, name, LockOptions.NONE);
    }

    private RLock(Cache cache, String name, LockOptions options) {
        super(cache, Kind.RLOCK, name, 1, options);
    }

    /**
     * A builder of a lock with options.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @return the builder
     */
    public static LockBuilder<RLock> builder(Cache cache, String name) {
        Objects.requireNonNull(cache, "cache");
        String required = Names.require(name);
        return new LockBuilder<>(options -> new RLock(cache, required, options));
    }

    @Override
    @Nullable
    Grant ofOwner(Deadline deadline) {
        Grant grant = heldByCurrentThread();
        return grant == null || grant.releasing ? null : again(cohort(), grant);
    }

    /**
     * How often this thread holds the lock.
     *
     * @return 0 if it does not
     */
    public int getHoldCount() {
        requireOpen();
        Grant grant = heldByCurrentThread();
        return grant == null ? 0 : grant.count;
    }
}

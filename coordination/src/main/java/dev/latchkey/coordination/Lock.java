package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.Deadline;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A lock that the threads of all processes which open one directory take in turns; a {@code java.util.concurrent} lock, not
 * reentrant.
 *
 * <pre>{@code
 * Lock lock = new Lock(cache, "report");
 * lock.lock(); // waits for its turn, in this process and in every other
 * try {
 *     writeReport();
 * } finally {
 *     lock.unlock();
 * }
 *
 * try (LockHandle handle = lock.tryAcquire(Duration.ofSeconds(5)).orElse(null)) {
 *     if (handle != null) {
 *         handle.runFenced(() -> cache.incr("reports")); // not written if the lock was lost
 *     }
 * }
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> All objects of one name on one directory are one lock, in this process and in every other. With
 * the {@code java.util.concurrent} methods the lock belongs to the thread; with a {@link LockHandle} to the handle, which any
 * thread may close; a thread that waits for a lock whose handle only it could close waits for itself. A name used as a lock cannot be used as anything else ({@link NameInUseException}).
 *
 * <p><b>Blocking.</b> Waiters are served first come, first served; processes stand in one line, and the threads of a
 * process queue behind each other. Once another process waits, a process gets at most 16 grants or one millisecond in a row.
 * Waiting sleeps and writes nothing. {@link #lock()} cannot be interrupted and restores the flag; the others throw {@link
 * InterruptedException} if they wait, also when the flag was set before, and notice an interrupt within 50 milliseconds. A zero or
 * negative time means one attempt. A waiter that gives up leaves nothing behind.
 *
 * <p><b>Crashes.</b> A lock whose process died is granted to the next waiter within 50 milliseconds of the kernel having
 * taken the process down. A stopped process is not dead and keeps its lock; {@link #forceUnlock} is the way out, and so is a
 * lease for those who want one: {@link LockBuilder#lease}. Who outlives a lease has lost the lock: {@code runFenced}, {@code verify}
 * and {@code unlock} throw {@link LockLostException}, and {@code onLost} is called. A power loss frees all locks.
 *
 * <p><b>Memory consistency and durability.</b> What a thread did before {@code unlock} happens before what another does after
 * {@code lock}, within a process; between processes that is true of what lies in the cache and in files. Every grant is one
 * committed row, which the sqlite3 shell shows in the table LatchkeyState.
 *
 * <p><b>Errors.</b> Releasing what is not held: {@link IllegalMonitorStateException}; what was lost: {@link
 * LockLostException}. Acquiring inside {@code cache.transact}: {@link IllegalStateException}. A closed cache: {@link
 * dev.latchkey.cache.CacheClosedException}. {@code unlock} and {@code close} never fail because the database is busy or
 * full: the release is remembered and repeated.
 *
 * <p><b>Source.</b> python-diskcache's recipe of the same name, but released only by its owner, freed by death, fair, and
 * waiting without polling the database. The two levels are a cohort lock (Dice, Marathe, Shavit, PPoPP 2012); the tokens are
 * Kleppmann's fencing tokens (2016).
 */
public final class Lock extends FencedLock {
    /**
     * The lock of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public Lock(Cache cache, String name) {
        this(cache, Kind.LOCK, name, LockOptions.NONE);
    }

    private Lock(Cache cache, Kind kind, String name, LockOptions options) {
        super(cache, kind, name, 1, options);
    }

    /** What the leader of an election holds. */
    static Lock ofLeader(Cache cache, String name) {
        return new Lock(cache, Kind.LEADER, name, LockOptions.NONE);
    }

    /**
     * A builder of a lock with options.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @return the builder
     */
    public static LockBuilder<Lock> builder(Cache cache, String name) {
        Objects.requireNonNull(cache, "cache");
        String required = Names.require(name);
        return new LockBuilder<>(options -> new Lock(cache, Kind.LOCK, required, options));
    }

    @Override
    @Nullable
    Grant ofOwner(Deadline deadline) {
        if (heldByCurrentThread() != null) {
            throw new IllegalMonitorStateException(cohort().kind().title() + " '" + name()
                    + "' is held by this thread already and is not reentrant; waiting would never end");
        }
        return null;
    }

    @Override
    boolean isHeldInVain() {
        return heldByCurrentThread() != null;
    }
}

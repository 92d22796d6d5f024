package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;

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
 * thread may close. A name used as a lock cannot be used as anything else ({@link NameInUseException}).
 *
 * <p><b>Blocking.</b> Waiters are served first come, first served; processes stand in one line, and the threads of a
 * process queue behind each other. Once another process waits, a process gets at most 16 grants or one millisecond in a row.
 * Waiting sleeps and writes nothing. {@link #lock()} cannot be interrupted and restores the flag; the others throw {@link
 * InterruptedException}, also when the flag was set before, and notice an interrupt within 50 milliseconds. A zero or
 * negative time means one attempt. A waiter that gives up leaves nothing behind.
 *
 * <p><b>Crashes.</b> A lock whose process died is granted to the next waiter within 50 milliseconds of the kernel having
 * taken the process down. A stopped process is not dead and keeps its lock; {@link #forceUnlock} is the way out. There is no
 * time limit that a slow holder could outlive. A power loss frees all locks.
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
public final class Lock implements java.util.concurrent.locks.Lock {
    private final Cache cache;
    private final String name;
    private final LockCohort cohort;
    private final Cohorts cohorts;

    /**
     * The lock of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public Lock(Cache cache, String name) {
        this.cache = cache;
        this.name = Names.require(name);
        this.cohorts = Cohorts.of(Cohorts.engine(cache));
        this.cohort = cohorts.cohort(name);
    }

    // java.util.concurrent.locks.Lock

    /**
     * Waits for the lock; an interrupt is kept for later.
     *
     * @throws IllegalMonitorStateException if this thread holds it already: waiting for itself would never end
     */
    @Override
    public void lock() {
        try {
            acquireForThread(Deadline.never());
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible wait was interrupted", e);
        }
    }

    /**
     * Waits for the lock.
     *
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     * @throws IllegalMonitorStateException if this thread holds it already
     */
    @Override
    public void lockInterruptibly() throws InterruptedException {
        acquireForThread(Deadline.never().interruptibly());
    }

    /**
     * Takes the lock if it is free and nobody else's turn.
     *
     * @return whether it was taken; false also when the database is busy, or this thread holds it already
     */
    @Override
    public boolean tryLock() {
        requireOpen();
        return cohort.tryAcquire(true) != null;
    }

    /**
     * Waits for the lock for a limited time.
     *
     * @param time how long to wait; zero or negative means one attempt
     * @param unit its unit
     * @return whether it was taken
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        return tryLock(Duration.ofNanos(unit.toNanos(time)));
    }

    /**
     * Waits for the lock for a limited time.
     *
     * @param duration how long to wait; zero or negative means one attempt
     * @return whether it was taken
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public boolean tryLock(Duration duration) throws InterruptedException {
        return tryAcquire(duration, true) != null;
    }

    /**
     * Releases the lock.
     *
     * @throws IllegalMonitorStateException if this thread does not hold it
     * @throws LockLostException if it was lost meanwhile
     */
    @Override
    public void unlock() {
        Grant grant = requireHeldByThread();
        boolean held = cohort.release(grant);
        cohort.afterCommit(() -> cohorts.released(grant));
        if (!held) {
            throw lost(grant.token);
        }
    }

    /**
     * Not supported yet.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public Condition newCondition() {
        throw new UnsupportedOperationException("conditions of a lock between processes are not supported yet");
    }

    // Handles

    /**
     * Waits for the lock and gives it to a handle.
     *
     * @return the handle that holds it
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public LockHandle acquire() throws InterruptedException {
        requireOpen();
        refuseSelfDeadlock();
        Grant grant = cohort.acquire(Deadline.never().interruptibly(), false);
        if (grant == null) {
            throw new AssertionError("an untimed wait ended without a grant");
        }
        return handle(grant);
    }

    /**
     * Takes the lock if it is free and nobody else's turn, and gives it to a handle.
     *
     * @return the handle that holds it, or empty
     */
    public Optional<LockHandle> tryAcquire() {
        requireOpen();
        return Optional.ofNullable(cohort.tryAcquire(false)).map(this::handle);
    }

    /**
     * Waits for the lock for a limited time and gives it to a handle.
     *
     * @param duration how long to wait; zero or negative means one attempt
     * @return the handle that holds it, or empty
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public Optional<LockHandle> tryAcquire(Duration duration) throws InterruptedException {
        return Optional.ofNullable(tryAcquire(duration, false)).map(this::handle);
    }

    // Asking

    /**
     * Whether somebody who lives holds the lock.
     *
     * @return true if it is held, by whatever process
     */
    public boolean isLocked() {
        return holder().isPresent();
    }

    /**
     * Whether this thread holds the lock.
     *
     * @return true between its {@code lock} and its {@code unlock}, unless the lock was lost
     */
    public boolean isHeldByCurrentThread() {
        requireOpen();
        Grant grant = cohort.holder();
        return grant != null && grant.isOwnedByCurrentThread();
    }

    /**
     * The token of this thread's grant: greater than that of every earlier grant of this name.
     *
     * @return the fencing token, to be checked by whatever the lock protects
     * @throws IllegalMonitorStateException if this thread does not hold the lock
     */
    public long fencingToken() {
        requireOpen();
        return requireHeldByThread().token;
    }

    /**
     * Who holds the lock.
     *
     * @return the holder, in words, if somebody who lives holds it
     */
    public Optional<Holder> holder() {
        requireOpen();
        return cohort.describe(cohort.read(Deadline.never()), Deadline.never());
    }

    /**
     * How many processes stand in line.
     *
     * @return their number; threads that wait behind another of their process are not counted
     */
    public int waiters() {
        requireOpen();
        return cohort.read(Deadline.never()).line().places().size();
    }

    // More

    /**
     * Frees the lock if it still has a token, whoever holds it: the operator's way out when a process is stopped. The former
     * holder learns it when it next asks, and what it writes by {@code runFenced} is refused.
     *
     * @param expectedToken the token that {@link #holder()} showed
     * @return whether it was freed; false if it is free or has another token by now
     */
    public boolean forceUnlock(long expectedToken) {
        requireOpen();
        return cohort.forceUnlock(expectedToken, Deadline.never());
    }

    /**
     * Runs code in a transaction that is committed only if this thread still holds the lock.
     *
     * @param <T> what the code returns
     * @param body the code; its writes to the cache are a part of the transaction
     * @return what the code returned
     * @throws IllegalMonitorStateException if this thread does not hold the lock
     * @throws LockLostException if it was lost; nothing was written
     * @throws dev.latchkey.cache.CacheException if the code threw a checked exception, which is the cause
     */
    public <T> T runFenced(Callable<T> body) {
        requireOpen();
        return runFenced(requireHeldByThread(), body);
    }

    /**
     * Runs code without a result in a transaction that is committed only if this thread still holds the lock, see {@link
     * #runFenced(Callable)}.
     *
     * @param body the code; its writes to the cache are a part of the transaction
     */
    public void runFenced(Runnable body) {
        runFenced(Executors.callable(body));
    }

    <T> T runFenced(Grant grant, Callable<T> body) {
        return cache.transact(() -> {
            verify(grant);
            return body.call();
        });
    }

    /** Asks the row, in the caller's transaction if there is one. */
    void verify(Grant grant) {
        LockState state = cohort.read(Deadline.never());
        if (grant.session.isLost() || !state.isHeldBy(grant.session.id(), grant.id)) {
            throw lost(grant.token);
        }
    }

    boolean isHeldBy(Grant grant) {
        return cohort.holder() == grant;
    }

    /** Inside a transaction the grant is given up, and the handle closed, when that commits. */
    void close(Grant grant, AtomicBoolean closed) {
        if (cohort.isInTransaction() ? !closed.get() : closed.compareAndSet(false, true)) {
            cohort.release(grant);
            cohort.afterCommit(() -> {
                closed.set(true);
                cohorts.released(grant);
            });
        }
    }

    void onLost(Grant grant, java.util.function.Consumer<LockLostException> listener) {
        cohorts.onLost(cohort, grant, listener);
    }

    private LockHandle handle(Grant grant) {
        return new LockHandle(this, grant);
    }

    private @org.jspecify.annotations.Nullable Grant tryAcquire(Duration duration, boolean ownedByThread)
            throws InterruptedException {
        requireOpen();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        return duration.isZero() || duration.isNegative()
                ? cohort.tryAcquire(ownedByThread)
                : cohort.acquire(Deadline.after(duration).interruptibly(), ownedByThread);
    }

    private void acquireForThread(Deadline deadline) throws InterruptedException {
        requireOpen();
        refuseSelfDeadlock();
        cohort.acquire(deadline, true);
    }

    private void refuseSelfDeadlock() {
        Grant grant = cohort.holder();
        if (grant != null && grant.isOwnedByCurrentThread()) {
            throw new IllegalMonitorStateException(
                    "lock '" + name + "' is held by this thread already and is not reentrant; waiting would never end");
        }
    }

    private Grant requireHeldByThread() {
        Grant grant = cohort.holder();
        if (grant == null || !grant.isOwnedByCurrentThread()) {
            Long lost = cohort.tokenLostByCurrentThread();
            if (lost != null) {
                throw lost(lost);
            }
            throw new IllegalMonitorStateException("lock '" + name + "' is not held by this thread; "
                    + holderForMessage().map(now -> "holder: " + now).orElse("it is held by nobody"));
        }
        return grant;
    }

    private LockLostException lost(long token) {
        return new LockLostException(name, token, holderForMessage());
    }

    /** A busy database must not turn one error into another. */
    private Optional<Holder> holderForMessage() {
        requireOpen();
        Deadline deadline = Deadline.after(Duration.ofMillis(100));
        try {
            return cohort.describe(cohort.read(deadline), deadline);
        } catch (CacheTimeoutException e) {
            return Optional.empty();
        }
    }

    /** Also for a cache whose directory another cache object keeps open. */
    private void requireOpen() {
        Cohorts.engine(cache);
    }

    @Override
    public String toString() {
        return "Lock[" + name + " in " + cache.directory() + "]";
    }
}

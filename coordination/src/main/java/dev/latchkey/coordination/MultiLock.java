package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/**
 * Several locks that are taken together or not at all, by the threads of all processes which open one directory; a {@code
 * java.util.concurrent} lock, not reentrant.
 *
 * <pre>{@code
 * MultiLock both = new MultiLock(cache, List.of("account 7", "account 9"));
 * both.lock(); // in whatever order others name them: no deadlock
 * try {
 *     both.runFenced(() -> transfer(7, 9)); // not written if one of them was lost
 * } finally {
 *     both.unlock();
 * }
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> The names are those of {@link Lock}: whoever has {@code new Lock(cache, "account 7")} keeps this
 * lock from being taken, and the other way round. Each lock belongs to the thread as if it had been taken alone, so a thread
 * holds a {@code MultiLock} if it holds the lock of each name, whichever objects it used. All names are granted by one
 * transaction and given up by one, so nobody sees a half; only a release that the database refuses for a second is repeated name
 * by name. A name that is given twice counts once.
 *
 * <p><b>Blocking.</b> While it waits it holds up nobody: it holds none of its names, stands in no line, and never overtakes
 * one, so a name for which somebody waits is not to be had. It is taken in a moment at which all names are free, which under
 * load may be long in coming; for a fair wait, take single locks in a fixed order. Waiting sleeps, is woken when a name in its way
 * is given up, looks every 30 milliseconds in any case, and writes nothing. {@link #lock()} cannot be interrupted and restores
 * the flag; the others that wait throw {@link InterruptedException}, also when the flag was set before, and notice an interrupt within
 * 50 milliseconds. A zero or negative time means one attempt.
 *
 * <p><b>Crashes.</b> When its process dies all names are free at once, as with a {@link Lock}. A stopped process is not dead and
 * keeps them; {@link Inspector#forceRelease} frees one name. If one was lost, {@code runFenced} and {@code unlock} throw {@link
 * LockLostException}; the others are held until {@code unlock}, which releases them before it throws.
 *
 * <p><b>Memory consistency and durability.</b> As with a {@link Lock}.
 *
 * <p><b>Errors.</b> Waiting for oneself, also for a name that the thread holds through a {@link Lock}: {@link
 * IllegalMonitorStateException}. Acquiring inside {@code cache.transact}: {@link IllegalStateException}. A name that is used as
 * something else: {@link NameInUseException}. A closed cache: {@link dev.latchkey.cache.CacheClosedException}. {@code unlock} joins a
 * transaction, is undone by its rollback, and never fails because the database is busy or full: the release is remembered and
 * repeated.
 *
 * <p><b>Source.</b> Redisson's RedissonMultiLock, but without its order of names and its time-outs: it takes one after the
 * other and starts anew, this takes all in one transaction.
 */
public final class MultiLock implements java.util.concurrent.locks.Lock {
    private final Cache cache;
    private final CoordinationEngine engine;
    /** In the order of their names. */
    private final List<Lock> locks;

    private final CohortSet cohorts;

    /**
     * The lock of several names.
     *
     * @param cache the directory they live in
     * @param names the names of the locks, at least one; what is given twice counts once
     * @throws IllegalArgumentException if there are no names, a name is empty or too long, or the cache does not support
     *     coordination
     */
    public MultiLock(Cache cache, Collection<String> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("names must not be empty: a lock of nothing would exclude nobody");
        }
        this.cache = cache;
        this.engine = Cohorts.engine(cache);
        this.locks =
                new TreeSet<>(names).stream().map(name -> new Lock(cache, name)).toList();
        this.cohorts = new CohortSet(engine, locks.stream().map(Lock::cohort).toList());
    }

    // java.util.concurrent.locks.Lock

    /**
     * Waits until all names are free at once, and takes them; an interrupt is kept for later.
     *
     * @throws IllegalMonitorStateException if this thread holds one of them already: waiting for itself would never end
     */
    @Override
    public void lock() {
        try {
            acquire(Deadline.never());
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible wait was interrupted", e);
        }
    }

    /**
     * Waits until all names are free at once, and takes them.
     *
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     * @throws IllegalMonitorStateException if this thread holds one of them already
     */
    @Override
    public void lockInterruptibly() throws InterruptedException {
        acquire(Deadline.never().interruptibly());
    }

    /**
     * Takes all names if all are free and nobody waits for one of them.
     *
     * @return whether they were taken; false also when the database is busy, or this thread holds one of them already
     */
    @Override
    public boolean tryLock() {
        requireOpen();
        return firstHeld() == null && cohorts.tryAcquire();
    }

    /**
     * Waits for a limited time until all names are free at once, and takes them.
     *
     * @param time how long to wait; zero or negative means one attempt
     * @param unit its unit
     * @return whether they were taken; false at once if this thread holds one of them already
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        return tryLock(Duration.ofNanos(unit.toNanos(time)));
    }

    /**
     * Waits for a limited time until all names are free at once, and takes them.
     *
     * @param duration how long to wait; zero or negative means one attempt
     * @return whether they were taken; false at once if this thread holds one of them already
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public boolean tryLock(Duration duration) throws InterruptedException {
        requireOpen();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (duration.isZero() || duration.isNegative()) {
            return tryLock();
        }
        return acquire(Deadline.after(duration).interruptibly());
    }

    /**
     * Releases all names.
     *
     * @throws IllegalMonitorStateException if this thread does not hold all of them; nothing is released then
     * @throws LockLostException if one of them was lost meanwhile; the others are released
     */
    @Override
    public void unlock() {
        Map<Grant, Lock> held = new LinkedHashMap<>();
        LockLostException loss = null;
        for (Lock lock : locks) {
            Grant grant = lock.heldByCurrentThread();
            if (grant != null) {
                held.put(grant, lock);
            } else {
                loss = lossOf(lock, loss);
            }
        }
        List<Grant> lost = held.isEmpty() ? List.of() : release(held);
        for (Map.Entry<Grant, Lock> one : held.entrySet()) {
            if (loss == null && lost.contains(one.getKey())) {
                loss = one.getValue().lost(one.getKey().token);
            }
        }
        if (loss != null) {
            throw loss;
        }
    }

    private List<Grant> release(Map<Grant, Lock> held) {
        Map<Grant, Cohort> parts = new LinkedHashMap<>();
        held.forEach((grant, lock) -> parts.put(grant, lock.cohort()));
        return CohortSet.release(engine, parts);
    }

    /** Why the thread does not hold one of the names: the first loss, unless it never held it. */
    private static LockLostException lossOf(Lock lock, @Nullable LockLostException earlier) {
        try {
            Grant grant = lock.requireHeldByThread();
            throw new AssertionError(lock + " was not held a moment ago and is now, with token " + grant.token);
        } catch (LockLostException e) {
            return earlier == null ? e : earlier;
        }
    }

    /**
     * Not supported: a thread that waits for a condition gives up one lock. Use the condition of a {@link Lock}.
     *
     * @return never
     * @throws UnsupportedOperationException always
     */
    @Override
    public Condition newCondition() {
        throw new UnsupportedOperationException(
                this + " has no conditions; use those of the Lock of one name, which a waiter gives up alone");
    }

    // Asking

    /**
     * The names of the locks.
     *
     * @return each once, in order
     */
    public List<String> names() {
        return locks.stream().map(Lock::name).toList();
    }

    /**
     * Whether this thread holds all names.
     *
     * @return true between its {@code lock} and its {@code unlock}, unless one was lost
     */
    public boolean isHeldByCurrentThread() {
        requireOpen();
        return locks.stream().allMatch(Lock::isHeldByCurrentThread);
    }

    /**
     * The token of this thread's grant of one name: greater than that of every earlier grant of the name.
     *
     * @param name one of the names
     * @return the fencing token, to be checked by whatever the lock of this name protects
     * @throws IllegalMonitorStateException if this thread does not hold it
     * @throws LockLostException if it was lost
     * @throws IllegalArgumentException if the name is none of this lock's
     */
    public long fencingToken(String name) {
        for (Lock lock : locks) {
            if (lock.name().equals(name)) {
                return lock.fencingToken();
            }
        }
        throw new IllegalArgumentException("name must be one of " + names() + ", was '" + name + "'");
    }

    /**
     * Runs code in a transaction that is committed only if this thread still holds all names.
     *
     * @param <T> what the code returns
     * @param body the code; its writes to the cache are a part of the transaction
     * @return what the code returned
     * @throws IllegalMonitorStateException if this thread does not hold all of them
     * @throws LockLostException if one of them was lost; nothing was written
     * @throws dev.latchkey.cache.CacheException if the code threw a checked exception, which is the cause
     */
    public <T> T runFenced(Callable<T> body) {
        requireOpen();
        Map<Lock, Grant> held = new LinkedHashMap<>();
        locks.forEach(lock -> held.put(lock, lock.requireHeldByThread()));
        return cache.transact(() -> {
            held.forEach(Lock::verify);
            return body.call();
        });
    }

    /**
     * Runs code without a result in a transaction that is committed only if this thread still holds all names, see {@link
     * #runFenced(Callable)}.
     *
     * @param body the code; its writes to the cache are a part of the transaction
     */
    public void runFenced(Runnable body) {
        runFenced(Executors.callable(body));
    }

    private boolean acquire(Deadline deadline) throws InterruptedException {
        requireOpen();
        if (deadline.isInterruptible() && Thread.interrupted()) {
            throw new InterruptedException();
        }
        Lock held = firstHeld();
        if (held != null && !deadline.isUnlimited()) {
            return false; // nobody but this thread could give it up
        }
        if (held != null) {
            throw new IllegalMonitorStateException("lock '" + held.name()
                    + "' is held by this thread already and is not reentrant; waiting for " + names()
                    + " would never end");
        }
        return cohorts.acquire(deadline);
    }

    private @Nullable Lock firstHeld() {
        for (Lock lock : locks) {
            if (lock.heldByCurrentThread() != null) {
                return lock;
            }
        }
        return null;
    }

    /** Also for a cache whose directory another cache object keeps open. */
    private void requireOpen() {
        Cohorts.engine(cache);
    }

    @Override
    public String toString() {
        return "MultiLock" + names() + " in " + cache.directory();
    }
}

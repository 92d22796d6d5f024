package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Hold;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A lock whose grants have fencing tokens: what {@link Lock}, {@link RLock} and both sides of {@link ReadWriteLock} have in common. Each
 * says by itself who owns it and who may acquire it again.
 *
 * <pre>{@code
 * void report(FencedLock lock) throws InterruptedException {
 *     try (LockHandle handle = lock.acquire()) {
 *         handle.runFenced(() -> cache.incr("reports"));
 *     }
 * }
 * }</pre>
 */
public abstract sealed class FencedLock implements java.util.concurrent.locks.Lock
        permits Lock, RLock, ReadWriteLock.ReadLock, ReadWriteLock.WriteLock {
    private final Cache cache;
    private final Cohort cohort;
    private final Cohorts cohorts;
    private final long units;
    private final LockOptions options;
    private final AtomicInteger conditions = new AtomicInteger();

    FencedLock(Cache cache, Kind kind, String name, long units, LockOptions options) {
        this.cache = cache;
        this.cohorts = Cohorts.of(Cohorts.engine(cache));
        this.cohort = cohorts.cohort(kind, Names.require(name));
        this.units = units;
        this.options = options;
    }

    /**
     * What the current thread gets because of what it holds: the same once more, or something beside it; null if it must be
     * acquired.
     *
     * @throws IllegalMonitorStateException if it would wait for itself
     * @throws CacheTimeoutException if the database was busy until the deadline
     */
    abstract @Nullable Grant ofOwner(Deadline deadline);

    // java.util.concurrent.locks.Lock

    /**
     * Waits for the lock; an interrupt is kept for later.
     *
     * @throws IllegalMonitorStateException if this thread would wait for itself: it holds a lock that is not reentrant, or the
     *     read lock that it wants to write under
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
     * @throws IllegalMonitorStateException if this thread would wait for itself, see {@link #lock}
     */
    @Override
    public void lockInterruptibly() throws InterruptedException {
        acquireForThread(Deadline.never().interruptibly());
    }

    /**
     * Takes the lock if it is free and nobody else's turn.
     *
     * @return whether it was taken; false also when the database is busy, or this thread would wait for itself
     */
    @Override
    public boolean tryLock() {
        requireOpen();
        return tryNow() != null;
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
     * Waits for the lock for a limited time; not at all if this thread would wait for itself.
     *
     * @param duration how long to wait; zero or negative means one attempt
     * @return whether it was taken
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public boolean tryLock(Duration duration) throws InterruptedException {
        requireOpen();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (isOneAttempt(duration) || isHeldInVain()) {
            return tryNow() != null;
        }
        return acquireForThread(Deadline.after(duration).interruptibly()) != null;
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
        if (grant.count > 1) {
            grant.count--;
            cohort.row.afterRollback(() -> grant.count++);
            return;
        }
        if (!cohort.release(grant)) {
            cohorts.tell(cohort, grant);
            throw lost(grant.token);
        }
        cohort.row.afterCommit(() -> cohorts.released(grant));
    }

    /**
     * A condition of this lock that works across processes: the n-th call on one object is condition n of the name, in every
     * process; to {@link #newCondition(String)} and the {@link Inspector} it is {@code "#n"}. See {@link #newCondition(String)} for one with a name of its own, and for what all of them promise.
     *
     * @return the next condition
     */
    @Override
    public Condition newCondition() {
        return new LockCondition(this, "#" + conditions.incrementAndGet());
    }

    /**
     * The condition of a name: the same in every process. {@code await} gives the lock up in full, however often it is held, and
     * returns with it held as often as before, under a new fencing token. Its waiters are signalled in the order of their
     * arrival; a signal whose waiter dies, times out or is interrupted first goes to the next. A wait may end without a signal,
     * as with every condition. Whoever waits or signals must hold the lock: else {@link IllegalMonitorStateException}, or {@link
     * LockLostException} if it was lost; so does whoever waits and holds the read lock of the same name as well. Waiting inside a
     * transaction is an {@link IllegalStateException}; a signal inside one is sent when that commits.
     *
     * @param condition its name
     * @return the condition
     */
    public Condition newCondition(String condition) {
        return new LockCondition(this, Names.require(condition));
    }

    // Handles

    /**
     * Waits for the lock and gives it to a handle.
     *
     * @return the handle that holds it
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     * @throws IllegalMonitorStateException if this thread holds the lock itself: waiting for it might never end
     */
    public LockHandle acquire() throws InterruptedException {
        requireOpen();
        refuseSelfDeadlock();
        Grant grant = cohort.acquire(wantOfHandle(), Deadline.never().interruptibly());
        return handle(Objects.requireNonNull(grant, "an untimed wait ended without a grant"));
    }

    /**
     * Takes the lock if it is free and nobody else's turn, and gives it to a handle.
     *
     * @return the handle that holds it, or empty
     */
    public Optional<LockHandle> tryAcquire() {
        requireOpen();
        return Optional.ofNullable(cohort.tryAcquire(wantOfHandle())).map(this::handle);
    }

    /**
     * Waits for the lock for a limited time and gives it to a handle.
     *
     * @param duration how long to wait; zero or negative means one attempt
     * @return the handle that holds it, or empty
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public Optional<LockHandle> tryAcquire(Duration duration) throws InterruptedException {
        requireOpen();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Grant grant = isOneAttempt(duration) || isHeldInVain()
                ? cohort.tryAcquire(wantOfHandle())
                : cohort.acquire(wantOfHandle(), Deadline.after(duration).interruptibly());
        return Optional.ofNullable(grant).map(this::handle);
    }

    /**
     * Acquires the lock without a thread that waits for it. The future gets the handle when it is this request's turn; cancelling
     * the future, or completing it before, gives the turn or the lock back. What depends on the future runs in the common pool.
     *
     * @return a future of the handle
     * @throws IllegalMonitorStateException if this thread holds the lock: the future might wait for it
     * @throws IllegalStateException inside a transaction
     */
    public CompletableFuture<LockHandle> acquireAsync() {
        requireOpen();
        refuseSelfDeadlock();
        return new PendingGrant<>(cohort, cohorts, wantOfHandle(), this::handle, this::giveBack).start();
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
        return heldByCurrentThread() != null;
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
        return holder(Deadline.never());
    }

    private Optional<Holder> holder(Deadline deadline) {
        for (Hold hold : cohort.row.readOrRefuse(deadline).holds()) {
            Optional<Holder> holder = hold.units() == units ? cohort.row.describe(hold, deadline) : Optional.empty();
            if (holder.isPresent()) {
                return holder;
            }
        }
        return Optional.empty();
    }

    /**
     * How many processes stand in line.
     *
     * @return their number; threads that wait behind another of their process are not counted
     */
    public int waiters() {
        requireOpen();
        return Math.toIntExact(cohort.row.readOrRefuse(Deadline.never()).line().places().stream()
                .filter(place -> place.units() == units)
                .count());
    }

    // More

    /**
     * Frees the lock if it still has a token, whoever holds it: the operator's way out when a process is stopped. The former
     * holder learns it when it next asks, and what it writes by {@code runFenced} is refused.
     *
     * @param expectedToken the token that {@link #holder()} showed
     * @return whether it was freed, also from a dead process; false if nothing has this token by now
     */
    public boolean forceUnlock(long expectedToken) {
        requireOpen();
        return cohort.keeper.forceRelease(expectedToken, Deadline.never());
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

    /** Asks the database, in the caller's transaction if there is one. */
    void verify(Grant grant) {
        requireOpen();
        Optional<Hold> hold = cohort.row.readOrRefuse(Deadline.never()).hold(grant.session.id(), grant.id);
        boolean over =
                hold.isEmpty() || Turns.isOver(hold.get(), cohort.row.now().hostNanos());
        if (over || !cohort.local.isHeld(grant) || grant.releasing) {
            throw lost(grant.token);
        }
    }

    boolean isHeld(Grant grant) {
        return cohort.local.isHeld(grant);
    }

    void renew(Grant grant, Duration lease) {
        long leaseNanos = LockOptions.nanos(lease);
        requireOpen();
        if (grant.leaseEndNanos == 0 && cohort.local.isHeld(grant)) {
            throw new IllegalStateException(this + " is held without a lease: there is nothing to renew");
        }
        if (!cohort.renew(grant, leaseNanos, Deadline.never())) {
            throw lost(grant.token);
        }
    }

    /** Inside a transaction the grant is given up, and the handle closed, when that commits. */
    void close(Grant grant, AtomicBoolean closed) {
        if (cohort.row.isInTransaction() ? !closed.get() : closed.compareAndSet(false, true)) {
            boolean held = cohort.release(grant);
            cohort.row.afterCommit(() -> {
                closed.set(true);
                givenUp(grant, held);
            });
        }
    }

    /** The grant is over, in order or because the lock was lost before. */
    void givenUp(Grant grant, boolean held) {
        if (held) {
            cohorts.released(grant);
        } else {
            cohorts.tell(cohort, grant);
        }
    }

    void onLost(Grant grant, Consumer<LockLostException> listener) {
        cohorts.onLost(cohort, grant, listener);
    }

    private LockHandle handle(Grant grant) {
        return new LockHandle(this, listening(grant));
    }

    private void giveBack(Grant grant) {
        cohort.release(grant);
        cohorts.released(grant);
    }

    private Grant listening(Grant grant) {
        if (options.onLost() != null) {
            cohorts.onLost(cohort, grant, options.onLost());
        }
        return grant;
    }

    Want wantOfThread() {
        return Want.ofThread(units, options.leaseNanos());
    }

    private Want wantOfHandle() {
        return Want.ofHandle(units, options.leaseNanos());
    }

    /** Whether the current thread would wait in vain, since it holds what keeps it waiting. */
    boolean isHeldInVain() {
        return false;
    }

    private static boolean isOneAttempt(Duration duration) {
        return duration.isZero() || duration.isNegative();
    }

    private @Nullable Grant acquireForThread(Deadline deadline) throws InterruptedException {
        requireOpen();
        if (deadline.isInterruptible() && Thread.interrupted()) {
            throw new InterruptedException();
        }
        Grant owned;
        try {
            owned = ofOwner(deadline);
        } catch (CacheTimeoutException e) {
            if (deadline.isInterruptible() && Thread.interrupted()) {
                throw new InterruptedException();
            }
            return null;
        }
        return owned != null ? owned : listeningIfGranted(cohort.acquire(wantOfThread(), deadline));
    }

    private @Nullable Grant listeningIfGranted(@Nullable Grant grant) {
        return grant == null ? null : listening(grant);
    }

    /** One attempt; who would wait for himself does not get it. */
    private @Nullable Grant tryNow() {
        Grant owned;
        try {
            owned = ofOwner(Deadline.after(Cohort.ONE_ATTEMPT));
        } catch (LockLostException e) {
            throw e;
        } catch (IllegalMonitorStateException | CacheTimeoutException e) {
            return null;
        }
        return owned != null ? owned : listeningIfGranted(cohort.tryAcquire(wantOfThread()));
    }

    /** The lock again, for the thread that owned it before it waited for a condition. */
    void reacquire(long waiter, int count) {
        try {
            Want want = new Want(units, options.leaseNanos(), true, waiter);
            Grant grant = Objects.requireNonNull(cohort.acquire(want, Deadline.never()));
            grant.count = count;
            listening(grant);
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible wait was interrupted", e);
        }
    }

    /** The same grant once more. */
    static Grant again(Cohort cohort, Grant grant) {
        if (grant.count == Integer.MAX_VALUE) {
            throw new Error("maximum lock count exceeded");
        }
        grant.count++;
        cohort.row.afterRollback(() -> grant.count--);
        return grant;
    }

    /** The read lock for the thread that has the write lock. */
    Grant downgrade(Grant writing, Deadline deadline) {
        Grant reading = cohort.downgrade(writing, wantOfThread(), deadline);
        if (reading == null) {
            throw lost(writing.token);
        }
        return reading;
    }

    private void refuseSelfDeadlock() {
        if (cohort.local.held().anyMatch(grant -> grant.isOwnedByCurrentThread() && cohort.local.isHeld(grant))) {
            throw new IllegalMonitorStateException(cohort.kind().title() + " '" + name()
                    + "' is held by this thread already; waiting would never end");
        }
    }

    /** What else a thread holds of the same name would keep it from getting this again. */
    void refuseToWaitFor(Grant grant) {
        if (cohort.local.held().anyMatch(other -> other != grant && other.isOwnedByCurrentThread())) {
            throw new IllegalMonitorStateException("this thread reads and writes " + name()
                    + ": its read lock would keep it from getting the write lock again; release that first");
        }
    }

    @Nullable
    Grant heldByCurrentThread() {
        return cohort.local.heldByCurrentThread(units);
    }

    Cohort cohort() {
        return cohort;
    }

    String name() {
        return cohort.name();
    }

    Grant requireHeldByThread() {
        requireOpen();
        Grant grant = heldByCurrentThread();
        if (grant == null) {
            Long lost = cohort.local.tokenLostByCurrentThread();
            if (lost != null) {
                throw lost(lost);
            }
            throw new IllegalMonitorStateException(cohort.kind().title() + " '" + name()
                    + "' is not held by this thread; "
                    + cohort.row
                            .anyHolderForMessage()
                            .map(now -> "holder: " + now)
                            .orElse("nobody is known to hold it"));
        }
        return grant;
    }

    LockLostException lost(long token) {
        return new LockLostException(cohort, token, cohort.row.anyHolderForMessage());
    }

    /** Also for a cache whose directory another cache object keeps open. */
    void requireOpen() {
        Cohorts.engine(cache);
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + "[" + name() + " in " + cache.directory() + "]";
    }
}

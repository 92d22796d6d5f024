package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.WrongKindException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A number of permits that the threads of all processes which open one directory share; it has the methods of {@link
 * java.util.concurrent.Semaphore}.
 *
 * <pre>{@code
 * BoundedSemaphore downloads = new BoundedSemaphore(cache, "downloads", 4); // four at a time, in all processes together
 * try (Permit permit = downloads.acquirePermit()) {
 *     download(url);
 * }
 *
 * downloads.acquire(2); // as in java.util.concurrent
 * try {
 *     downloadTwo();
 * } finally {
 *     downloads.release(2);
 * }
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> All objects of one name on one directory are one semaphore, in this process and in every other.
 * Whoever comes first stores the number of permits; another number later is an {@link IllegalArgumentException}, and {@link
 * #resize} changes it. What {@code acquire} gets belongs to the process: any thread may release it, as in the JDK, but a release
 * of more than this process got by plain acquires is an {@link IllegalMonitorStateException} and releases nothing, so there are
 * never more permits than were stored. A {@link Permit} belongs to whoever has it, and only its {@code close} gives it back. A
 * name used as a semaphore cannot be used as anything else ({@link NameInUseException}).
 *
 * <p><b>Blocking.</b> Waiters are served first come, first served; processes stand in one line, and the threads of a process
 * queue behind each other. Who waits for many permits is not overtaken by those who want few, except that a process gets at most 16
 * grants or one millisecond in a row once another waits, as with {@link Lock}. Waiting sleeps and writes nothing. The
 * methods that throw {@link InterruptedException} do so also when the flag was set before, and notice an interrupt within 50
 * milliseconds; {@link #acquireUninterruptibly()} restores the flag. A zero or negative time means one attempt, which does not
 * overtake who waits. A waiter that gives up leaves nothing behind.
 *
 * <p><b>Crashes.</b> The permits of a process that died are free for the next waiter within 50 milliseconds of the kernel having
 * taken the process down; none leaks, and never are more granted than there are. A stopped process is not dead and keeps its
 * permits; {@link Inspector#forceRelease} frees them. Permits that were forced free, or whose session was taken for dead, are lost: {@code verify}, {@code runFenced} and
 * {@code release} throw {@link LockLostException}, and {@code onLost} is called. A power loss frees all permits.
 *
 * <p><b>Memory consistency and durability.</b> What a thread did before it released a permit happens before what another does after
 * it has acquired it, within a process; between processes that is true of what lies in the cache and in files. Every grant is
 * one committed row, which the sqlite3 shell shows in the tables LatchkeyState and LatchkeyHold.
 *
 * <p><b>Bounds and errors.</b> 1 to {@link Integer#MAX_VALUE} permits. A number below 1, or above the permits of the name, is an {@link
 * IllegalArgumentException}, also for one who waits when {@link #resize} makes its wait hopeless. Acquiring inside {@code
 * cache.transact}: {@link IllegalStateException}; a release inside joins the transaction. A closed cache: {@link
 * dev.latchkey.cache.CacheClosedException}. {@code release} and {@code close} never fail because the database is busy or full: the
 * release is remembered and repeated.
 *
 * <p><b>Source.</b> python-diskcache's recipe of the same name, but its permits come back when their holder dies, waiting is fair
 * and does not poll the database, and more than one can be acquired at once. The rules are those of {@link Lock}.
 */
public final class BoundedSemaphore {
    private final Cache cache;
    private final Cohort cohort;
    private final Cohorts cohorts;
    private final Purse purse;

    /**
     * The semaphore of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param permits how many there are, at least 1; stored if nobody has stored a number yet
     * @throws IllegalArgumentException if the stored number is another one, {@code permits < 1}, the name is empty or too long, or the
     *     cache does not support coordination
     * @throws NameInUseException if the name is in use as something else
     */
    public BoundedSemaphore(Cache cache, String name, int permits) {
        this.cache = cache;
        this.cohorts = Cohorts.of(Cohorts.engine(cache));
        this.cohort = cohorts.cohort(Kind.SEMAPHORE, Names.require(name));
        this.purse = cohorts.purse(cohort);
        requirePositive(permits);
        try {
            cohort.row.register(permits, Deadline.never());
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    // java.util.concurrent.Semaphore

    /**
     * Waits for a permit.
     *
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public void acquire() throws InterruptedException {
        acquire(1);
    }

    /**
     * Waits for permits, all at once.
     *
     * @param permits how many
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     * @throws IllegalArgumentException if {@code permits} is below 1 or above what the semaphore has
     */
    public void acquire(int permits) throws InterruptedException {
        keep(acquire(permits, Deadline.never().interruptibly()));
    }

    /** Waits for a permit; an interrupt is kept for later. */
    public void acquireUninterruptibly() {
        acquireUninterruptibly(1);
    }

    /**
     * Waits for permits, all at once; an interrupt is kept for later.
     *
     * @param permits how many
     * @throws IllegalArgumentException if {@code permits} is below 1 or above what the semaphore has
     */
    public void acquireUninterruptibly(int permits) {
        try {
            keep(acquire(permits, Deadline.never()));
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible wait was interrupted", e);
        }
    }

    /**
     * Takes a permit if one is free and nobody else's turn.
     *
     * @return whether it was taken; false also when the database is busy
     */
    public boolean tryAcquire() {
        return tryAcquire(1);
    }

    /**
     * Takes permits, all at once, if they are free and nobody else's turn.
     *
     * @param permits how many
     * @return whether they were taken; false also when the database is busy
     * @throws IllegalArgumentException if {@code permits} is below 1 or above what the semaphore has
     */
    public boolean tryAcquire(int permits) {
        return keep(tryNow(permits));
    }

    /**
     * Waits for a permit for a limited time.
     *
     * @param duration how long to wait; zero or negative means one attempt
     * @return whether it was taken
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public boolean tryAcquire(Duration duration) throws InterruptedException {
        return tryAcquire(1, duration);
    }

    /**
     * Waits for permits, all at once, for a limited time.
     *
     * @param permits how many
     * @param duration how long to wait; zero or negative means one attempt
     * @return whether they were taken
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     * @throws IllegalArgumentException if {@code permits} is below 1 or above what the semaphore has
     */
    public boolean tryAcquire(int permits, Duration duration) throws InterruptedException {
        return keep(acquire(permits, duration));
    }

    /**
     * Waits for a permit for a limited time.
     *
     * @param timeout how long to wait; zero or negative means one attempt
     * @param unit its unit
     * @return whether it was taken
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public boolean tryAcquire(long timeout, TimeUnit unit) throws InterruptedException {
        return tryAcquire(1, timeout, unit);
    }

    /**
     * Waits for permits, all at once, for a limited time.
     *
     * @param permits how many
     * @param timeout how long to wait; zero or negative means one attempt
     * @param unit its unit
     * @return whether they were taken
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     * @throws IllegalArgumentException if {@code permits} is below 1 or above what the semaphore has
     */
    public boolean tryAcquire(int permits, long timeout, TimeUnit unit) throws InterruptedException {
        return tryAcquire(permits, Duration.ofNanos(unit.toNanos(timeout)));
    }

    /**
     * Gives a permit back that a thread of this process got by a plain acquire.
     *
     * @throws IllegalMonitorStateException if this process holds none
     * @throws LockLostException if it was lost meanwhile
     */
    public void release() {
        release(1);
    }

    /**
     * Gives permits back that threads of this process got by plain acquires, from as many of them as it takes.
     *
     * @param permits how many
     * @throws IllegalMonitorStateException if this process holds fewer; nothing is released then
     * @throws LockLostException if some of them were lost meanwhile; the others are released
     * @throws IllegalArgumentException if {@code permits} is below 1
     */
    public void release(int permits) {
        requirePositive(permits);
        requireOpen();
        Purse.Taken taken = purse.take(permits, cohort.local::isHeld, describe());
        Grant lost = taken.parts().isEmpty() ? null : giveBack(taken);
        if (lost != null || taken.lostToken().isPresent()) {
            throw lost(lost != null ? lost.token : taken.lostToken().getAsLong());
        }
    }

    private @Nullable Grant giveBack(Purse.Taken taken) {
        Grant lost;
        try {
            lost = cohort.release(taken.parts());
        } catch (RuntimeException | Error e) {
            purse.putBack(taken.parts());
            throw e;
        }
        cohort.row.afterRollback(() -> purse.putBack(taken.parts()));
        return lost;
    }

    /**
     * How many permits are free now, whoever waits for them; what the dead held counts as free.
     *
     * @return a number that may have changed by the time it is read; 0 while more are in use than there are after {@link #resize}
     */
    public int availablePermits() {
        requireOpen();
        Turns turns = cohort.row.readOrRefuse(Deadline.never());
        long used = turns.holds().stream()
                .filter(cohort.row::isLiving)
                .mapToLong(Hold::units)
                .sum();
        return Math.toIntExact(Math.max(0, turns.permits() - used));
    }

    /**
     * Takes all permits that are free and nobody else's turn, as one plain acquire.
     *
     * @return how many were taken
     */
    public int drainPermits() {
        requireOpen();
        Grant grant = cohort.tryAcquire(Want.ofHandle(0, 0));
        keep(grant);
        return grant == null ? 0 : Math.toIntExact(grant.units());
    }

    // Permits

    /**
     * Waits for a permit and hands it out as an object.
     *
     * @return the permit, which is held until it is closed
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public Permit acquirePermit() throws InterruptedException {
        return acquirePermit(1);
    }

    /**
     * Waits for permits, all at once, and hands them out as one object.
     *
     * @param permits how many
     * @return the permits, which are held until they are closed
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     * @throws IllegalArgumentException if {@code permits} is below 1 or above what the semaphore has
     */
    public Permit acquirePermit(int permits) throws InterruptedException {
        Grant grant = acquire(permits, Deadline.never().interruptibly());
        return permit(Objects.requireNonNull(grant, "an untimed wait ended without a grant"));
    }

    /**
     * Takes a permit if one is free and nobody else's turn, and hands it out as an object.
     *
     * @return the permit, or empty
     */
    public Optional<Permit> tryAcquirePermit() {
        return Optional.ofNullable(tryNow(1)).map(this::permit);
    }

    /**
     * Waits for a permit for a limited time and hands it out as an object.
     *
     * @param duration how long to wait; zero or negative means one attempt
     * @return the permit, or empty
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     */
    public Optional<Permit> tryAcquirePermit(Duration duration) throws InterruptedException {
        return tryAcquirePermit(1, duration);
    }

    /**
     * Waits for permits, all at once, for a limited time and hands them out as one object.
     *
     * @param permits how many
     * @param duration how long to wait; zero or negative means one attempt
     * @return the permits, or empty
     * @throws InterruptedException if the thread is or was interrupted; nothing is held then
     * @throws IllegalArgumentException if {@code permits} is below 1 or above what the semaphore has
     */
    public Optional<Permit> tryAcquirePermit(int permits, Duration duration) throws InterruptedException {
        return Optional.ofNullable(acquire(permits, duration)).map(this::permit);
    }

    /**
     * Acquires a permit without a thread that waits for it. The future gets it when it is this request's turn; cancelling the
     * future, or completing it before, gives the turn or the permit back. What depends on the future runs in the common pool.
     *
     * @return a future of the permit
     * @throws IllegalStateException inside a transaction
     */
    public CompletableFuture<Permit> acquirePermitAsync() {
        requireOpen();
        return new PendingGrant<>(cohort, cohorts, Want.ofHandle(1, 0), this::permit, this::giveBack).start();
    }

    // More

    /**
     * How many permits there are, free or not.
     *
     * @return the stored number
     */
    public int permits() {
        requireOpen();
        return Math.toIntExact(cohort.row.readOrRefuse(Deadline.never()).permits());
    }

    /**
     * Stores another number of permits, for all processes. A smaller one than are in use takes effect as they come back; who waits
     * for more than there are then gets an {@link IllegalArgumentException}.
     *
     * @param permits how many there are to be
     * @throws IllegalArgumentException if {@code permits < 1}
     */
    public void resize(int permits) {
        requirePositive(permits);
        requireOpen();
        try {
            cohort.keeper.resize(permits, Deadline.never());
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    /**
     * Who holds permits: one entry for each acquire that is not wholly released, with the number of permits that it has left.
     *
     * @return those who live, in the order of their grants
     */
    public List<Holder> holders() {
        requireOpen();
        return cohort.row.readOrRefuse(Deadline.never()).holds().stream()
                .flatMap(hold -> cohort.row.describe(hold, Deadline.never()).stream())
                .toList();
    }

    /**
     * How many processes stand in line.
     *
     * @return their number; threads that wait behind another of their process are not counted
     */
    public int waiters() {
        requireOpen();
        return cohort.row.readOrRefuse(Deadline.never()).line().places().size();
    }

    /**
     * How many processes stand in line, see {@link #waiters()}.
     *
     * @return their number
     */
    public int getQueueLength() {
        return waiters();
    }

    /**
     * Whether a process stands in line.
     *
     * @return true if one does
     */
    public boolean hasQueuedThreads() {
        return waiters() > 0;
    }

    /**
     * Whether permits are handed out in the order of arrival.
     *
     * @return true
     */
    public boolean isFair() {
        return true;
    }

    // For Permit

    boolean isHeld(Grant grant) {
        return cohort.local.isHeld(grant);
    }

    /** Asks the database, in the caller's transaction if there is one. */
    void verify(Grant grant) {
        requireOpen();
        boolean stored = cohort.row.readOrRefuse(Deadline.never()).isHeldBy(grant.session.id(), grant.id);
        if (!stored || !cohort.local.isHeld(grant) || grant.releasing) {
            throw lost(grant.token);
        }
    }

    <T> T runFenced(Grant grant, Callable<T> body) {
        return cache.transact(() -> {
            verify(grant);
            return body.call();
        });
    }

    void onLost(Grant grant, Consumer<LockLostException> listener) {
        cohorts.onLost(cohort, grant, listener);
    }

    /** Inside a transaction the grant is given up, and the permit closed, when that commits. */
    void close(Grant grant, AtomicBoolean closed) {
        if (cohort.row.isInTransaction() ? !closed.get() : closed.compareAndSet(false, true)) {
            boolean held = cohort.release(grant);
            cohort.row.afterCommit(() -> {
                closed.set(true);
                if (held) {
                    cohorts.released(grant);
                } else {
                    cohorts.tell(cohort, grant);
                }
            });
        }
    }

    private Permit permit(Grant grant) {
        return new Permit(this, grant);
    }

    private void giveBack(Grant grant) {
        cohort.release(grant);
        cohorts.released(grant);
    }

    // All ways to acquire

    private @Nullable Grant acquire(int permits, Deadline deadline) throws InterruptedException {
        requirePossible(permits);
        return cohort.acquire(Want.ofHandle(permits, 0), deadline);
    }

    private @Nullable Grant acquire(int permits, Duration duration) throws InterruptedException {
        if (duration.isZero() || duration.isNegative()) {
            requirePossible(permits);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return tryNow(permits);
        }
        return acquire(permits, Deadline.after(duration).interruptibly());
    }

    private @Nullable Grant tryNow(int permits) {
        requirePossible(permits);
        return cohort.tryAcquire(Want.ofHandle(permits, 0));
    }

    private boolean keep(@Nullable Grant grant) {
        if (grant != null) {
            purse.put(grant);
        }
        return grant != null;
    }

    private void requirePossible(int permits) {
        requirePositive(permits);
        requireOpen();
        cohort.row.requirePossible(permits, Deadline.never());
    }

    private static void requirePositive(int permits) {
        if (permits < 1) {
            throw new IllegalArgumentException("permits must be > 0, was " + permits);
        }
    }

    private LockLostException lost(long token) {
        return new LockLostException(cohort, token, cohort.row.anyHolderForMessage());
    }

    private String describe() {
        return "semaphore '" + cohort.name() + "'";
    }

    /** Also for a cache whose directory another cache object keeps open. */
    private void requireOpen() {
        Cohorts.engine(cache);
    }

    @Override
    public String toString() {
        return "BoundedSemaphore[" + cohort.name() + " in " + cache.directory() + "]";
    }
}

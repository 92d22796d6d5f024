package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.coordination.ThrottleState.Answer;
import dev.latchkey.coordination.ThrottleState.Ask;
import dev.latchkey.coordination.ThrottleState.Reading;
import dev.latchkey.coordination.ThrottleState.Slot;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A rate limit that the threads of all processes which open one directory share: so many permits in so much time. The JDK has
 * nothing like it; the methods are named as those of {@link java.util.concurrent.Semaphore}, but a permit is used up and never given back.
 *
 * <pre>{@code
 * Throttle api = new Throttle(cache, "api", 100, Duration.ofSeconds(1)); // 100 per second, in all processes together
 * api.acquire(); // waits until it may
 * call();
 *
 * if (api.tryAcquire(Duration.ofMillis(200))) { // waits no longer than that
 *     call();
 * }
 *
 * Throttle even = Throttle.builder(cache, "mail", 60, Duration.ofMinutes(1)).burst(1).build(); // one each second
 * Supplier<Page> limited = even.wrap(this::fetch);
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> All objects of one name on one directory are one throttle, in this process and in every other.
 * Whoever comes first stores count, period and burst, and the throttle then has all its permits, once: a process that starts later
 * finds as many as there are. Another count, period or burst later is an {@link IllegalArgumentException}, and {@link #alter} changes them. A
 * name used as a throttle cannot be used as anything else ({@link NameInUseException}).
 *
 * <p><b>The limit.</b> Each admission has a slot, an instant before which no call returns. In every stretch of time, however short or long,
 * there are at most {@code burst} slots and as many more as the rate gives in that time, in all processes together. The burst is the count
 * unless the builder says otherwise; with a burst of 1 the slots are evenly spaced. What is not used is saved up to the burst.
 *
 * <p><b>Blocking.</b> Callers of one process are served first come, first served, and processes in the order in which they reserve; a
 * process reserves no further ahead than its next slot or 10 milliseconds, whichever is more. A caller sleeps until its slot, without
 * looking at the database, and returns about 0.1 milliseconds after it. The methods that throw {@link InterruptedException} do so at once, also
 * when the flag was set before; a slot that has come is given out nevertheless, and the flag stays. A zero or negative time means one
 * attempt, which does not overtake who waits. A time that is too short for the slot there is may be answered early. Virtual threads park.
 *
 * <p><b>Crashes.</b> A process that dies wastes what it has reserved: a slot, or those of the next 10 milliseconds; those who wait behind are
 * not held up. A caller that gives up leaves nothing behind: its slot goes to the next caller of its process, or back if it was
 * the last that was reserved, else it is wasted. A stopped process takes no more than it had reserved.
 *
 * <p><b>Transactions.</b> Inside {@code cache.transact} {@code tryAcquire}, {@link #reserve} and {@link Reservation#cancel} join the
 * transaction: if it is rolled back, nothing was used. What would have to wait there is an {@link IllegalStateException}.
 *
 * <p><b>Memory consistency and durability.</b> An admission orders nothing between threads. The state is one committed row, which the
 * sqlite3 shell shows in the table LatchkeyState. It counts on a clock that no change of the wall clock moves; after a reboot the wall clock says
 * how much time has passed.
 *
 * <p><b>Bounds and errors.</b> The time between two permits is a whole number of nanoseconds, rounded up; a rate for which that would be
 * more than 1 percent too slow (none below ten million per second) is an {@link IllegalArgumentException}, as are a count or burst below 1, a
 * period that is not positive or longer than 36 years, and {@code permits} below 1 or above the burst. A closed cache: {@link
 * dev.latchkey.cache.CacheClosedException}. A busy database: attempts and waits with a time limit answer false when their time is over,
 * all other calls wait for it.
 *
 * <p><b>Source.</b> The generic cell rate algorithm (ITU-T I.371). python-diskcache's {@code throttle} allows a burst whenever a process
 * starts, reserves nothing, and its callers poll.
 */
public final class Throttle {
    private final Cache cache;
    private final ThrottleLine line;
    /** What the throttle gets if its row was deleted. */
    private volatile ThrottleRate rate;

    /**
     * The throttle of a name, with as many permits at once as {@code count} says.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param count how many permits there are in each period, at least 1; stored if nobody has stored a number yet
     * @param period in how much time, positive, at most 36 years
     * @throws IllegalArgumentException if the stored numbers are others, these are out of bounds, the name is empty or too long, or the
     *     cache does not support coordination
     * @throws NameInUseException if the name is in use as something else
     */
    public Throttle(Cache cache, String name, long count, Duration period) {
        this(cache, name, ThrottleRate.of(count, period));
    }

    private Throttle(Cache cache, String name, ThrottleRate rate) {
        this.cache = cache;
        this.line = Throttles.of(Cohorts.engine(cache)).line(Names.require(name));
        this.rate = rate;
        ThrottleRate stored = line.register(rate, Deadline.never()).rate();
        if (!stored.isSameAs(rate)) {
            throw new IllegalArgumentException("throttle '" + name + "' has " + stored + ", not " + rate
                    + "; use the stored numbers, or change them by alter(count, period, burst)");
        }
    }

    /**
     * Begins to build a throttle with options.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param count how many permits there are in each period, at least 1
     * @param period in how much time, positive, at most 36 years
     * @return a builder
     * @throws IllegalArgumentException if these numbers are out of bounds
     */
    public static Builder builder(Cache cache, String name, long count, Duration period) {
        return new Builder(cache, name, ThrottleRate.of(count, period));
    }

    /**
     * What is to be had now.
     *
     * @param remaining how many permits can be had at once
     * @param retryAfter how long until the next one can be had; zero if one can
     */
    public record Probe(long remaining, Duration retryAfter) {}

    // Acquiring

    /**
     * Waits for a permit.
     *
     * @throws InterruptedException if the thread is or was interrupted
     * @throws IllegalStateException inside a transaction, if it would have to wait
     */
    public void acquire() throws InterruptedException {
        acquire(1);
    }

    /**
     * Waits for permits, all at one time.
     *
     * @param permits how many
     * @throws InterruptedException if the thread is or was interrupted
     * @throws IllegalArgumentException if {@code permits} is below 1 or above the burst
     * @throws IllegalStateException inside a transaction, if it would have to wait
     */
    public void acquire(int permits) throws InterruptedException {
        Slot unused = slot(permits);
    }

    /** The slot that was waited for. */
    Slot slot(int permits) throws InterruptedException {
        requirePositive(permits);
        requireOpen();
        Slot slot = line.acquire(rate, permits, Deadline.never());
        return Objects.requireNonNull(slot, "an untimed wait ended without a slot");
    }

    /**
     * Takes a permit if one is there and nobody else's turn.
     *
     * @return whether it was taken; false also when the database is busy
     */
    public boolean tryAcquire() {
        return tryAcquire(1);
    }

    /**
     * Takes permits, all at once, if they are there and nobody else's turn.
     *
     * @param permits how many
     * @return whether they were taken; false also when the database is busy
     * @throws IllegalArgumentException if {@code permits} is below 1 or above the burst
     */
    public boolean tryAcquire(int permits) {
        return trySlot(permits) != null;
    }

    @Nullable
    Slot trySlot(int permits) {
        requirePositive(permits);
        requireOpen();
        return line.tryAcquire(rate, permits);
    }

    /**
     * Waits for a permit for a limited time. If its slot comes later than that, nothing is taken and the answer may come early.
     *
     * @param duration how long to wait; zero or negative means one attempt
     * @return whether it was taken
     * @throws InterruptedException if the thread is or was interrupted
     * @throws IllegalStateException inside a transaction, if it would have to wait
     */
    public boolean tryAcquire(Duration duration) throws InterruptedException {
        return tryAcquire(1, duration);
    }

    /**
     * Waits for permits, all at one time, for a limited time. If their slot comes later than that, nothing is taken and the answer may
     * come early.
     *
     * @param permits how many
     * @param duration how long to wait; zero or negative means one attempt
     * @return whether they were taken
     * @throws InterruptedException if the thread is or was interrupted
     * @throws IllegalArgumentException if {@code permits} is below 1 or above the burst
     * @throws IllegalStateException inside a transaction, if it would have to wait
     */
    public boolean tryAcquire(int permits, Duration duration) throws InterruptedException {
        return trySlot(permits, duration) != null;
    }

    @Nullable
    Slot trySlot(int permits, Duration duration) throws InterruptedException {
        requirePositive(permits);
        requireOpen();
        if (duration.isZero() || duration.isNegative()) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return trySlot(permits);
        }
        return line.acquire(rate, permits, Deadline.after(duration));
    }

    /**
     * Reserves permits without waiting for their slot, however far away it is. It takes the next slot there is, also in front of callers
     * of this process that wait and have none yet.
     *
     * @param permits how many
     * @return when they may be used; not to be used before
     * @throws IllegalArgumentException if {@code permits} is below 1 or above the burst
     * @throws IllegalStateException if the next 36 years are reserved
     */
    public Reservation reserve(int permits) {
        requirePositive(permits);
        requireOpen();
        Answer answer = line.reserve(rate, Ask.ever(permits), Deadline.never());
        Reservation reservation = new Reservation(this, answer.slot(), line.now());
        line.afterRollback(reservation::undo);
        return reservation;
    }

    /**
     * Reserves permits without waiting for their slot, unless that is farther away than a caller would wait; then nothing is reserved.
     * It takes the next slot there is, as {@link #reserve} does.
     *
     * @param permits how many
     * @param atMost how far away the slot may be; zero or negative for one that has come
     * @return when they may be used, or empty
     * @throws IllegalArgumentException if {@code permits} is below 1 or above the burst
     */
    public Optional<Reservation> tryReserve(int permits, Duration atMost) {
        requirePositive(permits);
        requireOpen();
        Ask ask = atMost.isZero() || atMost.isNegative()
                ? Ask.now(permits, Ask.NEVER_NANOS)
                : Ask.until(permits, line.now().nanos() + Deadline.after(atMost).remainingNanos());
        Answer answer = line.reserve(rate, ask, Deadline.never());
        if (!answer.isGranted()) {
            return Optional.empty();
        }
        Reservation reservation = new Reservation(this, answer.slot(), line.now());
        line.afterRollback(reservation::undo);
        return Optional.of(reservation);
    }

    boolean cancel(Slot slot) {
        return line.cancel(rate, slot, Deadline.never());
    }

    /**
     * How many permits can be had now, and how long it is until the next one; takes none.
     *
     * @return a snapshot, which may be out of date by the time it is read
     */
    public Probe probe() {
        requireOpen();
        ThrottleState state = line.read(rate, Deadline.never());
        Reading now = line.now();
        return new Probe(state.remaining(now), Duration.ofNanos(state.retryAfterNanos(now)));
    }

    // Wrapping

    /**
     * Limits how often a function is called.
     *
     * @param <A> its argument
     * @param <R> its result
     * @param function what to call after acquiring a permit
     * @return the same function, which waits for a permit; interrupted, it throws a {@link CacheException} whose cause is the {@link
     *     InterruptedException}, sets the flag again and does not call
     */
    public <A, R> Function<A, R> wrap(Function<? super A, ? extends R> function) {
        Objects.requireNonNull(function, "function");
        return argument -> {
            acquireForCall();
            return function.apply(argument);
        };
    }

    /**
     * Limits how often a supplier is called, see {@link #wrap(Function)}.
     *
     * @param <R> its result
     * @param supplier what to call after acquiring a permit
     * @return the same supplier, which waits for a permit
     */
    public <R> Supplier<R> wrap(Supplier<? extends R> supplier) {
        Objects.requireNonNull(supplier, "supplier");
        return () -> {
            acquireForCall();
            return supplier.get();
        };
    }

    /**
     * Limits how often a task is run, see {@link #wrap(Function)}.
     *
     * @param task what to run after acquiring a permit
     * @return the same task, which waits for a permit
     */
    public Runnable wrap(Runnable task) {
        Objects.requireNonNull(task, "task");
        return () -> {
            acquireForCall();
            task.run();
        };
    }

    /**
     * Limits how often a callable is called, see {@link #wrap(Function)}. A checked exception of it arrives as the cause of a {@link
     * CacheException}; an {@link InterruptedException} so wrapped sets the flag again.
     *
     * @param <R> its result
     * @param callable what to call after acquiring a permit
     * @return the same callable, which waits for a permit
     */
    public <R> Callable<R> wrapCallable(Callable<? extends R> callable) {
        Objects.requireNonNull(callable, "callable");
        return () -> {
            acquireForCall();
            try {
                return callable.call();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw asCause(e, "what " + this + " limits has failed: ");
            }
        };
    }

    private void acquireForCall() {
        try {
            acquire();
        } catch (InterruptedException e) {
            throw asCause(e, "interrupted while waiting for " + this + ": ");
        }
    }

    private static CacheException asCause(Exception cause, String message) {
        if (cause instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        return new CacheException(message + cause, cause);
    }

    // Altering

    /**
     * Stores another rate, for all processes. A burst that was given stays, else it is the new count. What was reserved before keeps its
     * slot, and the new rate begins after the last of these; of the new permits as many are used up as were of the old ones.
     *
     * @param count how many permits there are to be in each period, at least 1
     * @param period in how much time, positive, at most 36 years
     * @throws IllegalArgumentException if these numbers are out of bounds
     */
    public void alter(long count, Duration period) {
        ThrottleRate checked = ThrottleRate.of(count, period);
        alter(stored -> stored.altered(count, checked.period()));
    }

    /**
     * Stores another rate and another burst, for all processes, see {@link #alter(long, Duration)}.
     *
     * @param count how many permits there are to be in each period, at least 1
     * @param period in how much time, positive, at most 36 years
     * @param burst how many there are to be at once, at least 1
     * @throws IllegalArgumentException if these numbers are out of bounds
     */
    public void alter(long count, Duration period, long burst) {
        ThrottleRate other = ThrottleRate.of(count, period).withBurst(burst);
        alter(stored -> other);
    }

    private void alter(UnaryOperator<ThrottleRate> change) {
        requireOpen();
        ThrottleRate other = line.alter(rate, change, Deadline.never());
        line.afterCommit(() -> rate = other);
    }

    // For Reservation

    ThrottleLine line() {
        return line;
    }

    /** Also for a cache whose directory another cache object keeps open. */
    void requireOpen() {
        var unused = Cohorts.engine(cache);
    }

    private static void requirePositive(int permits) {
        if (permits < 1) {
            throw new IllegalArgumentException("permits must be > 0, was " + permits);
        }
    }

    @Override
    public String toString() {
        return "Throttle[" + line.name() + " in " + cache.directory() + "]";
    }

    /** Builds a {@link Throttle} with options. */
    public static final class Builder {
        private final Cache cache;
        private final String name;
        private ThrottleRate rate;

        private Builder(Cache cache, String name, ThrottleRate rate) {
            this.cache = Objects.requireNonNull(cache, "cache");
            this.name = Names.require(name);
            this.rate = rate;
        }

        /**
         * How many permits can be had at once after a pause; the count unless it is given. It is stored with the name.
         *
         * @param burst at least 1, which spaces the permits evenly
         * @return this builder
         * @throws IllegalArgumentException if it is below 1, or so much that it takes more than 36 years
         */
        public Builder burst(long burst) {
            rate = rate.withBurst(burst);
            return this;
        }

        /**
         * The throttle.
         *
         * @return a throttle with these options
         * @throws IllegalArgumentException if the stored numbers are others
         * @throws NameInUseException if the name is in use as something else
         */
        public Throttle build() {
            return new Throttle(cache, name, rate);
        }
    }
}

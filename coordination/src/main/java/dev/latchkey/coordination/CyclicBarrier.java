package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.coordination.BarrierState.Arrived;
import dev.latchkey.coordination.BarrierState.Left;
import dev.latchkey.coordination.BarrierState.Outcome;
import dev.latchkey.coordination.BarrierState.Party;
import dev.latchkey.coordination.BarrierState.Phase;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets parties in all processes that open one directory wait for each other, again and again: what {@link
 * java.util.concurrent.CyclicBarrier} is within one process.
 *
 * <pre>{@code
 * CyclicBarrier step = new CyclicBarrier(cache, "step", 4, this::mergeResults);
 * while (!isDone()) {
 *     computeMyPart();
 *     step.await(); // goes on when all four have come and the results are merged
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> All objects of one name on one directory are one barrier. The first one made sets the number of parties; one
 * made with another number is refused. A party is a call of {@code await}, whichever thread of whichever process makes it.
 *
 * <p><b>Blocking.</b> {@code await} takes a seat, which is one write, and sleeps until the last party has come. It is woken then, looks
 * by itself every 30 milliseconds, and probes meanwhile whether the processes of the others live. All threads of a process cost as much
 * as one. A party that is interrupted or whose time is over breaks the barrier for all, as in the JDK; zero or negative time does so at
 * once, unless the party is the last. A party whose time is over, or which is interrupted, before a busy database has taken note that it
 * came has not come, and breaks nothing; one that cannot say for the same reason that it goes keeps its seat until that is written. That a party never comes is a matter of time-outs.
 *
 * <p><b>The action</b> is run by the last party to arrive, through its own object, outside any transaction: at most once for each
 * generation, and exactly once for each that was passed. If it throws, or its process dies meanwhile, the generation is broken.
 * While it runs, time-outs and interrupts of the others wait for its end.
 *
 * <p><b>Crashes.</b> A party whose process dies while it waits breaks the generation for all others within 50 milliseconds of the
 * kernel having taken the process down. A stopped process is not dead. A broken barrier stays broken until {@link #reset}.
 *
 * <p><b>Transactions.</b> Waiting inside {@code cache.transact} is an {@link IllegalStateException}; {@link #reset} joins it.
 *
 * <p><b>Thread safety.</b> Any thread may use an object at any time. What a party did before {@code await} happens before the action,
 * and that before the others return, within a process; between processes that is true of what lies in the cache and in files.
 *
 * <p><b>Errors.</b> {@link BrokenBarrierException}, {@link TimeoutException} and {@link InterruptedException} as in the JDK. Another number of
 * parties, or the name used as something else ({@link NameInUseException}): refused by the constructor. A closed cache: {@link
 * dev.latchkey.cache.CacheClosedException}, also of those who wait, and whom the others then find gone.
 *
 * <p><b>Source.</b> The class of the same name in {@code java.util.concurrent}.
 */
public final class CyclicBarrier {
    /** How long whoever comes interrupted, leaves, or finds the dead waits for the database; what it cannot write by then is written later. */
    private static final Duration PATIENCE = Duration.ofMillis(100);

    /** Each who waits finds out by itself who has died, and is to say so in time. */
    private static final Duration LOOK = Duration.ofMillis(30);

    private final Watch watch;
    private final int parties;
    private final @Nullable Runnable action;

    /**
     * The barrier of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param parties how many wait for each other
     * @throws IllegalArgumentException if the number is not positive or not the stored one, the name is empty or too long, or
     *     the cache does not support coordination
     * @throws NameInUseException if the name is used as something else
     */
    public CyclicBarrier(Cache cache, String name, int parties) {
        this(parties, cache, name, null);
    }

    /**
     * The barrier of a name, with an action.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param parties how many wait for each other
     * @param action what the last to arrive through this object runs before anybody goes on
     * @throws IllegalArgumentException if the number is not positive or not the stored one, the name is empty or too long, or
     *     the cache does not support coordination
     * @throws NameInUseException if the name is used as something else
     */
    public CyclicBarrier(Cache cache, String name, int parties, Runnable action) {
        this(parties, cache, name, Objects.requireNonNull(action, "action"));
    }

    private CyclicBarrier(int parties, Cache cache, String name, @Nullable Runnable action) {
        if (parties <= 0) {
            throw new IllegalArgumentException("parties must be positive, were " + parties);
        }
        this.watch = new Watch(cache, BarrierState.KIND, name, LOOK);
        this.parties = parties;
        this.action = action;
        int stored = watch.update(from -> BarrierState.found(from, parties), Deadline.never())
                .result()
                .parties();
        if (stored != parties) {
            throw new IllegalArgumentException("barrier '" + name + "' has " + stored + " parties, not " + parties
                    + "; use the stored number, or delete the name by Inspector.delete when nobody uses it");
        }
    }

    /**
     * Waits until all parties have come.
     *
     * @return how many were still to come when this one arrived: parties - 1 for the first, 0 for the last
     * @throws InterruptedException if the thread is interrupted, before or while it waits; the barrier is broken then
     * @throws BrokenBarrierException if the barrier is broken, or breaks or is reset while this party waits
     * @throws IllegalStateException inside a transaction
     */
    public int await() throws InterruptedException, BrokenBarrierException {
        try {
            return await(Deadline.never());
        } catch (TimeoutException e) {
            throw new AssertionError("a wait without a deadline timed out", e);
        }
    }

    /**
     * Waits until all parties have come.
     *
     * @param duration how long; zero or negative not to wait for others
     * @return how many were still to come when this one arrived: parties - 1 for the first, 0 for the last
     * @throws InterruptedException if the thread is interrupted, before or while it waits; the barrier is broken then
     * @throws BrokenBarrierException if the barrier is broken, or breaks or is reset while this party waits
     * @throws TimeoutException if the time was over before; the barrier is broken then
     * @throws IllegalStateException inside a transaction
     */
    public int await(Duration duration) throws InterruptedException, BrokenBarrierException, TimeoutException {
        return await(Deadline.after(duration));
    }

    /**
     * Waits until all parties have come.
     *
     * @param timeout how long; zero or negative not to wait for others
     * @param unit the unit of the time
     * @return how many were still to come when this one arrived: parties - 1 for the first, 0 for the last
     * @throws InterruptedException if the thread is interrupted, before or while it waits; the barrier is broken then
     * @throws BrokenBarrierException if the barrier is broken, or breaks or is reset while this party waits
     * @throws TimeoutException if the time was over before; the barrier is broken then
     * @throws IllegalStateException inside a transaction
     */
    public int await(long timeout, TimeUnit unit)
            throws InterruptedException, BrokenBarrierException, TimeoutException {
        return await(Deadline.after(Duration.ofNanos(unit.toNanos(timeout))));
    }

    private int await(Deadline deadline) throws InterruptedException, BrokenBarrierException, TimeoutException {
        if (watch.isInTransaction()) {
            throw new IllegalStateException(
                    "waiting at " + this + " inside a transaction would keep the other parties from coming");
        }
        while (true) {
            Attempt attempt;
            try {
                attempt = arrive(deadline);
            } catch (SessionLostException e) {
                continue; // nothing was written; the next attempt is made by a new session
            }
            switch (attempt.result) {
                case PASSED -> {
                    return 0;
                }
                case ACTS -> {
                    act(attempt.party);
                    return 0;
                }
                case WAITS -> {
                    return stay(attempt.party, attempt.index, deadline);
                }
                case NOT_YET -> awaitEndOfAction();
                case INTERRUPTED -> throw new InterruptedException();
                case BROKEN -> throw new BrokenBarrierException(this + " is broken");
            }
        }
    }

    private record Attempt(Party party, Arrived result, int index) {}

    /** Takes a seat if one is to be had. An interrupt that came before is kept for later, unless it has broken the barrier. */
    private Attempt arrive(Deadline deadline) throws InterruptedException, TimeoutException {
        boolean interrupted = Thread.interrupted();
        Deadline patience = interrupted ? Deadline.after(PATIENCE) : deadline.interruptibly();
        try {
            Attempt attempt = arrive(interrupted, patience.atLeast(Cohort.ONE_ATTEMPT));
            interrupted &= attempt.result != Arrived.INTERRUPTED;
            return attempt;
        } catch (CacheTimeoutException e) {
            if (interrupted || Thread.interrupted()) {
                interrupted = false;
                throw new InterruptedException();
            }
            throw timeout(" since the database was busy", e);
        } finally {
            restore(interrupted);
        }
    }

    private Attempt arrive(boolean interrupted, Deadline patience) {
        Set<Long> dead = dead(watch.read(patience));
        Session session = watch.engine().sessions().self(patience);
        Party party = new Party(session.id(), session.nextGrant());
        Arrival since = new Arrival(
                watch.engine().clock().wallMillis(), Thread.currentThread().getName());
        try {
            Update<Arrived> update = watch.update(
                    from -> BarrierState.arrive(
                            from, parties, party, since, action != null, interrupted, dead, this::isDead),
                    patience);
            Optional<BarrierState.Seat> seat =
                    BarrierState.of(update.state(), parties).seat(party);
            return new Attempt(
                    party, update.result(), seat.map(BarrierState.Seat::index).orElse(0));
        } catch (SessionLostException e) {
            throw e;
        } catch (RuntimeException | Error e) {
            leaveLater(party); // it may have been written before this went wrong
            throw e;
        }
    }

    private static void restore(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private TimeoutException timeout(String why, @Nullable Throwable cause) {
        TimeoutException timeout =
                new TimeoutException("not all of the " + parties + " parties of " + this + " came in time" + why);
        timeout.initCause(cause);
        return timeout;
    }

    private Set<Long> dead(State state) {
        return BarrierState.of(state, parties).dead(this::isDead);
    }

    /** Whether all who have a seat live, to be asked again and again. */
    private BooleanSupplier nobodyDies(State state) {
        Set<Long> seated = BarrierState.of(state, parties).sessions();
        return () -> seated.stream().noneMatch(this::isDead);
    }

    private boolean isDead(long session) {
        return watch.engine().sessions().isDead(session);
    }

    /** Whoever comes while the last generation ends waits for that, whatever its time. */
    private void awaitEndOfAction() throws InterruptedException {
        Boolean over = watch.await(
                state -> BarrierState.of(state, parties).phase() == Phase.ACTING
                                && buryTheDead(state).isEmpty()
                        ? null
                        : true,
                this::nobodyDies,
                Deadline.never());
        if (over == null) {
            throw new AssertionError("a wait without a deadline ended");
        }
    }

    private Set<Long> buryTheDead(State state) {
        Set<Long> dead = dead(state);
        if (!dead.isEmpty()) {
            watch.update(from -> BarrierState.bury(from, parties, dead), Deadline.after(PATIENCE));
        }
        return dead;
    }

    private void act(Party party) throws BrokenBarrierException {
        try {
            Objects.requireNonNull(action, "action").run();
        } catch (Throwable e) {
            try {
                boolean unused = acted(party, false);
            } catch (CacheException unwritten) {
                e.addSuppressed(unwritten);
            }
            throw e;
        }
        if (!acted(party, true)) {
            throw new BrokenBarrierException(this + " was broken or reset during the action");
        }
    }

    private boolean acted(Party party, boolean succeeded) {
        try {
            return watch.update(from -> BarrierState.acted(from, parties, party, succeeded), Deadline.never())
                    .result();
        } catch (RuntimeException | Error e) {
            // else all would wait for ever for an action that is over
            watch.updateLater(from -> BarrierState.acted(from, parties, party, false));
            throw e;
        }
    }

    /** Until the generation has ended; time-outs and interrupts wait for the end of an action. */
    private int stay(Party party, int index, Deadline deadline)
            throws InterruptedException, BrokenBarrierException, TimeoutException {
        boolean interrupted = false;
        Left left = null;
        try {
            left = awaitEnd(party, deadline.interruptibly());
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (left == null) {
            left = leave(party, Left.TOO_EARLY);
        }
        if (left == Left.NOT_YET) {
            restore(interrupted);
            left = awaitEnd(party, Deadline.never());
        }
        if (left == Left.TOO_EARLY && interrupted) {
            throw new InterruptedException();
        }
        restore(interrupted);
        if (left == Left.TOO_EARLY) {
            throw timeout("", null);
        }
        if (left == Left.BROKEN) {
            throw new BrokenBarrierException(this + " was broken by another party, or reset");
        }
        return index;
    }

    /** Waits until the seat's generation has ended, and leaves the seat; null at the deadline. */
    private @Nullable Left awaitEnd(Party party, Deadline deadline) throws InterruptedException {
        try {
            Left left = watch.await(state -> end(state, party), this::nobodyDies, deadline);
            return left == null ? null : leave(party, left);
        } catch (RuntimeException | Error e) {
            leaveLater(party);
            throw e;
        }
    }

    private @Nullable Left end(State state, Party party) {
        Outcome outcome = BarrierState.of(state, parties)
                .seat(party)
                .map(BarrierState.Seat::outcome)
                .orElse(Outcome.BROKEN);
        if (outcome == Outcome.PENDING) {
            buryTheDead(state); // and reads the state again, since that changes it
            return null;
        }
        return outcome == Outcome.PASSED ? Left.PASSED : Left.BROKEN;
    }

    /** What the database says, or what is known without it if it cannot be told of the leaving now. */
    private Left leave(Party party, Left known) {
        try {
            return watch.update(from -> BarrierState.leave(from, parties, party), Deadline.after(PATIENCE))
                    .result();
        } catch (CacheException e) {
            leaveLater(party);
            return known;
        }
    }

    /** A seat of a living process that nobody sits on would be waited with. */
    private void leaveLater(Party party) {
        watch.updateLater(from -> BarrierState.leave(from, parties, party));
    }

    /**
     * Breaks the generation for those who wait, if any do, and makes the barrier as new. A party that comes meanwhile belongs to
     * either generation. An action that runs meanwhile goes on, and whoever runs it gets {@link BrokenBarrierException} as the others.
     */
    public void reset() {
        watch.update(from -> BarrierState.reset(from, parties), Deadline.never());
    }

    /**
     * Whether the barrier is broken, and not reset yet.
     *
     * @return true if whoever comes is refused
     */
    public boolean isBroken() {
        return state().phase() == Phase.BROKEN;
    }

    /**
     * How many parties have come and wait.
     *
     * @return their number, which may have changed by the time it is read
     */
    public int getNumberWaiting() {
        return state().pending().size();
    }

    /**
     * How many parties wait for each other.
     *
     * @return the number
     */
    public int getParties() {
        return parties;
    }

    /** As it is by what is known now of the dead. */
    private BarrierState state() {
        State stored = watch.read(Deadline.never());
        return BarrierState.of(stored, parties).without(dead(stored));
    }

    @Override
    public String toString() {
        return "CyclicBarrier[" + watch.name() + "]";
    }
}

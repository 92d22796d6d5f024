package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.BarrierState.Arrived;
import dev.latchkey.coordination.BarrierState.Left;
import dev.latchkey.coordination.BarrierState.Outcome;
import dev.latchkey.coordination.BarrierState.Phase;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
 * by itself every 40 milliseconds, and probes meanwhile whether the processes of the others live. All threads of a process cost as much
 * as one. A party that is interrupted or whose time is over breaks the barrier for all, as in the JDK; zero or negative time does so at
 * once, unless the party is the last. Nobody waits for a party that never comes but by a time-out.
 *
 * <p><b>The action</b> is run by the last party to arrive, through its own object, outside any transaction: at most once for each
 * generation, and exactly once for each that was passed. If it throws, or its process dies meanwhile, the generation is broken.
 * While it runs, time-outs and interrupts of the others wait for its end.
 *
 * <p><b>Crashes.</b> A party whose process dies while it waits breaks the generation for all others within 50 milliseconds of the
 * kernel having taken the process down. A stopped process is not dead. A broken barrier stays broken until {@link #reset}.
 *
 * <p><b>Transactions.</b> Waiting inside {@code cache.transact} is an {@link IllegalStateException}.
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
    private static final Duration AGAIN = Duration.ofMillis(50);
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final CoordinationEngine engine;
    private final Watch watch;
    private final String name;
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
        this.engine = Cohorts.engine(cache);
        this.name = Names.require(name);
        this.watch = new Watch(engine, BarrierState.KIND, name);
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

    /** A party's seat in the row. */
    private record Seat(long session, long id) {}

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
        if (Thread.interrupted()) {
            breakNow();
            throw new InterruptedException();
        }
        while (true) {
            Session session = engine.sessions().self(Deadline.never());
            Seat seat = new Seat(session.id(), session.nextGrant());
            try {
                Arrival arrival = new Arrival(
                        engine.clock().wallMillis(), Thread.currentThread().getName());
                Arrived[] arrived = {Arrived.NOT_YET};
                int index = arrive(seat, arrival, arrived);
                switch (arrived[0]) {
                    case PASSED -> {
                        return 0;
                    }
                    case ACTS -> {
                        act(seat);
                        return 0;
                    }
                    case BROKEN -> throw new BrokenBarrierException(this + " is broken");
                    case WAITS -> {
                        return stay(seat, index, deadline);
                    }
                    case NOT_YET -> awaitEndOfAction();
                }
            } catch (SessionLostException e) {
                engine.requireOpen(); // nothing was written; the next attempt is made by a new session
            }
        }
    }

    /** Answers the index of the seat, if it got one. */
    private int arrive(Seat seat, Arrival arrival, Arrived[] arrived) {
        Set<Long> dead = dead(watch.read(Deadline.never()));
        try {
            var update = watch.update(
                    from -> BarrierState.arrive(from, parties, seat.session, seat.id, arrival, action != null, dead),
                    Deadline.never());
            arrived[0] = update.result();
            return BarrierState.of(update.state(), parties).seats().stream()
                    .filter(each -> each.is(seat.session, seat.id))
                    .findFirst()
                    .map(BarrierState.Seat::index)
                    .orElse(0);
        } catch (SessionLostException e) {
            throw e;
        } catch (RuntimeException | Error e) {
            leaveLater(seat); // it may have been written before this went wrong
            throw e;
        }
    }

    private Set<Long> dead(State state) {
        return BarrierState.of(state, parties).dead(engine.sessions()::isDead);
    }

    /** Whoever comes while the last generation ends waits for that, whatever its time. */
    private void awaitEndOfAction() throws InterruptedException {
        Boolean over = watch.await(
                state -> BarrierState.of(state, parties).phase() != Phase.ACTING || buryTheDead(state) ? true : null,
                state -> dead(state).isEmpty(),
                Deadline.never().interruptibly());
        if (over == null) {
            throw new AssertionError("a wait without a deadline ended");
        }
    }

    private boolean buryTheDead(State state) {
        Set<Long> dead = dead(state);
        if (!dead.isEmpty()) {
            watch.update(from -> BarrierState.bury(from, parties, dead), Deadline.never());
        }
        return !dead.isEmpty();
    }

    private void act(Seat seat) throws BrokenBarrierException {
        try {
            Objects.requireNonNull(action, "action").run();
        } catch (Throwable e) {
            acted(seat, false);
            throw e;
        }
        if (!acted(seat, true)) {
            throw new BrokenBarrierException(this + " was broken or reset during the action");
        }
    }

    private boolean acted(Seat seat, boolean succeeded) {
        try {
            return watch.update(
                            from -> BarrierState.acted(from, parties, seat.session, seat.id, succeeded, Set.of()),
                            Deadline.never())
                    .result();
        } catch (RuntimeException | Error e) {
            // else all would wait for ever for an action that is over
            later(() -> watch.update(
                    from -> BarrierState.acted(from, parties, seat.session, seat.id, false, Set.of()),
                    Deadline.after(PATIENCE)));
            throw e;
        }
    }

    private int stay(Seat seat, int index, Deadline deadline)
            throws InterruptedException, BrokenBarrierException, TimeoutException {
        boolean interrupted = false;
        try {
            Left left = null;
            try {
                left = awaitEnd(seat, deadline.interruptibly());
            } catch (InterruptedException e) {
                interrupted = true;
            }
            if (left == null) {
                left = giveUp(seat);
            }
            if (left == Left.NOT_YET) {
                left = awaitEnd(seat, Deadline.never());
            }
            if (left == Left.PASSED) {
                return index;
            }
            if (left == Left.BROKEN) {
                throw new BrokenBarrierException(this + " was broken by another party, or reset");
            }
            if (interrupted) {
                interrupted = false;
                throw new InterruptedException();
            }
            throw new TimeoutException("not all of the " + parties + " parties of " + this + " came in time");
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Waits until the seat's generation has ended, and gives the seat up; null at the deadline. */
    private @Nullable Left awaitEnd(Seat seat, Deadline deadline) throws InterruptedException {
        Left left;
        try {
            left = watch.await(state -> end(state, seat), state -> dead(state).isEmpty(), deadline);
        } catch (RuntimeException | Error e) {
            leaveLater(seat);
            throw e;
        }
        if (left != null) {
            try {
                leave(seat, Deadline.after(PATIENCE));
            } catch (CacheException e) {
                leaveLater(seat); // what it would say is known
            }
        }
        return left;
    }

    private @Nullable Left end(State state, Seat seat) {
        Optional<Outcome> outcome = BarrierState.of(state, parties).outcome(seat.session, seat.id);
        if (outcome.isPresent() && outcome.get() == Outcome.PENDING) {
            buryTheDead(state); // and reads the state again, since that changes it
            return null;
        }
        return outcome.isPresent() && outcome.get() == Outcome.PASSED ? Left.PASSED : Left.BROKEN;
    }

    /** Time or an interrupt ends the wait, unless its end has come or is near. */
    private Left giveUp(Seat seat) {
        try {
            return leave(seat, Deadline.never());
        } catch (RuntimeException | Error e) {
            leaveLater(seat);
            throw e;
        }
    }

    private Left leave(Seat seat, Deadline deadline) {
        return watch.update(from -> BarrierState.leave(from, parties, seat.session, seat.id), deadline)
                .result();
    }

    /** A seat of a living process that nobody sits on would be waited with: it is given up as soon as the database accepts it. */
    private void leaveLater(Seat seat) {
        later(() -> leave(seat, Deadline.after(PATIENCE)));
    }

    private void later(Runnable write) {
        engine.schedule(
                () -> {
                    try {
                        write.run();
                    } catch (CacheClosedException e) {
                        // the session has ended, and its seats with it
                    } catch (CacheException e) {
                        later(write);
                    }
                },
                AGAIN);
    }

    private void breakNow() {
        watch.update(from -> BarrierState.interrupt(from, parties), Deadline.never());
    }

    /**
     * Breaks the generation for those who wait, if any do, and makes the barrier as new. A party that comes meanwhile belongs to
     * either generation.
     */
    public void reset() {
        watch.update(from -> BarrierState.reset(from, parties), Deadline.never());
    }

    /**
     * Whether the barrier is broken, and not reset yet; a party that has died counts from when another one has noticed.
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
        return state().waiting();
    }

    /**
     * How many parties wait for each other.
     *
     * @return the number
     */
    public int getParties() {
        return parties;
    }

    private BarrierState state() {
        return BarrierState.of(watch.read(Deadline.never()), parties);
    }

    @Override
    public String toString() {
        return "CyclicBarrier[" + name + "]";
    }
}

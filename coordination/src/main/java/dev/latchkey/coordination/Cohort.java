package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import dev.latchkey.coordination.Turns.Asker;
import dev.latchkey.coordination.Turns.Awaiting;
import dev.latchkey.coordination.Turns.Moment;
import dev.latchkey.coordination.Turns.Release;
import dev.latchkey.coordination.Turns.Successor;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * A cohort lock (Dice, Marathe, Shavit, "Lock Cohorting", PPoPP 2012), for whatever can be held. The threads of this process queue
 * here, fairly and in memory; only the first of them deals with the database, where the process has at most one place in the
 * line. Whoever releases a lock grants it to the next thread here in the same update, until another process waits and the
 * bound on local grants is reached; permits and read locks are not passed, since their next asker need not wait for the holder.
 *
 * `mutex` guards the queue and what is held and is never held while waiting for the database, for a turn or for user code.
 *
 *   nothing held, or not a lock   the first in the queue contends in the database
 *   a lock that is held           somebody here holds it, or is just passing or releasing it
 *
 * A grant is made known (`pending`) before its transaction, until somebody here holds it or the transaction has failed; so a
 * state which names this session with an unknown grant is one whose transaction was taken for failed: an orphan.
 */
/** One name that can be held, as all threads of this process share it. */
final class Cohort {
    private static final long FIRST_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** How often one of those looks who wait outside of the queue, for all of them. */
    private static final long LOOK_FOR_ALL_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

    private static final int MOST_IN_A_ROW = 16;
    private static final long LONGEST_ROW_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /** What a release and a give-up may spend on a busy database before they are left to the keeper. */
    private static final Duration RELEASE_PATIENCE = Duration.ofSeconds(1);

    /** One attempt rides over the commits of others, not over a long transaction. */
    static final Duration ONE_ATTEMPT = Duration.ofMillis(10);

    /** One attempt also waits for those in front whose attempt is under way; each needs a commit. */
    private static final Duration QUEUE_PATIENCE = Duration.ofMillis(50);

    private static final Duration MESSAGE_PATIENCE = Duration.ofMillis(100);
    private static final Duration GIVE_UP_PATIENCE = Duration.ofMillis(20);
    private static final Duration SETTLE_AGAIN = Duration.ofMillis(50);
    private static final Duration LOOK_AGAIN = Duration.ofNanos(Line.RESERVATION_NANOS + 200_000);

    private final CoordinationEngine engine;
    private final StateStore states;
    private final Kind kind;
    private final String name;
    private final Cohorts cohorts;
    private final SharedSleep sleepers;
    private final ReentrantLock mutex = new ReentrantLock();
    private final ArrayDeque<Waiter> queue = new ArrayDeque<>();
    private final Map<Long, Grant> held = new ConcurrentHashMap<>();
    private final Set<Long> pending = ConcurrentHashMap.newKeySet();
    /** Those who wait for a condition, or for the lock after it. */
    private final Set<Long> awaiting = ConcurrentHashMap.newKeySet();

    private volatile @Nullable Seen remembered;
    private volatile long lastToken;
    /** The token of what a thread lost, for it to be told when it comes to release it. */
    private final ConcurrentMap<Thread, Long> lostTokens =
            new MapMaker().weakKeys().makeMap();
    /** This process's session, as it was when it last tried. */
    private volatile long self;
    /** How many permits a semaphore gets if nobody has stored a number, or its row was deleted. */
    private volatile long initialPermits;

    private int inARow;
    private long rowStart;
    /** When the next look at leases is due, 0 if none is. */
    private long watchedUntilNanos;

    private boolean looking;
    private boolean unsettled;
    private volatile boolean closed;

    Cohort(CoordinationEngine engine, Kind kind, String name, Cohorts cohorts) {
        this.engine = engine;
        this.kind = kind;
        this.sleepers = new SharedSleep(engine.signal(), name);
        this.states = engine.states();
        this.name = name;
        this.cohorts = cohorts;
    }

    /** The state as this process saw it last. */
    private record Seen(State state, Turns turns) {
        static Seen of(State state) {
            return new Seen(state, Turns.of(state));
        }
    }

    /** A thread of this process that waits, or somebody whom no thread waits for. */
    static final class Waiter {
        final Want want;
        final String owner;
        private final @Nullable Thread thread;
        private final Runnable wake;
        private final Runnable turnAway;
        /** It makes one attempt and takes over no place in the line; under the mutex. */
        private boolean tries;
        /** It stands in line by now, so that nobody behind it here can expect a turn soon. */
        private volatile boolean inLine;

        private boolean gone;
        private @Nullable Grant grant;

        /** The current thread. */
        Waiter(Want want) {
            Thread current = Thread.currentThread();
            this.want = want;
            this.owner = current.getName();
            this.thread = want.ownedByThread() ? current : null;
            this.wake = () -> LockSupport.unpark(current);
            this.turnAway = wake;
        }

        /** Somebody who is woken, and told that the engine is closed, in another way. */
        Waiter(Want want, Runnable wake, Runnable turnAway) {
            this.want = want;
            this.owner = Thread.currentThread().getName();
            this.thread = null;
            this.wake = wake;
            this.turnAway = turnAway;
        }

        @Nullable
        Grant grant() {
            return grant;
        }
    }

    enum Turn {
        GRANTED,
        FIRST,
        WAIT
    }

    // Acquiring

    /** Waits for the lock until the deadline; null if it was not granted by then. */
    @Nullable
    Grant acquire(Want want, Deadline deadline) throws InterruptedException {
        engine.requireOpen();
        refuseInTransaction();
        if (deadline.isInterruptible() && Thread.interrupted()) {
            throw new InterruptedException();
        }
        Waiter waiter = new Waiter(want);
        boolean interrupted = false;
        enqueue(waiter);
        try {
            while (true) {
                switch (turn(waiter)) {
                    case GRANTED -> {
                        return requireOpenFor(waiter.grant);
                    }
                    case FIRST -> {
                        return contend(waiter, deadline);
                    }
                    case WAIT -> {}
                }
                // nothing may block from here to the park: it could use up the wake-up that a grant sends
                engine.requireOpen();
                if (deadline.hasPassed()) {
                    return isGrantedBeforeLeaving(waiter) ? waiter.grant : null;
                }
                LockSupport.parkNanos(this, deadline.remainingNanos());
                if (Thread.interrupted()) {
                    interrupted = true;
                    if (deadline.isInterruptible() && !isGrantedBeforeLeaving(waiter)) {
                        interrupted = false;
                        throw new InterruptedException();
                    }
                }
            }
        } finally {
            leave(waiter);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** One attempt that stands in no line; null if the lock is not to be had at once. */
    @Nullable
    Grant tryAcquire(Want want) {
        engine.requireOpen();
        refuseInTransaction();
        Waiter waiter = new Waiter(want);
        if (!(kind.isExclusive() ? enter(waiter) : enterBehindAttempts(waiter))) {
            return null;
        }
        try {
            if (!isFirstSoon(waiter)) {
                return null;
            }
            Deadline deadline = Deadline.after(ONE_ATTEMPT);
            while (true) {
                try {
                    return attempt(waiter, engine.sessions().self(deadline), false, deadline);
                } catch (SessionLostException e) {
                    engine.requireOpen(); // the next attempt is made by a new session
                }
            }
        } catch (CacheTimeoutException e) {
            return null;
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        } catch (RuntimeException | Error e) {
            settleLater(); // it may have been granted before this went wrong
            throw e;
        } finally {
            leave(waiter);
        }
    }

    /** Takes the turn among the threads here, if nobody has it. */
    boolean enter(Waiter waiter) {
        mutex.lock();
        try {
            if (!isContendable() || !queue.isEmpty()) {
                return false;
            }
            waiter.tries = true;
            queue.add(waiter);
            cohorts.use(this);
            return true;
        } finally {
            mutex.unlock();
        }
    }

    /** Stands behind those whose attempt is under way: what one takes may leave enough for the next. */
    private boolean enterBehindAttempts(Waiter waiter) {
        mutex.lock();
        try {
            if (isFirstInLine()) {
                return false;
            }
            waiter.tries = true;
            queue.add(waiter);
            cohorts.use(this);
            return true;
        } finally {
            mutex.unlock();
        }
    }

    /** Whether those in front have their turns soon; one that stands in line by now has not. */
    private boolean isFirstSoon(Waiter waiter) {
        Deadline deadline = Deadline.after(QUEUE_PATIENCE);
        boolean interrupted = false;
        try {
            while (turn(waiter) == Turn.WAIT) {
                if (deadline.hasPassed() || isFirstInLine()) {
                    return false;
                }
                LockSupport.parkNanos(this, Math.min(deadline.remainingNanos(), TimeUnit.MILLISECONDS.toNanos(1)));
                interrupted |= Thread.interrupted();
            }
            return true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean isFirstInLine() {
        mutex.lock();
        try {
            Waiter first = queue.peek();
            return first != null && first.inLine;
        } finally {
            mutex.unlock();
        }
    }

    /** Whether the first in the queue may ask in the database: under the mutex. */
    private boolean isContendable() {
        return !kind.isExclusive() || held.isEmpty();
    }

    void refuseInTransaction() {
        if (states.inTransaction()) {
            throw new IllegalStateException(
                    kind.title() + " '" + name + "' cannot be acquired inside a transaction: its holder would"
                            + " wait for the write lock that this transaction has, and a rollback would undo the grant");
        }
    }

    void enqueue(Waiter waiter) {
        mutex.lock();
        try {
            queue.add(waiter);
            cohorts.use(this);
        } finally {
            mutex.unlock();
        }
    }

    Turn turn(Waiter waiter) {
        mutex.lock();
        try {
            if (waiter.grant != null) {
                return Turn.GRANTED;
            }
            return isContendable() && queue.peek() == waiter ? Turn.FIRST : Turn.WAIT;
        } finally {
            mutex.unlock();
        }
    }

    /** Decides between a grant and giving up: afterwards nobody passes the lock to this waiter. */
    boolean isGrantedBeforeLeaving(Waiter waiter) {
        mutex.lock();
        try {
            waiter.gone = waiter.grant == null;
            return !waiter.gone;
        } finally {
            mutex.unlock();
        }
    }

    /** Ends a wait however it ended, and lets the next thread have its turn. */
    void leave(Waiter waiter) {
        mutex.lock();
        try {
            waiter.gone = waiter.grant == null;
            queue.remove(waiter);
            wakeFirst();
            cohorts.unuse(this, isIdle());
        } finally {
            mutex.unlock();
        }
        leaveLineIfUnawaited();
    }

    /** Two who give up at the same time may each have left it to the other to take the process out of the line. */
    private void leaveLineIfUnawaited() {
        Seen last = remembered;
        if (last != null
                && last.turns.line().contains(self)
                && !last.turns.conditions().hasSignalled(self)
                && !isAwaited()) {
            settleLater();
        }
    }

    private boolean isIdle() {
        return held.isEmpty() && queue.isEmpty() && !unsettled && awaiting.isEmpty();
    }

    private void wakeFirst() {
        Waiter first = queue.peek();
        if (first != null && isContendable()) {
            first.wake.run();
        }
    }

    /** The first thread of this process: waits for the turn of the process, in the database. */
    private @Nullable Grant contend(Waiter waiter, Deadline deadline) throws InterruptedException {
        boolean inLine = false;
        try {
            while (true) {
                engine.requireOpen();
                int seen = engine.signal().seen(name);
                Grant grant = null;
                try {
                    Session session = engine.sessions().self(deadline);
                    inLine = true;
                    grant = attempt(waiter, session, !deadline.hasPassed(), deadline);
                } catch (SessionLostException e) {
                    continue; // the next attempt is made by a new session
                } catch (CacheTimeoutException e) {
                    // the deadline is over, or an interrupt ended the wait for the database
                }
                if (grant != null) {
                    inLine = false;
                    return grant;
                }
                if (deadline.isInterruptible() && Thread.interrupted()) {
                    throw new InterruptedException();
                }
                if (deadline.hasPassed()) {
                    return null;
                }
                await(seen, deadline);
            }
        } catch (WrongKindException e) {
            inLine = false;
            throw new NameInUseException(e);
        } finally {
            if (inLine) {
                giveUp();
            }
        }
    }

    /** How long to sleep at most before looking again. */
    long pollNanos() {
        Seen last = remembered;
        return last != null && last.turns.line().isNext(self) ? FIRST_POLL_NANOS : POLL_NANOS;
    }

    /** An uninterruptible wait must not be kept awake by an interrupt that it is to ignore. */
    private void await(int seen, Deadline deadline) {
        long nanos = Math.min(deadline.remainingNanos(), pollNanos());
        boolean interrupted = !deadline.isInterruptible() && Thread.interrupted();
        engine.signal().await(name, seen, nanos);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Tries the transition on the remembered state if that says there is something free, then on the stored one, after
     * probing the sessions that it names. Writes only if there is something to write.
     */
    @Nullable
    Grant attempt(Waiter waiter, Session session, boolean waits, Deadline deadline) {
        Seen last = remembered;
        self = session.id();
        if (last != null && isHopeless(last, waiter.want.units(), session, deadline)) {
            waiter.inLine = true;
            return null;
        }
        long id = session.nextGrant();
        pending.add(id);
        try {
            Grant grant = attempt(waiter, session, id, waits, deadline);
            waiter.inLine = waits && grant == null;
            return grant;
        } finally {
            pending.remove(id); // by now it is held, or nobody's
        }
    }

    private @Nullable Grant attempt(Waiter waiter, Session session, long id, boolean waits, Deadline deadline) {
        Seen last = remembered;
        long before = engine.clock().nanos();
        State known = last != null && last.turns.fits(waiter.want.units())
                ? update(last.state, asker(waiter, session, id, false), Set.of(), deadline)
                : states.read(kind.word(), name, deadline);
        if (!isGrantedTo(known, session, id)) {
            before = engine.clock().nanos();
            Asker asker = asker(waiter, session, id, waits);
            Set<Long> dead = dead(known);
            if (Turns.acquire(founded(known, initialPermits), asker, dead, now())
                    .changes(known)) {
                known = update(known, asker, dead, deadline);
            }
        }
        remembered = Seen.of(known);
        if (!isGrantedTo(known, session, id)) {
            requirePossible(waiter.want.units(), kind.permits(known));
            return null;
        }
        return requireOpenFor(hold(waiter, session, id, known, before));
    }

    /** Nothing is given out once the engine is closed, which may have come too early to see the grant. */
    @Nullable
    Grant requireOpenFor(@Nullable Grant grant) {
        try {
            engine.requireOpen();
            return grant;
        } catch (CacheException e) {
            if (grant != null) {
                release(grant);
            }
            throw e;
        }
    }

    Asker asker(Waiter waiter, Session session, long id, boolean waits) {
        Want want = waiter.want;
        return new Asker(
                session.id(),
                id,
                waiter.owner,
                want.units(),
                want.leaseNanos(),
                waits,
                this::mayRetake,
                this::knownUnits,
                want.waiter());
    }

    /** The cheap answer for one who waits: others hold what it needs, and live. */
    private boolean isHopeless(Seen last, long units, Session session, Deadline deadline) {
        Turns turns = last.turns;
        return !turns.fits(units)
                && units <= turns.permits()
                && turns.line().isAwaiting(session.id(), units)
                && isQuiet(turns)
                && states.isUnchanged(last.state, deadline)
                && !turns.hasDeadHolder(engine.sessions()::isDead);
    }

    /**
     * Whether whoever wants the whole name need not try: others have it or want it, as when the state was read, and live.
     *
     * @param forAll whether the others who sleep are to be told if not
     */
    boolean isStillTaken(State state, boolean forAll, Deadline deadline) {
        Seen seen = Seen.of(state);
        boolean taken = seen.turns.isHeld() || !seen.turns.line().isEmpty();
        boolean still = taken && isQuiet(seen.turns) && isAsItWas(seen, deadline);
        if (taken && !still && forAll) {
            sleepers.tellChange();
        }
        return still;
    }

    /** Nothing has been stored since, and nobody died whose death changes something. */
    private boolean isAsItWas(Seen seen, Deadline deadline) {
        return states.isUnchanged(seen.state, deadline)
                && !seen.turns.hasDeadHolder(engine.sessions()::isDead)
                && !seen.turns.conditions().hasDeadSignalled(engine.sessions()::isDead);
    }

    /**
     * Sleeps as one with all other threads of this process that wait for a change of the name outside of its queue.
     *
     * @return whether it slept for all, and is to tell the others what it finds
     */
    boolean awaitChange(int seen, Deadline deadline) {
        boolean deaf = !deadline.isInterruptible() && Thread.interrupted();
        boolean forAll = sleepers.await(seen, deadline.remainingNanos(), LOOK_FOR_ALL_NANOS);
        if (deaf) {
            Thread.currentThread().interrupt();
        }
        return forAll;
    }

    /** Whether nothing changes by the mere passing of time, or by what this process knows. */
    private boolean isQuiet(Turns turns) {
        long now = engine.clock().nanos();
        for (Hold hold : turns.holds()) {
            boolean forgotten = hold.session() == self && hold.units() > knownUnits(hold.grant());
            if (forgotten || Turns.isOver(hold, now)) {
                return false;
            }
        }
        return turns.line().reserved().isEmpty();
    }

    private State update(State known, Asker asker, Set<Long> dead, Deadline deadline) {
        long initial = initialPermits;
        return states.update(
                        kind.word(),
                        name,
                        known,
                        from -> Turns.acquire(founded(from, initial), asker, dead, now()),
                        deadline)
                .state();
    }

    private static boolean isGrantedTo(State state, Session session, long grant) {
        return Turns.of(state).isHeldBy(session.id(), grant);
    }

    Set<Long> dead(State state) {
        return dead(Seen.of(state));
    }

    private Set<Long> dead(Seen seen) {
        return seen.turns.dead(engine.sessions()::isDead);
    }

    /** The process that freed the lock may take it again before the one whose turn it is has come, within its bound. */
    private boolean mayRetake(long token) {
        return token == lastToken && isWithinBound();
    }

    private boolean isWithinBound() {
        return inARow < MOST_IN_A_ROW && engine.clock().nanos() - rowStart < LONGEST_ROW_NANOS;
    }

    /** A row of grants counts from when another process began to wait. */
    private void countGrant(Session session, State state) {
        boolean alone = !Turns.of(state).line().hasOthersThan(session.id());
        if (alone || state.token() != lastToken + 1) {
            inARow = 0;
            rowStart = engine.clock().nanos();
        }
        inARow++;
        lastToken = state.token();
    }

    /** What was granted is held from here on; {@code before} is an instant before it was asked for. */
    Grant hold(Waiter waiter, Session session, long id, State state, long before) {
        Hold stored = Turns.of(state).hold(session.id(), id).orElseThrow(() -> new SessionLostException(session.id()));
        Want want = waiter.want;
        Grant grant = new Grant(session, id, stored.token(), stored.units(), leaseEnd(want, before), waiter.thread);
        mutex.lock();
        try {
            if (session.isLost()) {
                throw new SessionLostException(session.id()); // whoever was to forget it came too early to see it
            }
            countGrant(session, state);
            held.put(id, grant);
            forgetLosses(waiter.thread);
            waiter.grant = grant;
        } finally {
            mutex.unlock();
        }
        cohorts.watchLease(this, grant);
        return grant;
    }

    private static long leaseEnd(Want want, long before) {
        return want.leaseNanos() == 0 ? 0 : before + want.leaseNanos();
    }

    private void forgetLosses(@Nullable Thread thread) {
        if (thread != null) {
            lostTokens.remove(thread);
        }
    }

    /** Adds a read lock to a write lock of this process, past the queue: those who stand there wait for its owner. */
    @Nullable
    Grant downgrade(Grant write, Want want, Deadline deadline) {
        engine.requireOpen();
        refuseInTransaction();
        Waiter waiter = new Waiter(want);
        Session session = write.session;
        long id = session.nextGrant();
        pending.add(id);
        try {
            long before = engine.clock().nanos();
            Asker asker = asker(waiter, session, id, false);
            State state = states.update(
                            kind.word(), name, null, from -> Turns.downgrade(from, write.id, asker, now()), deadline)
                    .state();
            remembered = Seen.of(state);
            return isGrantedTo(state, session, id) ? requireOpenFor(hold(waiter, session, id, state, before)) : null;
        } catch (SessionLostException e) {
            return null; // and the write lock with it
        } catch (CacheTimeoutException e) {
            throw e; // nothing was written
        } catch (RuntimeException | Error e) {
            settleLater(); // it may have been granted before this went wrong
            throw e;
        } finally {
            pending.remove(id);
        }
    }

    /** The last thread of this process takes the process out of the line; what cannot be written now is written later. */
    void giveUp() {
        if (isAwaitedByOthers()) {
            return; // the next thread takes over the place in the line
        }
        settle(this::isAwaitedByOthers, GIVE_UP_PATIENCE);
    }

    private boolean isAwaitedByOthers() {
        return queueLength() > 1;
    }

    // Releasing

    /**
     * Gives a grant up: to the next thread here, or to the line.
     *
     * @return whether it was still held; false if it was lost before
     */
    boolean release(Grant grant) {
        return releaseAll(grant, null, Deadline.after(RELEASE_PATIENCE));
    }

    /**
     * Gives a lock up in order to wait for a condition, in the same transaction; whether it was still held. If it could not be
     * written by the deadline it still is.
     */
    boolean release(Grant grant, Awaiting awaiting, Deadline deadline) {
        return releaseAll(grant, awaiting, deadline);
    }

    private boolean releaseAll(Grant grant, @Nullable Awaiting awaiting, Deadline deadline) {
        boolean over = grant.isOver(engine.clock().nanos());
        Grant current = grant;
        while (true) {
            if (!isHolder(current)) {
                forget(current);
                return current != grant; // what was lost was only passed on
            }
            current.releasing = true;
            if (states.inTransaction()) {
                return releaseInTransaction(Map.of(current, current.units())) && !over;
            }
            Grant handed = current == grant
                    ? releaseOrPass(current, awaiting, deadline)
                    : releaseOrPass(current, null, Deadline.after(RELEASE_PATIENCE));
            if (handed == null) {
                return !over;
            }
            if (handed == current) {
                return current != grant;
            }
            current = handed; // the next thread gave up meanwhile
        }
    }

    /** Null when it is done, the same grant if it was lost before, and another one that was passed to nobody. */
    private @Nullable Grant releaseOrPass(Grant current, @Nullable Awaiting awaiting, Deadline deadline) {
        Waiter next = kind.isExclusive() ? firstWaiter() : null;
        long successor = next == null ? 0 : current.session.nextGrant();
        pending.add(successor);
        try {
            long before = engine.clock().nanos();
            Update<Release> update = release(Map.of(current, current.units()), next, successor, awaiting, deadline);
            remembered = Seen.of(update.state());
            if (update.result() == Release.PASSED) {
                return hand(current, successor, next, update.state(), before);
            }
            freed(current, update.state());
            return update.result() == Release.FREED ? null : current;
        } catch (SessionLostException e) {
            return current;
        } catch (CacheException e) {
            if (awaiting != null && e instanceof CacheTimeoutException) {
                current.releasing = false;
                throw e; // nothing was written: it waits for nothing yet, and holds the lock
            }
            forget(current); // final for its caller: the keeper repeats it until it is written
            settleLater();
            if (awaiting != null) {
                throw e;
            }
            return null;
        } finally {
            pending.remove(successor);
        }
    }

    /**
     * Gives up permits of several grants at once, all of them or some of each; whoever asks must have seen to it that no other
     * call gives up the same. Answers a grant that was lost before, if one was.
     */
    @Nullable
    Grant release(Map<Grant, Long> parts) {
        Grant first = parts.keySet().iterator().next();
        if (states.inTransaction()) {
            return releaseInTransaction(parts) ? null : first;
        }
        parts.forEach((grant, units) -> grant.releasing = units == grant.units());
        try {
            Update<Release> update = release(parts, null, 0, null, Deadline.after(RELEASE_PATIENCE));
            released(parts, update.state());
            if (update.result() == Release.FREED) {
                return null;
            }
            settle(this::isAwaited, RELEASE_PATIENCE); // what was not lost is released nevertheless
            return parts.keySet().stream()
                    .filter(grant -> !Turns.of(update.state()).isHeldBy(grant.session.id(), grant.id))
                    .findFirst()
                    .orElse(first);
        } catch (SessionLostException e) {
            parts.keySet().forEach(this::forget);
            return first;
        } catch (CacheException e) {
            parts.forEach(this::reduce); // final for its caller: the keeper repeats it until it is written
            settleLater();
            return null;
        }
    }

    private Update<Release> release(
            Map<Grant, Long> parts,
            @Nullable Waiter next,
            long nextGrant,
            @Nullable Awaiting awaiting,
            Deadline deadline) {
        Successor successor =
                next == null ? null : new Successor(nextGrant, next.owner, next.want.leaseNanos(), next.want.waiter());
        Seen last = remembered;
        State known = last == null ? null : last.state;
        Set<Long> dead = last == null ? Set.of() : dead(last); // a dead next in line costs nobody a wait
        boolean mayPass = isWithinBound();
        long session = sessionOf(parts);
        Map<Long, Long> units = byId(parts);
        return states.update(
                kind.word(),
                name,
                known,
                from -> Turns.release(from, session, units, successor, mayPass, awaiting, dead, now()),
                deadline);
    }

    private static long sessionOf(Map<Grant, Long> parts) {
        return parts.keySet().iterator().next().session.id();
    }

    private static Map<Long, Long> byId(Map<Grant, Long> parts) {
        Map<Long, Long> byId = new HashMap<>();
        parts.forEach((grant, units) -> byId.put(grant.id, units));
        return byId;
    }

    private boolean releaseInTransaction(Map<Grant, Long> parts) {
        long session = sessionOf(parts);
        Map<Long, Long> units = byId(parts);
        states.afterRollback(() -> parts.keySet().forEach(grant -> grant.releasing = false));
        Update<Release> update = states.update(
                kind.word(),
                name,
                null,
                from -> Turns.release(from, session, units, null, false, null, Set.of(), now()),
                Deadline.never());
        states.afterCommit(() -> {
            released(parts, update.state());
            if (update.result() != Release.FREED) {
                settleLater();
            }
        });
        return update.result() == Release.FREED;
    }

    private void released(Map<Grant, Long> parts, State state) {
        parts.forEach((grant, units) -> {
            reduce(grant, units);
            freed(grant.units() > 0 ? null : grant, state);
            if (isKnownForMore(grant, state)) {
                settleLater(); // another release of the same grant could not be written, and its keeper came before
                // this one
            }
        });
    }

    private static boolean isKnownForMore(Grant grant, State state) {
        return Turns.of(state)
                .hold(grant.session.id(), grant.id)
                .filter(hold -> hold.units() > grant.units())
                .isPresent();
    }

    /** Some permits are no longer held; without any the grant is forgotten. */
    private void reduce(Grant grant, long units) {
        if (grant.reduce(units) <= 0) {
            forget(grant);
        }
    }

    private boolean isHolder(Grant grant) {
        return held.get(grant.id) == grant && !grant.session.isLost();
    }

    private @Nullable Waiter firstWaiter() {
        mutex.lock();
        try {
            queue.removeIf(waiter -> waiter.gone);
            return closed ? null : queue.peek();
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Makes the passed grant the next thread's. If that thread has given up it is nobody's, not even while it is released:
     * the grant is the answer then, and null otherwise.
     */
    private @Nullable Grant hand(Grant passing, long successor, @Nullable Waiter next, State state, long before) {
        Grant grant;
        mutex.lock();
        try {
            if (held.get(passing.id) != passing) { // lost or closed meanwhile: nobody here holds what was passed
                settleLater();
                return null;
            }
            Waiter heir = next == null || next.gone || closed ? null : next;
            grant = heir == null
                    ? new Grant(passing.session, successor, state.token(), 1, 0, null)
                    : new Grant(passing.session, successor, state.token(), 1, leaseEnd(heir.want, before), heir.thread);
            countGrant(passing.session, state);
            held.remove(passing.id);
            if (grant.session.isLost()) {
                wakeFirst();
                return null;
            }
            held.put(successor, grant);
            if (heir == null) {
                return grant;
            }
            forgetLosses(heir.thread);
            heir.grant = grant;
            queue.remove(heir);
            heir.wake.run();
        } finally {
            mutex.unlock();
        }
        cohorts.watchLease(this, grant);
        return null;
    }

    private void freed(@Nullable Grant grant, State state) {
        Seen last = Seen.of(state);
        remembered = last;
        if (grant != null) {
            forget(grant);
        }
        if (last.turns.line().reserved().isPresent()) {
            lookLater();
        }
        leaveLineIfUnawaited();
    }

    /** From now on it is nobody's; the first in the queue may contend. */
    private void forget(Grant grant) {
        mutex.lock();
        try {
            if (held.remove(grant.id, grant)) {
                wakeFirst();
            }
            cohorts.unuse(this, isIdle());
        } finally {
            mutex.unlock();
        }
    }

    // A part of several names, see CohortSet

    /** Whether nobody here holds the name or asks for it, without asking the database. */
    boolean isFreeHere() {
        mutex.lock();
        try {
            return isContendable() && queue.isEmpty();
        } finally {
            mutex.unlock();
        }
    }

    /** A grant to this process is about to be written. */
    void expect(Session session, long grant) {
        self = session.id();
        pending.add(grant);
    }

    /** It is held by now, or nobody's. */
    void expectNoMore(long grant) {
        pending.remove(grant);
    }

    /** Holds what was granted in a transaction together with others. */
    Grant holdPart(Waiter waiter, Session session, long id, State state) {
        remembered = Seen.of(state);
        return hold(waiter, session, id, state, engine.clock().nanos());
    }

    /** Who was dead among those it knows: to be asked before the transaction that gives the name up. */
    Set<Long> deadAsRemembered() {
        Seen last = remembered;
        return last == null ? Set.of() : dead(last);
    }

    /** What was given up in a transaction together with others. */
    void partReleased(Grant grant, State state) {
        freed(grant, state);
    }

    /** What could not be written for certain; the keeper repeats it until the state is true of this process. */
    void partUnwritten(Grant grant) {
        forget(grant);
        settleLater();
    }

    // Keeping house

    /** Whether the one who was named has come; if not, the next is named. */
    private void lookLater() {
        mutex.lock();
        try {
            if (looking) {
                return;
            }
            looking = true;
        } finally {
            mutex.unlock();
        }
        engine.schedule(this::look, LOOK_AGAIN);
    }

    private void look() {
        mutex.lock();
        try {
            looking = false;
        } finally {
            mutex.unlock();
        }
        look(states.read(kind.word(), name, Deadline.after(GIVE_UP_PATIENCE)));
    }

    private void look(State state) {
        Set<Long> dead = dead(state);
        if (Turns.look(state, dead, now()).changes(state)) {
            states.update(
                    kind.word(), name, state, from -> Turns.look(from, dead, now()), Deadline.after(GIVE_UP_PATIENCE));
            lookLater();
        }
    }

    void settleLater() {
        mutex.lock();
        try {
            if (unsettled) {
                return;
            }
            unsettled = true;
            cohorts.use(this);
        } finally {
            mutex.unlock();
        }
        engine.schedule(this::settleAgain, SETTLE_AGAIN);
    }

    private void settleAgain() {
        mutex.lock();
        try {
            unsettled = false;
        } finally {
            mutex.unlock();
        }
        settle(this::isAwaited, RELEASE_PATIENCE);
    }

    boolean isAwaited() {
        return queueLength() > 0;
    }

    private int queueLength() {
        mutex.lock();
        try {
            return closed
                    ? 0
                    : (int) queue.stream().filter(waiter -> !waiter.tries).count();
        } finally {
            mutex.unlock();
        }
    }

    /** Makes the row say what is true of this process, again and again until the database accepts it. */
    private void settle(BooleanSupplier awaited, Duration patience) {
        try {
            Deadline deadline = Deadline.after(patience);
            long session = engine.sessions().self(deadline).id();
            Update<Boolean> update = states.update(
                    kind.word(),
                    name,
                    null,
                    from -> Turns.settle(from, session, this::knownUnits, awaited.getAsBoolean(), now()),
                    deadline);
            remembered = Seen.of(update.state());
            if (update.state().line().indexOf('@') >= 0) {
                lookLater();
            }
            mutex.lock();
            try {
                cohorts.unuse(this, isIdle());
            } finally {
                mutex.unlock();
            }
        } catch (WrongKindException e) {
            stopUsing(); // the name is another's by now, and nothing in its row is this process's
        } catch (CacheException e) {
            settleLater();
        }
    }

    private void stopUsing() {
        mutex.lock();
        try {
            cohorts.unuse(this, isIdle());
        } finally {
            mutex.unlock();
        }
    }

    /**
     * How many permits of a grant this process holds, as far as it knows: all of them while its transaction is under way. Those
     * who wait for a condition have numbers of the same kind.
     */
    private long knownUnits(long grant) {
        if (awaiting.contains(grant)
                || pending.contains(grant)) { // asked first: a grant is pending before it is somebody's
            return Long.MAX_VALUE;
        }
        Grant known = held.get(grant);
        return known == null ? 0 : known.units();
    }

    Moment now() {
        return new Moment(engine.clock().nanos(), engine.clock().wallMillis());
    }

    /** The session is lost: what it held may be somebody else's by now. */
    List<Grant> lose(Session session) {
        mutex.lock(); // a grant is either known by now, or finds out under the mutex that the session is lost
        try {
            List<Grant> lost = held.values().stream()
                    .filter(grant -> grant.session == session)
                    .toList();
            lost.forEach(this::lose);
            return lost;
        } finally {
            mutex.unlock();
        }
    }

    private void lose(Grant grant) {
        if (grant.thread != null) {
            lostTokens.put(grant.thread, grant.token);
        }
        grant.lost = true;
        forget(grant);
    }

    /** What is held here and was forced open; then it is forgotten, so that the threads here may contend again. */
    List<Grant> loseForced() {
        List<Grant> asked = List.copyOf(held.values());
        if (asked.isEmpty()) {
            return asked;
        }
        Turns turns = Turns.of(readForLooking());
        List<Grant> lost =
                asked.stream().filter(grant -> isForced(grant, turns)).toList();
        lost.forEach(this::lose);
        return lost;
    }

    /** What is stored, for whoever only looks: a name that is another's by now holds nothing of this process. */
    private State readForLooking() {
        try {
            return states.read(kind.word(), name, Deadline.after(GIVE_UP_PATIENCE));
        } catch (WrongKindException e) {
            return State.absent(kind.word(), name, 0);
        }
    }

    private boolean isForced(Grant grant, Turns turns) {
        long session = grant.session.id();
        boolean ours = kind.isExclusive() // then perhaps passed on a moment ago
                ? turns.holds().stream().anyMatch(hold -> hold.session() == session)
                : turns.isHeldBy(session, grant.id);
        return !ours && !grant.releasing && isHolder(grant);
    }

    /** Forgets what has outlived its lease, and frees it if nobody has taken it yet. */
    List<Grant> loseWhatIsOver(long due) {
        List<Grant> lost = new ArrayList<>();
        mutex.lock();
        try {
            if (due != watchedUntilNanos) {
                return lost; // an earlier look has taken its place
            }
            watchedUntilNanos = 0;
            for (Grant grant : held.values()) {
                if (isHolder(grant)
                        && !grant.releasing
                        && grant.isOver(engine.clock().nanos())) {
                    lost.add(grant);
                }
            }
            lost.forEach(this::lose);
            held.values().forEach(grant -> cohorts.watchLease(this, grant));
        } finally {
            mutex.unlock();
        }
        if (!lost.isEmpty()) {
            settleLater();
        }
        return lost;
    }

    /**
     * How long until somebody is to look at the lease of a grant, if nobody will. Most leases are given up long before their end, so
     * there is one look for all of them.
     */
    OptionalLong nextLook(Grant grant) {
        mutex.lock();
        try {
            long now = engine.clock().nanos();
            long due = grant.releasing ? now + POLL_NANOS : grant.leaseEndNanos; // it may be rolled back
            if (grant.leaseEndNanos == 0 || watchedUntilNanos != 0 && due - watchedUntilNanos >= 0) {
                return OptionalLong.empty();
            }
            watchedUntilNanos = due;
            return OptionalLong.of(due);
        } finally {
            mutex.unlock();
        }
    }

    /** Gives a lease another end; false if it is over. */
    boolean renew(Grant grant, long leaseNanos, Deadline deadline) {
        long before = engine.clock().nanos();
        boolean renewed = isHolder(grant)
                && !grant.isOver(before)
                && states.update(
                                kind.word(),
                                name,
                                null,
                                from -> {
                                    Moment now = now();
                                    return Turns.renew(
                                            from, grant.session.id(), grant.id, now.hostNanos() + leaseNanos, now);
                                },
                                deadline)
                        .result();
        if (renewed) {
            boolean[] held = {true};
            states.afterCommit(() -> held[0] = isRenewed(grant, before + leaseNanos));
            return held[0];
        }
        return false;
    }

    /** Unless it was found lost while the renewal waited for the database. */
    private boolean isRenewed(Grant grant, long endNanos) {
        mutex.lock();
        try {
            if (!isHolder(grant)) {
                return false;
            }
            grant.leaseEndNanos = endNanos;
        } finally {
            mutex.unlock();
        }
        cohorts.watchLease(this, grant);
        return true;
    }

    /** The engine closes: nothing is granted to this process from now on; answers what it holds. */
    List<Grant> shut() {
        mutex.lock(); // what is being handed on is held before or not at all
        try {
            closed = true;
            return List.copyOf(held.values());
        } finally {
            mutex.unlock();
        }
    }

    /** Frees what is held and turns away who waits. */
    void close() {
        shut().forEach(this::release);
        leaveForGood();
        mutex.lock();
        try {
            queue.forEach(waiter -> waiter.turnAway.run());
        } finally {
            mutex.unlock();
        }
        engine.signal().ring(name);
    }

    private void leaveForGood() {
        try {
            Deadline deadline = Deadline.after(GIVE_UP_PATIENCE);
            long session = engine.sessions().self(deadline).id();
            states.update(kind.word(), name, null, from -> Turns.leave(from, session, now()), deadline);
        } catch (CacheException e) {
            // busy or full: the session is about to end, and with it whatever it has
        }
    }

    // Conditions

    /** From now on until {@link #endWait} a waiter for a condition is known. */
    void beginWait(long waiter) {
        mutex.lock();
        try {
            awaiting.add(waiter);
            cohorts.use(this);
        } finally {
            mutex.unlock();
        }
    }

    /** What the row may still say of it is put right later: else it would take a signal that is another's. */
    void endWait(long waiter) {
        mutex.lock();
        try {
            awaiting.remove(waiter);
            cohorts.unuse(this, isIdle());
        } finally {
            mutex.unlock();
        }
        Seen last = remembered;
        if (last != null && last.turns.conditions().contains(self, waiter)) {
            settleLater();
        }
    }

    /** How a wait for a condition ended. */
    enum Woken {
        /** By a signal, or for no reason, as a wait may. */
        SIGNALLED,
        TIMED_OUT,
        INTERRUPTED
    }

    /**
     * Waits until a condition was signalled for a waiter that the release of the lock has written down. Which of signal, time-out
     * and interrupt comes first is decided by the database.
     */
    Woken await(Session session, long waiter, Deadline deadline) {
        Seen last = null;
        boolean forAll = false;
        while (true) {
            engine.requireOpen();
            int seen = engine.signal().seen(name);
            try {
                if (last == null || session.isLost() || !isAsItWas(last, deadline)) {
                    if (forAll) {
                        sleepers.tellChange();
                    }
                    last = Seen.of(states.read(kind.word(), name, deadline));
                    Conditions conditions = last.turns.conditions();
                    if (session.isLost()
                            || !conditions.contains(session.id(), waiter)
                            || conditions.isSignalled(session.id(), waiter)) {
                        return Woken.SIGNALLED;
                    }
                    if (!dead(last).isEmpty()) {
                        look(last.state); // a signal may have been theirs
                        continue;
                    }
                }
            } catch (CacheTimeoutException e) {
                // the deadline is over, or an interrupt ended the wait for the database
            }
            boolean interrupted = deadline.isInterruptible() && Thread.interrupted();
            if (interrupted || deadline.hasPassed()) {
                Woken woken = interrupted ? Woken.INTERRUPTED : Woken.TIMED_OUT;
                return cancel(session, waiter, interrupted) ? woken : signalledBefore(interrupted);
            }
            forAll = awaitChange(seen, deadline);
        }
    }

    private static Woken signalledBefore(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return Woken.SIGNALLED;
    }

    /** If it cannot be written, an interrupt that led here is not forgotten. */
    private boolean cancel(Session session, long waiter, boolean interrupted) {
        try {
            return states.update(
                            kind.word(), name, null, from -> Turns.cancel(from, session.id(), waiter), Deadline.never())
                    .result();
        } catch (CacheException e) {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            throw e;
        }
    }

    /** Signals one or all who wait for a condition; whether the lock is held. */
    boolean signal(Grant grant, String condition, boolean all, Deadline deadline) {
        Seen last = remembered;
        Set<Long> dead = dead(last == null ? Seen.of(states.read(kind.word(), name, deadline)) : last);
        return isHolder(grant)
                && states.update(
                                kind.word(),
                                name,
                                null,
                                from -> Turns.signal(from, grant.session.id(), grant.id, condition, all, dead, now()),
                                deadline)
                        .result();
    }

    // The number of permits

    /** Makes the name a semaphore, or checks that it is one with so many permits. */
    void register(long permits, Deadline deadline) {
        State known = states.read(kind.word(), name, deadline);
        if (known.detail().isEmpty()) {
            known = states.write(
                    tx -> tx.update(kind.word(), name, from -> Decision.store(founded(from, permits), true))
                            .state(),
                    deadline);
        }
        long stored = kind.permits(known);
        if (stored != permits) {
            throw new IllegalArgumentException(kind.title() + " '" + name + "' has " + stored + " permits, not "
                    + permits + "; use the stored number, or change it by resize");
        }
        initialPermits = permits;
    }

    void resize(long permits, Deadline deadline) {
        State state = states.update(kind.word(), name, null, from -> Turns.resize(from, permits, now()), deadline)
                .state();
        states.afterCommit(() -> initialPermits = permits);
        if (Line.parse(state.line()).reserved().isPresent()) {
            lookLater();
        }
    }

    private State founded(State from, long permits) {
        return kind == Kind.SEMAPHORE && from.detail().isEmpty() ? from.withDetail(Kind.permitsDetail(permits)) : from;
    }

    /** Refuses what would never be granted; what is remembered is enough to know that it may be. */
    void requirePossible(long units, Deadline deadline) {
        Seen last = remembered;
        if (units > (last == null ? initialPermits : last.turns.permits())) {
            requirePossible(units, read(deadline).permits());
        }
    }

    private void requirePossible(long units, long permits) {
        if (units > permits) {
            throw new IllegalArgumentException("the number must be <= " + permits + ", the permits of " + kind.title()
                    + " '" + name + "', was " + units);
        }
    }

    // Asking

    /** Whether somebody who lives has it. */
    boolean isLiving(Hold hold) {
        return !engine.sessions().isDead(hold.session())
                && !Turns.isOver(hold, engine.clock().nanos());
    }

    /** What this process holds and its session has not lost. */
    Stream<Grant> held() {
        return held.values().stream().filter(grant -> !grant.session.isLost());
    }

    /** What the current thread holds with so many permits. */
    @Nullable
    Grant heldByCurrentThread(long units) {
        for (Grant grant : held.values()) {
            if (grant.isOwnedByCurrentThread()
                    && grant.units() == units
                    && !grant.releasing
                    && !grant.session.isLost()
                    && !grant.isOver(engine.clock().nanos())) {
                return grant;
            }
        }
        return null;
    }

    boolean isHeld(Grant grant) {
        return isHolder(grant) && !grant.isOver(engine.clock().nanos());
    }

    /** Whether it is over because its owner has given it up. */
    boolean isGivenUp(Grant grant) {
        return !grant.lost && !isHolder(grant) && !grant.session.isLost();
    }

    /** The token of what this thread has lost, if it has not acquired anything since; perhaps nobody has noticed yet. */
    @Nullable
    Long tokenLostByCurrentThread() {
        for (Grant grant : held.values()) {
            if (grant.isOwnedByCurrentThread() && grant.isOver(engine.clock().nanos())) {
                return grant.token;
            }
        }
        return lostTokens.get(Thread.currentThread());
    }

    Turns read(Deadline deadline) {
        try {
            return Turns.of(founded(states.read(kind.word(), name, deadline), initialPermits));
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    boolean forceRelease(long expectedToken, Deadline deadline) {
        Update<Boolean> update;
        try {
            update = states.update(
                    kind.word(), name, null, from -> Turns.forceRelease(from, expectedToken, now()), deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
        if (update.result() && update.state().line().indexOf('@') >= 0) {
            lookLater();
        }
        return update.result();
    }

    /** Who holds something, in words; the dead, and those whose lease is over, hold nothing. */
    Optional<Holder> describe(Hold hold, Deadline deadline) {
        if (!isLiving(hold)) {
            return Optional.empty();
        }
        return engine.sessions().describe(hold.session(), deadline).map(session -> Holder.of(hold, session, kind));
    }

    /** Somebody who lives and holds it, if anybody does. */
    Optional<Holder> anyHolder(Deadline deadline) {
        for (Hold hold : read(deadline).holds()) {
            Optional<Holder> holder = describe(hold, deadline);
            if (holder.isPresent()) {
                return holder;
            }
        }
        return Optional.empty();
    }

    /** The same for a message; a busy or closed database must not turn one error into another. */
    Optional<Holder> anyHolderForMessage() {
        try {
            return anyHolder(Deadline.after(MESSAGE_PATIENCE));
        } catch (CacheException e) {
            return Optional.empty();
        }
    }

    boolean isInTransaction() {
        return states.inTransaction();
    }

    void afterCommit(Runnable action) {
        states.afterCommit(action);
    }

    void afterRollback(Runnable action) {
        states.afterRollback(action);
    }

    CoordinationEngine engine() {
        return engine;
    }

    Kind kind() {
        return kind;
    }

    String name() {
        return name;
    }
}

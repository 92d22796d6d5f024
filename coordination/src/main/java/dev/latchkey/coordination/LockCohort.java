package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import dev.latchkey.coordination.LockState.Asker;
import dev.latchkey.coordination.LockState.Moment;
import dev.latchkey.coordination.LockState.Release;
import dev.latchkey.coordination.LockState.Successor;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/*
 * A cohort lock (Dice, Marathe, Shavit, "Lock Cohorting", PPoPP 2012). The threads of this process queue here, fairly and in
 * memory; only the first of them deals with the database, where the process has at most one place in the line. Whoever
 * unlocks grants the lock to the next thread here in the same update that releases it, until another process waits and the
 * bound on local grants is reached.
 *
 * `mutex` guards the queue and the holder and is never held while waiting for the database, for a turn or for user code.
 *
 *   holder == null             the first in the queue contends in the database
 *   holder != null             somebody here holds the lock, or is just passing or releasing it
 *
 * A grant is made known (`pending`) before its transaction, until somebody here holds it or the transaction has failed; so a
 * row which names this session with an unknown grant is one whose transaction was taken for failed: an orphan.
 */
/** One lock, as all threads of this process share it. */
final class LockCohort {
    private static final long FIRST_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int MOST_IN_A_ROW = 16;
    private static final long LONGEST_ROW_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /** What a release and a give-up may spend on a busy database before they are left to the keeper. */
    private static final Duration RELEASE_PATIENCE = Duration.ofSeconds(1);

    /** One attempt rides over the commits of others, not over a long transaction. */
    private static final Duration ONE_ATTEMPT = Duration.ofMillis(10);

    private static final Duration GIVE_UP_PATIENCE = Duration.ofMillis(20);
    private static final Duration SETTLE_AGAIN = Duration.ofMillis(50);
    private static final Duration LOOK_AGAIN = Duration.ofNanos(Line.RESERVATION_NANOS + 200_000);

    private final CoordinationEngine engine;
    private final StateStore states;
    private final String name;
    private final Cohorts cohorts;
    private final ReentrantLock mutex = new ReentrantLock();
    private final ArrayDeque<Waiter> queue = new ArrayDeque<>();
    private volatile @Nullable Grant holder;
    private final Set<Long> pending = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Seen remembered;
    private volatile long lastToken;
    /** The token of what a thread lost, for it to be told when it comes to release it. */
    private final ConcurrentMap<Thread, Long> lostTokens =
            new MapMaker().weakKeys().makeMap();
    /** This process's session, as it was when it last tried. */
    private volatile long self;

    private int inARow;
    private long rowStart;
    private boolean looking;
    private boolean unsettled;
    private volatile boolean closed;

    LockCohort(CoordinationEngine engine, String name, Cohorts cohorts) {
        this.engine = engine;
        this.states = engine.states();
        this.name = name;
        this.cohorts = cohorts;
    }

    /** The row as this process saw it last. */
    private record Seen(State state, LockState lock) {
        static Seen of(State state) {
            return new Seen(state, LockState.of(state));
        }
    }

    /** A thread of this process that waits. */
    private static final class Waiter {
        final Thread thread = Thread.currentThread();
        final boolean ownedByThread;
        boolean gone;

        @Nullable
        Grant grant;

        Waiter(boolean ownedByThread) {
            this.ownedByThread = ownedByThread;
        }

        @Nullable
        Thread owner() {
            return ownedByThread ? thread : null;
        }
    }

    private enum Turn {
        GRANTED,
        FIRST,
        WAIT
    }

    // Acquiring

    /** Waits for the lock until the deadline; null if it was not granted by then. */
    @Nullable
    Grant acquire(Deadline deadline, boolean ownedByThread) throws InterruptedException {
        engine.requireOpen();
        refuseInTransaction();
        if (deadline.isInterruptible() && Thread.interrupted()) {
            throw new InterruptedException();
        }
        Waiter waiter = new Waiter(ownedByThread);
        boolean interrupted = false;
        enqueue(waiter);
        try {
            while (true) {
                switch (turn(waiter)) {
                    case GRANTED -> {
                        return waiter.grant;
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
    Grant tryAcquire(boolean ownedByThread) {
        engine.requireOpen();
        refuseInTransaction();
        Waiter waiter = new Waiter(ownedByThread);
        mutex.lock();
        try {
            if (holder != null || !queue.isEmpty()) {
                return null;
            }
            queue.add(waiter);
            cohorts.use(this);
        } finally {
            mutex.unlock();
        }
        Deadline deadline = Deadline.after(ONE_ATTEMPT);
        try {
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

    private void refuseInTransaction() {
        if (states.inTransaction()) {
            throw new IllegalStateException(
                    "lock '" + name + "' cannot be acquired inside a transaction: its holder would"
                            + " wait for the write lock that this transaction has, and a rollback would undo the grant");
        }
    }

    private void enqueue(Waiter waiter) {
        mutex.lock();
        try {
            queue.add(waiter);
            cohorts.use(this);
        } finally {
            mutex.unlock();
        }
    }

    private Turn turn(Waiter waiter) {
        mutex.lock();
        try {
            if (waiter.grant != null) {
                return Turn.GRANTED;
            }
            return holder == null && queue.peek() == waiter ? Turn.FIRST : Turn.WAIT;
        } finally {
            mutex.unlock();
        }
    }

    /** Decides between a grant and giving up: afterwards nobody passes the lock to this waiter. */
    private boolean isGrantedBeforeLeaving(Waiter waiter) {
        mutex.lock();
        try {
            waiter.gone = waiter.grant == null;
            return !waiter.gone;
        } finally {
            mutex.unlock();
        }
    }

    /** Ends a wait however it ended, and lets the next thread have its turn. */
    private void leave(Waiter waiter) {
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
        if (last != null && last.lock.line().contains(self) && !isAwaited()) {
            settleLater();
        }
    }

    private boolean isIdle() {
        return holder == null && queue.isEmpty() && !unsettled;
    }

    private void wakeFirst() {
        Waiter first = queue.peek();
        if (first != null && holder == null) {
            LockSupport.unpark(first.thread);
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
                Session session = null;
                try {
                    session = engine.sessions().self(deadline);
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
                await(seen, session, deadline);
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

    /** An uninterruptible wait must not be kept awake by an interrupt that it is to ignore. */
    private void await(int seen, @Nullable Session session, Deadline deadline) {
        Seen last = remembered;
        boolean first = last != null && session != null && last.lock.line().isFirst(session.id());
        long nanos = Math.min(deadline.remainingNanos(), first ? FIRST_POLL_NANOS : POLL_NANOS);
        boolean interrupted = !deadline.isInterruptible() && Thread.interrupted();
        engine.signal().await(name, seen, nanos);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Tries the transition on the remembered row if that says the lock is free, then on the stored one, after probing the
     * sessions that it names. Writes only if there is something to write.
     */
    private @Nullable Grant attempt(Waiter waiter, Session session, boolean waits, Deadline deadline) {
        Seen last = remembered;
        self = session.id();
        if (last != null && isHopeless(last, session, deadline)) {
            return null;
        }
        long id = session.nextGrant();
        pending.add(id);
        try {
            return attempt(waiter, session, id, waits, deadline);
        } finally {
            pending.remove(id); // by now it is held, or nobody's
        }
    }

    private @Nullable Grant attempt(Waiter waiter, Session session, long id, boolean waits, Deadline deadline) {
        Seen last = remembered;
        State known = last != null && !last.lock.isHeld()
                ? update(
                        last.state,
                        new Asker(session.id(), id, waiter.thread.getName(), false, this::mayRetake),
                        Set.of(),
                        deadline)
                : states.read(LockState.KIND, name, deadline);
        if (!isGrantedTo(known, session, id)) {
            Asker asker = new Asker(session.id(), id, waiter.thread.getName(), waits, this::mayRetake);
            Set<Long> dead = dead(known);
            if (LockState.acquire(known, asker, dead, now()).changes(known)) {
                known = update(known, asker, dead, deadline);
            }
        }
        remembered = Seen.of(known);
        if (!isGrantedTo(known, session, id)) {
            return null;
        }
        Grant grant = hold(waiter, session, id, known);
        try {
            engine.requireOpen();
        } catch (CacheException e) {
            release(grant); // close may have come too early to see it
            throw e;
        }
        return grant;
    }

    /** The cheap answer for one who waits: another session still holds the lock, and lives. */
    private boolean isHopeless(Seen last, Session session, Deadline deadline) {
        return last.lock.isHeld()
                && last.lock.session() != session.id()
                && last.lock.line().isAwaiting(session.id())
                && states.isUnchanged(last.state, deadline)
                && !engine.sessions().isDead(last.lock.session());
    }

    private State update(State known, Asker asker, Set<Long> dead, Deadline deadline) {
        return states.update(LockState.KIND, name, known, from -> LockState.acquire(from, asker, dead, now()), deadline)
                .state();
    }

    private static boolean isGrantedTo(State state, Session session, long grant) {
        return LockState.of(state).isHeldBy(session.id(), grant);
    }

    private Set<Long> dead(State state) {
        return LockState.of(state).dead(engine.sessions()::isDead);
    }

    /** The process that freed the lock may take it again before the one whose turn it is has come, within its bound. */
    private boolean mayRetake(long token) {
        return token == lastToken && isWithinBound();
    }

    private boolean isWithinBound() {
        return inARow < MOST_IN_A_ROW && engine.clock().nanos() - rowStart < LONGEST_ROW_NANOS;
    }

    /** A row of grants counts from when another process began to wait. */
    private void countGrant(State state) {
        boolean alone = !LockState.of(state).line().hasOthersThan(state.session());
        if (alone || state.token() != lastToken + 1) {
            inARow = 0;
            rowStart = engine.clock().nanos();
        }
        inARow++;
        lastToken = state.token();
    }

    private Grant hold(Waiter waiter, Session session, long id, State state) {
        Grant grant = new Grant(session, id, state.token(), waiter.owner());
        mutex.lock();
        try {
            if (session.isLost()) {
                throw new SessionLostException(session.id()); // whoever was to forget it came too early to see it
            }
            countGrant(state);
            holder = grant;
            lostTokens.remove(waiter.thread);
            waiter.grant = grant;
            return grant;
        } finally {
            mutex.unlock();
        }
    }

    /** The last thread of this process takes the process out of the line; what cannot be written now is written later. */
    private void giveUp() {
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
        Grant current = grant;
        while (true) {
            if (!isHolder(current)) {
                forget(current);
                return current != grant; // what was lost was only passed on
            }
            current.releasing = true;
            if (states.inTransaction()) {
                return releaseInTransaction(current);
            }
            Grant handed = releaseOrPass(current);
            if (handed == null) {
                return true;
            }
            if (handed == current) {
                return current != grant;
            }
            current = handed; // the next thread gave up meanwhile
        }
    }

    /** Null when it is done, the same grant if it was lost before, and another one that was passed to nobody. */
    private @Nullable Grant releaseOrPass(Grant current) {
        Waiter next = firstWaiter();
        long successor = next == null ? 0 : current.session.nextGrant();
        pending.add(successor);
        try {
            Update<Release> update = unlock(current, next, successor);
            remembered = Seen.of(update.state());
            if (update.result() == Release.PASSED) {
                return hand(current, successor, next, update.state());
            }
            freed(current, update.state());
            return update.result() == Release.FREED ? null : current;
        } catch (SessionLostException e) {
            return current;
        } catch (CacheException e) {
            forget(current); // final for its caller: the keeper repeats it until it is written
            settleLater();
            return null;
        } finally {
            pending.remove(successor);
        }
    }

    private static @Nullable Thread ownerOf(@Nullable Waiter waiter) {
        return waiter == null ? null : waiter.owner();
    }

    private Update<Release> unlock(Grant grant, @Nullable Waiter next, long nextGrant) {
        Successor successor = next == null ? null : new Successor(nextGrant, next.thread.getName());
        Seen last = remembered;
        State known = last == null ? null : last.state;
        Set<Long> dead = known == null ? Set.of() : dead(known); // a dead next in line costs nobody a wait
        boolean mayPass = isWithinBound();
        return states.update(
                LockState.KIND,
                name,
                known,
                from -> LockState.unlock(from, grant.session.id(), grant.id, successor, mayPass, dead, now()),
                Deadline.after(RELEASE_PATIENCE));
    }

    private boolean releaseInTransaction(Grant grant) {
        Update<Release> update = states.update(
                LockState.KIND,
                name,
                null,
                from -> LockState.unlock(from, grant.session.id(), grant.id, null, false, Set.of(), now()),
                Deadline.never());
        states.afterCommit(() -> freed(grant, update.state()));
        states.afterRollback(() -> grant.releasing = false);
        return update.result() == Release.FREED;
    }

    private boolean isHolder(Grant grant) {
        return holder == grant && !grant.session.isLost();
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
    private @Nullable Grant hand(Grant passing, long successor, @Nullable Waiter next, State state) {
        mutex.lock();
        try {
            if (holder != passing) { // lost or closed meanwhile: nobody here holds what was passed
                settleLater();
                return null;
            }
            boolean taken = next != null && !next.gone && !closed;
            Grant grant = new Grant(passing.session, successor, state.token(), taken ? ownerOf(next) : null);
            countGrant(state);
            holder = grant;
            if (grant.session.isLost()) {
                holder = null;
                wakeFirst();
                return null;
            }
            if (next == null || !taken) {
                return grant;
            }
            lostTokens.remove(next.thread);
            next.grant = grant;
            queue.remove(next);
            LockSupport.unpark(next.thread);
            return null;
        } finally {
            mutex.unlock();
        }
    }

    private void freed(Grant grant, State state) {
        Seen last = Seen.of(state);
        remembered = last;
        forget(grant);
        if (last.lock.line().reserved().isPresent()) {
            lookLater();
        }
        leaveLineIfUnawaited();
    }

    /** From now on it is no thread's; the first in the queue may contend. */
    private void forget(Grant grant) {
        mutex.lock();
        try {
            if (holder == grant) {
                holder = null;
                wakeFirst();
            }
            cohorts.unuse(this, isIdle());
        } finally {
            mutex.unlock();
        }
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
        State state = states.read(LockState.KIND, name, Deadline.after(GIVE_UP_PATIENCE));
        Set<Long> dead = dead(state);
        if (LockState.look(state, dead, now()).changes(state)) {
            states.update(
                    LockState.KIND,
                    name,
                    state,
                    from -> LockState.look(from, dead, now()),
                    Deadline.after(GIVE_UP_PATIENCE));
            lookLater();
        }
    }

    private void settleLater() {
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

    private boolean isAwaited() {
        return queueLength() > 0;
    }

    private int queueLength() {
        mutex.lock();
        try {
            return closed ? 0 : queue.size();
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
                    LockState.KIND,
                    name,
                    null,
                    from -> LockState.settle(from, session, this::knows, awaited.getAsBoolean(), now()),
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
        } catch (CacheException e) {
            settleLater();
        }
    }

    private boolean knows(long grant) {
        if (pending.contains(grant)) { // asked first: a grant is pending before it is somebody's
            return true;
        }
        Grant current = holder;
        return current != null && current.id == grant;
    }

    private Moment now() {
        return new Moment(engine.clock().nanos(), engine.clock().wallMillis());
    }

    /** The session is lost: what it held may be somebody else's by now. */
    @Nullable
    Grant lose(Session session) {
        mutex.lock(); // a grant is either known by now, or finds out under the mutex that the session is lost
        try {
            Grant grant = holder;
            if (grant != null && grant.session == session) {
                remember(grant);
                forget(grant);
                return grant;
            }
            return null;
        } finally {
            mutex.unlock();
        }
    }

    /** Whether what is held here was forced open; then it is forgotten, so that the threads here may contend again. */
    @Nullable
    Grant loseIfForced() {
        Grant grant = holder;
        if (grant == null) {
            return null;
        }
        LockState state = LockState.of(states.read(LockState.KIND, name, Deadline.after(GIVE_UP_PATIENCE)));
        boolean ours = state.session() == grant.session.id(); // perhaps passed on a moment ago
        if (ours || grant.releasing || holder != grant) {
            return null;
        }
        remember(grant);
        forget(grant);
        return grant;
    }

    boolean isInTransaction() {
        return states.inTransaction();
    }

    void afterCommit(Runnable action) {
        states.afterCommit(action);
    }

    /** The engine closes: frees what is held and turns away who waits. */
    @Nullable
    Grant close() {
        closed = true;
        Grant grant = holder;
        if (grant != null) {
            release(grant);
        }
        settle(this::isAwaited, GIVE_UP_PATIENCE);
        mutex.lock();
        try {
            queue.forEach(waiter -> LockSupport.unpark(waiter.thread));
        } finally {
            mutex.unlock();
        }
        engine.signal().ring(name);
        return grant;
    }

    // Asking

    @Nullable
    Grant holder() {
        Grant grant = holder;
        return grant == null || grant.session.isLost() ? null : grant;
    }

    /** The token of what this thread has lost, if it has not acquired anything since. */
    @Nullable
    Long tokenLostByCurrentThread() {
        return lostTokens.get(Thread.currentThread());
    }

    private void remember(Grant lost) {
        if (lost.thread != null) {
            lostTokens.put(lost.thread, lost.token);
        }
    }

    LockState read(Deadline deadline) {
        try {
            return LockState.of(states.read(LockState.KIND, name, deadline));
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    boolean forceUnlock(long expectedToken, Deadline deadline) {
        Update<Boolean> update;
        try {
            update = states.update(
                    LockState.KIND, name, null, from -> LockState.forceUnlock(from, expectedToken, now()), deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
        if (update.result() && update.state().line().indexOf('@') >= 0) {
            lookLater();
        }
        return update.result();
    }

    /** Whom a state names as holder; a dead one holds nothing. */
    Optional<Holder> describe(LockState state, Deadline deadline) {
        if (!state.isHeld() || engine.sessions().isDead(state.session())) {
            return Optional.empty();
        }
        return engine.sessions()
                .describe(state.session(), deadline)
                .map(session -> new Holder(
                        state.session(),
                        session.pid(),
                        session.host(),
                        session.label(),
                        state.owner(),
                        state.token(),
                        Instant.ofEpochMilli(state.sinceMillis())));
    }

    String name() {
        return name;
    }
}

package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import dev.latchkey.coordination.LocalQueue.Turn;
import dev.latchkey.coordination.Turns.Asker;
import dev.latchkey.coordination.Turns.Awaiting;
import dev.latchkey.coordination.Turns.Release;
import dev.latchkey.coordination.Turns.Successor;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * A cohort lock (Dice, Marathe, Shavit, "Lock Cohorting", PPoPP 2012), for whatever can be held. The threads of this process queue
 * in a LocalQueue, fairly and in memory; only the first of them deals with the database, where the process has at most one place
 * in the line. Whoever releases a lock grants it to the next thread here in the same update, until another process waits and the
 * bound on local grants is reached; permits and read locks are not passed, since their next asker need not wait for the holder.
 *
 * Acquiring and releasing stand here. What is stored is behind Row; what calls leave to be done later is done by Keeper.
 */
/** One name that can be held, as all threads of this process share it. */
final class Cohort {
    private static final long FIRST_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** How often the first in line looks whether the owner lives until it reads the row again. */
    private static final int LOOKS_FOR_EACH_READ = 3;

    /** One attempt rides over the commits of others, not over a long transaction. */
    static final Duration ONE_ATTEMPT = Duration.ofMillis(10);

    /** One attempt also waits for those in front whose attempt is under way; each needs a commit. */
    private static final Duration QUEUE_PATIENCE = Duration.ofMillis(50);

    private final CoordinationEngine engine;
    private final Cohorts cohorts;
    private final Kind kind;
    private final String name;
    final Row row;
    final LocalQueue local;
    final Keeper keeper;
    final SharedSleep sleepers;
    final ConditionWaits conditions;
    /** This process's session, as it was when it last tried. */
    private volatile long self;

    Cohort(CoordinationEngine engine, Kind kind, String name, Cohorts cohorts) {
        this.engine = engine;
        this.cohorts = cohorts;
        this.kind = kind;
        this.name = name;
        this.row = new Row(engine, kind, name);
        this.local = new LocalQueue(kind, engine.clock(), new LocalQueue.Usage() {
            @Override
            public void begin() {
                cohorts.use(Cohort.this);
            }

            @Override
            public void end() {
                cohorts.unuse(Cohort.this);
            }
        });
        this.keeper = new Keeper(engine, row, local);
        this.sleepers = new SharedSleep(engine.signal(), name);
        this.conditions = new ConditionWaits(engine, row, local, keeper, sleepers);
    }

    // Acquiring

    /** Waits for the lock until the deadline; null if it was not granted by then. */
    @Nullable
    Grant acquire(Want want, Deadline deadline) throws InterruptedException {
        engine.requireOpen();
        row.refuseInTransaction();
        if (deadline.isInterruptible() && Thread.interrupted()) {
            throw new InterruptedException();
        }
        Waiter waiter = new Waiter(want);
        boolean interrupted = false;
        local.add(waiter);
        try {
            while (true) {
                switch (local.turn(waiter)) {
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
                    return local.isGrantedBeforeLeaving(waiter) ? waiter.grant : null;
                }
                LockSupport.parkNanos(this, deadline.remainingNanos());
                if (Thread.interrupted()) {
                    interrupted = true;
                    if (deadline.isInterruptible() && !local.isGrantedBeforeLeaving(waiter)) {
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
        row.refuseInTransaction();
        Waiter waiter = new Waiter(want);
        if (!(kind.isExclusive() ? local.enter(waiter) : local.enterBehindAttempts(waiter))) {
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
            keeper.settleLater(); // it may have been granted before this went wrong
            throw e;
        } finally {
            leave(waiter);
        }
    }

    /** Whether those in front have their turns soon; one that stands in line by now has not. */
    private boolean isFirstSoon(Waiter waiter) {
        Deadline deadline = Deadline.after(QUEUE_PATIENCE);
        boolean interrupted = false;
        try {
            while (local.turn(waiter) == Turn.WAIT) {
                if (deadline.hasPassed() || local.isFirstInLine()) {
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

    /** Ends a wait however it ended, and lets the next thread have its turn. */
    void leave(Waiter waiter) {
        local.remove(waiter);
        keeper.leaveLineIfUnawaited(self);
    }

    /** The first thread of this process: waits for the turn of the process, in the database. */
    private @Nullable Grant contend(Waiter waiter, Deadline deadline) throws InterruptedException {
        boolean inLine = false;
        try {
            while (true) {
                engine.requireOpen();
                String bell = Turns.bell(name, self);
                int seen = engine.signal().seen(bell);
                Grant grant = null;
                try {
                    Session session = engine.sessions().self(deadline);
                    if (session.id() != self) {
                        self = session.id();
                        continue; // it sleeps on another word
                    }
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
                await(bell, seen, deadline);
            }
        } catch (WrongKindException e) {
            inLine = false;
            throw new NameInUseException(e);
        } finally {
            if (inLine) {
                keeper.giveUp();
            }
        }
    }

    /** How long to sleep at most before looking again. */
    long pollNanos() {
        Turns last = row.remembered();
        return last != null && last.line().isNext(self) ? FIRST_POLL_NANOS : POLL_NANOS;
    }

    /**
     * Sleeps until it is time to read the row. A change of it rings, and is read without a ring now and then, since rings may be lost; a
     * death rings nobody. An uninterruptible wait must not be kept awake by an interrupt that it is to ignore.
     */
    private void await(String bell, int seen, Deadline deadline) {
        Turns last = row.remembered();
        long nanos = pollNanos();
        int looks = nanos == FIRST_POLL_NANOS ? LOOKS_FOR_EACH_READ : 1;
        boolean interrupted = !deadline.isInterruptible() && Thread.interrupted();
        do {
            engine.signal().await(bell, seen, Math.min(deadline.remainingNanos(), nanos));
        } while (--looks > 0
                && engine.signal().seen(bell) == seen
                && !Thread.currentThread().isInterrupted()
                && !deadline.hasPassed()
                && last != null
                && isQuiet(last)
                && !row.hasDead(last));
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
        self = session.id();
        if (isHopeless(waiter.want.units(), deadline)) {
            keeper.ringIfOwed();
            waiter.inLine = true;
            return null;
        }
        long id = session.nextGrant();
        local.expect(id);
        try {
            Grant grant = attempt(waiter, session, id, waits, deadline);
            waiter.inLine = waits && grant == null;
            return grant;
        } finally {
            local.expectNoMore(id);
        }
    }

    private @Nullable Grant attempt(Waiter waiter, Session session, long id, boolean waits, Deadline deadline) {
        Turns last = row.remembered();
        long before = engine.clock().nanos();
        Turns known = last != null && last.fits(waiter.want.units())
                ? acquire(last, asker(waiter, session, id, false), Set.of(), deadline)
                : row.read(deadline);
        if (!known.isHeldBy(session.id(), id)) {
            before = engine.clock().nanos();
            Asker asker = asker(waiter, session, id, waits);
            Set<Long> dead = row.dead(known);
            if (row.changes(known, asker, dead)) {
                known = acquire(known, asker, dead, deadline);
            }
        }
        row.remember(known);
        if (!known.isHeldBy(session.id(), id)) {
            keeper.ringIfOwed();
            row.requirePossible(waiter.want.units(), known);
            return null;
        }
        return requireOpenFor(hold(waiter, session, id, known, before));
    }

    private Turns acquire(Turns known, Asker asker, Set<Long> dead, Deadline deadline) {
        Turns turns = row.acquire(known, asker, dead, deadline);
        keeper.lookIfNamed(known, turns);
        return turns;
    }

    /** Nothing is given out once the engine is closed, which may have come too early to see the grant. */
    private @Nullable Grant requireOpenFor(@Nullable Grant grant) {
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
                local::mayRetake,
                local::knownUnits,
                want.waiter());
    }

    /** The cheap answer for one who waits, as remembered or as stored: others hold what it needs, or are about to, and live. */
    private boolean isHopeless(long units, Deadline deadline) {
        Turns last = row.remembered();
        if (last == null || !last.line().contains(self) || last.grants(self, units, local::mayRetake)) {
            return false;
        }
        if (!row.isUnchanged(last, deadline)) {
            last = row.read(deadline);
            row.remember(last);
        }
        if (units > last.permits()
                || !last.line().isAwaiting(self, units)
                || changesByItself(last)
                || last.grants(self, units, local::mayRetake)) {
            return false;
        }
        return last.isReserved()
                ? last.line().leavesItToOthers(self, engine.clock().nanos())
                        && row.dead(last).isEmpty()
                : !last.fits(units) && !row.hasDead(last);
    }

    /** Whether nothing changes by the mere passing of time, or by what this process knows. */
    private boolean isQuiet(Turns turns) {
        return !turns.isReserved() && !changesByItself(turns);
    }

    /** Whether a hold is over, or was given up as far as this process knows. */
    private boolean changesByItself(Turns turns) {
        long now = engine.clock().nanos();
        for (Hold hold : turns.holds()) {
            boolean forgotten = hold.session() == self && hold.units() > local.knownUnits(hold.grant());
            if (forgotten || Turns.isOver(hold, now)) {
                return true;
            }
        }
        return false;
    }

    /** What was granted is held from here on; {@code before} is an instant before it was asked for. */
    private Grant hold(Waiter waiter, Session session, long id, Turns turns, long before) {
        Hold stored = turns.hold(session.id(), id).orElseThrow(() -> new SessionLostException(session.id()));
        long leaseEnd = leaseEnd(waiter.want, before);
        Grant grant = new Grant(session, id, stored.token(), stored.units(), leaseEnd, waiter.thread);
        local.hold(grant, waiter, turns);
        cohorts.watchLease(this, grant);
        return grant;
    }

    private static long leaseEnd(Want want, long before) {
        return want.leaseNanos() == 0 ? 0 : before + want.leaseNanos();
    }

    /** Adds a read lock to a write lock of this process, past the queue: those who stand there wait for its owner. */
    @Nullable
    Grant downgrade(Grant write, Want want, Deadline deadline) {
        engine.requireOpen();
        row.refuseInTransaction();
        Waiter waiter = new Waiter(want);
        Session session = write.session;
        long id = session.nextGrant();
        local.expect(id);
        try {
            long before = engine.clock().nanos();
            Asker asker = asker(waiter, session, id, false);
            State state = row.update(null, from -> Turns.downgrade(from, write.id, asker, row.now()), deadline)
                    .state();
            Turns turns = row.remember(state);
            return turns.isHeldBy(session.id(), id) ? requireOpenFor(hold(waiter, session, id, turns, before)) : null;
        } catch (SessionLostException e) {
            return null; // and the write lock with it
        } catch (CacheTimeoutException e) {
            throw e; // nothing was written
        } catch (RuntimeException | Error e) {
            keeper.settleLater(); // it may have been granted before this went wrong
            throw e;
        } finally {
            local.expectNoMore(id);
        }
    }

    // Releasing

    /**
     * Gives a grant up: to the next thread here, or to the line.
     *
     * @return whether it was still held; false if it was lost before
     */
    boolean release(Grant grant) {
        return release(grant, null, Deadline.after(Keeper.RELEASE_PATIENCE));
    }

    /**
     * Gives a lock up, perhaps in order to wait for a condition, in the same transaction; whether it was still held. If that
     * could not be written by the deadline it still is.
     */
    boolean release(Grant grant, @Nullable Awaiting awaiting, Deadline deadline) {
        boolean over = grant.isOver(engine.clock().nanos());
        Grant current = grant;
        while (true) {
            if (!local.isHolder(current)) {
                local.forget(current);
                return current != grant; // what was lost was only passed on
            }
            current.releasing = true;
            if (row.isInTransaction()) {
                return releaseInTransaction(Map.of(current, current.units())) && !over;
            }
            Grant handed = current == grant
                    ? releaseOrPass(current, awaiting, deadline)
                    : releaseOrPass(current, null, Deadline.after(Keeper.RELEASE_PATIENCE));
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
        Waiter next = kind.isExclusive() ? local.firstWaiter() : null;
        long successor = next == null ? 0 : current.session.nextGrant();
        local.expect(successor);
        try {
            long before = engine.clock().nanos();
            Released released = release(Map.of(current, current.units()), next, successor, awaiting, deadline);
            if (released.release == Release.PASSED) {
                return hand(current, successor, next, released.turns, before);
            }
            freed(current, released.turns);
            return released.release == Release.FREED ? null : current;
        } catch (SessionLostException e) {
            return current;
        } catch (CacheException e) {
            if (awaiting != null && e instanceof CacheTimeoutException) {
                current.releasing = false;
                throw e; // nothing was written: it waits for nothing yet, and holds the lock
            }
            unwritten(current);
            if (awaiting != null) {
                throw e;
            }
            return null;
        } finally {
            local.expectNoMore(successor);
        }
    }

    /** Makes the passed grant the next thread's; the answer is a grant that is nobody's since that thread has given up. */
    private @Nullable Grant hand(Grant passing, long successor, @Nullable Waiter next, Turns turns, long before) {
        Grant grant = local.hand(
                passing,
                next,
                heir -> heir == null
                        ? new Grant(passing.session, successor, turns.token(), 1, 0, null)
                        : new Grant(
                                passing.session, successor, turns.token(), 1, leaseEnd(heir.want, before), heir.thread),
                turns);
        if (grant == null) {
            keeper.settleLater(); // nobody here holds what was passed
            return null;
        }
        if (next == null || next.grant != grant) {
            return grant;
        }
        cohorts.watchLease(this, grant);
        return null;
    }

    /**
     * Gives up permits of several grants at once, all of them or some of each; whoever asks must have seen to it that no other
     * call gives up the same. Answers a grant that was lost before, if one was.
     */
    @Nullable
    Grant release(Map<Grant, Long> parts) {
        Grant first = parts.keySet().iterator().next();
        if (row.isInTransaction()) {
            return releaseInTransaction(parts) ? null : first;
        }
        parts.forEach((grant, units) -> grant.releasing = units == grant.units());
        try {
            Released released = release(parts, null, 0, null, Deadline.after(Keeper.RELEASE_PATIENCE));
            released(parts, released.turns);
            if (released.release == Release.FREED) {
                return null;
            }
            keeper.settle(); // what was not lost is released nevertheless
            return parts.keySet().stream()
                    .filter(grant -> !released.turns.isHeldBy(grant.session.id(), grant.id))
                    .findFirst()
                    .orElse(first);
        } catch (SessionLostException e) {
            parts.keySet().forEach(local::forget);
            return first;
        } catch (CacheException e) {
            parts.forEach(local::reduce); // final for its caller: the keeper repeats it until it is written
            keeper.settleLater();
            return null;
        }
    }

    /** What a release came to, and what is stored since. */
    private record Released(Release release, Turns turns) {}

    private Released release(
            Map<Grant, Long> parts,
            @Nullable Waiter next,
            long nextGrant,
            @Nullable Awaiting awaiting,
            Deadline deadline) {
        Successor successor =
                next == null ? null : new Successor(nextGrant, next.owner, next.want.leaseNanos(), next.want.waiter());
        Set<Long> dead = row.deadAsRemembered(); // a dead next in line costs nobody a wait
        boolean mayPass = local.isWithinBound();
        boolean quietly = awaiting == null && dead.isEmpty() && local.isInHaste();
        long session = sessionOf(parts);
        Map<Long, Long> units = byId(parts);
        Update<Release> update = row.update(
                row.remembered(),
                from -> {
                    Decision<Release> decision =
                            Turns.release(from, session, units, successor, mayPass, awaiting, dead, row.now());
                    return quietly && Turns.of(decision.next()).isReserved() ? decision.silently() : decision;
                },
                deadline);
        Turns turns = row.remember(update.state());
        if (quietly && turns.isReserved()) {
            keeper.ringUnlessRetaken(); // it looks at what is remembered, perhaps before this thread goes on
        } else {
            keeper.owesNoRing();
        }
        return new Released(update.result(), turns);
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
        row.afterRollback(() -> parts.keySet().forEach(grant -> grant.releasing = false));
        Update<Release> update = row.update(
                null,
                from -> Turns.release(from, session, units, null, false, null, Set.of(), row.now()),
                Deadline.never());
        row.afterCommit(() -> {
            released(parts, row.remember(update.state()));
            if (update.result() != Release.FREED) {
                keeper.settleLater();
            }
        });
        return update.result() == Release.FREED;
    }

    private void released(Map<Grant, Long> parts, Turns turns) {
        parts.forEach((grant, units) -> {
            local.reduce(grant, units);
            freed(grant.units() > 0 ? null : grant, turns);
            if (isKnownForMore(grant, turns)) {
                // another release of the same grant could not be written, and its keeper came before this one
                keeper.settleLater();
            }
        });
    }

    private static boolean isKnownForMore(Grant grant, Turns turns) {
        return turns.hold(grant.session.id(), grant.id)
                .filter(hold -> hold.units() > grant.units())
                .isPresent();
    }

    private void freed(@Nullable Grant grant, Turns turns) {
        if (grant != null) {
            local.forget(grant);
        }
        keeper.lookIfReserved(turns);
        keeper.leaveLineIfUnawaited(self);
    }

    /** What could not be written for certain is final for its caller: the keeper repeats it until the row is true. */
    void unwritten(Grant grant) {
        local.forget(grant);
        keeper.settleLater();
    }

    // A part of several names, see CohortSet

    /** A grant to this process is about to be written. */
    void expectPart(Session session, long grant) {
        self = session.id();
        local.expect(grant);
    }

    /** Holds what was granted in a transaction together with others. */
    Grant holdPart(Waiter waiter, Session session, long id, State state) {
        return hold(waiter, session, id, row.remember(state), engine.clock().nanos());
    }

    /** What was given up in a transaction together with others. */
    void partReleased(Grant grant, State state) {
        freed(grant, row.remember(state));
    }

    /**
     * Whether whoever wants the whole name need not try: others have it or want it, as when the state was read, and live.
     *
     * @param forAll whether the others who sleep are to be told if not
     */
    boolean isStillTaken(Turns seen, boolean forAll, Deadline deadline) {
        boolean taken = seen.isHeld() || !seen.line().isEmpty();
        boolean still = taken && isQuiet(seen) && row.isAsItWas(seen, deadline);
        if (taken && !still && forAll) {
            sleepers.tellChange();
        }
        return still;
    }

    // Leases

    /** Gives a lease another end; false if it is over. */
    boolean renew(Grant grant, long leaseNanos, Deadline deadline) {
        long before = engine.clock().nanos();
        if (!keeper.renew(grant, leaseNanos, deadline)) {
            return false;
        }
        boolean[] held = {true};
        row.afterCommit(() -> {
            held[0] = local.renew(
                    grant, before + leaseNanos); // unless it was found lost while the database was waited for
            if (held[0]) {
                cohorts.watchLease(this, grant);
            }
        });
        return held[0];
    }

    /** The look at leases that was due: what is over is lost, and the next look is arranged. */
    List<Grant> loseWhatIsOver(long due) {
        if (!local.beginLook(due)) {
            return List.of();
        }
        List<Grant> lost = keeper.loseWhatIsOver();
        local.held().forEach(grant -> cohorts.watchLease(this, grant));
        return lost;
    }

    // The end

    /** Frees what is held and turns away who waits. */
    void close() {
        local.shut().forEach(this::release);
        keeper.ringWhoeverIsNamed();
        keeper.leaveForGood();
        local.turnAway();
        engine.signal().ring(name);
        engine.signal().ring(Turns.bell(name, self));
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

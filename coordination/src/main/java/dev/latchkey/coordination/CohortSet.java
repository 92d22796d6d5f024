package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.StoreTransaction;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import dev.latchkey.coordination.Turns.Moment;
import dev.latchkey.coordination.Turns.Release;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/*
 * An attempt looks before it takes: only when every name seems to be had, here and in the database, does it take the turns
 * among the threads of this process and open a transaction. So one that waits neither writes nor stands in the way of those who
 * want one of the names, and never holds one while it waits for another. The turns are taken in the order of the names and
 * not waited for; of several sets that overlap the one with the greatest name gets all of its turns.
 */
/** Several names that are taken together or not at all. */
final class CohortSet {
    /** A death is noticed in time although whether somebody lives is asked at most every ten milliseconds. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(30);

    private final CoordinationEngine engine;
    private final StateStore states;
    /** In the order of their names. */
    private final List<Cohort> cohorts;

    CohortSet(CoordinationEngine engine, List<Cohort> cohorts) {
        this.engine = engine;
        this.states = engine.states();
        this.cohorts = List.copyOf(cohorts);
    }

    /** The name that was not to be had; without a state if a thread of this process has it or asks for it. */
    private record Obstacle(int index, @Nullable Turns seen) {}

    /** One name in one attempt. */
    private record Part(Cohort cohort, Waiter waiter, long grant, Set<Long> dead) {
        Decision<Boolean> decide(State from, Session session, Moment now) {
            return CohortSet.decide(cohort, waiter, session, grant, from, dead, now);
        }
    }

    private static Decision<Boolean> decide(
            Cohort cohort, Waiter waiter, Session session, long grant, State from, Set<Long> dead, Moment now) {
        return Turns.acquireUnawaited(from, cohort.asker(waiter, session, grant, false), dead, now);
    }

    /** Waits for all names until the deadline; whether the current thread owns them. */
    boolean acquire(Deadline deadline) throws InterruptedException {
        requireAcquirable();
        try {
            return acquireInTurns(deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    private boolean acquireInTurns(Deadline deadline) throws InterruptedException {
        Obstacle obstacle = null;
        boolean forAll = false;
        while (true) {
            engine.requireOpen();
            int[] seen = cohorts.stream().mapToInt(this::seen).toArray(); // before the truth is read
            try {
                if (obstacle == null || !isStillThere(obstacle, forAll, deadline)) {
                    obstacle = attempt(deadline);
                    if (obstacle == null) {
                        return true;
                    }
                }
            } catch (SessionLostException e) {
                obstacle = null;
                continue; // the next attempt is made by a new session
            } catch (CacheTimeoutException e) {
                // the deadline is over, or an interrupt ended the wait for the database
            }
            if (deadline.isInterruptible() && Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (deadline.hasPassed()) {
                return false;
            }
            int index = obstacle == null ? 0 : obstacle.index;
            forAll = cohorts.get(index).sleepers.awaitChange(seen[index], deadline, LOOK_NANOS);
        }
    }

    /** One attempt; whether the current thread owns all names. */
    boolean tryAcquire() {
        requireAcquirable();
        Deadline deadline = Deadline.after(Cohort.ONE_ATTEMPT);
        while (true) {
            try {
                return attempt(deadline) == null;
            } catch (SessionLostException e) {
                engine.requireOpen(); // the next attempt is made by a new session
            } catch (CacheTimeoutException e) {
                return false;
            } catch (WrongKindException e) {
                throw new NameInUseException(e);
            }
        }
    }

    private void requireAcquirable() {
        engine.requireOpen();
        cohorts.get(0).row.refuseInTransaction();
    }

    private int seen(Cohort cohort) {
        return engine.signal().seen(cohort.name());
    }

    /** The cheap answer for one who waits. */
    private boolean isStillThere(Obstacle obstacle, boolean forAll, Deadline deadline) {
        Cohort cohort = cohorts.get(obstacle.index);
        return obstacle.seen == null ? !cohort.local.isFree() : cohort.isStillTaken(obstacle.seen, forAll, deadline);
    }

    private static boolean seemsFree(Cohort cohort, Session session, Turns seen, Set<Long> dead) {
        Waiter nobody = new Waiter(Want.ofThread(1, 0));
        return decide(cohort, nobody, session, 0, seen.row(), dead, cohort.row.now())
                .result();
    }

    /** Null if all names were taken. */
    private @Nullable Obstacle attempt(Deadline deadline) {
        for (int i = 0; i < cohorts.size(); i++) {
            if (!cohorts.get(i).local.isFree()) {
                return new Obstacle(i, null); // no need to ask the database
            }
        }
        Session session = engine.sessions().self(deadline);
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < cohorts.size(); i++) {
            Cohort cohort = cohorts.get(i);
            Turns seen = cohort.row.read(deadline);
            Set<Long> dead = cohort.row.dead(seen);
            if (!seemsFree(cohort, session, seen, dead)) {
                return new Obstacle(i, seen);
            }
            parts.add(new Part(cohort, new Waiter(Want.ofThread(1, 0)), session.nextGrant(), dead));
        }
        return takeTurns(parts, session, deadline);
    }

    private @Nullable Obstacle takeTurns(List<Part> parts, Session session, Deadline deadline) {
        int entered = 0;
        try {
            while (entered < parts.size()) {
                Part part = parts.get(entered);
                if (!part.cohort.local.enter(part.waiter)) {
                    return new Obstacle(entered, null);
                }
                entered++;
            }
            return take(parts, session, deadline);
        } finally {
            parts.subList(0, entered).forEach(part -> part.cohort.leave(part.waiter));
        }
    }

    private @Nullable Obstacle take(List<Part> parts, Session session, Deadline deadline) {
        parts.forEach(part -> part.cohort.expectPart(session, part.grant));
        try {
            Outcome outcome = states.write(tx -> write(tx, parts, session), deadline);
            if (outcome.obstacle == null) {
                engine.requireInPlace();
                hold(parts, session, outcome.granted);
            }
            return outcome.obstacle;
        } catch (SessionLostException | CacheTimeoutException | WrongKindException e) {
            throw e;
        } catch (RuntimeException | Error e) {
            parts.forEach(part -> part.cohort.keeper.settleLater()); // it may have been granted before this went wrong
            throw e;
        } finally {
            parts.forEach(part -> part.cohort.local.expectNoMore(part.grant));
        }
    }

    private record Outcome(@Nullable Obstacle obstacle, List<State> granted) {}

    /** All or nothing is decided before anything is written. */
    private static Outcome write(StoreTransaction tx, List<Part> parts, Session session) {
        tx.requireAlive(session.id());
        Moment now = parts.get(0).cohort.row.now();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            State state = tx.state(part.cohort.kind().word(), part.cohort.name());
            if (!part.decide(state, session, now).result()) {
                return new Outcome(new Obstacle(i, Turns.of(state)), List.of());
            }
        }
        List<State> granted = new ArrayList<>();
        for (Part part : parts) {
            String kind = part.cohort.kind().word();
            granted.add(tx.update(kind, part.cohort.name(), from -> part.decide(from, session, now))
                    .state());
        }
        return new Outcome(null, granted);
    }

    private void hold(List<Part> parts, Session session, List<State> granted) {
        Map<Grant, Cohort> held = new LinkedHashMap<>();
        try {
            for (int i = 0; i < parts.size(); i++) {
                Part part = parts.get(i);
                held.put(part.cohort.holdPart(part.waiter, session, part.grant, granted.get(i)), part.cohort);
            }
            engine.requireOpen(); // close may have come too early to see them
        } catch (RuntimeException | Error e) {
            release(engine, held);
            throw e;
        }
    }

    /**
     * Gives grants up in one transaction, the caller's if it has one.
     *
     * @return those that were lost before; the others are released in any case
     */
    static List<Grant> release(CoordinationEngine engine, Map<Grant, Cohort> held) {
        StateStore states = engine.states();
        boolean joins = states.inTransaction();
        List<Leaving> leaving = new ArrayList<>();
        held.forEach((grant, cohort) ->
                leaving.add(new Leaving(grant, cohort, cohort.row.deadAsRemembered(), cohort.local.awaitedBy())));
        held.keySet().forEach(grant -> grant.releasing = true);
        states.afterRollback(() -> held.keySet().forEach(grant -> grant.releasing = false));
        try {
            Deadline deadline = joins ? Deadline.never() : Deadline.after(Keeper.RELEASE_PATIENCE);
            List<Update<Release>> updates = states.write(
                    tx -> leaving.stream().map(one -> one.write(tx)).toList(), deadline);
            states.afterCommit(() -> {
                for (int i = 0; i < leaving.size(); i++) {
                    Leaving one = leaving.get(i);
                    one.cohort.partReleased(one.grant, updates.get(i).state());
                }
            });
            List<Grant> lost = new ArrayList<>();
            for (int i = 0; i < leaving.size(); i++) {
                if (updates.get(i).result() == Release.LOST) {
                    lost.add(leaving.get(i).grant);
                }
            }
            return lost;
        } catch (CacheException e) {
            if (joins) {
                throw e; // the transaction is undone, and all are held
            }
            held.forEach((grant, cohort) -> cohort.unwritten(grant)); // final for its caller
            return List.of();
        }
    }

    private record Leaving(
            Grant grant,
            Cohort cohort,
            Set<Long> dead,
            @Nullable String awaitedBy) {
        Update<Release> write(StoreTransaction tx) {
            return tx.update(
                    cohort.kind().word(),
                    cohort.name(),
                    from -> Turns.releaseToLine(
                            from, grant.session.id(), grant.id, grant.units(), awaitedBy, dead, cohort.row.now()));
        }
    }
}

package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import java.util.Set;

/** The waits of this process for the conditions of one lock, and its signals. */
final class ConditionWaits {
    private final CoordinationEngine engine;
    private final Row row;
    private final LocalQueue local;
    private final Keeper keeper;
    private final SharedSleep sleepers;

    ConditionWaits(CoordinationEngine engine, Row row, LocalQueue local, Keeper keeper, SharedSleep sleepers) {
        this.engine = engine;
        this.row = row;
        this.local = local;
        this.keeper = keeper;
        this.sleepers = sleepers;
    }

    /** How a wait for a condition ended. */
    enum Woken {
        /** By a signal, or for no reason, as a wait may. */
        SIGNALLED,
        TIMED_OUT,
        INTERRUPTED
    }

    /** From now on until {@link #end} a waiter is known. */
    void begin(long waiter) {
        local.beginWait(waiter);
    }

    /** What the row may still say of it is put right later: else it would take a signal that is another's. */
    void end(Session session, long waiter) {
        local.endWait(waiter);
        Turns last = row.remembered();
        if (last != null && last.conditions().contains(session.id(), waiter)) {
            keeper.settleLater();
        }
    }

    /**
     * Waits until a condition was signalled for a waiter that the release of the lock has written down. Which of signal, time-out
     * and interrupt comes first is decided by the database.
     */
    Woken await(Session session, long waiter, Deadline deadline) {
        Turns last = null;
        boolean forAll = false;
        while (true) {
            engine.requireOpen();
            int seen = engine.signal().seen(row.name());
            try {
                if (last == null || session.isLost() || !row.isAsItWas(last, deadline)) {
                    if (forAll) {
                        sleepers.tellChange();
                    }
                    last = row.read(deadline);
                    if (session.isLost() || !last.conditions().isAwaiting(session.id(), waiter)) {
                        return Woken.SIGNALLED;
                    }
                    if (!row.dead(last).isEmpty()) {
                        keeper.look(last); // a signal may have been theirs
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
            forAll = sleepers.awaitChange(seen, deadline);
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
            return row.update(null, from -> Turns.cancel(from, session.id(), waiter), Deadline.never())
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
        Turns last = row.remembered();
        Set<Long> dead = row.dead(last == null ? row.read(deadline) : last);
        return local.isHolder(grant)
                && row.update(
                                null,
                                from -> Turns.signal(
                                        from, grant.session.id(), grant.id, condition, all, dead, row.now()),
                                deadline)
                        .result();
    }
}

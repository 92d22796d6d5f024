package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The state of a lock and all that can happen to it.
 *
 * <pre>
 *   FREE -> HELD(session, grant, token + 1)   acquire: free, or its holder is dead, or a forgotten grant of the asker
 *   HELD -> HELD(same session, next grant, token + 1)   unlock, when a thread of the same process waits: a local pass
 *   HELD -> FREE, next in line reserved       unlock, forceUnlock, settle
 *   line + asker                              acquire, when it cannot be granted and the asker will wait
 *   line - asker                              acquire when granted, giveUp
 *   next in line reserved                     acquire or look, when a reservation ran out or nobody was named
 * </pre>
 *
 * <p>A reservation decides order, never safety. While it is fresh only the named session may take the free lock, and the
 * process that freed it, within its bound.
 */
record LockState(long session, long grant, long token, String owner, long sinceMillis, Line line) {
    static final String KIND = "lock";

    /** The instant of a transition, on both clocks. */
    record Moment(long hostNanos, long wallMillis) {}

    /**
     * Who asks.
     *
     * @param waits whether to stand in line when it cannot be granted
     * @param mayRetake whether a reservation may be passed over, given the token of the last grant
     */
    record Asker(long session, long grant, String owner, boolean waits, LongPredicate mayRetake) {}

    /** The next thread of the same process. */
    record Successor(long grant, String owner) {}

    /** What a release came to. */
    enum Release {
        PASSED,
        FREED,
        LOST
    }

    static LockState of(State state) {
        return new LockState(
                state.session(),
                state.grant(),
                state.token(),
                state.owner(),
                state.sinceMillis(),
                Line.parse(state.line()));
    }

    private State into(State from) {
        return new State(
                from.kind(),
                from.name(),
                from.version(),
                session,
                grant,
                token,
                owner,
                sinceMillis,
                line.toString(),
                "");
    }

    boolean isHeld() {
        return session != 0;
    }

    boolean isHeldBy(long holder, long itsGrant) {
        return session == holder && grant == itsGrant && isHeld();
    }

    /**
     * The sessions whose death changes what happens next: the holder, and those at the head of the line up to the first
     * that lives.
     */
    Set<Long> dead(LongPredicate isDead) {
        Set<Long> found = line.dead(isDead);
        if (isHeld() && isDead.test(session)) {
            found.add(session);
        }
        return found;
    }

    private LockState with(Line next) {
        return new LockState(session, grant, token, owner, sinceMillis, next);
    }

    private LockState free() {
        return new LockState(0, 0, token, "", 0, line);
    }

    private LockState granted(long to, long itsGrant, String itsOwner, Moment now) {
        return new LockState(
                to,
                itsGrant,
                token + 1,
                itsOwner,
                now.wallMillis,
                line.without(to).unreserved());
    }

    private LockState without(Set<Long> dead) {
        LockState state = dead.contains(session) ? free() : this;
        return state.with(line.without(dead));
    }

    /** Grants the lock, or answers why not; {@code dead} was found out before. */
    static Decision<Boolean> acquire(State from, Asker asker, Set<Long> dead, Moment now) {
        LockState state = of(from).without(dead);
        if (state.session == asker.session) {
            state = state.free(); // a grant that nobody in this process knows: its transaction was taken for failed
        }
        state = state.with(state.line.awake(asker.session));
        if (!state.isHeld()) {
            state = state.with(state.line.lapsed(now.hostNanos));
            OptionalLong turn = state.line.reserved().isPresent() ? state.line.reserved() : state.line.firstEligible();
            boolean mine = turn.isEmpty() || turn.getAsLong() == asker.session || asker.mayRetake.test(state.token);
            if (mine) {
                LockState granted = state.granted(asker.session, asker.grant, asker.owner, now);
                return decide(from, granted, true, dead).grantingTo(asker.session);
            }
            if (state.line.reserved().isEmpty()) {
                state = state.with(state.line.reserveNext(now.hostNanos));
            }
        }
        if (asker.waits && !state.line.contains(asker.session)) {
            state = state.with(state.line.append(asker.session));
        }
        return decide(from, state, false, dead);
    }

    /** Passes the lock to a thread of the same process, or frees it for the next in line. */
    static Decision<Release> unlock(
            State from,
            long session,
            long grant,
            @Nullable Successor next,
            boolean mayPass,
            Set<Long> dead,
            Moment now) {
        LockState state = of(from);
        if (!state.isHeldBy(session, grant)) {
            return Decision.keep(from, Release.LOST);
        }
        state = state.with(state.line.without(dead));
        boolean othersWait = state.line.hasOthersThan(session);
        if (next != null && (mayPass || !othersWait)) {
            LockState passed = new LockState(
                    session, next.grant, state.token + 1, next.owner, now.wallMillis, state.line.without(session));
            return decide(from, passed, Release.PASSED, dead).grantingTo(session);
        }
        if (next != null && !state.line.contains(session)) {
            state = state.with(state.line.append(session));
        }
        return decide(from, state.free().with(state.line.unreserved().reserveNext(now.hostNanos)), Release.FREED, dead);
    }

    /** Frees the lock if it still has this token, whoever holds it. */
    static Decision<Boolean> forceUnlock(State from, long expectedToken, Moment now) {
        LockState state = of(from);
        if (!state.isHeld() || state.token != expectedToken) {
            return Decision.keep(from, false);
        }
        return decide(from, state.free().with(state.line.unreserved().reserveNext(now.hostNanos)), true, Set.of());
    }

    /**
     * Puts right what an interrupted call of this process may have left: frees a grant that nobody in it knows, and leaves
     * the line if nobody in it waits.
     */
    static Decision<Boolean> settle(State from, long session, LongPredicate knowsGrant, boolean waits, Moment now) {
        LockState state = of(from);
        boolean orphan = state.session == session && !knowsGrant.test(state.grant);
        LockState next = orphan ? state.free() : state;
        next = waits ? next : next.with(next.line.without(session));
        if (!next.isHeld() && next.line.reserved().isEmpty()) {
            next = next.with(next.line.reserveNext(now.hostNanos));
        }
        return decide(from, next, orphan, Set.of());
    }

    /** Names the next in line if the one who was named does not come. */
    static Decision<Boolean> look(State from, Set<Long> dead, Moment now) {
        LockState state = of(from).without(dead);
        if (!state.isHeld()) {
            Line line = state.line.lapsed(now.hostNanos);
            state = state.with(line.reserved().isEmpty() ? line.reserveNext(now.hostNanos) : line);
        }
        return decide(from, state, true, dead);
    }

    /** Writes the deaths down that mattered, and rings whoever has just been named. */
    private static <R> Decision<R> decide(State from, LockState next, R result, Set<Long> dead) {
        Decision<R> decision = Decision.store(next.into(from), result);
        if (!dead.isEmpty()) {
            decision = decision.burying(dead);
        }
        OptionalLong named = next.line.reserved();
        boolean fresh =
                named.isPresent() && !named.equals(Line.parse(from.line()).reserved());
        return fresh ? decision.ringing(from.name()) : decision;
    }
}

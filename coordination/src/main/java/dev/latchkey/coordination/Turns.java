package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.function.LongUnaryOperator;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who holds a name and whose turn is next, and all that can happen to it. A lock has one permit; a read-write lock has so many that
 * a writer takes all and a reader one; a semaphore has as many as it says.
 *
 * <pre>
 *   holds + (session, grant, token + 1)     acquire: enough permits are free, and it is the asker's turn
 *   holds - (session, grant)                release, forceRelease; its session is dead, or its lease is over;
 *                                           settle: a grant that its own process does not know
 *   (session, grant) -> (session, next)     release, when a thread of the same process waits for a lock: a local pass
 *   fewer permits of a hold                 release of a part, settle
 *   another end of a lease                  renew
 *   holds + a read lock                     downgrade: beside the asker's own write lock
 *   another number of permits               resize
 *   line + asker                            acquire, when it cannot be granted and the asker will wait
 *   line - asker                            acquire when granted, settle
 *   next in line reserved                   whatever leaves enough permits for the next in line
 *   conditions + waiter                     release, by await
 *   waiter signalled, its session in line   signal; a signalled waiter died
 *   conditions - waiter                     acquire by the waiter; cancel, by time-out or interrupt; settle: a waiter that its
 *                                           own process does not know
 * </pre>
 *
 * <p>A reservation decides order, never safety. While it is fresh only the named session may take what is free, and the process
 * that freed it, within its bound. Who is dead was found out before the transition.
 */
record Turns(State row, List<Hold> holds, Line line, Conditions conditions) {

    /** The instant of a transition, on both clocks. */
    record Moment(long hostNanos, long wallMillis) {}

    /**
     * Who asks.
     *
     * @param units how many permits; 0 for all that are free
     * @param leaseNanos how long the hold may last, 0 for as long as its process lives
     * @param waits whether to stand in line when it cannot be granted
     * @param mayRetake whether a reservation may be passed over, given the token of the last grant
     * @param known how many permits of a grant of its session the asker's process knows of; 0 for a grant taken for failed, and
     *     for a waiter that nobody waits as any more
     * @param waiter the entry among the conditions that ends with the grant, 0 if there is none
     */
    record Asker(
            long session,
            long grant,
            String owner,
            long units,
            long leaseNanos,
            boolean waits,
            LongPredicate mayRetake,
            LongUnaryOperator known,
            long waiter) {
        Arrival arrival(Moment now) {
            return new Arrival(now.wallMillis, owner);
        }

        Asker with(long number) {
            return new Asker(session, grant, owner, number, leaseNanos, waits, mayRetake, known, waiter);
        }
    }

    /** The next thread of the same process. */
    record Successor(long grant, String owner, long leaseNanos, long waiter) {}

    /** Who releases in order to wait for a condition. */
    record Awaiting(String condition, long waiter, String owner) {}

    /** What a release came to. */
    enum Release {
        PASSED,
        FREED,
        LOST
    }

    static Turns of(State state) {
        boolean locks = Kind.of(state.kind()) != Kind.SEMAPHORE;
        return new Turns(
                state,
                state.holds(),
                Line.parse(state.line()),
                locks ? Conditions.parse(state.detail()) : Conditions.NONE);
    }

    private State into(long token) {
        String detail = Kind.of(row.kind()) == Kind.SEMAPHORE ? row.detail() : conditions.toString();
        return new State(row.kind(), row.name(), row.version(), token, holds, line.toString(), detail);
    }

    long token() {
        return row.token();
    }

    long permits() {
        return Kind.of(row.kind()).permits(row);
    }

    long used() {
        return used(holds);
    }

    private static long used(List<Hold> holds) {
        long used = 0;
        for (Hold hold : holds) {
            used += hold.units();
        }
        return used;
    }

    boolean isHeld() {
        return !holds.isEmpty();
    }

    /** Whether somebody has been named whose turn it is. */
    boolean isReserved() {
        return line.reserved().isPresent();
    }

    /** Whether so many permits are free. */
    boolean fits(long units) {
        return used() + units <= permits();
    }

    Optional<Hold> hold(long session, long grant) {
        for (Hold hold : holds) {
            if (hold.session() == session && hold.grant() == grant) {
                return Optional.of(hold);
            }
        }
        return Optional.empty();
    }

    boolean isHeldBy(long session, long grant) {
        return hold(session, grant).isPresent();
    }

    boolean isHeldBy(long session) {
        for (Hold hold : holds) {
            if (hold.session() == session) {
                return true;
            }
        }
        return false;
    }

    static boolean isOver(Hold hold, long nowNanos) {
        return hold.leaseUntilNanos() != 0 && nowNanos - hold.leaseUntilNanos() >= 0;
    }

    /**
     * The sessions whose death changes what happens next: holders, those at the head of the line up to the first that lives,
     * and those that wait for a condition.
     */
    Set<Long> dead(LongPredicate isDead) {
        Set<Long> asked = conditions.sessions();
        for (Hold hold : holds) {
            asked.add(hold.session());
        }
        Set<Long> found = line.dead(isDead);
        for (long session : asked) {
            if (isDead.test(session)) {
                found.add(session);
            }
        }
        return found;
    }

    /** Whether somebody who holds something is dead. */
    boolean hasDeadHolder(LongPredicate isDead) {
        for (Hold hold : holds) {
            if (isDead.test(hold.session())) {
                return true;
            }
        }
        return false;
    }

    private Turns with(Line next) {
        return next.equals(line) ? this : new Turns(row, holds, next, conditions);
    }

    private Turns with(List<Hold> next) {
        return new Turns(row, List.copyOf(next), line, conditions);
    }

    /** Whoever was signalled stands in line, or is about to. */
    private Turns with(Conditions next) {
        Line longer = line;
        for (Conditions.Entry entry : next.entries()) {
            boolean fresh = entry.signalled() && !conditions.isSignalled(entry.session(), entry.waiter());
            longer = fresh && !longer.contains(entry.session())
                    ? longer.with(
                            entry.session(),
                            permits(),
                            entry.arrival()) // a lock's one permit, or all: conditions are a writer's
                    : longer;
        }
        return new Turns(row, holds, longer, next);
    }

    private Turns withoutHolds(Predicate<Hold> which) {
        for (Hold hold : holds) {
            if (which.test(hold)) {
                List<Hold> kept = new ArrayList<>(holds);
                kept.removeIf(which);
                return with(kept);
            }
        }
        return this;
    }

    private Turns without(Set<Long> dead, Moment now) {
        Turns kept = withoutHolds(hold -> dead.contains(hold.session()) || isOver(hold, now.hostNanos));
        return dead.isEmpty() ? kept : kept.with(line.without(dead)).with(conditions.without(dead));
    }

    /**
     * Without what a session holds, or waits for, according to the row and not to itself: those transactions were taken for
     * failed.
     */
    private Turns without(long session, LongUnaryOperator known) {
        if (conditions.entries().isEmpty() && !isHeldBy(session)) {
            return this;
        }
        List<Hold> kept = new ArrayList<>();
        for (Hold hold : holds) {
            long units =
                    hold.session() == session ? Math.min(hold.units(), known.applyAsLong(hold.grant())) : hold.units();
            if (units > 0) {
                kept.add(units == hold.units() ? hold : hold.withUnits(units));
            }
        }
        Turns rest = kept.equals(holds) ? this : with(kept);
        Conditions waiting = conditions.without(session, waiter -> known.applyAsLong(waiter) == 0);
        return waiting.equals(conditions) ? rest : rest.with(waiting);
    }

    /** Names the next in line, if there is enough for it and nobody is named. */
    private Turns offering(Moment now) {
        Line current = line.lapsed(now.hostNanos);
        if (current.isEmpty()) {
            return current.equals(line) ? this : with(current);
        }
        Optional<Line.Place> first = current.reserved().isEmpty() ? current.firstEligible() : Optional.empty();
        boolean fits = first.isPresent() && fits(first.get().units());
        Line next = fits ? current.reserveNext(now.hostNanos) : current;
        return next.equals(line) ? this : with(next);
    }

    private Turns granted(Asker asker, Moment now) {
        List<Hold> more = new ArrayList<>(holds);
        more.add(new Hold(
                asker.session,
                asker.grant,
                token() + 1,
                asker.units,
                asker.owner,
                now.wallMillis,
                asker.leaseNanos == 0 ? 0 : now.hostNanos + asker.leaseNanos));
        Turns next = with(more).with(line.without(asker.session));
        Optional<Line.Place> reserved = next.line.reservedPlace();
        boolean passedOver = reserved.isPresent() && !next.fits(reserved.get().units());
        Turns kept = passedOver ? next.with(next.line.unreserved()) : next;
        return asker.waiter == 0 ? kept : kept.with(conditions.without(asker.session, asker.waiter));
    }

    /**
     * Whether so many permits are free, and nobody in line would have to wait longer, since the asker comes next or there is enough for
     * all of them as well; or the asker may take again what it had.
     */
    boolean grants(long session, long units, LongPredicate mayRetake) {
        return fits(units)
                && (line.isTurnOf(session) || fits(units + line.unitsOfOthersThan(session)) || mayRetake.test(token()));
    }

    /** Grants what is asked for, or answers why not. */
    static Decision<Boolean> acquire(State from, Asker asker, Set<Long> dead, Moment now) {
        Turns state = of(from).without(dead, now).without(asker.session, asker.known);
        state = state.with(state.line.awake(asker.session));
        long units = asker.units == 0 ? state.permits() - state.used() : asker.units;
        if (units > 0 && state.fits(units)) {
            state = state.with(state.line.lapsed(now.hostNanos));
            if (state.grants(asker.session, units, asker.mayRetake)) {
                Turns granted = state.granted(asker.with(units), now).offering(now);
                return decide(from, granted, from.token() + 1, true, dead).grantingTo(asker.session);
            }
        }
        if (asker.waits) {
            state = state.with(state.line.with(asker.session, units, asker.arrival(now)));
        }
        return decide(from, state.offering(now), false, dead);
    }

    /**
     * Grants what is asked for if nobody waits for it, and writes nothing otherwise: for whoever takes several names or none, and
     * would hold up those who wait for one of them.
     */
    static Decision<Boolean> acquireUnawaited(State from, Asker asker, Set<Long> dead, Moment now) {
        Turns state = of(from).without(dead, now);
        boolean awaited = state.line.lapsed(now.hostNanos).hasOthersThan(asker.session)
                || state.conditions.hasSignalled(asker.session);
        Decision<Boolean> decision = awaited ? Decision.keep(from, false) : acquire(from, asker, dead, now);
        return decision.result() ? decision : Decision.keep(from, false);
    }

    /** Gives up a grant without passing it on; a process whose own thread waits for it takes its place in the line. */
    static Decision<Release> releaseToLine(
            State from, long session, long grant, long units, @Nullable String awaitedBy, Set<Long> dead, Moment now) {
        Turns state = of(from);
        State queued = awaitedBy != null && state.isHeldBy(session, grant)
                ? state.with(state.line.with(session, units, new Arrival(now.wallMillis, awaitedBy)))
                        .into(from.token())
                : from;
        return release(queued, session, Map.of(grant, units), null, false, null, dead, now);
    }

    /** Gives up grants of a session, or some of their permits: passes a lock to a thread of the same process, or frees it. */
    static Decision<Release> release(
            State from,
            long session,
            Map<Long, Long> units,
            @Nullable Successor next,
            boolean mayPass,
            @Nullable Awaiting awaiting,
            Set<Long> dead,
            Moment now) {
        Turns state = of(from);
        List<Hold> kept = new ArrayList<>(state.holds);
        for (Map.Entry<Long, Long> part : units.entrySet()) {
            Optional<Hold> hold = state.hold(session, part.getKey());
            if (hold.isEmpty()) {
                return Decision.keep(from, Release.LOST);
            }
            int index = kept.indexOf(hold.get());
            kept.set(index, hold.get().withUnits(hold.get().units() - part.getValue()));
        }
        kept.removeIf(hold -> hold.units() <= 0);
        state = state.with(kept);
        if (awaiting != null) {
            state = state.with(state.conditions.with(
                    awaiting.condition, session, awaiting.waiter, new Arrival(now.wallMillis, awaiting.owner)));
        }
        state = state.without(dead, now);
        boolean othersWait = state.line.hasOthersThan(session);
        if (next != null && (mayPass || !othersWait)) {
            Asker asker = new Asker(
                    session, next.grant, next.owner, 1, next.leaseNanos, false, token -> true, grant -> 0, next.waiter);
            return decide(from, state.granted(asker, now), from.token() + 1, Release.PASSED, dead)
                    .grantingTo(session);
        }
        if (next != null) {
            state = state.with(state.line.with(session, 1, new Arrival(now.wallMillis, next.owner)));
        }
        return decide(from, state.offering(now), Release.FREED, dead);
    }

    /** Adds a read lock to the write lock that its asker holds. */
    static Decision<Boolean> downgrade(State from, long writeGrant, Asker reader, Moment now) {
        Turns state = of(from);
        if (!state.isHeldBy(reader.session, writeGrant)) {
            return Decision.keep(from, false);
        }
        Line line = state.line;
        Turns granted = state.granted(reader, now).with(line);
        return decide(from, granted, from.token() + 1, true, Set.of()).grantingTo(reader.session);
    }

    /** Takes away what has this token, whoever holds it. */
    static Decision<Boolean> forceRelease(State from, long expectedToken, Moment now) {
        Turns state = of(from);
        Turns next = state.withoutHolds(hold -> hold.token() == expectedToken);
        return next.equals(state) ? Decision.keep(from, false) : decide(from, next.offering(now), true, Set.of());
    }

    /** Sets another number of permits, below what is in use too; whoever waits looks whether it has enough or never will. */
    static Decision<Boolean> resize(State from, long permits, Moment now) {
        State resized = from.withDetail(Kind.permitsDetail(permits));
        Turns next = of(resized).offering(now);
        return next.ringingLine(decide(from, next, true, Set.of()).ringing(from.name()));
    }

    /** Sets another end of a lease, unless it is over or the grant is gone. */
    static Decision<Boolean> renew(State from, long session, long grant, long leaseUntilNanos, Moment now) {
        Turns state = of(from);
        Optional<Hold> hold = state.hold(session, grant).filter(found -> !isOver(found, now.hostNanos));
        if (hold.isEmpty()) {
            return Decision.keep(from, false);
        }
        List<Hold> renewed = new ArrayList<>(state.holds);
        renewed.set(renewed.indexOf(hold.get()), hold.get().withLease(leaseUntilNanos));
        return decide(from, state.with(renewed), true, Set.of());
    }

    /**
     * Puts right what an interrupted call of this process may have left: frees what nobody in it knows, and leaves the line if
     * nobody in it waits.
     */
    static Decision<Boolean> settle(State from, long session, LongUnaryOperator known, boolean waits, Moment now) {
        Turns state = of(from);
        Turns next = state.without(session, known);
        boolean orphan = !next.equals(state);
        boolean called = waits || next.conditions.hasSignalled(session);
        next = called ? next : next.with(next.line.without(session));
        return decide(from, next.offering(now), orphan, Set.of());
    }

    /** A process that ends in good order: it holds nothing, stands in no line and waits for nothing. */
    static Decision<Boolean> leave(State from, long session, Moment now) {
        Turns state = of(from);
        Turns next = state.withoutHolds(hold -> hold.session() == session)
                .with(state.line.without(session))
                .without(session, grant -> 0);
        next = next.with(next.line.without(session));
        return decide(from, next.offering(now), true, Set.of());
    }

    /** Names the next in line if the one who was named does not come. */
    static Decision<Boolean> look(State from, Set<Long> dead, Moment now) {
        return decide(from, of(from).without(dead, now).offering(now), true, dead);
    }

    /** Signals one or all who wait for a condition; false if the asker does not hold the lock. */
    static Decision<Boolean> signal(
            State from, long session, long grant, String condition, boolean all, Set<Long> dead, Moment now) {
        Turns state = of(from);
        if (!state.isHeldBy(session, grant)) {
            return Decision.keep(from, false);
        }
        Turns living = state.without(dead, now);
        Turns next = living.with(living.conditions.signal(condition, all));
        return decide(from, next, true, dead).ringing(from.name()); // its waiters may be threads of this process
    }

    /** Ends the wait for a condition; false if it was signalled before. */
    static Decision<Boolean> cancel(State from, long session, long waiter) {
        Turns state = of(from);
        return state.conditions.isSignalled(session, waiter)
                ? Decision.keep(from, false)
                : decide(from, state.with(state.conditions.without(session, waiter)), true, Set.of());
    }

    private static <R> Decision<R> decide(State from, Turns next, R result, Set<Long> dead) {
        return decide(from, next, from.token(), result, dead);
    }

    /** What a session sleeps on while it stands in line, so that a turn wakes nobody but the one whose turn it is. */
    static String bell(String name, long session) {
        return name + '\n' + session;
    }

    private <R> Decision<R> ringingLine(Decision<R> decision) {
        Decision<R> ringing = decision;
        for (Line.Place place : line.places()) {
            ringing = ringing.ringing(bell(row.name(), place.session()));
        }
        return ringing;
    }

    /** Writes the deaths down that mattered, and rings whoever has just been named, or whoever waits outside of the line. */
    private static <R> Decision<R> decide(State from, Turns next, long token, R result, Set<Long> dead) {
        Decision<R> decision = Decision.store(next.into(token), result);
        if (!dead.isEmpty()) {
            decision = decision.burying(dead);
        }
        OptionalLong named = next.line.reserved();
        boolean fresh =
                named.isPresent() && !named.equals(Line.parse(from.line()).reserved());
        boolean freed = named.isEmpty() && next.used() < used(from.holds());
        boolean signalled =
                !next.conditions.entries().isEmpty() && next.conditions.hasSignalsMissingIn(of(from).conditions);
        if (fresh) {
            decision = decision.ringing(bell(from.name(), named.getAsLong()));
        }
        if (freed || signalled) {
            decision = decision.ringing(from.name());
        }
        return freed ? next.ringingLine(decision) : decision;
    }
}

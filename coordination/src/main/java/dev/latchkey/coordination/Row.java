package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.Transition;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import dev.latchkey.coordination.Turns.Asker;
import dev.latchkey.coordination.Turns.Moment;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is stored of one name that can be held: read, changed and remembered as this process saw it last. */
final class Row {
    private static final Duration MESSAGE_PATIENCE = Duration.ofMillis(100);

    private final CoordinationEngine engine;
    private final StateStore states;
    private final Kind kind;
    private final String name;
    private volatile @Nullable Turns remembered;
    /** How many permits a semaphore gets if nobody has stored a number, or its row was deleted. */
    private volatile long initialPermits;

    Row(CoordinationEngine engine, Kind kind, String name) {
        this.engine = engine;
        this.states = engine.states();
        this.kind = kind;
        this.name = name;
    }

    // What is stored

    Turns read(Deadline deadline) {
        return Turns.of(founded(states.read(kind.word(), name, deadline)));
    }

    /** For whoever asks by a call of its own. */
    Turns readOrRefuse(Deadline deadline) {
        try {
            return read(deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    /** Changes what is stored; what is remembered of it, if anything, is tried first. */
    <R> Update<R> update(@Nullable Turns known, Transition<R> transition, Deadline deadline) {
        return states.update(kind.word(), name, known == null ? null : known.row(), transition, deadline);
    }

    /** Grants what is asked for, or says why not. */
    Turns acquire(Turns known, Asker asker, Set<Long> dead, Deadline deadline) {
        return Turns.of(update(known, from -> Turns.acquire(founded(from), asker, dead, now()), deadline)
                .state());
    }

    /** Whether asking for it would write anything. */
    boolean changes(Turns known, Asker asker, Set<Long> dead) {
        return Turns.acquire(known.row(), asker, dead, now()).changes(known.row());
    }

    /** Whether nobody has written it since. */
    boolean isUnchanged(Turns seen, Deadline deadline) {
        return states.isUnchanged(seen.row(), deadline);
    }

    @Nullable
    Turns remembered() {
        return remembered;
    }

    void remember(Turns turns) {
        remembered = turns;
    }

    Turns remember(State state) {
        Turns turns = Turns.of(state);
        remembered = turns;
        return turns;
    }

    boolean isInTransaction() {
        return states.inTransaction();
    }

    void refuseInTransaction() {
        if (states.inTransaction()) {
            throw new IllegalStateException(this + " cannot be acquired inside a transaction: its holder would"
                    + " wait for the write lock that this transaction has, and a rollback would undo the grant");
        }
    }

    void afterCommit(Runnable action) {
        states.afterCommit(action);
    }

    void afterRollback(Runnable action) {
        states.afterRollback(action);
    }

    Moment now() {
        return new Moment(engine.clock().nanos(), engine.clock().wallMillis());
    }

    // The number of permits

    private State founded(State from) {
        return kind == Kind.SEMAPHORE && from.detail().isEmpty()
                ? from.withDetail(Kind.permitsDetail(initialPermits))
                : from;
    }

    /** Makes the name a semaphore, or checks that it is one with so many permits. */
    void register(long permits, Deadline deadline) {
        State known = states.read(kind.word(), name, deadline);
        if (known.detail().isEmpty()) {
            known = states.write(
                    tx -> tx.update(
                                    kind.word(),
                                    name,
                                    from -> from.detail().isEmpty()
                                            ? Decision.store(from.withDetail(Kind.permitsDetail(permits)), true)
                                            : Decision.keep(from, true))
                            .state(),
                    deadline);
        }
        long stored = kind.permits(known);
        if (stored != permits) {
            throw new IllegalArgumentException(this + " has " + stored + " permits, not " + permits
                    + "; use the stored number, or change it by resize");
        }
        initialPermits = permits;
    }

    /** Answers the state with the new number. */
    Turns resize(long permits, Deadline deadline) {
        State state = update(null, from -> Turns.resize(from, permits, now()), deadline)
                .state();
        states.afterCommit(() -> initialPermits = permits);
        return Turns.of(state);
    }

    /** Refuses what would never be granted; what is remembered is enough to know that it may be. */
    void requirePossible(long units, Deadline deadline) {
        Turns last = remembered;
        if (units > (last == null ? initialPermits : last.permits())) {
            requirePossible(units, readOrRefuse(deadline));
        }
    }

    void requirePossible(long units, Turns turns) {
        if (units > turns.permits()) {
            throw new IllegalArgumentException(
                    "the number must be <= " + turns.permits() + ", the permits of " + this + ", was " + units);
        }
    }

    // Who lives and who is dead

    /** The sessions whose death changes what happens next. */
    Set<Long> dead(Turns turns) {
        return turns.dead(engine.sessions()::isDead);
    }

    /** The same of what is remembered: to be asked before a transaction. */
    Set<Long> deadAsRemembered() {
        Turns last = remembered;
        return last == null ? Set.of() : dead(last);
    }

    /** Nothing has been stored since, and nobody died whose death changes something. */
    boolean isAsItWas(Turns seen, Deadline deadline) {
        return isUnchanged(seen, deadline) && !hasDead(seen);
    }

    /** Whether somebody died whose death changes something. */
    boolean hasDead(Turns seen) {
        return seen.hasDeadHolder(engine.sessions()::isDead)
                || seen.conditions().hasDeadSignalled(engine.sessions()::isDead);
    }

    /** Whether somebody who lives has it. */
    boolean isLiving(Hold hold) {
        return !engine.sessions().isDead(hold.session())
                && !Turns.isOver(hold, engine.clock().nanos());
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
        for (Hold hold : readOrRefuse(deadline).holds()) {
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

    Kind kind() {
        return kind;
    }

    String name() {
        return name;
    }

    @Override
    public String toString() {
        return kind.title() + " '" + name + "'";
    }
}

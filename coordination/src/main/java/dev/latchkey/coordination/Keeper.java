package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import dev.latchkey.coordination.Turns.Moment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps house for one name: sees to it that the row says what is true of this process, that whoever is named in line comes, and
 * that what was lost is known to be lost.
 */
final class Keeper {
    /** What a release may spend on a busy database before it is left to the keeper. */
    static final Duration RELEASE_PATIENCE = Duration.ofSeconds(1);

    private static final Duration GIVE_UP_PATIENCE = Duration.ofMillis(20);
    private static final Duration SETTLE_AGAIN = Duration.ofMillis(50);
    /** How often at most it is looked whether the one who was named has come; the first look may have been due at once. */
    static final int LOOKS = 6;
    /** So that the turn of that one has lapsed at the last look. */
    private static final Duration LOOK_AGAIN = Duration.ofNanos(Line.RESERVATION_NANOS / (LOOKS - 1) + 50_000);
    /** So much later than it would take to take the lock again. */
    static final Duration RING_LATER = Duration.ofNanos(200_000);

    private final CoordinationEngine engine;
    private final Row row;
    private final LocalQueue local;
    private final AtomicBoolean owesRing = new AtomicBoolean();
    private final AtomicBoolean ringing = new AtomicBoolean();
    private final AtomicBoolean looking = new AtomicBoolean();
    private final AtomicInteger looksLeft = new AtomicInteger();
    /** Who had been named when this process last wrote, until another one is. */
    private final AtomicReference<Line.@Nullable Place> named = new AtomicReference<>();

    Keeper(CoordinationEngine engine, Row row, LocalQueue local) {
        this.engine = engine;
        this.row = row;
        this.local = local;
    }

    // The line

    /** The last thread of this process takes the process out of the line; what cannot be written now is written later. */
    void giveUp() {
        if (local.isAwaitedByOthers()) {
            return; // the next thread takes over the place in the line
        }
        settle(local::isAwaitedByOthers, GIVE_UP_PATIENCE);
    }

    /** Two who give up at the same time may each have left it to the other to take the process out of the line. */
    void leaveLineIfUnawaited(long session) {
        Turns last = row.remembered();
        if (last != null
                && last.line().contains(session)
                && !last.conditions().hasSignalled(session)
                && !local.isAwaited()) {
            settleLater();
        }
    }

    /**
     * Looks for a while whether the one who was named has come, or has died; if that one has died, the next is named. Nobody else would
     * wake that one. It looks no longer once another is named: whoever names one sees to that one.
     */
    void lookIfReserved(Turns turns) {
        turns.line().reservedPlace().ifPresent(place -> {
            named.accumulateAndGet(place, Keeper::later);
            looksLeft.set(LOOKS);
            lookOnce();
        });
    }

    /** The same if a transition of this process has named somebody. */
    void lookIfNamed(Turns before, Turns after) {
        if (!after.line().reservedPlace().equals(before.line().reservedPlace())) {
            lookIfReserved(after);
        }
    }

    /** Threads may come here in another order than they named somebody. */
    private static Line.Place later(Line.@Nullable Place before, Line.Place place) {
        return before != null && before.since() - place.since() > 0 ? before : place;
    }

    private void lookOnce() {
        if (looking.compareAndSet(false, true)) {
            engine.schedule(this::look, LOOK_AGAIN);
        }
    }

    /** Whoever is named need not be woken if this process takes the lock again at once. */
    void ringUnlessRetaken() {
        owesRing.set(true);
        if (ringing.compareAndSet(false, true)) {
            engine.schedule(this::ringLater, RING_LATER);
        }
    }

    private void ringLater() {
        ringing.set(false);
        ringIfOwed();
    }

    /** Whoever is named is woken now, if this process has put that off and has not taken the lock again. */
    void ringIfOwed() {
        Turns last = owesRing.getAndSet(false) ? row.remembered() : null;
        if (last != null && !last.isHeld()) {
            ring(last);
        }
    }

    private void ring(Turns turns) {
        turns.line().reserved().ifPresent(session -> engine.signal().ring(Turns.bell(row.name(), session)));
    }

    /** Nothing of this process is in the way any more; another thread may just have put off to say so. */
    void ringWhoeverIsNamed() {
        Turns last = row.remembered();
        if (last != null) {
            ring(last);
        }
    }

    void owesNoRing() {
        owesRing.set(false);
    }

    private void look() {
        looking.set(false);
        Turns turns = row.read(Deadline.after(GIVE_UP_PATIENCE));
        boolean sameIsNamed = turns.line().reservedPlace().equals(Optional.ofNullable(named.get()));
        if (!look(turns) && sameIsNamed && looksLeft.decrementAndGet() > 0) {
            lookOnce();
        }
    }

    /** Writes down who is dead or has not come, if anything follows from it. */
    boolean look(Turns turns) {
        Set<Long> dead = row.dead(turns);
        boolean follows = Turns.look(turns.row(), dead, row.now()).changes(turns.row());
        if (follows) {
            Update<Boolean> update =
                    row.update(turns, from -> Turns.look(from, dead, row.now()), Deadline.after(GIVE_UP_PATIENCE));
            lookIfReserved(Turns.of(update.state()));
        }
        return follows;
    }

    // What is true of this process

    void settleLater() {
        if (local.beginSettling()) {
            engine.schedule(this::settleAgain, SETTLE_AGAIN);
        }
    }

    private void settleAgain() {
        local.settling();
        settle();
    }

    /** Makes the row say what is true of this process, again and again until the database accepts it. */
    void settle() {
        settle(local::isAwaited, RELEASE_PATIENCE);
    }

    private void settle(BooleanSupplier awaited, Duration patience) {
        try {
            Deadline deadline = Deadline.after(patience);
            long session = engine.sessions().self(deadline).id();
            Update<Boolean> update = row.update(
                    null,
                    from -> Turns.settle(from, session, local::knownUnits, awaited.getAsBoolean(), row.now()),
                    deadline);
            lookIfReserved(row.remember(update.state()));
            local.endIfIdle();
        } catch (WrongKindException e) {
            local.endIfIdle(); // the name is another's by now, and nothing in its row is this process's
        } catch (CacheException e) {
            settleLater();
        }
    }

    /** Takes away what has this token, whoever holds it. */
    boolean forceRelease(long expectedToken, Deadline deadline) {
        Update<Boolean> update;
        try {
            update = row.update(null, from -> Turns.forceRelease(from, expectedToken, row.now()), deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
        if (update.result()) {
            lookIfReserved(Turns.of(update.state()));
        }
        return update.result();
    }

    /** Sets another number of permits. */
    void resize(long permits, Deadline deadline) {
        lookIfReserved(row.resize(permits, deadline));
    }

    /** The engine closes: the process stands in no line from now on. */
    void leaveForGood() {
        try {
            Deadline deadline = Deadline.after(GIVE_UP_PATIENCE);
            long session = engine.sessions().self(deadline).id();
            row.update(null, from -> Turns.leave(from, session, row.now()), deadline);
        } catch (CacheException e) {
            // busy or full: the session is about to end, and with it whatever it has
        }
    }

    // What was lost

    /** What is held here and was forced open; then it is forgotten, so that the threads here may contend again. */
    List<Grant> loseForced() {
        List<Grant> asked = local.held().toList();
        if (asked.isEmpty()) {
            return asked;
        }
        Turns turns = readForLooking();
        List<Grant> lost =
                asked.stream().filter(grant -> isForced(grant, turns)).toList();
        lost.forEach(local::lose);
        return lost;
    }

    /** What is stored, for whoever only looks: a name that is another's by now holds nothing of this process. */
    private Turns readForLooking() {
        try {
            return row.read(Deadline.after(GIVE_UP_PATIENCE));
        } catch (WrongKindException e) {
            return Turns.of(State.absent(row.kind().word(), row.name(), 0));
        }
    }

    private boolean isForced(Grant grant, Turns turns) {
        long session = grant.session.id();
        boolean ours = row.kind().isExclusive() // then perhaps passed on a moment ago
                ? turns.isHeldBy(session)
                : turns.isHeldBy(session, grant.id);
        return !ours && !grant.releasing && local.isHolder(grant);
    }

    /** Forgets what has outlived its lease, and frees it if nobody has taken it yet. */
    List<Grant> loseWhatIsOver() {
        List<Grant> lost = local.loseWhatIsOver();
        if (!lost.isEmpty()) {
            settleLater();
        }
        return lost;
    }

    /** Gives a lease another end, which in memory it has after the commit; false if it is over. */
    boolean renew(Grant grant, long leaseNanos, Deadline deadline) {
        return local.isHeld(grant)
                && row.update(
                                null,
                                from -> {
                                    Moment now = row.now();
                                    return Turns.renew(
                                            from, grant.session.id(), grant.id, now.hostNanos() + leaseNanos, now);
                                },
                                deadline)
                        .result();
    }
}

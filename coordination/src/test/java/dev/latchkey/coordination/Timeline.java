package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.Turns.Asker;
import dev.latchkey.coordination.Turns.Awaiting;
import dev.latchkey.coordination.Turns.Moment;
import dev.latchkey.coordination.Turns.Release;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One name and what sessions do to it, one after another: no clock, no database, no thread. Each session knows all its grants
 * and waiters, unless the test says otherwise.
 */
final class Timeline {
    State row;
    long nanos = TimeUnit.SECONDS.toNanos(1);
    final Set<Long> dead = new HashSet<>();
    /** What the processes have forgotten of their own: grants and waiters. */
    final Set<Long> forgotten = new HashSet<>();

    List<String> rung = List.of();
    private long nextGrant;

    Timeline(Kind kind) {
        row = State.absent(kind.word(), "a", 1000);
    }

    Moment now() {
        return new Moment(nanos, 5000);
    }

    void pass(long millis) {
        nanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    <R> R apply(Decision<R> decision) {
        row = decision.next();
        rung = decision.rings();
        return decision.result();
    }

    long known(long grant) {
        return forgotten.contains(grant) ? 0 : Long.MAX_VALUE;
    }

    /** Asks and stands in line; the grant, or 0. */
    long asks(long session, long units, long leaseNanos, boolean waits, long waiter) {
        long grant = ++nextGrant;
        Asker asker =
                new Asker(session, grant, "t" + session, units, leaseNanos, waits, token -> false, this::known, waiter);
        return apply(Turns.acquire(row, asker, found(), now())) ? grant : 0;
    }

    long locks(long session) {
        return asks(session, 1, 0, true, 0);
    }

    long reads(long session) {
        return asks(session, 1, 0, true, 0);
    }

    long writes(long session) {
        return asks(session, Integer.MAX_VALUE, 0, true, 0);
    }

    long leases(long session, long millis) {
        return asks(session, 1, TimeUnit.MILLISECONDS.toNanos(millis), true, 0);
    }

    Release frees(long session, long grant) {
        return frees(session, grant, null);
    }

    private Release frees(long session, long grant, @Nullable Awaiting awaiting) {
        long units = hold(grant).map(Hold::units).orElse(1L);
        return apply(Turns.release(row, session, Map.of(grant, units), null, false, awaiting, found(), now()));
    }

    /** Releases the lock and waits for a condition; the waiter. */
    long awaits(long session, long grant, String condition) {
        long waiter = ++nextGrant;
        if (frees(session, grant, new Awaiting(condition, waiter, "main")) != Release.FREED) {
            throw new IllegalStateException("session " + session + " does not hold it: " + row);
        }
        return waiter;
    }

    boolean signals(long session, long grant, String condition, boolean all) {
        return apply(Turns.signal(row, session, grant, condition, all, found(), now()));
    }

    boolean cancels(long session, long waiter) {
        return apply(Turns.cancel(row, session, waiter));
    }

    boolean downgrades(long session, long grant) {
        Asker asker = new Asker(session, ++nextGrant, "t", 1, 0, false, token -> false, this::known, 0);
        return apply(Turns.downgrade(row, grant, asker, now()));
    }

    /** Anybody looks who it is that lives. */
    void look() {
        apply(Turns.look(row, found(), now()));
    }

    void settle(long session, boolean waits) {
        apply(Turns.settle(row, session, this::known, waits, now()));
    }

    private Set<Long> found() {
        return Turns.of(row).dead(dead::contains);
    }

    Optional<Hold> hold(long grant) {
        return row.holds().stream().filter(hold -> hold.grant() == grant).findFirst();
    }

    List<Long> holders() {
        return row.holds().stream().map(Hold::session).toList();
    }

    long lastGrant() {
        return nextGrant;
    }

    String line() {
        return places(row);
    }

    /** The line without since when and as which thread anybody waits. */
    static String places(State row) {
        return row.line().replaceAll(";[^ ]*", "");
    }

    String conditions() {
        return row.detail().replaceAll(";[^ ]*", "");
    }
}

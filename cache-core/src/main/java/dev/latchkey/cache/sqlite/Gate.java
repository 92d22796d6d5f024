package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.Deadline;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/*
 * A ticket lock in the shared memory of the hints, on which nothing depends but speed: SQLite alone decides who writes.
 *
 *   NEXT        the next ticket to be drawn
 *   SERVED      the ticket whose turn it is; nobody's, if it is the one to be drawn next
 *   SIGN        when its owner last gave a sign of life, and whether it was on its way out then, or was refused by the database
 *   PLACE + n   what ticket n (of every PLACES) sleeps on: that it waits, that it is its turn, or that nobody has it
 *
 * While others wait, whoever has the turn keeps it for a slice, because a process that takes turns with others for every commit
 * pays for a change of threads with each. It is passed over when it gives no sign of life, when it pauses between two commits,
 * and when the memory has been zeroed. When the database is held by somebody who has no turn, one that was passed over for
 * instance, whoever has the turn tries again and says so, and the others sleep: where all try at once on busy processors, the
 * one they wait for gets none. Who has waited for long without any change writes without a turn.
 */
/** Lets the processes that write to a database take turns, in order of arrival, instead of all trying at once. */
final class Gate {
    /** How many words of shared memory a gate needs. */
    static final int WORDS = 128;

    private static final int NEXT = 0;
    private static final int SERVED = 1;
    private static final int SIGN = 2;
    private static final int PLACE = 64;
    private static final int PLACES = WORDS - PLACE;

    private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /** Who does not come back sooner does not want to write. */
    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(60);
    /** Who is silent for longer is stopped, dead, or in a long transaction, which needs no gate. */
    private static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** Who was refused tries again sooner. */
    private static final long REFUSED_SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final long REFUSED_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** For each in front. */
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final int AT_WORK = 0;
    private static final int LEAVING = 1;
    private static final int REFUSED = 2;
    private static final int STATE = 3;
    private static final long FIRST_POLL_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
    /** For each in front. */
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Hints hints;
    /** The first of its words. */
    private final int first;

    private final LongSupplier nanos;

    // Whoever leads the writing of this process uses these.
    private boolean mine;
    private int ticket;
    private long sliceStart;
    private long left;
    private boolean inHaste;

    /** The clock is the same in all processes of the host, and counts nanoseconds. */
    Gate(Hints hints, int first, LongSupplier nanos) {
        this.hints = hints;
        this.first = first;
        this.nanos = nanos;
    }

    /** Waits for this process's turn, but not for long, and never for more than half of the time that is left. */
    void enter(Deadline deadline) {
        long now = nanos.getAsLong();
        inHaste = now - left < PAUSE_NANOS;
        if (isMine() && (now - sliceStart < SLICE_NANOS || !othersWait())) {
            sign(now, AT_WORK);
            return;
        }
        if (isMine()) {
            pass(ticket, now);
        }
        mine = false;
        long most = deadline.remainingNanos() / 2;
        if (!tryDraw() && most > 0) {
            awaitTurn(deadline.isInterruptible(), most);
        }
        if (mine) {
            sliceStart = nanos.getAsLong();
            sign(sliceStart, AT_WORK);
        }
    }

    /** The database is busy; how long to wait at most before the next try. */
    long refused() {
        if (!isMine()) {
            return Busy.LONGEST_PARK_NANOS;
        }
        sign(nanos.getAsLong(), REFUSED);
        return REFUSED_POLL_NANOS;
    }

    /** After a transaction, however it ended: the turn is over if nobody waits, if the slice is, or if a pause is likely. */
    void leave() {
        left = nanos.getAsLong();
        if (!isMine()) {
            return;
        }
        if (othersWait() && inHaste && left - sliceStart < SLICE_NANOS) {
            sign(left, LEAVING);
        } else {
            pass(ticket, left);
            mine = false;
        }
    }

    private boolean isMine() {
        return mine && read(SERVED) == ticket;
    }

    private boolean othersWait() {
        return read(NEXT) != ticket + 1;
    }

    /** Takes the turn if it is nobody's. */
    private boolean tryDraw() {
        int next = read(NEXT);
        if (read(SERVED) != next || !hints.compareAndSet(first + NEXT, next, next + 1)) {
            return false;
        }
        ticket = next;
        mine = read(SERVED) == next;
        return mine;
    }

    private void awaitTurn(boolean interruptible, long most) {
        long start = nanos.getAsLong();
        long changed = start;
        int served = read(SERVED);
        int sign = read(SIGN);
        draw();
        while (true) {
            int current = read(SERVED);
            int latest = read(SIGN);
            long now = nanos.getAsLong();
            boolean triesAgain = latest != sign && (latest & STATE) == REFUSED;
            if (current != served || triesAgain) {
                served = current;
                sign = latest;
                changed = now;
            }
            int inFront = Math.max(1, ticket - current);
            boolean hopeless = now - changed >= PATIENCE_NANOS * inFront || now - start >= most;
            if (current == ticket) {
                mine = true;
                return;
            } else if (hopeless || (interruptible && Thread.currentThread().isInterrupted())) {
                hints.compareAndSet(place(ticket), waiting(ticket), 0);
                mine = read(SERVED) == ticket; // it may have come just now
                return;
            } else if (current - ticket > 0) {
                draw(); // passed over, as a process that was stopped is
            } else {
                if (isUnused()) {
                    pass(current, now);
                }
                long poll = inFront == 1 ? FIRST_POLL_NANOS : POLL_NANOS * inFront;
                hints.sleep(place(ticket), waiting(ticket), Math.min(poll, most - (now - start)));
            }
        }
    }

    private void draw() {
        ticket = hints.getAndIncrement(first + NEXT);
        hints.put(place(ticket), waiting(ticket));
    }

    /** Whether whoever has the turn does not use it. */
    private boolean isUnused() {
        int sign = read(SIGN);
        int now = instant(nanos.getAsLong());
        long silence = TimeUnit.MICROSECONDS.toNanos((now - (sign & ~STATE)) >> 2);
        boolean isSilent = silence < 0 || silence > longestSilence(sign & STATE);
        return isSilent && read(SIGN) == sign; // not one that gave a sign while we looked at the clock
    }

    private static long longestSilence(int state) {
        return switch (state) {
            case LEAVING -> PAUSE_NANOS;
            case REFUSED -> REFUSED_SILENCE_NANOS;
            default -> SILENCE_NANOS;
        };
    }

    /** Ends a turn, and wakes who is next. */
    private void pass(int from, long now) {
        int next = read(NEXT);
        int heir = from + 1;
        while (next - heir > 0 && heir - from < PLACES && hints.read(place(heir)) != waiting(heir)) {
            heir++;
        }
        int to = next - heir > 0 && heir - from < PLACES ? heir : next;
        sign(now, AT_WORK);
        if (hints.compareAndSet(first + SERVED, from, to)
                && hints.compareAndSet(place(to), waiting(to), waiting(to) + 1)) {
            hints.wake(place(to));
        }
    }

    private int place(int ofTicket) {
        return first + PLACE + Math.floorMod(ofTicket, PLACES);
    }

    /** One more says that it is called. */
    private static int waiting(int ofTicket) {
        return ofTicket << 1 | 1;
    }

    private void sign(long now, int state) {
        hints.put(first + SIGN, instant(now) | state);
    }

    /** In microseconds; what is older than some minutes may look new, once. */
    private static int instant(long nanos) {
        return (int) TimeUnit.NANOSECONDS.toMicros(nanos) << 2;
    }

    private int read(int word) {
        return hints.read(first + word);
    }
}

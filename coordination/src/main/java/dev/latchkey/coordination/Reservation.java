package dev.latchkey.coordination;

import dev.latchkey.coordination.ThrottleState.Reading;
import dev.latchkey.coordination.ThrottleState.Slot;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A slot of a {@link Throttle} that was reserved by {@link Throttle#reserve}: the right to go on, from an instant on. Whoever has it waits
 * for that in its own way, or gives it back.
 *
 * <pre>{@code
 * Reservation reservation = throttle.reserve(1);
 * if (reservation.delay().compareTo(Duration.ofSeconds(5)) > 0) {
 *     reservation.cancel(); // too long
 * } else {
 *     scheduler.schedule(this::call, reservation.delay().toNanos(), TimeUnit.NANOSECONDS);
 * }
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> It belongs to whoever has it; any thread may use it. It is an object of this process, and its slot is
 * spent also if nobody comes for it: a process that dies wastes what it has reserved.
 *
 * <p><b>Blocking.</b> Only {@link #await} waits. Inside {@code cache.transact} it is an {@link IllegalStateException} unless the slot has
 * come; {@link #cancel} joins the transaction. A reservation that was made in a transaction which was rolled back is void.
 *
 * <p><b>Errors.</b> A closed cache: {@link dev.latchkey.cache.CacheClosedException}.
 */
public final class Reservation {
    private final Throttle throttle;
    private final Slot slot;
    private final Instant instant;
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private volatile boolean undone;

    Reservation(Throttle throttle, Slot slot, Reading now) {
        this.throttle = throttle;
        this.slot = slot;
        this.instant = Instant.ofEpochMilli(now.wallMillis()).plusNanos(slot.nanos() - now.nanos());
    }

    /**
     * How many permits it is for.
     *
     * @return what was reserved
     */
    public int permits() {
        return Math.toIntExact(slot.permits());
    }

    /**
     * How long it is until its slot, from now.
     *
     * @return the time to wait, on a clock that no change of the wall clock moves; zero if the slot has come
     */
    public Duration delay() {
        return Duration.ofNanos(Math.max(0, slot.nanos() - throttle.line().now().nanos()));
    }

    /**
     * When its slot is, by the wall clock as it was when it was reserved; for people. To wait, use {@link #delay} or {@link #await}.
     *
     * @return the instant from which on its owner may go on
     */
    public Instant instant() {
        return instant;
    }

    /**
     * Waits for its slot.
     *
     * @throws InterruptedException if the thread is or was interrupted; the reservation stays, and may be cancelled or awaited again
     * @throws IllegalStateException if it was cancelled or its transaction was rolled back, or inside a transaction if the slot has not
     *     come
     */
    public void await() throws InterruptedException {
        if (cancelled.get() || undone) {
            throw new IllegalStateException(
                    "a reservation of " + throttle + " cannot be awaited: it was cancelled, or rolled back");
        }
        throttle.requireOpen();
        throttle.line().await(slot);
    }

    /**
     * Gives the slot back. That is possible before the slot has come, as long as nobody has reserved after it; otherwise it stays
     * this reservation's.
     *
     * @return whether it was given back
     */
    public boolean cancel() {
        throttle.requireOpen();
        if (undone || !cancelled.compareAndSet(false, true)) {
            return false; // a later reservation may have the same slot by now
        }
        throttle.line().afterRollback(() -> cancelled.set(false));
        boolean done = false;
        try {
            done = throttle.cancel(slot);
            return done;
        } finally {
            cancelled.set(done);
        }
    }

    /** Its transaction was rolled back. */
    void undo() {
        undone = true;
    }

    /** Its slot, on the host clock. */
    long slotNanos() {
        return slot.nanos();
    }

    @Override
    public String toString() {
        return "Reservation[" + slot.permits() + " of " + throttle + " at " + instant + "]";
    }
}

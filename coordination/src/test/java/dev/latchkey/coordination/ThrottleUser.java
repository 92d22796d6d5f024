package dev.latchkey.coordination;

import dev.latchkey.coordination.ThrottleState.Slot;
import java.time.Duration;
import java.util.Collection;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Uses a throttle in all ways at random, and notes each slot as often as it has permits. */
final class ThrottleUser {
    private final Throttle throttle;
    private final Random random;
    private final Collection<Long> slots;

    ThrottleUser(Throttle throttle, long seed, Collection<Long> slots) {
        this.throttle = throttle;
        this.random = new Random(seed);
        this.slots = slots;
    }

    /** One call; whether it got what it wanted. */
    boolean use() {
        int permits = 1 + random.nextInt(3);
        try {
            return switch (random.nextInt(5)) {
                case 0 -> note(throttle.trySlot(permits));
                case 1 -> note(throttle.trySlot(permits, Duration.ofNanos(random.nextInt(8_000_000))));
                case 2 -> reserve(permits);
                default -> note(throttle.slot(permits));
            };
        } catch (InterruptedException e) {
            return false;
        }
    }

    private boolean reserve(int permits) throws InterruptedException {
        Reservation reservation = throttle.reserve(permits);
        if (random.nextBoolean() && reservation.cancel()) {
            return false;
        }
        try {
            reservation.await();
        } finally {
            note(reservation.slotNanos(), permits); // spent, also if nobody waits for it
        }
        return true;
    }

    private boolean note(@Nullable Slot slot) {
        if (slot != null) {
            if (System.nanoTime() < slot.nanos()) {
                throw new AssertionError("returned before its slot: " + slot);
            }
            note(slot.nanos(), slot.permits());
        }
        return slot != null;
    }

    private void note(long slotNanos, long permits) {
        for (int i = 0; i < permits; i++) {
            slots.add(slotNanos);
        }
    }
}

package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.resilience4j.PeriodState.Configuration;
import dev.latchkey.coordination.resilience4j.PeriodState.Reading;
import dev.latchkey.coordination.resilience4j.PeriodState.Slot;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Timelines of a limit of ten in each period of 1000 ns. */
final class PeriodStateTest {
    private static final Configuration TEN = new Configuration(10, 1000);

    private State row = State.absent(PeriodState.KIND, "a", 0);
    private long now = 5_000_000_000L;
    private long wallMillis = 1_000_000;
    private String boot = "b1";

    private Reading now() {
        return new Reading(now, wallMillis, boot);
    }

    private <R> R apply(Decision<R> decision) {
        if (decision.changes(row)) {
            row = decision.next().withVersion(row.version() + 1);
        }
        return decision.result();
    }

    private void found() {
        apply(PeriodState.configure(row, TEN, now()));
    }

    private Slot reserve(int permits, long waitNanos) {
        return apply(PeriodState.reserve(row, TEN, permits, waitNanos, now()));
    }

    /** How long a caller that waits for ever has to. */
    private long wait(int permits) {
        Slot slot = reserve(permits, PeriodState.LONGEST_NANOS);
        assertTrue(slot.granted());
        return slot.nanos() - now;
    }

    private int available() {
        return PeriodState.of(row, TEN, now()).available(now());
    }

    @Test
    void thePeriodBeginsWhenTheLimitIsMade() {
        found();
        now += 999;
        assertEquals(0, wait(10));
        assertEquals(1, wait(1));
    }

    @Test
    void whatIsLeftIsLostToWhoeverWantsMoreAndNoPeriodGivesMoreThanItsLimit() {
        found();
        assertEquals(0, wait(7));
        assertEquals(1000, wait(4));
        assertEquals(-4, available());
        now += 1000;
        assertEquals(6, available());
        assertEquals(0, wait(6));
        assertEquals(1000, wait(1));
    }

    @Test
    void moreThanTheLimitTakesWholePeriods() {
        found();
        assertEquals(0, wait(4));
        assertEquals(2000, wait(20)); // 6, 10 and 4
        assertEquals(2000, wait(6));
        assertEquals(3000, wait(1));
    }

    @Test
    void whoeverIsRefusedReservesNothing() {
        found();
        assertEquals(0, wait(10));
        assertFalse(reserve(1, 999).granted());
        assertEquals(0, available());
        assertTrue(reserve(1, 1000).granted());
    }

    @Test
    void anEndlessWaitForVeryMuchIsRefused() {
        apply(PeriodState.configure(row, new Configuration(1, PeriodState.LONGEST_NANOS), now()));
        assertFalse(reserve(Integer.MAX_VALUE, PeriodState.LONGEST_NANOS).granted());
    }

    @Test
    void aReservationThatIsToComeCanBeGivenBack() {
        found();
        Slot current = reserve(10, 0);
        Slot next = reserve(3, PeriodState.LONGEST_NANOS);
        Slot after = reserve(9, PeriodState.LONGEST_NANOS);
        assertFalse(apply(PeriodState.cancel(row, TEN, current, now())));
        assertFalse(apply(PeriodState.cancel(row, TEN, next, now())), "somebody has reserved after it");
        assertTrue(apply(PeriodState.cancel(row, TEN, after, now())));
        assertEquals(2000, wait(10));
        now += 2000;
        assertEquals(0, available());
    }

    @Test
    void drainingTakesNothingOfPeriodsToCome() {
        found();
        assertEquals(10, apply(PeriodState.drain(row, TEN, now())));
        assertEquals(0, apply(PeriodState.drain(row, TEN, now())));
        assertEquals(1000, wait(3));
        assertEquals(0, apply(PeriodState.drain(row, TEN, now())));
        assertEquals(-3, available());
    }

    @Test
    void anotherLimitIsThatOfPeriodsToCome() {
        found();
        wait(10);
        wait(8);
        apply(PeriodState.change(row, TEN, 5, now()));
        assertEquals(2000, wait(1));
        apply(PeriodState.change(row, TEN, 20, now()));
        assertEquals(2000, wait(19));
        assertEquals(3000, wait(20));
    }

    @Test
    void whatWasChangedStaysUntilTheConfigurationIsAnother() {
        found();
        apply(PeriodState.change(row, TEN, 5, now()));
        found();
        assertEquals(5, PeriodState.of(row, TEN, now()).limit());
        apply(PeriodState.configure(row, new Configuration(20, 1000), now()));
        assertEquals(20, PeriodState.of(row, TEN, now()).limit());
    }

    @Test
    void anotherLengthBeginsWhenWhatIsReservedIsOver() {
        found();
        wait(10);
        wait(1);
        now += 500;
        apply(PeriodState.configure(row, new Configuration(10, 100), now()));
        assertEquals(1500, wait(10));
        assertEquals(1600, wait(1));
        now += 1500;
        assertEquals(-1, available());
    }

    @Test
    void aRebootGainsNothing() {
        apply(PeriodState.configure(row, new Configuration(10, 1_000_000_000), now()));
        wait(10);
        boot = "b2";
        now = 77;
        wallMillis += 500;
        assertEquals(501_000_000, wait(1));
        boot = "b3";
        now = 3;
        wallMillis -= 100_000;
        assertFalse(reserve(1, 0).granted());
    }

    /** The referee counts the permits of each period by the slots, and knows nothing of how they came about. */
    @Test
    void inNoPeriodAreThereMoreThanTheLimit() {
        Random random = new Random(7);
        found();
        long origin = now;
        Map<Long, Integer> counts = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            now += random.nextInt(300);
            Slot slot = reserve(1 + random.nextInt(10), random.nextInt(4000));
            if (slot.granted() && random.nextInt(10) == 0 && apply(PeriodState.cancel(row, TEN, slot, now()))) {
                continue;
            }
            if (slot.granted()) {
                counts.merge((slot.nanos() - origin) / 1000, slot.permits(), Integer::sum);
            }
        }
        counts.forEach((period, count) -> assertTrue(count <= 10, period + " had " + count));
        assertTrue(counts.values().stream().filter(count -> count == 10).count() > 100);
    }
}

package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules of a latch as timelines: no clock, no database, no thread. */
class LatchStateTest {
    private State row = State.absent(LatchState.KIND, "l", 1000);
    private List<String> rung = List.of();

    private <R> R apply(Decision<R> decision) {
        row = decision.changes(row) ? decision.next().withVersion(row.version() + 1) : row;
        rung = decision.rings();
        return decision.result();
    }

    private long found(long count) {
        return apply(LatchState.found(row, count)).initial();
    }

    private boolean counts() {
        return apply(LatchState.countDown(row, 3, null));
    }

    private boolean counts(String participant) {
        return apply(LatchState.countDown(row, 3, participant));
    }

    private LatchState latch() {
        return LatchState.of(row, 3);
    }

    @Test
    void theFirstObjectSetsTheCountAndTheOthersLearnIt() {
        assertEquals(3, found(3));
        assertEquals("1 3 3", row.detail());
        State before = row;
        assertEquals(3, found(5));
        assertEquals(before, row);
    }

    @Test
    void theLastCountOpensItAndRingsAndTheOthersDoNot() {
        found(3);
        assertTrue(counts());
        assertEquals(List.of(), rung);
        assertTrue(counts());
        assertEquals("1 3 1", row.detail());
        assertFalse(latch().isOpenSince(1));
        assertTrue(counts());
        assertEquals(List.of("l"), rung);
        assertEquals("1 3 0", row.detail());
        assertTrue(latch().isOpenSince(1));
    }

    @Test
    void nothingIsCountedBelowZero() {
        found(3);
        counts();
        counts();
        counts();
        State open = row;
        assertFalse(counts());
        assertFalse(counts("late"));
        assertEquals(open, row);
        assertEquals(List.of(), rung);
    }

    @Test
    void aParticipantCountsOnceInARoundAndIsForgottenWithIt() {
        found(3);
        assertTrue(counts("a"));
        State before = row;
        assertFalse(counts("a"));
        assertEquals(before, row);
        assertTrue(counts("b"));
        assertEquals("1 3 1 a b", row.detail());
        assertTrue(counts("c"));
        assertEquals("1 3 0", row.detail());
        assertFalse(counts("a"));
        assertTrue(apply(LatchState.trySetCount(row, 3, 2)));
        assertTrue(counts("a"));
        assertEquals("2 2 1 a", row.detail());
    }

    @Test
    void anyNameOfAParticipantReadsBack() {
        found(3);
        String odd = "a b%20;c:%25 \u00fc\n";
        assertTrue(counts(odd));
        assertFalse(counts(odd));
        assertTrue(counts("a"), "not the same as the first word of the odd one");
        assertEquals(List.of(odd, "a"), List.copyOf(latch().counted()));
        assertEquals(row.detail(), latch().toString());
    }

    @Test
    void aNewRoundBeginsWhenTheLastIsOverAndNotBefore() {
        found(3);
        counts();
        State before = row;
        assertFalse(apply(LatchState.trySetCount(row, 3, 9)));
        assertEquals(before, row);
        counts();
        counts();
        assertTrue(apply(LatchState.trySetCount(row, 3, 9)));
        assertEquals("2 9 9", row.detail());
        assertTrue(
                latch().isOpenSince(1),
                "whoever slept through the end of the first round need not wait for the second");
        assertFalse(latch().isOpenSince(2));
    }

    @Test
    void aRoundOfZeroIsOpenAtOnce() {
        assertEquals(0, found(0));
        assertTrue(LatchState.of(row, 0).isOpenSince(1));
        assertTrue(apply(LatchState.trySetCount(row, 0, 0)));
        assertEquals("2 0 0", row.detail());
    }

    @Test
    void aDeletedLatchIsAsNewAndNotOpen() {
        found(3);
        for (int round = 1; round < 3; round++) {
            counts();
            counts();
            counts();
            assertTrue(apply(LatchState.trySetCount(row, 3, 3)));
        }
        row = State.absent(LatchState.KIND, "l", 2000);
        assertFalse(latch().isOpenSince(3), "who waited since the third round has not seen its end");
        assertTrue(counts());
        assertEquals("1 3 2", row.detail());
        assertFalse(latch().isOpenSince(3));
    }
}

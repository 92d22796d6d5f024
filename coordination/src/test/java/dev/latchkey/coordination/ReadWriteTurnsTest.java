package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules of the read-write lock as timelines. */
class ReadWriteTurnsTest {
    private static final String ALL = "x" + Integer.MAX_VALUE;

    private final Timeline time = new Timeline(Kind.READ_WRITE);

    @Test
    void readersReadTogetherAndEachHasATokenOfItsOwn() {
        long first = time.reads(1);
        long second = time.reads(2);
        assertEquals(List.of(1L, 2L), time.holders());
        assertNotEquals(
                time.hold(first).orElseThrow().token(),
                time.hold(second).orElseThrow().token());
    }

    @Test
    void aWriterIsAlone() {
        long writer = time.writes(1);
        assertEquals(0, time.reads(2));
        assertEquals(0, time.writes(3));
        assertEquals("2 3" + ALL, time.line());
        time.frees(1, writer);
        assertNotEquals(0, time.reads(2));
        assertEquals(List.of(2L), time.holders());
    }

    @Test
    void aWriterThatWaitsIsOvertakenByNoReader() {
        long first = time.reads(1);
        assertEquals(0, time.writes(2));
        assertEquals(0, time.reads(3), "it would starve the writer");
        assertEquals("2" + ALL + " 3", time.line());
        time.frees(1, first);
        assertEquals("2" + ALL + "@" + time.nanos + " 3", time.line());
        assertNotEquals(0, time.writes(2));
    }

    @Test
    void theWriterIsNamedByTheLastReaderThatGoes() {
        long first = time.reads(1);
        long second = time.reads(2);
        time.writes(3);
        time.frees(1, first);
        assertEquals("3" + ALL, time.line());
        assertEquals(List.of("a", Turns.bell("a", 3)), time.rung, "somebody may be first in line who fits by now");
        time.frees(2, second);
        assertEquals("3" + ALL + "@" + time.nanos, time.line());
    }

    @Test
    void readersThatStandNextToEachOtherReadTogetherAndTheWriterBehindThemWaits() {
        long writer = time.writes(1);
        time.reads(2);
        time.reads(3);
        time.writes(4);
        time.reads(5);
        time.frees(1, writer);
        assertNotEquals(0, time.reads(2));
        assertEquals("3@" + time.nanos + " 4" + ALL + " 5", time.line(), "the next reader is called at once");
        assertNotEquals(0, time.reads(3));
        assertEquals("4" + ALL + " 5", time.line());
        assertEquals(0, time.reads(5));
    }

    @Test
    void aDowngradeKeepsReadingAndLetsOtherReadersIn() {
        long writer = time.writes(1);
        time.reads(2);
        time.writes(3);
        assertTrue(time.downgrades(1, writer));
        assertEquals(0, time.reads(2), "it still writes");
        time.frees(1, writer);
        assertEquals("2@" + time.nanos + " 3" + ALL, time.line());
        assertNotEquals(0, time.reads(2));
        assertEquals(List.of(1L, 2L), time.holders());
    }

    @Test
    void whoDoesNotWriteCannotDowngrade() {
        long writer = time.writes(1);
        time.frees(1, writer);
        assertFalse(time.downgrades(1, writer));
        assertEquals(List.of(), time.holders());
    }

    @Test
    void aDowngradeLeavesTheReadLockWhateverIsReleasedFirst() {
        long writer = time.writes(1);
        time.downgrades(1, writer);
        long reader = time.lastGrant();
        time.frees(1, reader);
        assertEquals(0, time.reads(2), "still writing");
        time.frees(1, writer);
        assertEquals(List.of(), time.holders());
    }

    @Test
    void theReadLocksOfTheDeadAreGone() {
        time.reads(1);
        time.reads(2);
        time.writes(3);
        time.dead.add(1L);
        assertEquals(0, time.writes(3));
        assertEquals(List.of(2L), time.holders());
        time.dead.add(2L);
        assertNotEquals(0, time.writes(3));
        assertEquals(List.of(3L), time.holders());
    }

    @Test
    void aDeadWriterInLineHoldsUpNoReader() {
        time.reads(1);
        time.writes(2);
        time.dead.add(2L);
        assertNotEquals(0, time.reads(3));
        assertEquals("", time.line());
    }

    /** Else the turn that was reserved for a reader keeps everybody waiting for a writer that cannot go. */
    @Test
    void aPlaceThatIsTakenOverByAWriterIsNotReservedUntilTheWriterFits() {
        long first = time.reads(1);
        time.writes(2);
        time.frees(1, first);
        long writer = time.writes(2);
        time.downgrades(2, writer);
        time.reads(3);
        time.frees(2, writer);
        assertEquals("3@" + time.nanos, time.line());
        assertEquals(0, time.writes(3), "the reader of that process gave up, and its next thread writes");
        assertEquals("3" + ALL, time.line());
        time.pass(51);
        time.look();
        assertEquals("3" + ALL, time.line(), "a turn that could not be taken does not lapse");
        assertEquals(0, time.reads(4));
    }
}

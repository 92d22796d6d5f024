package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules of conditions as timelines. */
class ConditionTurnsTest {
    private final Timeline time = new Timeline(Kind.LOCK);

    /** Takes the free lock and gives it up for a condition. */
    private long waits(long session, String condition) {
        return time.awaits(session, time.locks(session), condition);
    }

    @Test
    void whoWaitsHoldsNothingAndStandsInNoLine() {
        long waiter = waits(1, "full");
        assertEquals(List.of(), time.holders());
        assertEquals("", time.line());
        assertEquals("full:1." + waiter, time.conditions());
    }

    @Test
    void theReleaseOfAWaiterNamesTheNextInLine() {
        long grant = time.locks(1);
        time.locks(2);
        time.awaits(1, grant, "full");
        assertEquals("2@" + time.nanos, time.line());
    }

    @Test
    void aSignalGoesToTheFirstThatWaitsForThatCondition() {
        long other = waits(1, "empty");
        long first = waits(2, "full");
        long second = waits(3, "full");
        long holder = time.locks(4);
        assertTrue(time.signals(4, holder, "full", false));
        assertEquals("empty:1." + other + " full:2." + first + "! full:3." + second, time.conditions());
        assertEquals("2", time.line(), "it is in line from the signal on");
        assertEquals(List.of("a"), time.rung);
        time.signals(4, holder, "full", false);
        assertEquals("2 3", time.line());
    }

    @Test
    void theGrantEndsTheWaitOfTheSignalled() {
        long waiter = waits(1, "full");
        long holder = time.locks(2);
        time.signals(2, holder, "full", false);
        assertEquals(0, time.asks(1, 1, 0, true, waiter));
        time.frees(2, holder);
        assertEquals("1@" + time.nanos, time.line());
        assertNotEquals(0, time.asks(1, 1, 0, true, waiter));
        assertEquals("", time.conditions());
        assertEquals("", time.line());
    }

    @Test
    void signalAllPutsEverybodyInLineInTheOrderOfTheirWaiting() {
        waits(3, "full");
        waits(1, "full");
        waits(2, "empty");
        long holder = time.locks(4);
        time.signals(4, holder, "full", true);
        assertEquals("3 1", time.line());
    }

    @Test
    void aSignalWithoutWaitersIsForgotten() {
        long holder = time.locks(1);
        assertTrue(time.signals(1, holder, "full", false));
        time.frees(1, holder);
        long waiter = waits(2, "full");
        assertEquals("full:2." + waiter, time.conditions());
    }

    @Test
    void whoDoesNotHoldTheLockSignalsNobody() {
        long waiter = waits(1, "full");
        long holder = time.locks(2);
        time.frees(2, holder);
        assertFalse(time.signals(2, holder, "full", true));
        assertEquals("full:1." + waiter, time.conditions());
    }

    @Test
    void theSignalOfOneThatDiesGoesOnToTheNext() {
        waits(1, "full");
        long second = waits(2, "full");
        long holder = time.locks(3);
        time.signals(3, holder, "full", false);
        time.frees(3, holder);
        assertEquals("1@" + time.nanos, time.line());
        time.dead.add(1L);
        time.look();
        assertEquals("full:2." + second + "!", time.conditions());
        assertEquals("2@" + time.nanos, time.line());
        assertEquals(List.of(Turns.bell("a", 2), "a"), time.rung);
    }

    /** The lock is held, so that nobody's turn comes; the waiter is to learn it by more than its next poll. */
    @Test
    void whoeverASignalGoesOnToIsWoken() {
        waits(1, "full");
        long second = waits(2, "full");
        long holder = time.locks(3);
        time.signals(3, holder, "full", false);
        time.dead.add(1L);
        time.look();
        assertEquals("full:2." + second + "!", time.conditions());
        assertEquals(List.of("a"), time.rung);
    }

    @Test
    void theDeadThatWereNotSignalledTakeNoSignal() {
        waits(1, "full");
        long second = waits(2, "full");
        long holder = time.locks(3);
        time.dead.add(1L);
        time.signals(3, holder, "full", false);
        assertEquals("full:2." + second + "!", time.conditions());
    }

    @Test
    void theSignalsOfAProcessThatDiesGoOnOneByOne() {
        waits(1, "full");
        waits(1, "full");
        long third = waits(2, "full");
        long fourth = waits(2, "full");
        waits(2, "full");
        long holder = time.locks(3);
        time.signals(3, holder, "full", false);
        time.signals(3, holder, "full", false);
        time.dead.add(1L);
        time.look();
        assertTrue(time.conditions().startsWith("full:2." + third + "! full:2." + fourth + "! "), time.conditions());
        assertFalse(time.conditions().endsWith("!"), time.conditions());
    }

    @Test
    void aTimeOutBeforeTheSignalLeavesTheSignalToTheNext() {
        long first = waits(1, "full");
        long second = waits(2, "full");
        assertTrue(time.cancels(1, first));
        long holder = time.locks(3);
        time.signals(3, holder, "full", false);
        assertEquals("full:2." + second + "!", time.conditions());
    }

    @Test
    void aTimeOutAfterTheSignalIsNone() {
        long first = waits(1, "full");
        long holder = time.locks(3);
        time.signals(3, holder, "full", false);
        assertFalse(time.cancels(1, first));
        assertEquals("full:1." + first + "!", time.conditions());
        assertEquals("1", time.line());
    }

    @Test
    void aProcessWhoseThreadWasSignalledStaysInLine() {
        waits(1, "full");
        long holder = time.locks(2);
        time.signals(2, holder, "full", false);
        time.settle(1, false);
        assertEquals("1", time.line());
    }

    /** A release that was taken for failed, or a wait that ended with an error: nobody would come for its signal. */
    @Test
    void aWaiterThatItsOwnProcessDoesNotKnowSwallowsNoSignal() {
        long first = waits(1, "full");
        long second = waits(2, "full");
        long holder = time.locks(3);
        time.signals(3, holder, "full", false);
        time.forgotten.add(first);
        time.settle(1, false);
        assertEquals("full:2." + second + "!", time.conditions());
        assertEquals("2", time.line());
    }

    @Test
    void theNotationReadsBackAsItWasWritten() {
        Conditions conditions = Conditions.NONE
                .with("a b:c%20;", 1, 2, new Arrival(5, "T; 1:%3B!"))
                .with("#1", 3, 4, Arrival.UNKNOWN)
                .signal("#1", false);
        assertEquals(conditions, Conditions.parse(conditions.toString()));
        assertEquals(Conditions.NONE, Conditions.parse(""));
    }
}

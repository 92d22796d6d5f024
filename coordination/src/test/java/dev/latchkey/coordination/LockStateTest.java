package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.LockState.Asker;
import dev.latchkey.coordination.LockState.Moment;
import dev.latchkey.coordination.LockState.Release;
import dev.latchkey.coordination.LockState.Successor;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The rules of the lock as timelines: no clock, no database, no thread. Sessions are 1 to 4. */
class LockStateTest {
    private State row = State.absent(LockState.KIND, "a", 1000);
    private long nanos = TimeUnit.SECONDS.toNanos(1);
    private long nextGrant;

    private Moment now() {
        return new Moment(nanos, 5000);
    }

    private void pass(long millis) {
        nanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private <R> R apply(Decision<R> decision) {
        row = decision.next();
        return decision.result();
    }

    private Decision<Boolean> asks(long session, boolean waits, boolean mayRetake, Set<Long> dead) {
        Asker asker = new Asker(session, ++nextGrant, "t" + session, waits, token -> mayRetake);
        return LockState.acquire(row, asker, dead, now());
    }

    private boolean locks(long session) {
        return apply(asks(session, true, false, Set.of()));
    }

    private boolean tries(long session) {
        return apply(asks(session, false, false, Set.of()));
    }

    private Release unlocks(long session) {
        return apply(LockState.unlock(row, session, row.grant(), null, false, Set.of(), now()));
    }

    @Test
    void aFreeLockIsGrantedWithTheNextToken() {
        assertTrue(locks(1));
        assertEquals(1, row.session());
        assertEquals(1001, row.token());
        assertEquals("t1", row.owner());
        assertEquals("", row.line());
    }

    @Test
    void waitersStandInLineOnceInOrderOfArrival() {
        locks(1);
        assertFalse(locks(2));
        assertFalse(locks(3));
        assertFalse(locks(2));
        assertEquals("2 3", row.line());
    }

    @Test
    void aRefusedAttemptLeavesNoTrace() {
        locks(1);
        State before = row;
        assertFalse(tries(2));
        assertEquals(before, row);
    }

    @Test
    void unlockReservesTheTurnOfTheFirstInLine() {
        locks(1);
        locks(2);
        locks(3);
        assertEquals(Release.FREED, unlocks(1));
        assertEquals("2@" + nanos + " 3", row.line());
        assertFalse(tries(4), "tryLock overtakes nobody");
        assertFalse(locks(3), "nor does the second in line");
        assertTrue(locks(2));
        assertEquals("3", row.line());
        assertEquals(1002, row.token());
    }

    @Test
    void whoFreedTheLockMayTakeItAgainAndTheTurnIsReservedAnew() {
        locks(1);
        locks(2);
        unlocks(1);
        assertTrue(apply(asks(1, true, true, Set.of())));
        assertEquals("2", row.line());
        unlocks(1);
        assertEquals("2@" + nanos, row.line());
    }

    @Test
    void aTurnThatLapsesGoesToTheNextAndIsNotOfferedAgainUntilItsSessionWrites() {
        locks(1);
        locks(2);
        locks(3);
        unlocks(1);
        pass(49);
        assertFalse(locks(3));
        pass(2);
        apply(LockState.look(row, Set.of(), now()));
        assertEquals("2~ 3@" + nanos, row.line());
        assertTrue(locks(3));
        unlocks(3);
        assertEquals("2~", row.line(), "nobody to be named");
        assertTrue(tries(4), "a stopped session holds up nobody");
        assertFalse(locks(2), "it is awake again");
        assertEquals("2", row.line());
        unlocks(4);
        assertTrue(locks(2));
    }

    @Test
    void aReservationOfAnotherBootCountsAsLapsed() {
        locks(1);
        locks(2);
        locks(3);
        unlocks(1);
        nanos = 5;
        apply(LockState.look(row, Set.of(), now()));
        assertEquals("2~ 3@5", row.line());
    }

    @Test
    void aDeadHolderIsReplacedByTheFirstInLineOnly() {
        locks(1);
        locks(2);
        locks(3);
        Decision<Boolean> third = asks(3, true, false, Set.of(1L));
        assertFalse(apply(third), "the first in line comes first");
        assertEquals(Set.of(1L), third.dead());
        assertEquals("2@" + nanos + " 3", row.line());
        assertEquals(0, row.session());
        assertTrue(locks(2));
    }

    @Test
    void aDeadWaiterIsPassedOverAtOnce() {
        locks(1);
        locks(2);
        locks(3);
        Decision<Release> release = LockState.unlock(row, 1, row.grant(), null, false, Set.of(2L), now());
        assertEquals(Release.FREED, apply(release));
        assertEquals("3@" + nanos, row.line());
        assertEquals(Set.of(2L), release.dead());
    }

    @Test
    void aWaiterThatLapsedAndDiedLeavesTheLineToo() {
        locks(1);
        locks(2);
        locks(3);
        unlocks(1);
        pass(51);
        apply(LockState.look(row, Set.of(), now()));
        assertEquals("2~ 3@" + nanos, row.line());
        Set<Long> dead = LockState.of(row).dead(session -> session == 2);
        assertEquals(Set.of(2L), dead);
        apply(LockState.look(row, dead, now()));
        assertEquals("3@" + nanos, row.line());
    }

    @Test
    void aLocalPassGrantsTheNextTokenInTheSameUpdate() {
        locks(1);
        Decision<Release> pass =
                LockState.unlock(row, 1, row.grant(), new Successor(77, "next"), false, Set.of(), now());
        assertEquals(Release.PASSED, apply(pass));
        assertEquals(1, pass.grantsTo());
        assertEquals(77, row.grant());
        assertEquals(1002, row.token());
        assertEquals("next", row.owner());
    }

    @Test
    void whenOthersWaitAndTheBoundIsReachedTheProcessGoesToTheEndOfTheLine() {
        locks(1);
        locks(2);
        Release release =
                apply(LockState.unlock(row, 1, row.grant(), new Successor(77, "next"), false, Set.of(), now()));
        assertEquals(Release.FREED, release);
        assertEquals("2@" + nanos + " 1", row.line());
    }

    @Test
    void withinTheBoundALocalThreadGoesFirstAlthoughOthersWait() {
        locks(1);
        locks(2);
        assertEquals(
                Release.PASSED,
                apply(LockState.unlock(row, 1, row.grant(), new Successor(77, "next"), true, Set.of(), now())));
        assertEquals("2", row.line());
    }

    @Test
    void aLateReleaseNeverFreesTheSuccessor() {
        locks(1);
        long grant = row.grant();
        unlocks(1);
        locks(2);
        State before = row;
        assertEquals(Release.LOST, apply(LockState.unlock(row, 1, grant, null, false, Set.of(), now())));
        assertEquals(before, row);
    }

    @Test
    void aGrantOfTheOwnSessionThatNobodyKnowsIsTakenOver() {
        locks(1);
        long token = row.token();
        assertTrue(locks(1));
        assertEquals(token + 1, row.token());
    }

    @Test
    void settlingFreesAnOrphanAndLeavesTheLine() {
        locks(1);
        locks(2);
        apply(LockState.settle(row, 1, grant -> false, false, now()));
        assertEquals(0, row.session());
        assertEquals("2@" + nanos, row.line());
        apply(LockState.settle(row, 2, grant -> true, false, now()));
        assertEquals("", row.line());
    }

    @Test
    void settlingLeavesAKnownGrantAndAPlaceThatIsNeeded() {
        locks(1);
        locks(2);
        State before = row;
        assertFalse(LockState.settle(row, 1, grant -> true, false, now()).changes(before));
        assertFalse(LockState.settle(row, 2, grant -> true, true, now()).changes(before));
    }

    @Test
    void aWaiterThatGivesUpItsReservedTurnNamesTheNext() {
        locks(1);
        locks(2);
        locks(3);
        unlocks(1);
        Decision<Boolean> leave = LockState.settle(row, 2, grant -> false, false, now());
        apply(leave);
        assertEquals("3@" + nanos, row.line());
        assertEquals(java.util.List.of("a"), leave.rings());
    }

    @Test
    void forcingNeedsTheToken() {
        locks(1);
        assertFalse(apply(LockState.forceUnlock(row, row.token() + 1, now())));
        assertEquals(1, row.session());
        assertTrue(apply(LockState.forceUnlock(row, row.token(), now())));
        assertEquals(0, row.session());
        assertFalse(apply(LockState.forceUnlock(row, row.token(), now())), "free already");
    }

    @Test
    void theNotationOfTheLineReadsBackAsItWasWritten() {
        String text = "123@98000 456 789~";
        assertEquals(text, Line.parse(text).toString());
        assertEquals("", Line.parse("").toString());
    }
}

package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.Turns.Asker;
import dev.latchkey.coordination.Turns.Moment;
import dev.latchkey.coordination.Turns.Release;
import dev.latchkey.coordination.Turns.Successor;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The rules of the lock as timelines: no clock, no database, no thread. Sessions are 1 to 4. */
class TurnsTest {
    private State row = State.absent(Kind.LOCK.word(), "a", 1000);
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
        Asker asker = new Asker(session, ++nextGrant, "t" + session, 1, 0, waits, token -> mayRetake, grant -> 0, 0);
        return Turns.acquire(row, asker, dead, now());
    }

    private boolean locks(long session) {
        return apply(asks(session, true, false, Set.of()));
    }

    private boolean tries(long session) {
        return apply(asks(session, false, false, Set.of()));
    }

    private Release unlocks(long session) {
        return apply(release(session, grant(), null, false, Set.of()));
    }

    private Decision<Release> release(
            long session, long grant, @Nullable Successor next, boolean mayPass, Set<Long> dead) {
        return Turns.release(row, session, Map.of(grant, 1L), next, mayPass, null, dead, now());
    }

    private Optional<Hold> holder() {
        return row.holds().stream().findFirst();
    }

    private long session() {
        return holder().map(Hold::session).orElse(0L);
    }

    private long grant() {
        return holder().map(Hold::grant).orElse(0L);
    }

    @Test
    void aFreeLockIsGrantedWithTheNextToken() {
        assertTrue(locks(1));
        assertEquals(1, session());
        assertEquals(1001, row.token());
        assertEquals("t1", holder().orElseThrow().owner());
        assertEquals("", Timeline.places(row));
    }

    @Test
    void waitersStandInLineOnceInOrderOfArrival() {
        locks(1);
        assertFalse(locks(2));
        assertFalse(locks(3));
        assertFalse(locks(2));
        assertEquals("2 3", Timeline.places(row));
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
        assertEquals("2@" + nanos + " 3", Timeline.places(row));
        assertFalse(tries(4), "tryLock overtakes nobody");
        assertFalse(locks(3), "nor does the second in line");
        assertTrue(locks(2));
        assertEquals("3", Timeline.places(row));
        assertEquals(1002, row.token());
    }

    @Test
    void whoFreedTheLockMayTakeItAgainAndTheTurnIsReservedAnew() {
        locks(1);
        locks(2);
        unlocks(1);
        assertTrue(apply(asks(1, true, true, Set.of())));
        assertEquals("2", Timeline.places(row));
        unlocks(1);
        assertEquals("2@" + nanos, Timeline.places(row));
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
        apply(Turns.look(row, Set.of(), now()));
        assertEquals("2~ 3@" + nanos, Timeline.places(row));
        assertTrue(locks(3));
        unlocks(3);
        assertEquals("2~", Timeline.places(row), "nobody to be named");
        assertTrue(tries(4), "a stopped session holds up nobody");
        assertFalse(locks(2), "it is awake again");
        assertEquals("2", Timeline.places(row));
        unlocks(4);
        assertTrue(locks(2));
    }

    /** On processors so busy that everybody comes too late, somebody must be let in. */
    @Test
    void whoComesLateButBeforeTheNextWhoWasNamedIsNotTooLate() {
        locks(1);
        locks(2);
        locks(3);
        locks(4);
        unlocks(1);
        pass(51);
        apply(Turns.look(row, Set.of(), now()));
        assertEquals("2~ 3@" + nanos + " 4", Timeline.places(row));
        assertFalse(locks(4), "it stands behind the one who was named");
        assertTrue(locks(2));
        assertEquals("3 4", Timeline.places(row));
        assertFalse(locks(3));
        unlocks(2);
        assertEquals("3@" + nanos + " 4", Timeline.places(row));
    }

    @Test
    void aReservationOfAnotherBootCountsAsLapsed() {
        locks(1);
        locks(2);
        locks(3);
        unlocks(1);
        nanos = 5;
        apply(Turns.look(row, Set.of(), now()));
        assertEquals("2~ 3@5", Timeline.places(row));
    }

    @Test
    void aDeadHolderIsReplacedByTheFirstInLineOnly() {
        locks(1);
        locks(2);
        locks(3);
        Decision<Boolean> third = asks(3, true, false, Set.of(1L));
        assertFalse(apply(third), "the first in line comes first");
        assertEquals(Set.of(1L), third.dead());
        assertEquals("2@" + nanos + " 3", Timeline.places(row));
        assertEquals(0, session());
        assertTrue(locks(2));
    }

    @Test
    void aDeadWaiterIsPassedOverAtOnce() {
        locks(1);
        locks(2);
        locks(3);
        Decision<Release> release = release(1, grant(), null, false, Set.of(2L));
        assertEquals(Release.FREED, apply(release));
        assertEquals("3@" + nanos, Timeline.places(row));
        assertEquals(Set.of(2L), release.dead());
    }

    @Test
    void aWaiterThatLapsedAndDiedLeavesTheLineToo() {
        locks(1);
        locks(2);
        locks(3);
        unlocks(1);
        pass(51);
        apply(Turns.look(row, Set.of(), now()));
        assertEquals("2~ 3@" + nanos, Timeline.places(row));
        Set<Long> dead = Turns.of(row).dead(session -> session == 2);
        assertEquals(Set.of(2L), dead);
        apply(Turns.look(row, dead, now()));
        assertEquals("3@" + nanos, Timeline.places(row));
    }

    @Test
    void aLocalPassGrantsTheNextTokenInTheSameUpdate() {
        locks(1);
        Decision<Release> pass = release(1, grant(), new Successor(77, "next", 0, 0), false, Set.of());
        assertEquals(Release.PASSED, apply(pass));
        assertEquals(1, pass.grantsTo());
        assertEquals(77, grant());
        assertEquals(1002, row.token());
        assertEquals("next", holder().orElseThrow().owner());
    }

    @Test
    void whenOthersWaitAndTheBoundIsReachedTheProcessGoesToTheEndOfTheLine() {
        locks(1);
        locks(2);
        Release release = apply(release(1, grant(), new Successor(77, "next", 0, 0), false, Set.of()));
        assertEquals(Release.FREED, release);
        assertEquals("2@" + nanos + " 1", Timeline.places(row));
    }

    @Test
    void withinTheBoundALocalThreadGoesFirstAlthoughOthersWait() {
        locks(1);
        locks(2);
        assertEquals(Release.PASSED, apply(release(1, grant(), new Successor(77, "next", 0, 0), true, Set.of())));
        assertEquals("2", Timeline.places(row));
    }

    @Test
    void aLateReleaseNeverFreesTheSuccessor() {
        locks(1);
        long grant = grant();
        unlocks(1);
        locks(2);
        State before = row;
        assertEquals(Release.LOST, apply(release(1, grant, null, false, Set.of())));
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
        apply(Turns.settle(row, 1, grant -> 0, false, now()));
        assertEquals(0, session());
        assertEquals("2@" + nanos, Timeline.places(row));
        apply(Turns.settle(row, 2, grant -> 1, false, now()));
        assertEquals("", Timeline.places(row));
    }

    @Test
    void settlingLeavesAKnownGrantAndAPlaceThatIsNeeded() {
        locks(1);
        locks(2);
        State before = row;
        assertFalse(Turns.settle(row, 1, grant -> 1, false, now()).changes(before));
        assertFalse(Turns.settle(row, 2, grant -> 1, true, now()).changes(before));
    }

    @Test
    void aWaiterThatGivesUpItsReservedTurnNamesTheNext() {
        locks(1);
        locks(2);
        locks(3);
        unlocks(1);
        Decision<Boolean> leave = Turns.settle(row, 2, grant -> 0, false, now());
        apply(leave);
        assertEquals("3@" + nanos, Timeline.places(row));
        assertEquals(java.util.List.of(Turns.bell("a", 3)), leave.rings());
    }

    @Test
    void forcingNeedsTheToken() {
        locks(1);
        assertFalse(apply(Turns.forceRelease(row, row.token() + 1, now())));
        assertEquals(1, session());
        assertTrue(apply(Turns.forceRelease(row, row.token(), now())));
        assertEquals(0, session());
        assertFalse(apply(Turns.forceRelease(row, row.token(), now())), "free already");
    }

    @Test
    void theNotationOfTheLineReadsBackAsItWasWritten() {
        String text = "123@98000 456x3 789~ 1x2@5 2x7~ 8x2@9;10;a%20%3B%25~ 9~;11;@";
        assertEquals(text, Line.parse(text).toString());
        assertEquals("", Line.parse("").toString());
    }

    private Decision<Boolean> takesUnawaited(long session, Set<Long> dead) {
        Asker asker = new Asker(session, ++nextGrant, "t" + session, 1, 0, false, token -> false, grant -> 0, 0);
        return Turns.acquireUnawaited(row, asker, dead, now());
    }

    @Test
    void whoTakesSeveralNamesOvertakesNobodyAndWritesNothingUntilItGetsThem() {
        locks(1);
        locks(2);
        assertFalse(takesUnawaited(3, Set.of()).changes(row), "held");
        unlocks(1);
        assertFalse(takesUnawaited(3, Set.of()).changes(row), "reserved for 2");
        pass(51);
        assertTrue(takesUnawaited(3, Set.of()).result(), "2 has let its turn lapse");
        pass(-51);
        assertTrue(takesUnawaited(3, Set.of(2L)).result(), "2 is dead");
        assertTrue(tries(2));
        unlocks(2);
        assertTrue(apply(takesUnawaited(3, Set.of())));
        assertEquals(3, session());
    }

    @Test
    void whoTakesSeveralNamesDoesNotTakeTheTurnOfAnotherThreadOfItsProcess() {
        locks(1);
        locks(2);
        locks(3);
        unlocks(1);
        assertFalse(takesUnawaited(2, Set.of()).result(), "3 waits behind the place of its own process");
        assertTrue(tries(2));
        assertTrue(Timeline.places(row).contains("3"));
    }

    @Test
    void whoTakesSeveralNamesLeavesASignalledWaiterOfItsProcessItsTurn() {
        locks(1);
        long grant = grant();
        apply(Turns.release(
                row, 1, Map.of(grant, 1L), null, false, new Turns.Awaiting("c", 7, "main"), Set.of(), now()));
        assertTrue(takesUnawaited(1, Set.of()).result(), "it waits for a condition, not for the lock");
        locks(2);
        apply(Turns.signal(row, 2, grant(), "c", false, Set.of(), now()));
        unlocks(2);
        assertFalse(takesUnawaited(1, Set.of()).result());
    }

    @Test
    void aProcessWhoseThreadsWaitTakesItsPlaceInTheLineWhenItReleasesWithoutPassing() {
        locks(1);
        locks(2);
        Release released = apply(Turns.releaseToLine(row, 1, grant(), 1, "main", Set.of(), now()));
        assertEquals(Release.FREED, released);
        assertTrue(Timeline.places(row).startsWith("2@"), Timeline.places(row));
        assertTrue(Timeline.places(row).endsWith(" 1"), Timeline.places(row));
        assertFalse(Turns.releaseToLine(row, 1, 99, 1, "main", Set.of(), now()).changes(row), "it was lost before");
    }
}

package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.coordination.resilience4j.BreakerState.Actor;
import dev.latchkey.coordination.resilience4j.BreakerState.Change;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Timelines of a breaker that stays open for 100 ns, twice as long with each attempt. */
final class BreakerStateTest {
    private static final Change OPENED = new Change(State.CLOSED, State.OPEN);
    private static final Change REOPENED = new Change(State.HALF_OPEN, State.OPEN);
    private static final Change CLOSED = new Change(State.HALF_OPEN, State.CLOSED);

    private dev.latchkey.cache.spi.State row = dev.latchkey.cache.spi.State.absent(BreakerState.KIND, "a", 0);
    private final Set<Long> dead = new HashSet<>();
    private long now = 1000;
    private String boot = "b1";

    private Actor member(long session) {
        return new Actor(session + ".1", now, boot, dead::contains);
    }

    private BreakerState apply(Decision<BreakerState> decision) {
        if (decision.changes(row)) {
            row = decision.next().withVersion(row.version() + 1);
        }
        return decision.result();
    }

    private BreakerState changed(long session, Change change, int quorum) {
        return apply(BreakerState.changed(row, change, quorum, attempts -> 100L << (attempts - 1), member(session)));
    }

    private BreakerState wanted(long session) {
        return apply(BreakerState.wanted(row, member(session)));
    }

    @Test
    void theDeadHaveNoVotes() {
        assertEquals(State.CLOSED, changed(1, OPENED, 2).state());
        dead.add(1L);
        assertEquals(Set.of("2.1"), changed(2, OPENED, 2).votes());
        assertEquals(State.OPEN, changed(3, OPENED, 2).state());
    }

    @Test
    void oneMemberHasOneVote() {
        changed(1, OPENED, 2);
        assertEquals(State.CLOSED, changed(1, OPENED, 2).state());
        assertEquals(0, BreakerState.of(row).epoch(), "nobody follows a vote");
    }

    @Test
    void oneProbesWhenTheTimeIsOverAndAnotherWhenThatIsDead() {
        changed(1, OPENED, 1);
        now += 99;
        assertEquals(State.OPEN, wanted(2).state());
        now += 1;
        assertEquals("2.1", wanted(2).prober());
        assertTrue(wanted(3).wished());
        assertEquals("2.1", wanted(3).prober());
        dead.add(2L);
        assertEquals("3.1", wanted(3).prober());
        assertFalse(BreakerState.of(row).wished());
    }

    @Test
    void eachAttemptCountsUntilItIsClosed() {
        assertEquals(100, changed(1, OPENED, 1).leftNanos(member(1)));
        now += 100;
        wanted(1);
        assertEquals(200, changed(1, REOPENED, 1).leftNanos(member(1)));
        now += 200;
        wanted(1);
        assertEquals(State.CLOSED, changed(1, CLOSED, 1).state());
        assertEquals(100, changed(1, OPENED, 1).leftNanos(member(1)));
    }

    @Test
    void onlyTheProberOpensWhatIsHalfOpen() {
        changed(1, OPENED, 1);
        now += 100;
        wanted(1);
        long epoch = BreakerState.of(row).epoch();
        assertEquals(epoch, changed(2, OPENED, 1).epoch());
        assertEquals(epoch + 1, changed(1, REOPENED, 1).epoch());
    }

    @Test
    void whoeverLeavesProbesAndVotesNoMore() {
        changed(1, OPENED, 2);
        assertEquals(Set.of(), apply(BreakerState.left(row, member(1))).votes());
        changed(1, OPENED, 1);
        now += 100;
        wanted(1);
        BreakerState open = apply(BreakerState.left(row, member(1)));
        assertEquals(State.OPEN, open.state());
        assertEquals(0, open.leftNanos(member(2)));
        assertEquals("2.1", wanted(2).prober());
    }

    @Test
    void callsDoNotUndoWhatAnOperatorWants() {
        changed(1, new Change(State.CLOSED, State.FORCED_OPEN), 1);
        assertEquals(State.FORCED_OPEN, changed(2, OPENED, 1).state());
        assertEquals(State.FORCED_OPEN, changed(2, CLOSED, 1).state());
        assertEquals(State.FORCED_OPEN, wanted(2).state());
        assertEquals(
                State.CLOSED,
                changed(2, new Change(State.FORCED_OPEN, State.CLOSED), 1).state());
    }

    @Test
    void afterABootItsTimeIsOver() {
        changed(1, OPENED, 1);
        boot = "b2";
        assertEquals(State.HALF_OPEN, wanted(2).state());
    }
}

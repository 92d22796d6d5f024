package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.Turns.Moment;
import dev.latchkey.coordination.Turns.Release;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The rules of leases as timelines. */
class LeaseTurnsTest {
    private final Timeline time = new Timeline(Kind.LOCK);

    private boolean renews(long session, long grant, long millis) {
        long until = time.nanos + TimeUnit.MILLISECONDS.toNanos(millis);
        return time.apply(Turns.renew(time.row, session, grant, until, time.now()));
    }

    @Test
    void aLeaseThatIsOverIsTheNextOnes() {
        time.leases(1, 100);
        assertEquals(0, time.locks(2));
        time.pass(99);
        assertEquals(0, time.locks(2));
        time.pass(1);
        assertNotEquals(0, time.locks(2));
        assertEquals(List.of(2L), time.holders());
    }

    @Test
    void aLateReleaseTakesNothingFromTheNext() {
        long late = time.leases(1, 100);
        time.locks(2);
        time.pass(100);
        time.locks(2);
        State before = time.row;
        assertEquals(Release.LOST, time.frees(1, late));
        assertEquals(before, time.row);
    }

    @Test
    void anEndedLeaseGoesToTheFirstInLineOnly() {
        time.leases(1, 100);
        time.locks(2);
        time.locks(3);
        time.pass(100);
        assertEquals(0, time.locks(3));
        assertEquals("2@" + time.nanos + " 3", time.line());
        assertNotEquals(0, time.locks(2));
    }

    @Test
    void renewingSetsAnotherEndCountedFromNow() {
        long grant = time.leases(1, 100);
        time.pass(90);
        assertTrue(renews(1, grant, 100));
        time.pass(99);
        assertEquals(0, time.locks(2));
        time.pass(1);
        assertNotEquals(0, time.locks(2));
    }

    @Test
    void aLeaseMayBeMadeShorter() {
        long grant = time.leases(1, 100);
        assertTrue(renews(1, grant, 10));
        time.pass(10);
        assertNotEquals(0, time.locks(2));
    }

    @Test
    void whatIsOverCannotBeRenewedAlthoughNobodyTookIt() {
        long grant = time.leases(1, 100);
        time.pass(100);
        State before = time.row;
        assertFalse(renews(1, grant, 100));
        assertEquals(before, time.row);
    }

    @Test
    void anotherGrantOfTheSameSessionIsNotRenewed() {
        long grant = time.leases(1, 100);
        time.frees(1, grant);
        time.leases(1, 100);
        assertFalse(renews(1, grant, 1000));
    }

    @Test
    void theWallClockChangesNothing() {
        time.leases(1, 100);
        time.locks(2);
        State before = time.row;
        long hour = TimeUnit.HOURS.toMillis(1);
        for (long wallMillis : List.of(5000 - hour, 5000 + hour, 0L, Long.MAX_VALUE)) {
            assertFalse(Turns.look(before, java.util.Set.of(), new Moment(time.nanos, wallMillis))
                    .changes(before));
        }
    }

    @Test
    void aLeaseHoldsOverTheEndOfTheHostClocksRange() {
        time.nanos = Long.MAX_VALUE - TimeUnit.MILLISECONDS.toNanos(50);
        time.leases(1, 100);
        assertEquals(0, time.locks(2));
        time.pass(99);
        assertEquals(0, time.locks(2));
        time.pass(1);
        assertNotEquals(0, time.locks(2));
    }
}

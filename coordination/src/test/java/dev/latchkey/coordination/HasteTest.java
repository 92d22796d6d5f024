package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whom a process wakes that takes a lock again and again while another one waits; time passes only where a test says so. */
class HasteTest {
    private final MemoryEngine.Disk disk = new MemoryEngine.Disk();
    private final Participant hasty = new Participant(disk, Kind.LOCK);
    private final Participant other = new Participant(disk, Kind.LOCK);
    private Grant held;
    private int rung;

    @BeforeEach
    void takeItTwiceAndLetAnotherWait() {
        hasty.release(hasty.tryToTake());
        held = take();
        assertNull(other.ask());
        rung = disk.seen();
    }

    private Grant take() {
        Grant grant = hasty.tryToTake();
        assertNotNull(grant);
        return grant;
    }

    private void assertRung(int times) {
        assertEquals(times, disk.seen() - rung);
    }

    @Test
    void nobodyIsWokenInVain() {
        hasty.release(held);
        held = take();
        hasty.engine.runAllScheduled();
        assertRung(0);
    }

    @Test
    void whoeverDoesNotTakeItAgainWakesTheNextAMomentLater() {
        hasty.release(held);
        assertRung(0);
        hasty.engine.runAllScheduled();
        assertRung(1);
        assertEquals(other.bell(), disk.rung());
    }

    @Test
    void theNextIsWokenAtOnceWhenTheBoundIsReached() {
        int grants = 1;
        Grant again = held;
        while (again != null) {
            assertRung(0);
            hasty.release(again);
            again = hasty.tryToTake();
            grants += again == null ? 0 : 1;
        }
        assertRung(1);
        assertEquals(16, grants);
    }

    @Test
    void whoeverHasNotHurriedBeforeWakesTheNextAtOnce() {
        hasty.release(held);
        hasty.engine.runAllScheduled();
        Grant one = other.ask();
        assertNotNull(one);
        assertNull(hasty.ask());
        rung = disk.seen();
        other.release(one);
        assertRung(1);
    }

    @Test
    void whoeverHasAskedAtOnceWakesNobodyInVainWhenItsTurnHasCome() {
        Grant again = held;
        while (again != null) {
            hasty.release(again);
            again = hasty.tryToTake();
        }
        assertNull(hasty.ask());
        Grant one = other.ask();
        assertNotNull(one);
        assertNull(new Participant(disk, Kind.LOCK).ask());
        other.release(one);
        held = hasty.ask();
        assertNotNull(held);
        rung = disk.seen();
        hasty.release(held);
        held = take();
        hasty.engine.runAllScheduled();
        assertRung(0);
    }

    @Test
    void whoeverIsNotGrantedItAgainWakesTheNextAtOnce() {
        hasty.engine.pass(TimeUnit.MICROSECONDS.toNanos(850));
        hasty.release(held);
        assertRung(0);
        hasty.engine.pass(TimeUnit.MICROSECONDS.toNanos(150)); // the longest row of grants is over
        assertNull(hasty.tryToTake());
        assertRung(1);
        hasty.engine.runAllScheduled();
        assertRung(1);
    }

    @Test
    void whoeverHasWokenTheNextOwesItNothing() {
        hasty.release(held);
        held = take();
        hasty.engine.pass(TimeUnit.MILLISECONDS.toNanos(1));
        hasty.release(held);
        assertRung(1);
        hasty.engine.runAllScheduled();
        assertRung(1);
    }

    @Test
    void aSlowDatabaseIsNoLackOfHaste() {
        hasty.engine.writeFor(TimeUnit.MICROSECONDS.toNanos(100));
        hasty.release(held);
        held = take();
        hasty.release(held);
        assertRung(0);
    }

    @Test
    void whoeverAsksAMomentLaterWakesTheNextAtOnce() {
        hasty.release(held);
        hasty.engine.pass(TimeUnit.MICROSECONDS.toNanos(100));
        held = take();
        assertRung(0);
        hasty.release(held);
        assertRung(1);
    }

    @Test
    void whoeverClosesTheEngineInHasteWakesTheNextFirst() throws Exception {
        hasty.release(held);
        assertRung(0);
        hasty.engine.close();
        assertRung(1);
    }

    @Test
    void anotherThreadThatIsRefusedIsNoLackOfHaste() {
        hasty.release(held);
        held = take();
        hasty.engine.pass(TimeUnit.MICROSECONDS.toNanos(100));
        assertNull(hasty.tryToTake());
        hasty.release(held);
        assertRung(0);
    }

    /** Whoever waits for several names stands in no line; it sleeps on the name itself. */
    @Test
    void whoeverStandsInNoLineIsWokenAtOnce() {
        other.cohort.close();
        rung = disk.seen();
        hasty.release(held);
        assertRung(1);
        assertEquals("a", disk.rung());
    }

    @Test
    void whoeverClosesWhileAThreadReleasesInHasteWakesTheNextFirst() {
        hasty.engine.afterNextCommit(() -> {
            hasty.engine.pass(TimeUnit.MILLISECONDS.toNanos(1));
            hasty.cohort.close();
        });
        hasty.cohort.release(held);
        assertTrue(disk.seen() > rung + 2, "only what closing itself rings");
    }

    @Test
    void whoeverClosesInHasteWakesTheNextFirst() {
        hasty.release(held);
        hasty.cohort.close();
        assertTrue(disk.seen() > rung + 2, "only what closing itself rings");
    }
}

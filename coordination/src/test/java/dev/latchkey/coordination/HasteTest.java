package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Deadline;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whom a process wakes that takes a lock again and again while another one waits; time passes only where a test says so. */
class HasteTest {
    private final MemoryEngine.Disk disk = new MemoryEngine.Disk();
    private final MemoryEngine engine = new MemoryEngine(disk, false);
    private final MemoryEngine otherEngine = new MemoryEngine(disk, false);
    private final Cohort hasty = Cohorts.of(engine).cohort(Kind.LOCK, "a");
    private final Cohort other = new Cohort(otherEngine, Kind.LOCK, "a", Cohorts.of(otherEngine));
    private Grant held;
    private int rung;

    @BeforeEach
    void takeItTwiceAndLetAnotherWait() {
        assertTrue(hasty.release(take()));
        held = take();
        wait(other, otherEngine);
        rung = disk.seen();
    }

    private Grant take() {
        Grant grant = tryToTake();
        assertNotNull(grant);
        return grant;
    }

    private @Nullable Grant tryToTake() {
        return hasty.tryAcquire(Want.ofHandle(1, 0));
    }

    private static void wait(Cohort cohort, MemoryEngine ofCohort) {
        Deadline never = Deadline.never();
        assertNull(cohort.attempt(new Waiter(Want.ofHandle(1, 0)), ofCohort.self(never), true, never));
    }

    private void assertRung(int times) {
        assertEquals(times, disk.seen() - rung);
    }

    @Test
    void nobodyIsWokenInVain() {
        hasty.release(held);
        held = take();
        engine.runAllScheduled();
        assertRung(0);
    }

    @Test
    void whoeverDoesNotTakeItAgainWakesTheNextAMomentLater() {
        hasty.release(held);
        assertRung(0);
        engine.runAllScheduled();
        assertRung(1);
    }

    @Test
    void theNextIsWokenAtOnceWhenTheBoundIsReached() {
        int grants = 1;
        Grant again = held;
        while (again != null) {
            assertRung(0);
            hasty.release(again);
            again = tryToTake();
            grants += again == null ? 0 : 1;
        }
        assertRung(1);
        assertEquals(16, grants);
    }

    @Test
    void whoeverHasNotHurriedBeforeWakesTheNextAtOnce() {
        hasty.release(held);
        engine.runAllScheduled();
        Deadline never = Deadline.never();
        Grant one = other.attempt(new Waiter(Want.ofHandle(1, 0)), otherEngine.self(never), true, never);
        assertNotNull(one);
        wait(hasty, engine);
        rung = disk.seen();
        other.release(one);
        assertRung(1);
    }

    @Test
    void whoeverHasAskedAtOnceWakesNobodyInVainWhenItsTurnHasCome() {
        Grant again = held;
        while (again != null) {
            hasty.release(again);
            again = tryToTake();
        }
        Deadline never = Deadline.never();
        wait(hasty, engine);
        Grant one = other.attempt(new Waiter(Want.ofHandle(1, 0)), otherEngine.self(never), true, never);
        assertNotNull(one);
        MemoryEngine thirdEngine = new MemoryEngine(disk, false);
        wait(new Cohort(thirdEngine, Kind.LOCK, "a", Cohorts.of(thirdEngine)), thirdEngine);
        other.release(one);
        held = hasty.attempt(new Waiter(Want.ofHandle(1, 0)), engine.self(never), true, never);
        assertNotNull(held);
        rung = disk.seen();
        hasty.release(held);
        held = take();
        engine.runAllScheduled();
        assertRung(0);
    }

    @Test
    void whoeverIsNotGrantedItAgainWakesTheNextAtOnce() {
        engine.pass(TimeUnit.MICROSECONDS.toNanos(850));
        hasty.release(held);
        assertRung(0);
        engine.pass(TimeUnit.MICROSECONDS.toNanos(150)); // the longest row of grants is over
        assertNull(tryToTake());
        assertRung(1);
        engine.runAllScheduled();
        assertRung(1);
    }

    @Test
    void whoeverHasWokenTheNextOwesItNothing() {
        hasty.release(held);
        held = take();
        engine.pass(TimeUnit.MILLISECONDS.toNanos(1));
        hasty.release(held);
        assertRung(1);
        engine.runAllScheduled();
        assertRung(1);
    }

    @Test
    void aSlowDatabaseIsNoLackOfHaste() {
        engine.writeFor(TimeUnit.MICROSECONDS.toNanos(100));
        hasty.release(held);
        held = take();
        hasty.release(held);
        assertRung(0);
    }

    @Test
    void whoeverAsksAMomentLaterWakesTheNextAtOnce() {
        hasty.release(held);
        engine.pass(TimeUnit.MICROSECONDS.toNanos(100));
        held = take();
        assertRung(0);
        hasty.release(held);
        assertRung(1);
    }

    @Test
    void whoeverClosesTheEngineInHasteWakesTheNextFirst() throws Exception {
        hasty.release(held);
        assertRung(0);
        engine.close();
        assertRung(1);
    }

    @Test
    void anotherThreadThatIsRefusedIsNoLackOfHaste() {
        hasty.release(held);
        held = take();
        engine.pass(TimeUnit.MICROSECONDS.toNanos(100));
        assertNull(tryToTake());
        hasty.release(held);
        assertRung(0);
    }

    /** Whoever waits for several names stands in no line; it sleeps on the name itself. */
    @Test
    void whoeverStandsInNoLineIsWokenAtOnce() {
        other.close();
        rung = disk.seen();
        hasty.release(held);
        assertRung(1);
    }

    @Test
    void whoeverClosesInHasteWakesTheNextFirst() {
        hasty.release(held);
        hasty.close();
        assertTrue(disk.seen() > rung + 2, "only what closing itself rings");
    }
}

package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

/** How long a process looks after whom it has named as the next; no time passes here. */
class KeeperTest {
    private final MemoryEngine.Disk disk = new MemoryEngine.Disk();

    private final Participant first = new Participant(disk, Kind.LOCK);
    private final Participant second = new Participant(disk, Kind.LOCK);
    private final Participant third = new Participant(disk, Kind.LOCK);

    private void releaseToTheSecondWhileTheThirdWaits() {
        Grant held = first.ask();
        assertNull(second.ask());
        assertNull(third.ask());
        first.release(held);
    }

    @Test
    void itLooksUntilTheTurnHasLapsedIfTheOneWhomItHasNamedDoesNotCome() {
        releaseToTheSecondWhileTheThirdWaits();
        assertEquals(Keeper.LOOKS, first.scheduled());
    }

    @Test
    void itLooksOnceIfTheOneWhomItHasNamedHasCome() {
        releaseToTheSecondWhileTheThirdWaits();
        assertNotNull(second.ask());
        assertEquals(1, first.scheduled());
    }

    @Test
    void whoeverNamesAnotherLooksAfterThatOne() {
        releaseToTheSecondWhileTheThirdWaits();
        second.release(second.ask());
        assertEquals(1, first.scheduled());
        assertEquals(Keeper.LOOKS, second.scheduled());
    }

    /** The transition of one who takes nothing may name somebody. */
    @Test
    void whoeverNamesAnotherWithoutBeingGrantedItLooksAfterThatOne() {
        releaseToTheSecondWhileTheThirdWaits();
        second.die(disk);
        Participant fourth = new Participant(disk, Kind.LOCK);
        assertNull(fourth.ask());
        assertEquals(Keeper.LOOKS, fourth.scheduled());
        assertEquals(1, first.scheduled());
    }

    @Test
    void whoeverLeavesEnoughForTheNextLooksAfterThatOne() {
        Participant large = new Participant(disk, Kind.READ_WRITE);
        Participant small = new Participant(disk, Kind.READ_WRITE);
        Participant last = new Participant(disk, Kind.READ_WRITE);
        Grant held = large.ask(Integer.MAX_VALUE);
        assertNull(small.ask());
        assertNull(last.ask());
        large.release(held);
        assertNotNull(small.ask());
        assertEquals(Keeper.LOOKS, small.scheduled());
    }

    @Test
    void ifTheOneWhomItHasNamedIsDeadItNamesTheNextAndLooksAfterThatOne() {
        releaseToTheSecondWhileTheThirdWaits();
        second.die(disk);
        assertEquals(1 + Keeper.LOOKS, first.scheduled());
        assertNotNull(third.ask());
    }
}

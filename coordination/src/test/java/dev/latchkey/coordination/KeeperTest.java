package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Deadline;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** How long a process looks after whom it has named as the next; no time passes here. */
class KeeperTest {
    private static final int LOOKS = 5;

    private final MemoryEngine.Disk disk = new MemoryEngine.Disk();

    private final class Participant {
        final MemoryEngine engine = new MemoryEngine(disk, false);
        final Cohort cohort;

        Participant(Kind kind) {
            cohort = new Cohort(engine, kind, "a", Cohorts.of(engine));
        }

        @Nullable
        Grant ask() {
            return ask(1);
        }

        @Nullable
        Grant ask(long permits) {
            Deadline never = Deadline.never();
            return cohort.attempt(new Waiter(Want.ofHandle(permits, 0)), engine.self(never), true, never);
        }

        void release(@Nullable Grant grant) {
            assertNotNull(grant);
            assertTrue(cohort.release(grant));
        }

        int scheduled() {
            int tasks = 0;
            while (engine.runScheduled()) {
                tasks++;
            }
            return tasks;
        }
    }

    private final Participant first = new Participant(Kind.LOCK);
    private final Participant second = new Participant(Kind.LOCK);
    private final Participant third = new Participant(Kind.LOCK);

    private void releaseToTheSecondWhileTheThirdWaits() {
        Grant held = first.ask();
        assertNull(second.ask());
        assertNull(third.ask());
        first.release(held);
    }

    @Test
    void itLooksUntilTheTurnHasLapsedIfTheOneWhomItHasNamedDoesNotCome() {
        releaseToTheSecondWhileTheThirdWaits();
        assertEquals(LOOKS, first.scheduled());
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
        assertEquals(LOOKS, second.scheduled());
    }

    /** The transition of one who takes nothing may name somebody. */
    @Test
    void whoeverNamesAnotherWithoutBeingGrantedItLooksAfterThatOne() {
        releaseToTheSecondWhileTheThirdWaits();
        disk.bury(second.engine.self(Deadline.never()).id());
        Participant fourth = new Participant(Kind.LOCK);
        assertNull(fourth.ask());
        assertEquals(LOOKS, fourth.scheduled());
        assertEquals(1, first.scheduled());
    }

    @Test
    void whoeverLeavesEnoughForTheNextLooksAfterThatOne() {
        Participant large = new Participant(Kind.READ_WRITE);
        Participant small = new Participant(Kind.READ_WRITE);
        Participant last = new Participant(Kind.READ_WRITE);
        Grant held = large.ask(Integer.MAX_VALUE);
        assertNull(small.ask());
        assertNull(last.ask());
        large.release(held);
        assertNotNull(small.ask());
        assertEquals(LOOKS, small.scheduled());
    }

    @Test
    void ifTheOneWhomItHasNamedIsDeadItNamesTheNextAndLooksAfterThatOne() {
        releaseToTheSecondWhileTheThirdWaits();
        disk.bury(second.engine.self(Deadline.never()).id());
        assertEquals(1 + LOOKS, first.scheduled());
        assertNotNull(third.ask());
    }
}

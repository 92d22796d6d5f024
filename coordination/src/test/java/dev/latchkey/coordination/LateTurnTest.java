package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Many processes wait for a lock, and the one whose turn it is does not come. */
class LateTurnTest {
    private final MemoryEngine.Disk disk = new MemoryEngine.Disk();
    private final Participant holder = new Participant(disk, Kind.LOCK);
    private final List<Participant> line = new ArrayList<>();
    private State released;

    @BeforeEach
    void nameTheFirstOfTwelve() {
        Grant held = holder.ask();
        for (int i = 0; i < 12; i++) {
            line.add(new Participant(disk, Kind.LOCK));
            assertNull(line.get(i).ask());
        }
        holder.release(held);
        released = stored();
        line.forEach(one -> assertNull(one == line.get(0) ? null : one.ask()));
        assertEquals(released, stored(), "those who look while there is time for it to come have nothing to write");
    }

    private State stored() {
        return holder.engine.states().read(Kind.LOCK.word(), "a", Deadline.never());
    }

    /** Counts from the front. */
    private boolean writes(int number) {
        State before = stored();
        assertNull(line.get(number).ask());
        return !stored().equals(before);
    }

    private void pass(long millis) {
        line.forEach(one -> one.engine.pass(TimeUnit.MILLISECONDS.toNanos(millis)));
    }

    /** If all did, they would keep busy the processors for which the one whose turn it is waits. */
    @Test
    void onlyThoseNearTheFrontSeeToIt() {
        pass(51);
        for (int i = 11; i > 4; i--) {
            assertFalse(writes(i), i + " has written");
        }
        assertTrue(writes(4), "those in front would have to wait");
        assertNotNull(line.get(1).ask(), "it was named");
    }

    @Test
    void thoseBehindSeeToItIfThoseInFrontAreStopped() {
        pass(99);
        assertFalse(writes(5));
        pass(2);
        assertFalse(writes(9));
        assertTrue(writes(5));
        pass(300);
        assertTrue(writes(11));
    }

    @Test
    void aDeathIsSeenByAll() {
        line.get(0).die(disk);
        assertTrue(writes(11));
        assertNotNull(line.get(1).ask(), "it was named");
    }

    @Test
    void theOneWhoseTurnItIsTakesIt() {
        assertNotNull(line.get(0).ask());
    }

    @Test
    void whoComesLateTakesItBeforeTheNextWhoWasNamed() {
        pass(51);
        assertTrue(writes(3));
        assertNotNull(line.get(0).ask());
        assertFalse(writes(1));
    }

    @Test
    void whoReleasedItMayTakeItAgainBeforeTheOneWhoIsNamed() {
        assertNotNull(holder.ask());
    }
}

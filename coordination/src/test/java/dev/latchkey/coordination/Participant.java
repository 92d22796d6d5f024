package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Deadline;
import org.jspecify.annotations.Nullable;

/** A process with one lock, all processes of a disk having the same; nothing in it happens of its own accord. */
final class Participant {
    private static final Deadline NEVER = Deadline.never();

    final MemoryEngine engine;
    final Cohort cohort;

    Participant(MemoryEngine.Disk disk, Kind kind) {
        engine = new MemoryEngine(disk, false);
        cohort = Cohorts.of(engine).cohort(kind, "a");
    }

    /** What it sleeps on while it stands in line. */
    String bell() {
        return Turns.bell("a", engine.self(NEVER).id());
    }

    /** Its session is over, as that of a killed process. */
    void die(MemoryEngine.Disk disk) {
        disk.bury(engine.self(NEVER).id());
    }

    /** Takes it, or stands in line. */
    @Nullable
    Grant ask() {
        return ask(1);
    }

    @Nullable
    Grant ask(long permits) {
        return cohort.attempt(new Waiter(Want.ofHandle(permits, 0)), engine.self(NEVER), true, NEVER);
    }

    /** Takes it, or does without. */
    @Nullable
    Grant tryToTake() {
        return cohort.tryAcquire(Want.ofHandle(1, 0));
    }

    void release(@Nullable Grant grant) {
        assertNotNull(grant);
        assertTrue(cohort.release(grant));
    }

    /** Does what it meant to do later, and says how many things that were. */
    int scheduled() {
        int tasks = 0;
        while (engine.runScheduled()) {
            tasks++;
        }
        return tasks;
    }
}

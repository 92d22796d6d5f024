package dev.latchkey.stress.check;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class HandOverTimesTest {
    private static HandOverTimes time(long millis, String name, long idle, boolean afterDeath) {
        return new HandOverTimes(millis * 1_000_000, name, idle * 1_000_000, afterDeath);
    }

    @Test
    void whatIsFreeIsIdleUntilAWaiterHasIt() {
        Run run = new Story()
                .held("w1", 10, 20, "a", 1)
                .ok("w2", 15, 23, "lock a lock -> 2")
                .ok("w2", 30, 31, "unlock a 2")
                .held("w3", 12, 40, "b", 1)
                .ok("w2", 33, 41, "lock b lock -> 2")
                .run();
        assertEquals(List.of(time(20, "a", 3, false), time(40, "b", 1, false)), HandOverTimes.of(run));
    }

    @Test
    void aHandOverAfterADeathIsTold() {
        Run run = new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .kill("w1", 20)
                .ok("w2", 15, 27, "lock a handle -> 2")
                .run();
        assertEquals(List.of(time(20, "a", 7, true)), HandOverTimes.of(run));
    }

    @Test
    void whoeverCameLaterDidNotWait() {
        Run run = new Story()
                .held("w1", 10, 20, "a", 1)
                .held("w2", 25, 30, "a", 2)
                .run();
        assertEquals(List.of(), HandOverTimes.of(run));
    }
}

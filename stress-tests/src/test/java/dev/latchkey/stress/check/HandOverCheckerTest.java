package dev.latchkey.stress.check;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class HandOverCheckerTest {
    private final Checker checker = new HandOver(Duration.ofMillis(100));

    @Test
    void anIdleLockForWhichNobodyWaitsIsFine() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .held("w2", 500, 510, "a", 2)
                .ok("w3", 400, 520, "lock a lock -> 3")
                .keeps(checker);
    }

    @Test
    void aQuickHandOverIsFine() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .ok("w2", 15, 119, "lock a lock -> 2")
                .keeps(checker);
    }

    @Test
    void aWaiterThatIsLeftWaitingForAFreeLockIsNoticed() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .ok("w2", 15, 200, "lock a lock -> 2")
                .breaks(checker, "a was idle for 180 ms");
    }

    @Test
    void aWaiterThatIsLeftWaitingForTheDeadIsNoticed() {
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .kill("w1", 20)
                .ok("w2", 15, 200, "lock a handle -> 2")
                .breaks(checker, "a was idle for 180 ms");
    }

    @Test
    void timeInWhichAnybodyWasStoppedDoesNotCount() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .ok("w2", 15, 200, "lock a lock -> 2")
                .stop("w3", 30, 130)
                .keeps(checker);
    }

    @Test
    void timeInWhichTheMachineStoodStillDoesNotCount() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .ok("w2", 15, 200, "lock a lock -> 2")
                .stall(30, 130)
                .keeps(checker);
        new Story()
                .held("w1", 10, 20, "a", 1)
                .ok("w2", 15, 200, "lock a lock -> 2")
                .stall(30, 40)
                .breaks(checker, "a was idle for 180 ms");
    }

    @Test
    void aWaiterThatWasKilledMeanwhileOrHasATimeOutDoesNotCount() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .unknown("w2", 15, "lock a lock")
                .kill("w2", 150)
                .fail("w3", 15, 199, "lock a tryFor")
                .held("w4", 200, 210, "a", 2)
                .keeps(checker);
    }

    @Test
    void theThreadsOfAFormerHolderMayWaitUntilItLearnsThatItWasForced() {
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .ok("w2", 20, 21, "force a 1")
                .ok("w1.t1", 15, 900, "lock a lock -> 2")
                .keeps(checker);
    }

    @Test
    void permitsAndReadLocksOfTheDeadAreHandedOver() {
        new Story()
                .ok("w1", 9, 10, "lock book*1/1000 lock -> 1")
                .kill("w1", 20)
                .ok("w2", 15, 119, "lock book*1000/1000 lock -> 2")
                .keeps(checker);
        new Story()
                .ok("w1", 9, 10, "lock book*1/1000 lock -> 1")
                .kill("w1", 20)
                .ok("w2", 15, 200, "lock book*1000/1000 lock -> 2")
                .breaks(checker, "book was idle for 180 ms");
        new Story()
                .held("w1", 10, 20, "seats*1/3", 1)
                .ok("w2", 15, 200, "lock seats*3/3 async -> 2")
                .breaks(checker, "seats was idle for 180 ms");
    }

    @Test
    void whileSomethingIsHeldAWaiterMayHaveToWait() {
        new Story()
                .held("w1", 10, 20, "seats*1/3", 1)
                .held("w3", 12, 180, "seats*1/3", 2)
                .ok("w2", 15, 200, "lock seats*3/3 async -> 3")
                .keeps(checker);
    }

    @Test
    void severalLocksAreHandedOverWhenAllAreFree() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .held("w3", 12, 150, "b", 1)
                .ok("w2", 15, 240, "lock a+b together -> 2+2")
                .keeps(checker);
        new Story()
                .held("w1", 10, 20, "a", 1)
                .held("w3", 12, 150, "b", 1)
                .ok("w2", 15, 260, "lock a+b together -> 2+2")
                .breaks(checker, "a+b was idle for 110 ms");
    }

    @Test
    void aLockIsFreeWhileItsHolderWaitsForACondition() {
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .ok("w1", 20, 900, "await a 1 full 300 -> timed_out 3")
                .ok("w2", 15, 200, "lock a lock -> 2")
                .breaks(checker, "a was idle for 180 ms");
    }

    @Test
    void theThreadsOfOneThatOutlivedItsLeaseMayWaitUntilItLearnsThat() {
        new Story()
                .ok("w1", 9, 10, "lock a lock 20 -> 1")
                .ok("w1.t1", 15, 900, "lock a lock -> 2")
                .keeps(checker);
    }
}

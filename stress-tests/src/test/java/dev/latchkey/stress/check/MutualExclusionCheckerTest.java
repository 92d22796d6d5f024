package dev.latchkey.stress.check;

import org.junit.jupiter.api.Test;

class MutualExclusionCheckerTest {
    private final Checker checker = new MutualExclusion();

    @Test
    void holdersInTurnAreFine() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .held("w2", 20, 30, "a", 2)
                .held("w1", 31, 40, "a", 3)
                .held("w2", 31, 40, "b", 1)
                .fail("w3", 12, 15, "lock a try")
                .keeps(checker);
    }

    @Test
    void twoHoldersAtOnceAreNoticed() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .held("w2", 19, 30, "a", 2)
                .breaks(checker, "a was held until 20000000 by w1.t0 lock[a, lock]");
    }

    @Test
    void aLongHolderIsRememberedBehindAShortOne() {
        new Story()
                .held("w1", 10, 50, "a", 1)
                .held("w2", 19, 20, "a", 2)
                .held("w3", 30, 40, "a", 3)
                .breaks(checker, "w2", "w3");
    }

    @Test
    void twoThreadsOfOneProcessExcludeEachOtherToo() {
        new Story().held("w1.t0", 10, 20, "a", 1).held("w1.t1", 15, 30, "a", 2).breaks(checker, "w1.t1");
    }

    @Test
    void aHandleMayBeClosedByAnotherThread() {
        new Story()
                .ok("w1.t0", 10, 11, "lock a handle -> 1")
                .ok("w1.t1", 20, 21, "unlock a 1")
                .held("w2", 20.5, 30, "a", 2)
                .keeps(checker);
    }

    @Test
    void theDeadHoldNothingFromTheKillOn() {
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .kill("w1", 15)
                .held("w2", 16, 20, "a", 2)
                .keeps(checker);
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .kill("w1", 15)
                .held("w2", 14, 20, "a", 2)
                .breaks(checker, "until 15000000");
    }

    @Test
    void aGrantMayReturnBetweenTheKillAndTheDeath() {
        new Story()
                .ok("w1", 10, 15.2, "lock a lock -> 1")
                .kill("w1", 15)
                .held("w2", 15.3, 20, "a", 2)
                .keeps(checker);
    }

    @Test
    void aProcessThatIsStoppedHoldsOn() {
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .stop("w1", 12, 500)
                .ok("w1", 501, 502, "unlock a 1")
                .held("w2", 300, 310, "a", 2)
                .breaks(checker, "until 501000000");
    }

    @Test
    void aForcedHolderMayGoOnWithoutTheLock() {
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .ok("w3", 12, 13, "force a 1")
                .held("w2", 12.5, 20, "a", 2)
                .fail("w1", 30, 31, "unlock a 1 -> lost")
                .keeps(checker);
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .kill("w3", 13)
                .unknown("w3", 12, "force a 1")
                .held("w2", 12.5, 20, "a", 2)
                .keeps(checker);
    }

    @Test
    void aForceThatWasRefusedFreesNothing() {
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .fail("w3", 12, 13, "force a 1")
                .held("w2", 15, 20, "a", 2)
                .ok("w1", 30, 31, "unlock a 1")
                .breaks(checker, "until 30000000");
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 2")
                .ok("w3", 12, 13, "force a 1")
                .ok("w3", 13.5, 14, "force b 2")
                .held("w2", 15, 20, "a", 3)
                .breaks(checker, "until the end");
    }

    @Test
    void closingTheLastCacheFreesTheLock() {
        new Story()
                .ok("w1", 1, 2, "open")
                .ok("w1", 3, 4, "open")
                .ok("w1", 10, 11, "lock a lock -> 1")
                .ok("w1", 12, 13, "close")
                .ok("w1", 14, 15, "close")
                .held("w2", 14.5, 20, "a", 2)
                .fail("w1", 16, 17, "unlock a 1 -> lost")
                .keeps(checker);
        new Story()
                .ok("w1", 1, 2, "open")
                .ok("w1", 3, 4, "open")
                .ok("w1", 10, 11, "lock a lock -> 1")
                .ok("w1", 12, 13, "close")
                .ok("w1", 15, 16, "close")
                .held("w2", 14.5, 20, "a", 2)
                .breaks(checker, "until 15000000");
    }

    @Test
    void aReleaseOfUnknownOutcomeEndsTheHold() {
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .unknown("w1", 12, "unlock a 1")
                .kill("w1", 15)
                .held("w2", 13, 20, "a", 2)
                .keeps(checker);
    }

    @Test
    void aLockThatIsLostForNoReasonIsNoticed() {
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .fail("w1", 12, 13, "unlock a 1 -> lost")
                .breaks(checker, "nobody forced it");
        new Story()
                .ok("w1", 10, 11, "lock a lock -> 1")
                .fail("w1", 12, 13, "unlock a 1 -> lost")
                .ok("w2", 14, 15, "force a 1")
                .breaks(checker, "nobody forced it");
    }

    @Test
    void readersHoldTogetherAndAWriterAlone() {
        new Story()
                .held("w1", 10, 20, "book*1/1000", 1)
                .held("w2", 12, 18, "book*1/1000", 2)
                .held("w3", 20, 30, "book*1000/1000", 3)
                .keeps(checker);
        new Story()
                .held("w1", 10, 20, "book*1/1000", 1)
                .held("w2", 12, 14, "book*1/1000", 2)
                .held("w3", 19, 30, "book*1000/1000", 3)
                .breaks(checker, "book was held until 20000000 by w1.t0");
        new Story()
                .held("w3", 10, 20, "book*1000/1000", 3)
                .held("w1", 19, 30, "book*1/1000", 4)
                .breaks(checker, "by w3.t0");
    }

    @Test
    void whoWritesMayReadAsWell() {
        new Story()
                .ok("w1", 9, 10, "lock book*1000/1000 lock -> 1")
                .ok("w1", 11, 12, "lock book*1/1000 downgrade -> 2")
                .ok("w1", 20, 21, "unlock book*1000/1000 1")
                .held("w2", 22, 29, "book*1/1000", 3)
                .ok("w1", 30, 31, "unlock book*1/1000 2")
                .keeps(checker);
        new Story()
                .ok("w1", 9, 10, "lock book*1000/1000 lock -> 1")
                .ok("w2", 11, 12, "lock book*1/1000 downgrade -> 2")
                .breaks(checker, "book was held");
    }

    @Test
    void noMorePermitsAreHeldThanThereAre() {
        new Story()
                .held("w1", 10, 20, "seats*2/3", 1)
                .held("w2", 12, 18, "seats*1/3", -1)
                .held("w3", 18, 19, "seats*1/3", 3)
                .keeps(checker);
        new Story()
                .held("w1", 10, 20, "seats*2/3", 1)
                .held("w2", 12, 18, "seats*1/3", -1)
                .held("w3", 17, 19, "seats*1/3", 3)
                .breaks(checker, "granted by w3.t0");
    }

    @Test
    void severalLocksAreHeldAtOnce() {
        new Story()
                .ok("w1", 9, 10, "lock a+b together -> 1+7")
                .held("w2", 12, 18, "c", 3)
                .ok("w1", 20, 21, "unlock a+b 1+7")
                .held("w2", 20, 22, "b", 8)
                .keeps(checker);
        new Story()
                .ok("w1", 9, 10, "lock a+b together -> 1+7")
                .held("w2", 12, 18, "b", 8)
                .ok("w1", 20, 21, "unlock a+b 1+7")
                .breaks(checker, "b was held until 20000000");
    }

    @Test
    void aLockIsHeldUntilTheWaitForAConditionAndAgainAfterIt() {
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .ok("w1", 12, 30, "await a 1 full 300 -> signalled 3")
                .held("w2", 13, 20, "a", 2)
                .ok("w1", 40, 41, "unlock a 3")
                .held("w2", 41, 50, "a", 4)
                .keeps(checker);
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .ok("w1", 12, 30, "await a 1 full 300 -> timed_out 3")
                .held("w2", 35, 50, "a", 4)
                .ok("w1", 40, 41, "unlock a 3")
                .breaks(checker, "until 40000000 by w1.t0 await");
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .ok("w1", 12, 30, "await a 1 full 300 -> timed_out 1")
                .held("w2", 13, 20, "a", 2)
                .ok("w1", 40, 41, "unlock a 1")
                .breaks(checker, "until 40000000 by w1.t0 lock");
    }

    /** The holder counts from when it asked, the others from when it was granted, which is not before. */
    @Test
    void aLeaseProtectsUntilItIsOver() {
        new Story()
                .ok("w1", 5, 10, "lock a lock 20 -> 1")
                .held("w2", 25, 30, "a", 2)
                .fail("w1", 40, 41, "unlock a 1 -> lost")
                .keeps(checker);
        new Story()
                .ok("w1", 5, 10, "lock a lock 20 -> 1")
                .held("w2", 24, 30, "a", 2)
                .fail("w1", 40, 41, "unlock a 1 -> lost")
                .breaks(checker, "until 25000000");
        new Story()
                .ok("w1", 5, 10, "lock a lock 20 -> 1")
                .fail("w1", 20, 24, "unlock a 1 -> lost")
                .breaks(checker, "nobody forced it");
    }

    @Test
    void onlyTheFirstTwentyAreTold() {
        Story story = new Story();
        for (int i = 0; i < 30; i++) {
            story.held("w" + i, 10, 20, "a", i);
        }
        String[] texts = java.util.stream.IntStream.range(0, 21)
                .mapToObj(i -> i < 20 ? "a was held" : "and 9 more")
                .toArray(String[]::new);
        story.breaks(checker, texts);
    }
}

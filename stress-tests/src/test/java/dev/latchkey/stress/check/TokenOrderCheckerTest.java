package dev.latchkey.stress.check;

import org.junit.jupiter.api.Test;

class TokenOrderCheckerTest {
    private final Checker checker = new TokenOrder();

    @Test
    void growingTokensAreFine() {
        new Story()
                .held("w1", 10, 20, "a", 1)
                .held("w2", 21, 30, "a", 2)
                .held("w1", 31, 40, "a", 1_000)
                .held("w3", 50, 60, "b", 1)
                .fail("w3", 51, 52, "lock a try")
                .keeps(checker);
    }

    @Test
    void aRepeatedTokenIsNoticed() {
        new Story()
                .ok("w1", 10, 20, "lock a lock -> 7")
                .ok("w2", 10, 20, "lock a lock -> 7")
                .breaks(checker, "the same token");
    }

    @Test
    void aSmallerTokenIsNoticed() {
        new Story().held("w1", 10, 20, "a", 8).held("w2", 21, 30, "a", 7).breaks(checker, "no greater token");
    }

    @Test
    void aSmallerTokenIsNoticedThoughTheWaitsOverlapped() {
        new Story()
                .ok("w1", 5, 10, "lock a lock -> 8")
                .ok("w1", 20, 21, "unlock a 8")
                .ok("w2", 6, 22, "lock a lock -> 7")
                .breaks(checker, "no greater token");
    }

    @Test
    void grantsThatReturnAtTheSameInstantHaveAnyOrder() {
        new Story()
                .ok("w1", 5, 10, "lock a lock -> 8")
                .ok("w2", 6, 10, "lock a lock -> 7")
                .keeps(checker);
    }

    @Test
    void aGrantForcedBeforeItReturnedMayReturnLate() {
        Story story = new Story()
                .ok("w1", 5, 100, "lock a lock -> 7")
                .stop("w1", 8, 99)
                .ok("w2", 20, 21, "force a 7")
                .held("w3", 25, 30, "a", 8);
        story.keeps(checker);
        story.held("w2", 101, 102, "a", 6).breaks(checker, "no greater token");
    }

    @Test
    void aTokenAfterAKillGrowsToo() {
        new Story()
                .ok("w1", 5, 10, "lock a lock -> 7")
                .kill("w1", 11)
                .held("w2", 15, 20, "a", 7)
                .breaks(checker, "the same token", "no greater token");
        new Story()
                .ok("w1", 5, 11.5, "lock a lock -> 7")
                .kill("w1", 11)
                .held("w2", 15, 20, "a", 9)
                .keeps(checker);
    }

    @Test
    void tokensOfReadersAndPermitsGrowToo() {
        new Story()
                .held("w1", 10, 20, "book*1/1000", 2)
                .held("w2", 12, 18, "book*1/1000", 3)
                .held("w3", 20, 30, "book*1000/1000", 4)
                .keeps(checker);
        new Story()
                .held("w1", 10, 20, "seats*1/3", 2)
                .held("w2", 12, 18, "seats*1/3", 2)
                .breaks(checker, "the same token", "no greater token");
        new Story()
                .ok("w1", 10, 20, "lock seats*1/3 lock -> 2")
                .ok("w2", 12, 18, "lock seats*1/3 lock -> 2")
                .breaks(checker, "the same token");
    }

    @Test
    void grantsThatCanBeHeldTogetherReturnInAnyOrder() {
        new Story()
                .ok("w1", 5, 20, "lock book*1/1000 lock -> 1")
                .ok("w2", 6, 10, "lock book*1/1000 lock -> 2")
                .keeps(checker);
        new Story()
                .ok("w1", 5, 20, "lock book*1000/1000 lock -> 1")
                .ok("w2", 6, 10, "lock book*1/1000 lock -> 2")
                .breaks(checker, "no greater token: w1.t0");
        new Story()
                .ok("w1", 5, 20, "lock seats*2/3 lock -> 1")
                .ok("w2", 6, 10, "lock seats*2/3 lock -> 2")
                .breaks(checker, "no greater token: w1.t0");
    }

    @Test
    void permitsWithoutATokenHaveNoOrder() {
        new Story()
                .held("w1", 10, 11, "seats*3/3", -1)
                .held("w2", 12, 18, "seats*3/3", -1)
                .keeps(checker);
    }

    @Test
    void whatIsHadAgainAfterAWaitForAConditionHasANewToken() {
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .ok("w1", 12, 30, "await a 1 full 300 -> signalled 3")
                .held("w2", 13, 20, "a", 2)
                .keeps(checker);
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .ok("w1", 12, 30, "await a 1 full 300 -> signalled 2")
                .held("w2", 13, 20, "a", 2)
                .breaks(checker, "the same token");
        new Story()
                .ok("w1", 9, 10, "lock a lock -> 1")
                .ok("w1", 12, 30, "await a 1 full 300 -> timed_out 1")
                .ok("w1", 31, 32, "unlock a 1")
                .keeps(checker);
    }

    @Test
    void eachOfSeveralLocksHasItsOwnTokens() {
        new Story()
                .ok("w1", 9, 10, "lock a+b together -> 5+1")
                .ok("w1", 11, 12, "unlock a+b 5+1")
                .ok("w1", 13, 14, "lock b+a together -> 2+6")
                .keeps(checker);
        new Story()
                .ok("w1", 9, 10, "lock a+b together -> 5+1")
                .ok("w1", 11, 12, "unlock a+b 5+1")
                .held("w2", 13, 14, "b", 1)
                .breaks(checker, "the same token", "no greater token");
    }

    @Test
    void aLeaseThatWasOverBeforeItReturnedMayReturnLate() {
        new Story()
                .ok("w1", 5, 100, "lock a lock 20 -> 7")
                .held("w3", 30, 35, "a", 8)
                .keeps(checker);
    }
}

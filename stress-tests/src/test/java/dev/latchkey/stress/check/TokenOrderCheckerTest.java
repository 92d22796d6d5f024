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
}

package dev.latchkey.stress.check;

import org.junit.jupiter.api.Test;

/** A latch that has to be counted down twice in each round. */
class LatchRoundsCheckerTest {
    private final Checker checker = new LatchRounds(2);

    /** A round that was counted down by ones that have returned. */
    private static Story opened() {
        return new Story().ok("w1", 10, 11, "count a p1").ok("w2", 12, 13, "count a p2");
    }

    @Test
    void roundsThatAreOpenedOneAfterTheOtherAreFine() {
        opened().ok("w3", 5, 14, "pass a")
                .ok("w3", 15, 16, "begin a")
                .fail("w4", 17, 18, "pass a -> busy")
                .ok("w1", 20, 21, "count a p1")
                .fail("w1", 21, 22, "count a p1 -> busy")
                .ok("w1", 23, 25, "count a p2")
                .ok("w4", 19, 25, "pass a")
                .keeps(checker);
    }

    @Test
    void whoPassesBeforeTheLatchIsOpenIsNoticed() {
        new Story()
                .ok("w1", 10, 11, "count a p1")
                .ok("w3", 5, 14, "pass a")
                .breaks(checker, "before the latch was open");
        opened().ok("w3", 5, 11.5, "pass a").breaks(checker, "before the latch was open");
        opened().ok("w3", 15, 16, "begin a").ok("w4", 17, 18, "pass a").breaks(checker, "before the latch was open");
    }

    @Test
    void whoAsksBeforeTheNextRoundHasBegunMayFindTheLastOneOpen() {
        opened().ok("w3", 15, 18, "begin a").ok("w4", 17, 30, "pass a").keeps(checker);
    }

    @Test
    void aRoundThatBeginsBeforeTheLastIsOverIsNoticed() {
        new Story().ok("w1", 10, 11, "count a p1").ok("w3", 12, 14, "begin a").breaks(checker, "was not over");
    }

    @Test
    void aParticipantThatIsCountedTwiceIsNoticed() {
        new Story()
                .ok("w1", 10, 11, "count a p1")
                .ok("w2", 12, 13, "count a p1")
                .breaks(checker, "counted twice in a round");
        opened().ok("w3", 15, 16, "begin a").ok("w2", 17, 18, "count a p1").keeps(checker);
    }

    @Test
    void whatTheKilledDidNobodyKnows() {
        new Story()
                .ok("w1", 10, 11, "count a p1")
                .unknown("w2", 12, "count a p2")
                .kill("w2", 13)
                .ok("w3", 5, 14, "pass a")
                .keeps(checker);
        opened().unknown("w3", 15, "begin a")
                .kill("w3", 16)
                .ok("w1", 17, 18, "count a p1")
                .fail("w4", 20, 21, "pass a -> busy")
                .keeps(checker);
    }

    @Test
    void anOpenLatchThatLetsNobodyThroughIsNoticed() {
        opened().fail("w4", 14, 300, "pass a -> busy").breaks(checker, "though the latch was open");
        opened().fail("w4", 12, 300, "pass a -> busy")
                .fail("w4", 301, 302, "pass a -> interrupted")
                .keeps(checker);
    }

    @Test
    void eachLatchHasItsOwnRounds() {
        opened().ok("w3", 15, 16, "pass b").breaks(checker, "pass[b]");
    }
}

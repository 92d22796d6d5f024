package dev.latchkey.stress.check;

import org.junit.jupiter.api.Test;

class SingleFlightCheckerTest {
    private final Checker checker = new SingleFlight();

    /** A call that computes the result. */
    private static Story computed(Story story, String who, double from, double to, int number) {
        return story.ok(who, from - 1, to + 1, "ask a -> " + number)
                .note(who, from, "computing a " + number)
                .note(who, to, "computed a " + number);
    }

    @Test
    void oneComputesAndTheOthersGetTheSame() {
        Story story = computed(new Story(), "w1", 10, 20, 7);
        computed(story.ok("w2", 12, 22, "ask a -> 7"), "w2", 40, 50, 8).keeps(checker);
    }

    @Test
    void twoComputationsAtATimeAreNoticed() {
        computed(computed(new Story(), "w1", 10, 20, 7), "w2", 15, 25, 8)
                .breaks(checker, "a was computed by w1 from 10000000, and by w2 from 15000000");
        computed(computed(new Story(), "w1.t1", 10, 40, 7), "w1.t2", 15, 18, 8).breaks(checker, "a was computed by w1");
    }

    @Test
    void eachResultHasItsOwnComputation() {
        computed(new Story(), "w1", 10, 20, 7)
                .ok("w2", 14, 26, "ask b -> 8")
                .note("w2", 15, "computing b 8")
                .note("w2", 25, "computed b 8")
                .keeps(checker);
    }

    @Test
    void whoeverIsKilledComputesNoLonger() {
        Story story = new Story()
                .unknown("w1", 9, "ask a")
                .note("w1", 10, "computing a 7")
                .kill("w1", 15);
        computed(story, "w2", 16, 20, 8).keeps(checker);
        story = new Story()
                .unknown("w1", 9, "ask a")
                .note("w1", 10, "computing a 7")
                .kill("w1", 15);
        computed(story, "w2", 14, 20, 8).breaks(checker, "a was computed by w1");
    }

    @Test
    void whatWasInvalidatedMayBeComputedAgainMeanwhile() {
        Story story = computed(new Story(), "w1", 10, 20, 7).ok("w3", 12, 13, "invalidate a");
        computed(story, "w2", 15, 25, 8).keeps(checker);
        story = computed(new Story(), "w1", 10, 20, 7).ok("w3", 17, 18, "invalidate a");
        computed(story, "w2", 15, 25, 8).breaks(checker, "a was computed by w1");
    }

    @Test
    void aResultThatNobodyComputedIsNoticed() {
        new Story().ok("w1", 10, 20, "ask a -> 7").breaks(checker, "it was never computed");
        computed(new Story().ok("w1", 10, 20, "ask a -> 7"), "w2", 30, 40, 7).breaks(checker, "it was never computed");
    }

    @Test
    void aResultThatWasInvalidatedIsNoticed() {
        computed(new Story(), "w1", 10, 20, 7)
                .ok("w3", 15, 16, "invalidate a")
                .ok("w2", 30, 31, "ask a -> 7")
                .breaks(checker, "it was invalidated, computed from 10000000: w2");
        computed(new Story(), "w1", 10, 20, 7)
                .ok("w3", 25, 26, "invalidate a")
                .ok("w2", 30, 31, "ask a -> 7")
                .breaks(checker, "it was invalidated");
    }

    @Test
    void whoAsksBeforeAnInvalidationIsOverMayGetTheOldResult() {
        computed(new Story(), "w1", 10, 20, 7)
                .ok("w3", 25, 35, "invalidate a")
                .ok("w2", 30, 31, "ask a -> 7")
                .keeps(checker);
    }

    @Test
    void whoAsksWhileAnotherThreadOfItsProcessHasTheResultMayShareIt() {
        computed(new Story(), "w1.t1", 10, 20, 7)
                .ok("w3", 15, 16, "invalidate a")
                .ok("w1.t2", 18, 22, "ask a -> 7")
                .keeps(checker);
        computed(new Story(), "w1", 10, 20, 7)
                .ok("w2.t1", 14, 40, "ask a -> 7")
                .ok("w3", 24, 26, "invalidate a")
                .ok("w2.t2", 30, 41, "ask a -> 7")
                .keeps(checker);
    }

    @Test
    void aComputationInTheBackgroundCounts() {
        Story story = new Story()
                .note("w1.latchkey-recompute", 10, "computing a 7")
                .note("w1.latchkey-recompute", 20, "computed a 7");
        computed(story, "w2", 15, 25, 8).breaks(checker, "a was computed by w1");
    }
}

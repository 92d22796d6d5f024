package dev.latchkey.stress.check;

import org.junit.jupiter.api.Test;

class PulledOnceCheckerTest {
    private final Checker drained = new PulledOnce(true);
    private final Checker brokenOff = new PulledOnce(false);

    /** Two items of one producer. */
    private static Story pushed() {
        return new Story()
                .ok("w1", 10, 11, "push in-order BACK 7 1 50")
                .ok("w1", 12, 13, "push in-order BACK 7 2 40000");
    }

    @Test
    void everyItemIsPulledOnceAndInOrder() {
        pushed().ok("w2", 14, 15, "pull in-order FRONT -> from-7 1")
                .fail("w3", 14, 15, "pull in-order FRONT")
                .ok("p3", 16, 17, "pull in-order FRONT -> from-7 2")
                .keeps(drained);
        pushed().ok("w2", 14, 20, "pull in-order FRONT -> from-7 1")
                .ok("p3", 16, 17, "pull in-order FRONT -> from-7 2")
                .keeps(drained);
    }

    @Test
    void anItemThatIsPulledTwiceIsNoticed() {
        pushed().ok("w2", 14, 20, "pull in-order FRONT -> from-7 1")
                .ok("p3", 15, 20, "pull in-order FRONT -> from-7 1")
                .breaks(brokenOff, "pulled by w2.t0 pull[in-order, FRONT]");
    }

    @Test
    void anItemThatNobodyPushedIsNoticed() {
        pushed().ok("w2", 14, 15, "pull in-order FRONT -> from-8 1")
                .ok("w2", 1, 9, "pull in-order FRONT -> from-7 1")
                .breaks(brokenOff, "not pushed before", "not pushed before");
    }

    @Test
    void anItemThatIsPulledLateIsNoticedWhereThereIsAnOrder() {
        pushed().ok("w2", 14, 15, "pull in-order FRONT -> from-7 2")
                .ok("p3", 16, 17, "pull in-order FRONT -> from-7 1")
                .breaks(drained, "though pushed before: p3.t0");
        new Story()
                .ok("w1", 10, 11, "push integers FRONT 7 1 50")
                .ok("w1", 12, 13, "push integers FRONT 7 2 50")
                .ok("w2", 14, 15, "pull integers FRONT -> from-7 2")
                .ok("w2", 16, 17, "pull integers FRONT -> from-7 1")
                .keeps(drained);
    }

    @Test
    void anItemIsLostOnlyWithItsTaker() {
        pushed().keeps(brokenOff);
        pushed().ok("w2", 14, 15, "pull in-order FRONT -> from-7 1")
                .unknown("w3", 16, "pull in-order FRONT")
                .kill("w3", 17)
                .keeps(drained);
        pushed().unknown("w3", 16, "pull in-order FRONT")
                .kill("w3", 17)
                .breaks(drained, "1 small and 1 large items are lost; pulls that were cut off: 1");
        pushed().unknown("w3", 16, "push in-order BACK 8 1 50")
                .kill("w3", 17)
                .breaks(drained, "pulls that were cut off: 0");
    }

    @Test
    void anItemWithAFileMayAlsoBeLostToPythonsOwnRepairs() {
        Story story = pushed().ok("w2", 14, 15, "pull in-order FRONT -> from-7 1");
        story.ok("p4", 14, 16, "fix -> 1").breaks(drained, "0 small and 1 large items are lost");
        story.fail("p5", 15, 17, "pull in-order FRONT").keeps(drained);
        pushed().ok("w2", 14, 15, "pull in-order FRONT -> from-7 2")
                .ok("p4", 14, 16, "fix -> 1")
                .fail("p5", 15, 17, "pull in-order FRONT")
                .breaks(drained, "1 small and 0 large items are lost");
    }
}

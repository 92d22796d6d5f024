package dev.latchkey.stress.check;

import org.junit.jupiter.api.Test;

class CapacityCheckerTest {
    private final Checker two = new Capacity("in-order", 2);

    /** Two items are there from 13 on. */
    private static Story full() {
        return new Story()
                .ok("w1", 10, 11, "push in-order BACK 7 1 50 waits")
                .ok("w1", 12, 13, "push in-order BACK 7 2 50 waits");
    }

    @Test
    void aQueueMayBeFullAndOthersMayBeLonger() {
        full().fail("w1", 14, 20, "push in-order BACK 7 3 50 waits")
                .ok("w2", 14, 15, "push integers BACK 7 4 50")
                .keeps(two);
    }

    @Test
    void oneItemMoreIsNoticed() {
        full().ok("w2", 14, 15, "push in-order BACK 8 1 50 waits").breaks(two, "at least 3 items, of at most 2");
    }

    @Test
    void anItemMayBeGoneAsSoonAsItsTakerHasBegunAndThereAsLateAsItsPushReturns() {
        full().ok("w2", 14, 20, "pull in-order FRONT waits -> from-7 1")
                .ok("w3", 15, 16, "push in-order BACK 8 1 50 waits")
                .keeps(two);
        full().unknown("w2", 14, "pull in-order FRONT waits")
                .ok("w3", 15, 16, "push in-order BACK 8 1 50 waits")
                .keeps(two);
        full().ok("w3", 9, 30, "push in-order BACK 8 1 50 waits")
                .ok("w2", 20, 21, "pull in-order FRONT waits -> from-7 1")
                .keeps(two);
    }

    @Test
    void whoeverFoundNothingHasTakenNothing() {
        full().fail("w2", 14, 15, "pull in-order FRONT waits")
                .ok("w3", 16, 17, "push in-order BACK 8 1 50 waits")
                .breaks(two, "at least 3 items, of at most 2");
    }
}

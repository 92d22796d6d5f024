package dev.latchkey.stress.check;

import org.junit.jupiter.api.Test;

class CapacityCheckerTest {
    private final Checker two = new Capacity("in-order", 2);

    /** Two items are there from 13 to 30. */
    private static Story full() {
        return new Story()
                .ok("w1", 10, 11, "push in-order BACK 7 1 50 waits")
                .ok("w1", 12, 13, "push in-order BACK 7 2 50 waits")
                .ok("w1", 30, 31, "pull in-order FRONT waits -> from-7 1")
                .ok("w1", 32, 33, "pull in-order FRONT waits -> from-7 2");
    }

    @Test
    void aQueueMayBeFullAndOthersMayBeLonger() {
        full().fail("w2", 14, 20, "push in-order BACK 8 1 50 waits")
                .ok("w3", 14, 15, "push integers BACK 9 1 50")
                .ok("w3", 40, 41, "pull integers BACK -> from-9 1")
                .keeps(two);
    }

    @Test
    void oneItemMoreIsNoticed() {
        full().ok("w2", 14, 15, "push in-order BACK 8 1 50 waits")
                .ok("w2", 40, 41, "pull in-order FRONT waits -> from-8 1")
                .breaks(two, "at least 3 items, of at most 2");
    }

    @Test
    void anItemMayBeGoneAsSoonAsItsTakerHasBegunAndThereAsLateAsItsPushReturns() {
        full().ok("w2", 14, 35, "push in-order BACK 8 1 50 waits")
                .ok("w3", 31.5, 41, "pull in-order FRONT waits -> from-8 1")
                .keeps(two);
        new Story()
                .ok("w1", 10, 11, "push in-order BACK 7 1 50 waits")
                .ok("w1", 12, 13, "push in-order BACK 7 2 50 waits")
                .ok("w3", 14, 40, "pull in-order FRONT waits -> from-7 1")
                .ok("w2", 15, 16, "push in-order BACK 8 1 50 waits")
                .ok("w1", 41, 42, "pull in-order FRONT waits -> from-7 2")
                .ok("w2", 43, 44, "pull in-order FRONT waits -> from-8 1")
                .keeps(two);
    }

    /** It may have been taken by one who was killed. */
    @Test
    void anItemThatNobodyIsKnownToHavePulledDoesNotCount() {
        full().ok("w2", 14, 15, "push in-order BACK 8 1 50 waits")
                .unknown("w3", 16, "pull in-order FRONT waits")
                .keeps(two);
    }
}

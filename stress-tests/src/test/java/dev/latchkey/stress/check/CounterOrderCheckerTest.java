package dev.latchkey.stress.check;

import java.util.Map;
import org.junit.jupiter.api.Test;

class CounterOrderCheckerTest {
    private final Checker checker = new CounterOrder();

    private static Story story(String stored) {
        return new Story().values(Map.of("c", stored));
    }

    @Test
    void incrementsThatOverlapHaveAnyOrder() {
        story("3")
                .ok("w1", 10, 20, "incr c 1 -> 2")
                .ok("w2", 11, 19, "incr c 1 -> 1")
                .ok("w2", 21, 22, "incr c 1 -> 3")
                .fail("w2", 23, 24, "incr c 1")
                .keeps(checker);
    }

    @Test
    void aValueGivenTwiceIsNoticed() {
        story("2")
                .ok("w1", 10, 20, "incr c 1 -> 2")
                .ok("w2", 11, 19, "incr c 1 -> 2")
                .breaks(checker, "the same value");
    }

    @Test
    void aValueThatGoesBackIsNoticed() {
        story("2")
                .ok("w1", 10, 20, "incr c 1 -> 2")
                .ok("w2", 21, 22, "incr c 1 -> 1")
                .breaks(checker, "no greater value");
    }

    @Test
    void aReadThatIsOlderThanWhatWasCountedBeforeIsNoticed() {
        story("2")
                .ok("w1", 10, 20, "incr c 1 -> 1")
                .ok("w1", 21, 30, "incr c 1 -> 2")
                .ok("w2", 25, 31, "get c -> 1")
                .ok("w2", 32, 33, "get c -> 2")
                .keeps(checker);
        story("2")
                .ok("w1", 10, 20, "incr c 1 -> 1")
                .ok("w1", 21, 30, "incr c 1 -> 2")
                .ok("w2", 31, 32, "get c -> 1")
                .breaks(checker, "an older value");
    }

    @Test
    void anUnknownIncrementMayHaveHappened() {
        for (String stored : new String[] {"1", "2"}) {
            story(stored)
                    .ok("w1", 10, 20, "incr c 1 -> 1")
                    .unknown("w2", 11, "incr c 1")
                    .kill("w2", 12)
                    .keeps(checker);
        }
        story("3")
                .ok("w1", 10, 20, "incr c 1 -> 1")
                .unknown("w2", 11, "incr c 1")
                .kill("w2", 12)
                .breaks(checker, "c is 3 after 1 increments, 1 of unknown outcome");
    }

    @Test
    void aLostIncrementIsNoticed() {
        story("1")
                .ok("w1", 10, 11, "incr c 1 -> 1")
                .ok("w1", 12, 13, "incr c 1 -> 2")
                .breaks(checker, "c is 1 after 2");
        story("1")
                .unknown("w2", 5, "incr c 1")
                .kill("w2", 6)
                .ok("w1", 12, 13, "incr c 1 -> 2")
                .breaks(checker, "2 as the greatest value");
    }

    @Test
    void anIncrementThatChangedNothingIsNoticed() {
        story("0").ok("w1", 10, 11, "incr c 1 -> 0").breaks(checker, "c is 0 after 1");
    }

    @Test
    void atTheSameInstantThereIsNoOrder() {
        story("2")
                .ok("w1", 10, 20, "incr c 1 -> 2")
                .ok("w2", 20, 21, "incr c 1 -> 1")
                .keeps(checker);
    }

    @Test
    void aCounterThatIsGoneOrNoNumberIsNoticed() {
        new Story().ok("w1", 10, 11, "incr c 1 -> 1").breaks(checker, "c is 0");
        story("damaged").ok("w1", 10, 11, "incr c 1 -> 1").breaks(checker, "c is damaged");
        new Story().unknown("w1", 10, "incr c 1").kill("w1", 11).keeps(checker);
    }
}

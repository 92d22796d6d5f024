package dev.latchkey.stress.check;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultsCheckerTest {
    private final Checker checker = new Results();

    private static Story story(int stored) {
        return new Story()
                .values(Map.of("results", Integer.toString(stored)))
                .ok("w1", 10, 11, "ack x-1 1 with_result")
                .ok("w1", 12, 13, "ack x-2 1")
                .fail("w1", 14, 15, "ack x-3 1 with_result")
                .unknown("w2", 16, "ack x-4 1 with_result");
    }

    @Test
    void thereAreAsManyResultsAsAcknowledgementsWithOne() {
        story(1).keeps(checker);
        story(2).keeps(checker);
    }

    @Test
    void aResultWithoutAcknowledgementAndTheOtherWayRoundAreNoticed() {
        story(0).breaks(checker, "0 results of 1 acknowledgements");
        story(3).breaks(checker, "3 results of 1 acknowledgements");
    }
}

package dev.latchkey.stress.check;

import dev.latchkey.stress.check.AdmissionRate.Rate;
import dev.latchkey.stress.check.Fault.Kind;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A permit comes every 10 ms. */
class ThroughputCheckerTest {
    private final Checker checker =
            new Throughput(Map.of("api", new Rate(100, Duration.ofSeconds(1), 1)), 0.9, Duration.ofMillis(300));

    /** Two threads of two processes that always wait and of which one is admitted every so many milliseconds, for a second. */
    private static Story everyMillis(double millis) {
        Story story = new Story();
        for (int i = 0; i * millis < 1_000; i++) {
            story.ok("w" + i % 3, (i - 2) * millis + 3_000, i * millis + 3_000 - 0.01, "permit api 1 wait");
        }
        return story;
    }

    @Test
    void nearlyTheRateIsFine() {
        everyMillis(10).keeps(checker);
        everyMillis(10.9).keeps(checker);
    }

    @Test
    void muchLessThanTheRateIsNoticed() {
        everyMillis(13).breaks(checker, "api admitted 7");
    }

    @Test
    void whereNobodyWaitsNothingIsExpected() {
        Story story = new Story();
        for (int i = 0; i < 20; i++) {
            story.ok("w1", 50 * i, 50 * i + 49, "permit api 1 wait");
        }
        story.keeps(checker);
    }

    @Test
    void whatAFaultDisturbsDoesNotCount() {
        everyMillis(13).stop("w9", 3_000, 3_900).keeps(checker);
        Story story = everyMillis(13);
        for (int i = 0; i < 10; i++) {
            story.fault("", 3_000 + 95 * i, Kind.HINTS_ZEROED);
        }
        story.keeps(checker);
        everyMillis(13).kill("w9", 3_500).breaks(checker, "api admitted 6");
    }

    @Test
    void aShortTimeSaysNothing() {
        everyMillis(13).stop("w9", 3_200, 3_900).keeps(checker);
    }

    @Test
    void whoIsKilledWasNotWaitedWith() {
        new Story()
                .unknown("w1", 10, "permit api 1 wait")
                .kill("w1", 11)
                .ok("w2", 10, 2_000, "permit api 1 wait")
                .keeps(checker);
    }
}

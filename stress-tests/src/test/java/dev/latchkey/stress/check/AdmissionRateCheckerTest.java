package dev.latchkey.stress.check;

import dev.latchkey.stress.check.AdmissionRate.Rate;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A permit costs 10 ms, and two may be had at once. */
class AdmissionRateCheckerTest {
    private final Checker checker = new AdmissionRate(Map.of("api", new Rate(100, Duration.ofSeconds(1), 2)));

    @Test
    void theBurstAtOnceAndThenTheRateIsFine() {
        new Story()
                .ok("w1", 10, 10.1, "permit api 1 now")
                .ok("w2", 10, 10.1, "permit api 1 wait")
                .ok("w1", 10.2, 20.1, "permit api 1 wait")
                .ok("w2", 10.2, 30.1, "permit api 1 wait")
                .fail("w3", 10.2, 30, "permit api 2 tryFor")
                .keeps(checker);
    }

    @Test
    void onePermitMoreThanTheBurstIsNoticed() {
        new Story()
                .ok("w1", 10, 10.1, "permit api 1 now")
                .ok("w2", 10, 10.1, "permit api 1 now")
                .ok("w3", 10, 10.1, "permit api 1 now")
                .breaks(checker, "admitted 9900 us too early");
        new Story()
                .ok("w1", 10, 10.1, "permit api 1 now")
                .ok("w2", 10, 10.1, "permit api 2 now")
                .breaks(checker, "permit[api, 2, now]");
    }

    @Test
    void aRateThatIsTooHighIsNoticedThoughNoTwoAreTooClose() {
        Story story = new Story();
        for (int i = 0; i < 35; i++) {
            story.ok("w1", 10 + 9.7 * i, 10.1 + 9.7 * i, "permit api 1 wait");
        }
        story.breaks(checker, "admitted 100 us too early");
    }

    @Test
    void aPauseSavesUpNoMoreThanTheBurst() {
        new Story()
                .ok("w1", 10, 10.1, "permit api 2 now")
                .ok("w1", 1_000, 1_000.1, "permit api 2 now")
                .ok("w1", 1_000.2, 1_000.3, "permit api 1 now")
                .breaks(checker, "admitted 9700 us too early");
    }

    @Test
    void whereASlotMayHaveBeenInALongCallIsAnybodysGuess() {
        new Story()
                .ok("w1", 10, 30, "permit api 2 wait")
                .ok("w2", 10, 30, "permit api 2 wait")
                .keeps(checker);
        new Story()
                .ok("w1", 10, 30, "permit api 2 wait")
                .ok("w2", 10, 29, "permit api 2 wait")
                .ok("w3", 10, 29, "permit api 1 wait")
                .breaks(checker, "us too early");
    }

    @Test
    void eachThrottleHasItsOwnRate() {
        Checker both = new AdmissionRate(Map.of(
                "api", new Rate(100, Duration.ofSeconds(1), 1), "mail", new Rate(100, Duration.ofSeconds(1), 1)));
        new Story()
                .ok("w1", 10, 10.1, "permit api 1 now")
                .ok("w2", 10, 10.1, "permit mail 1 now")
                .keeps(both);
    }

    @Test
    void aReservationCountsWhereItsSlotIs() {
        new Story()
                .ok("w1", 10, 10.1, "permit api 2 now")
                .ok("w2", 10.2, 10.3, "reserve api 1 17 -> 20100000 20200000")
                .ok("w2", 10.3, 20.2, "use api 17")
                .keeps(checker);
        new Story()
                .ok("w1", 10, 10.1, "permit api 2 now")
                .ok("w2", 10.2, 10.3, "reserve api 1 17 -> 15000000 15100000")
                .breaks(checker, "reserve[api, 1, 17]");
    }

    @Test
    void whatWasOrMayHaveBeenGivenBackDoesNotCount() {
        new Story()
                .ok("w1", 10, 10.1, "permit api 2 now")
                .ok("w2", 10.2, 10.3, "reserve api 1 17 -> 20100000 20200000")
                .ok("w2", 10.4, 10.5, "cancel api 17")
                .ok("w3", 10.6, 20.2, "permit api 1 wait")
                .keeps(checker);
        new Story()
                .ok("w1", 10, 10.1, "permit api 2 now")
                .ok("w2", 10.2, 10.3, "reserve api 1 17 -> 20100000 20200000")
                .unknown("w2", 10.4, "cancel api 17")
                .ok("w3", 10.6, 20.2, "permit api 1 wait")
                .keeps(checker);
        new Story()
                .ok("w1", 10, 10.1, "permit api 2 now")
                .ok("w2", 10.2, 10.3, "reserve api 1 17 -> 20100000 20200000")
                .fail("w2", 10.4, 10.5, "cancel api 17")
                .ok("w3", 10.6, 20.2, "permit api 1 wait")
                .breaks(checker, "us too early");
    }

    @Test
    void whoGoesOnBeforeTheSlotIsNoticed() {
        new Story()
                .ok("w2", 10.2, 10.3, "reserve api 1 17 -> 20100000 20200000")
                .ok("w2", 10.3, 20.0, "use api 17")
                .breaks(checker, "before its slot");
    }
}

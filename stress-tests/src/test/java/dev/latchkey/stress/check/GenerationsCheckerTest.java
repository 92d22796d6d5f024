package dev.latchkey.stress.check;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class GenerationsCheckerTest {
    private final Checker checker = new Generations(Duration.ofMillis(100));

    private static Story story() {
        return new Story();
    }

    @Test
    void partiesThatAllCameBeforeAnyWentAreAGeneration() {
        story().ok("w1", 10, 31, "arrive a 3 -> 2")
                .ok("w2", 20, 33, "arrive a 3 -> 1")
                .ok("w3", 30, 32, "arrive a 3 -> 0")
                .keeps(checker);
    }

    @Test
    void generationsFollowEachOtherWhoeverReturnsLate() {
        story().ok("w1", 10, 90, "arrive a 2 -> 1")
                .ok("w2", 20, 22, "arrive a 2 -> 0")
                .ok("w2", 30, 41, "arrive a 2 -> 1")
                .ok("w3", 40, 42, "arrive a 2 -> 0")
                .keeps(checker);
    }

    @Test
    void whoGoesBeforeTheLastHasComeIsNoticed() {
        story().ok("w1", 10, 25, "arrive a 3 -> 2")
                .ok("w2", 20, 33, "arrive a 3 -> 1")
                .ok("w3", 30, 32, "arrive a 3 -> 0")
                .breaks(checker, "it passed, but no generation: w1", "without the party of index 2: w3");
    }

    @Test
    void aGenerationThatIsOnePartyShortIsNoticed() {
        story().ok("w1", 10, 25, "arrive a 3 -> 1")
                .ok("w2", 20, 22, "arrive a 3 -> 0")
                .breaks(checker, "without the party of index 2: w2");
    }

    @Test
    void aPartyIsOfOneGenerationOnly() {
        story().ok("w1", 10, 50, "arrive a 2 -> 1")
                .ok("w2", 20, 22, "arrive a 2 -> 0")
                .ok("w3", 30, 32, "arrive a 2 -> 0")
                .breaks(checker, "without the party of index 1");
        story().ok("w1", 10, 50, "arrive a 2 -> 1")
                .ok("w2", 10, 50, "arrive a 2 -> 1")
                .ok("w3", 30, 32, "arrive a 2 -> 0")
                .breaks(checker, "it passed, but no generation");
    }

    @Test
    void whoeverWasFreeTheOtherWayRoundHasItsPlace() {
        story().ok("w1", 10, 50, "arrive a 2 -> 1")
                .ok("w2", 10, 25, "arrive a 2 -> 1")
                .ok("w3", 20, 22, "arrive a 2 -> 0")
                .ok("w4", 30, 32, "arrive a 2 -> 0")
                .keeps(checker);
    }

    @Test
    void theKilledMayHaveBeenAnyPartyUntilTheirDeathIsNoticed() {
        story().unknown("w1", 10, "arrive a 2")
                .kill("w1", 30)
                .ok("w2", 29, 31, "arrive a 2 -> 0")
                .keeps(checker);
        story().unknown("w1", 10, "arrive a 2")
                .kill("w1", 30)
                .ok("w2", 9, 31, "arrive a 2 -> 1")
                .keeps(checker);
        story().unknown("w1", 10, "arrive a 2")
                .kill("w1", 30)
                .ok("w2", 140, 141, "arrive a 2 -> 0")
                .breaks(checker, "without the party of index 1");
        story().unknown("w1", 10, "arrive a 2")
                .kill("w1", 30)
                .stop("w9", 50, 135)
                .ok("w2", 140, 141, "arrive a 2 -> 0")
                .keeps(checker);
        story().unknown("w1", 10, "arrive a 2")
                .kill("w1", 30)
                .ok("w2", 40, 41, "arrive a 2 -> 1")
                .breaks(checker, "it passed, but no generation");
    }

    @Test
    void aBusyDatabaseMayTakeTheSeatOfOneThatHasGoneForTaken() {
        story().fail("w1", 10, 30, "arrive a 2 -> timed_out")
                .ok("w2", 40, 41, "arrive a 2 -> 0")
                .keeps(checker);
        story().fail("w1", 10, 30, "arrive a 2 -> broken")
                .ok("w2", 20, 21, "arrive a 2 -> 0")
                .breaks(checker, "without the party of index 1");
    }

    @Test
    void theActionIsRunOnceByTheLastWhenAllHaveComeAndNoneHasGone() {
        story().ok("w1", 10, 41, "arrive a 2 -> 1 0 0 0")
                .ok("w2", 20, 42, "arrive a 2 -> 0 1 25000000 40000000")
                .keeps(checker);
        story().ok("w1", 10, 39, "arrive a 2 -> 1 0 0 0")
                .ok("w2", 20, 42, "arrive a 2 -> 0 1 25000000 40000000")
                .breaks(checker, "no generation", "without the party");
        story().ok("w1", 26, 41, "arrive a 2 -> 1 0 0 0")
                .ok("w2", 20, 42, "arrive a 2 -> 0 1 25000000 40000000")
                .breaks(checker, "no generation", "without the party");
    }

    @Test
    void anActionThatIsLeftOutOrRunAgainIsNoticed() {
        story().ok("w1", 10, 41, "arrive a 2 -> 1 0 0 0")
                .ok("w2", 20, 42, "arrive a 2 -> 0 2 25000000 40000000")
                .breaks(checker, "run 2 times, not 1");
        story().ok("w1", 10, 41, "arrive a 2 -> 1 1 22000000 23000000")
                .ok("w2", 20, 42, "arrive a 2 -> 0 1 25000000 40000000")
                .breaks(checker, "run 1 times, not 0");
    }
}

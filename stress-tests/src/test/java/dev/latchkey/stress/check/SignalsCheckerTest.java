package dev.latchkey.stress.check;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SignalsCheckerTest {
    private final Checker checker = new Signals(Duration.ofMillis(100));

    /** Three that wait, with the tokens that they give up and get; each has got the lock before, and each has a second. */
    private static Story threeWait(String first, String second, String third) {
        return new Story()
                .ok("w1", 1, 2, "lock a lock -> 10")
                .ok("w2", 11, 12, "lock a lock -> 11")
                .ok("w3", 21, 22, "lock a lock -> 12")
                .ok("w1", 10, 2_000, "await a 10 full 1000 -> " + first)
                .ok("w2", 20, 2_001, "await a 11 full 1000 -> " + second)
                .ok("w3", 30, 2_002, "await a 12 full 1000 -> " + third);
    }

    private static Story signal(Story story, int token, double at, String whom) {
        return story.ok("w4", at - 1, at, "lock a lock -> " + token)
                .ok("w4", at + 1, at + 2, "signal a " + token + " full " + whom)
                .ok("w4", at + 3, at + 4, "unlock a " + token);
    }

    @Test
    void aSignalThatWakesOneIsFine() {
        signal(threeWait("signalled 20", "timed_out 21", "timed_out 22"), 13, 100, "one")
                .keeps(checker);
        signal(threeWait("timed_out 20", "timed_out 21", "signalled 22"), 13, 100, "one")
                .keeps(checker);
    }

    @Test
    void aSignalThatWakesNobodyIsNoticed() {
        signal(threeWait("timed_out 20", "interrupted 21", "timed_out 22"), 13, 100, "one")
                .breaks(checker, "w4.t0 signal[a, 13, full, one]");
    }

    @Test
    void aSignalToAllThatLeavesOneAsleepIsNoticed() {
        signal(threeWait("signalled 20", "signalled 21", "signalled 22"), 13, 100, "all")
                .keeps(checker);
        signal(threeWait("signalled 20", "timed_out 21", "signalled 22"), 13, 100, "all")
                .breaks(checker, "w2.t0 await[a, 11, full, 1000]");
    }

    @Test
    void aSignalThatFindsNobodyIsFine() {
        signal(new Story(), 13, 100, "all").keeps(checker);
        signal(threeWait("timed_out 20", "timed_out 21", "timed_out 22"), 9, 0.5, "all")
                .keeps(checker);
        signal(threeWait("timed_out 20", "timed_out 21", "timed_out 22"), 23, 2_100, "all")
                .keeps(checker);
        new Story()
                .ok("w1", 10, 2_000, "await a 10 empty 1000 -> timed_out 20")
                .ok("w4", 101, 102, "signal a 13 full all")
                .keeps(checker);
    }

    @Test
    void aWaitWhoseTimeWasOverMayHaveEndedBefore() {
        signal(threeWait("timed_out 20", "timed_out 21", "timed_out 22"), 13, 1_050, "all")
                .keeps(checker);
    }

    @Test
    void aWaitThatCouldNotBeginWasFoundByNobody() {
        new Story()
                .ok("w1", 10, 2_000, "await a 13 full 1000 -> timed_out 13")
                .ok("w4", 101, 102, "signal a 13 full all")
                .keeps(checker);
    }

    @Test
    void theSignalOfTheDeadGoesToTheNext() {
        Story story = signal(threeWait("timed_out 14", "timed_out 15", "timed_out 16"), 13, 100, "one")
                .unknown("w9", 5, "await a 8 full 1000")
                .kill("w9", 110);
        story.breaks(checker, "signal[a, 13, full, one]");
        signal(threeWait("timed_out 14", "signalled 15", "timed_out 16"), 13, 100, "one")
                .unknown("w9", 5, "await a 8 full 1000")
                .kill("w9", 110)
                .keeps(checker);
    }

    @Test
    void theDeadMayHaveAnsweredTheSignal() {
        signal(threeWait("timed_out 15", "timed_out 16", "timed_out 17"), 13, 100, "one")
                .unknown("w9", 5, "await a 8 full 1000")
                .note("w9.t1", 107, "committing")
                .kill("w9", 110)
                .keeps(checker);
        signal(threeWait("timed_out 15", "timed_out 16", "timed_out 17"), 13, 100, "one")
                .unknown("w9", 5, "await a 8 full 1000")
                .note("w9.t1", 102.5, "committing")
                .kill("w9", 110)
                .breaks(checker, "signal[a, 13, full, one]");
        signal(threeWait("timed_out 15", "timed_out 16", "timed_out 17"), 13, 100, "one")
                .ok("w9", 5, 109, "await a 8 full 1000 -> signalled 14")
                .kill("w9", 110)
                .keeps(checker);
    }

    @Test
    void aDeathTakesItsTimeToBeNoticed() {
        signal(threeWait("timed_out 14", "timed_out 15", "timed_out 16"), 13, 950, "one")
                .unknown("w9", 5, "await a 8 full 1000")
                .kill("w9", 960)
                .keeps(checker);
        signal(threeWait("timed_out 14", "timed_out 15", "timed_out 16"), 13, 100, "one")
                .unknown("w9", 5, "await a 8 full 1000")
                .kill("w9", 950)
                .keeps(checker);
        signal(threeWait("timed_out 14", "timed_out 15", "timed_out 16"), 13, 100, "one")
                .unknown("w9", 5, "await a 8 full 1000")
                .kill("w9", 110)
                .stop("w8", 105, 1_020)
                .keeps(checker);
    }
}

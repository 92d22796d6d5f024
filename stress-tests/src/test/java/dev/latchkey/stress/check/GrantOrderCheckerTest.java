package dev.latchkey.stress.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class GrantOrderCheckerTest {
    private final Checker checker = new GrantOrder();

    /** Grants of 1 ms each, one after the other, from an instant on; counts tokens like the lock. */
    private static final class Grants {
        final Story story = new Story();
        double now;
        long token;

        Grants(double start) {
            now = start;
            for (int process = 0; process < 10; process++) {
                story.held("w" + process, -20 + process, -19.5 + process, "another", process);
            }
        }

        /** A process gets the lock so many times in a row. */
        Grants turn(String process, int grants) {
            for (int i = 0; i < grants; i++) {
                story.held(process, now + 0.02, now + 1, "a", ++token);
                now += 1.02;
            }
            return this;
        }

        Grants rounds(int count, String... processes) {
            for (int i = 0; i < count; i++) {
                for (String process : processes) {
                    turn(process, 1);
                }
            }
            return this;
        }

        Grants idle(double millis) {
            now += millis;
            return this;
        }

        /** A process has waited since an instant and gets it now. */
        Story granted(String who, double since) {
            return story.ok(who, since, now + 0.02, "lock a lock -> " + ++token)
                    .ok(who, now + 1, now + 1.01, "unlock a " + token);
        }

        Story givenUp(String who, double since) {
            return story.fail(who, since, now + 0.02, "lock a tryFor");
        }
    }

    @Test
    void takingTurnsIsFine() {
        new Grants(100).rounds(50, "w1", "w2", "w3").granted("w4", 230).keeps(checker);
    }

    @Test
    void everyOtherMayHaveItsTurnFirst() {
        new Grants(100)
                .turn("w1", 16)
                .turn("w2", 16)
                .turn("w3", 16)
                .turn("w1", 16)
                .granted("w4", 0)
                .keeps(checker);
    }

    @Test
    void tooManyTurnsDuringOneWaitAreNoticed() {
        new Grants(100).rounds(4, "w1", "w2").granted("w3", 0).keeps(checker);
        new Grants(100)
                .rounds(5, "w1", "w2")
                .granted("w3", 0)
                .breaks(checker, "w1 had 4 turns beyond its first during w3.t0 lock[a, lock]");
        new Grants(100).rounds(2, "w1", "w2").granted("w3", 0).breaks(new GrantOrder(0, 16, Duration.ZERO), "w1 had 1");
    }

    @Test
    void aWaiterThatIsNeverServedIsNoticedWhenItGivesUp() {
        new Grants(100).rounds(4, "w1", "w2").givenUp("w3", 0).keeps(checker);
        new Grants(100).rounds(5, "w1", "w2").givenUp("w3", 0).breaks(checker, "w1 had 4 turns");
    }

    @Test
    void aTurnWithoutEndIsNoticed() {
        new Grants(100).turn("w1", 32).granted("w2", 0).keeps(checker);
        new Grants(100).turn("w1", 33).granted("w2", 0).breaks(checker, "w1 had more than 32 grants in a row");
    }

    @Test
    void aTurnMayBeLongBeforeAnybodyWaits() {
        Grants grants = new Grants(100).turn("w1", 100);
        grants.turn("w1", 20).granted("w2", grants.now - 20).keeps(checker);
    }

    @Test
    void gettingIntoTheLineTakesAMoment() {
        Grants grants = new Grants(100).rounds(50, "w1", "w2");
        grants.granted("w3", grants.now - 25).keeps(checker);
        grants = new Grants(100).rounds(50, "w1", "w2");
        grants.granted("w3", grants.now - 35).breaks(checker, "turns beyond");
    }

    @Test
    void aNewProcessMayTakeLongerToGetIntoTheLine() {
        new Grants(100).rounds(500, "w1", "w2").granted("new", 0).keeps(checker);
        new Grants(100).rounds(1_000, "w1", "w2").granted("new", 0).breaks(checker, "turns beyond");
        new Grants(100).rounds(1_000, "w1", "w2").givenUp("new", 0).breaks(checker, "turns beyond");
    }

    @Test
    void whoOnlyTriesDoesNotWait() {
        Grants grants = new Grants(100).rounds(10, "w1", "w2");
        grants.story
                .fail("w3", 0, grants.now, "lock a try")
                .ok("w3.t1", 0, grants.now + 1, "lock a try -> 999")
                .keeps(checker);
    }

    @Test
    void theGrantsOfTheOwnProcessEndAWait() {
        Grants grants = new Grants(100);
        for (int i = 0; i < 10; i++) {
            grants.rounds(1, "w1", "w2").turn("w3.t" + (1 + i), 1);
        }
        grants.granted("w3.t0", 0).keeps(checker);
    }

    @Test
    void aWaiterThatWasStoppedOrKilledIsExcused() {
        new Grants(100)
                .rounds(9, "w1", "w2")
                .granted("w3", 0)
                .stop("w3", 105, 108)
                .keeps(checker);
        new Grants(100)
                .rounds(9, "w1", "w2")
                .story
                .unknown("w3", 0, "lock a lock")
                .kill("w3", 150)
                .keeps(checker);
        new Grants(100)
                .rounds(9, "w1", "w2")
                .granted("w3", 0)
                .stop("w2", 105, 108)
                .breaks(checker, "turns");
    }

    @Test
    void whileAnybodyIsStoppedTheLineMayBeOutOfReach() {
        new Grants(100)
                .rounds(15, "w1", "w2")
                .granted("w3", 90)
                .stop("w9", 95, 130)
                .keeps(checker);
        new Grants(100)
                .rounds(40, "w1", "w2")
                .granted("w3", 90)
                .stop("w9", 95, 130)
                .breaks(checker, "turns beyond");
    }

    @Test
    void aStallOfTheMachineExcusesTheWayIntoTheLineButNotTheWait() {
        new Grants(100).rounds(15, "w1", "w2").granted("w3", 90).stall(95, 130).keeps(checker);
        new Grants(100).rounds(9, "w1", "w2").granted("w3", 0).stall(105, 108).breaks(checker, "turns");
    }

    @Test
    void aTurnThatLapsedIsExcusedUntilTheNextPoll() {
        new Grants(100)
                .rounds(3, "w1", "w2")
                .idle(50)
                .rounds(30, "w1", "w2")
                .granted("w3", 0)
                .keeps(checker);
        new Grants(100)
                .rounds(3, "w1", "w2")
                .idle(50)
                .rounds(60, "w1", "w2")
                .granted("w3", 0)
                .breaks(checker, "w2 had 4 turns");
    }

    @Test
    void aTurnMayLapseRightAfterGettingIntoTheLine() {
        new Grants(100)
                .rounds(1, "w1", "w2")
                .idle(50)
                .rounds(30, "w1", "w2")
                .granted("w3", 99)
                .keeps(checker);
    }

    @Test
    void theThreadsOfAForcedHolderWaitUntilItIsNoticed() {
        Grants grants = new Grants(100).turn("w3.t1", 1);
        grants.story.ok("w9", 101, 101.5, "force a 1");
        grants.rounds(50, "w1", "w2").granted("w3", 0).keeps(checker);
    }

    /** Grants of 1 ms each to readers, who are late to tell, and to writers; see {@link Grants}. */
    private static Grants of(String place, Grants grants, int count, String... processes) {
        for (int i = 0; i < count; i++) {
            for (String process : processes) {
                grants.story.held(process, grants.now + 0.02, grants.now + 1, place, ++grants.token);
                grants.now += 1.02;
            }
        }
        return grants;
    }

    private static Story granted(Grants grants, String who, double since, String place) {
        return grants.story.ok(who, since, grants.now + 0.02, "lock " + place + " lock -> " + ++grants.token);
    }

    @Test
    void aWriterThatReadersPassIsNoticed() {
        granted(of("book*1/1000", new Grants(100), 4, "w1", "w2"), "w3", 0, "book*1000/1000")
                .keeps(checker);
        granted(of("book*1/1000", new Grants(100), 5, "w1", "w2"), "w3", 0, "book*1000/1000")
                .breaks(checker, "w1 had 4 turns beyond its first during w3.t0 lock[book*1000/1000, lock]");
    }

    @Test
    void readersThatReadTogetherDoNotPassEachOther() {
        granted(of("book*1/1000", new Grants(100), 50, "w1", "w2"), "w3", 0, "book*1/1000")
                .keeps(checker);
        granted(of("book*1000/1000", new Grants(100), 5, "w1", "w2"), "w3", 0, "book*1/1000")
                .breaks(checker, "w1 had 4 turns");
    }

    @Test
    void whoWantsManyPermitsIsNotPassedByThoseWhoWantFew() {
        granted(of("seats*1/3", new Grants(100), 50, "w1", "w2"), "w3", 0, "seats*2/3")
                .keeps(checker);
        granted(of("seats*2/3", new Grants(100), 5, "w1", "w2"), "w3", 0, "seats*2/3")
                .breaks(checker, "w1 had 4 turns");
        of("seats*1/3", new Grants(100), 5, "w1", "w2")
                .story
                .fail("w3", 0, 150, "lock seats*3/3 asyncFor")
                .held("w1", 160, 170, "seats*3/3", 100)
                .breaks(checker, "w1 had 4 turns");
    }

    @Test
    void whereSomeGrantsHaveNoTokenTheOrderIsNotKnown() {
        Grants grants = of("seats*3/3", new Grants(100), 5, "w1", "w2");
        grants.story.held("w1", 300, 301, "seats*1/3", -1);
        granted(grants, "w3", 0, "seats*3/3").keeps(checker);
    }

    @Test
    void whoWaitsForSeveralLocksStandsBack() {
        Grants grants = new Grants(100).rounds(9, "w1", "w2");
        grants.story.ok("w3", 0, grants.now, "lock a+b together -> 100+1").keeps(checker);
    }

    @Test
    void aWaitForAConditionIsNoneInLine() {
        Grants grants = new Grants(100).rounds(9, "w1", "w2");
        grants.story
                .ok("w3", 0, grants.now, "await a 0 full 900 -> signalled 100")
                .keeps(checker);
    }

    @Test
    void locksAreJudgedOneByOne() {
        Grants grants = new Grants(100).rounds(9, "w1", "w2");
        grants.story.ok("w3", 0, grants.now, "lock b lock -> 1").keeps(checker);
    }

    @Test
    void aHundredThousandGrantsAreJudgedSoon() {
        Grants grants = new Grants(100);
        while (grants.token < 100_000) {
            for (int process = 0; process < 8; process++) {
                grants.granted("w" + process, grants.now - 7);
                grants.now += 1.02;
            }
            grants.givenUp("w9.t" + grants.token % 16, grants.now - 16 * 8);
            grants.turn("w9.t17", 1);
        }
        Run run = grants.story.run();
        Checker strict = new GrantOrder(0, 16, Duration.ZERO);
        assertTimeout(Duration.ofSeconds(10), () -> assertEquals(List.of(), strict.check(run)));
    }
}

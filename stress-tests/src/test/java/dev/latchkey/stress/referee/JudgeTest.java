package dev.latchkey.stress.referee;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The rules as timelines: what a process says on a connection, or that the connection ends, and behind the arrow the
 * violations that must be found there.
 */
class JudgeTest {
    private final Judge judge = new Judge();

    private void timeline(String... lines) {
        for (int nanos = 0; nanos < lines.length; nanos++) {
            String[] parts = lines[nanos].split(" => ", -1);
            List<String> expected = parts.length == 1 ? List.of() : Arrays.asList(parts[1].split(" ", -1));
            assertEquals(expected, kinds(tell(nanos, parts[0])), lines[nanos]);
        }
    }

    private List<Violation> tell(long nanos, String line) {
        return line.endsWith(" ENDED")
                ? judge.ended(nanos, Integer.parseInt(line.split(" ", -1)[1]))
                : judge.hear(Event.parse(nanos + " " + line));
    }

    private static List<String> kinds(List<Violation> found) {
        return found.stream().map(violation -> violation.kind().name()).toList();
    }

    @Test
    void oneAfterTheOtherIsNoViolation() {
        timeline(
                "w1 1 HELLO w1",
                "w2 2 HELLO w2",
                "w1 1 ENTER lock 1",
                "w1 1 EXIT lock 1",
                "w2 2 ENTER lock 2",
                "w2 2 EXIT lock 2",
                "w1 1 ENTER lock 7",
                "w1 1 EXIT lock 7",
                "w1 1 ENDED",
                "w2 2 ENDED",
                "controller 3 END");
    }

    @Test
    void twoAtATimeOverlap() {
        timeline("w1 1 ENTER lock 1", "w2 2 ENTER lock 2 => OVERLAP");
    }

    @Test
    void aLeaseKeepsNobodyOutButItsTokenCounts() {
        timeline(
                "w1 1 LEASE lock 2",
                "w2 2 ENTER lock 3",
                "w2 2 EXIT lock 3",
                "w1 1 EXIT lock 2",
                "w1 1 LEASE lock 5",
                "w2 2 ENTER lock 5 => TOKEN",
                "w1 1 ENDED",
                "w3 3 EXIT lock 9 => NOT_HELD");
    }

    @Test
    void aLeaseMayBeHeardLate() {
        timeline("w2 2 ENTER lock 3", "w1 1 LEASE lock 2", "w1 1 EXIT lock 2", "w2 2 EXIT lock 3");
    }

    @Test
    void aPlaceWithSeveralSeatsIsSharedUntilTheyAreTaken() {
        timeline(
                "w1 1 ENTER seats*2/3 5",
                "w2 2 ENTER seats*1/3 4",
                "w3 3 ENTER seats*1/3 6 => OVERLAP OVERLAP",
                "w1 1 EXIT seats*2/3 5",
                "w4 4 ENTER seats*1/3 7",
                "w5 5 EXIT seats*1/3 7 => NOT_HELD");
    }

    @Test
    void readersShareABookAndItsWriterIsAlone() {
        timeline(
                "w1 1 ENTER book*1/100 1",
                "w2 2 ENTER book*1/100 2",
                "w1 1 EXIT book*1/100 1",
                "w3 3 ENTER book*100/100 3 => OVERLAP",
                "w3 3 EXIT book*100/100 3",
                "w2 2 EXIT book*1/100 2",
                "w3 3 ENTER book*100/100 4",
                "w1 1 ENTER book*1/100 5 => OVERLAP");
    }

    @Test
    void whoIsToBeKilledTakesNoSeat() {
        timeline("w1 1 ENTER seats*3/3 1", "controller 9 CONDEMN w1", "w2 2 ENTER seats*3/3 2");
    }

    @Test
    void anOverlapNamesBothHolders() {
        tell(100, "w1 1 ENTER lock 10");
        Violation found = tell(250, "w2 2 ENTER lock 11").get(0);
        assertEquals(
                new Violation(
                        250,
                        Violation.Kind.OVERLAP,
                        "w2 (connection 2) said ENTER lock 11, while it was held by w1 (connection 1) with token 10"
                                + " since 100"),
                found);
        assertEquals(found, Violation.parse(found.line()));
    }

    @Test
    void eachHolderOfThreeIsNamed() {
        timeline("w1 1 ENTER lock 1", "w2 2 ENTER lock 2 => OVERLAP", "w3 3 ENTER lock 3 => OVERLAP OVERLAP");
    }

    @Test
    void twoThreadsOfOneProcessOverlapToo() {
        timeline("w1 1 ENTER lock 1", "w1 2 ENTER lock 2 => OVERLAP");
    }

    @Test
    void aHolderThatEntersAgainOverlapsItself() {
        timeline("w1 1 ENTER lock 1", "w1 1 ENTER lock 2 => OVERLAP");
    }

    @Test
    void placesHaveNothingToDoWithEachOther() {
        timeline(
                "w1 1 ENTER a 5",
                "w2 2 ENTER b 5",
                "w1 1 ENTER c 5",
                "w1 1 ONCE a 5",
                "w1 1 EXIT a 5",
                "w2 2 GONE b 5");
    }

    @Test
    void afterAnOverlapBothMayExit() {
        timeline(
                "w1 1 ENTER lock 1",
                "w2 2 ENTER lock 2 => OVERLAP",
                "w1 1 EXIT lock 1",
                "w2 2 EXIT lock 2",
                "w1 1 ENTER lock 3");
    }

    @Test
    void afterAnOverlapOnlyOneFinishes() {
        timeline(
                "w1 1 ENTER item 1",
                "w2 2 ENTER item 2 => OVERLAP",
                "w1 1 GONE item 1",
                "w2 2 GONE item 2 => FINISHED");
    }

    @Test
    void aTokenMustBeAboveAllBeforeIt() {
        timeline(
                "w1 1 ENTER lock 5",
                "w1 1 EXIT lock 5",
                "w2 2 ENTER lock 5 => TOKEN",
                "w2 2 EXIT lock 5",
                "w2 2 ENTER lock 4 => TOKEN",
                "w2 2 EXIT lock 4",
                "w2 2 ENTER lock 5 => TOKEN",
                "w2 2 EXIT lock 5",
                "w2 2 ENTER lock 6");
    }

    @Test
    void aTokenThatIsHeldMustNotBeGivenAgain() {
        timeline("w1 1 ENTER lock 5", "w2 2 ENTER lock 5 => OVERLAP TOKEN");
    }

    @Test
    void aPlaceThatIsGoneIsNotHeldAgain() {
        timeline(
                "w1 1 ENTER item 1",
                "w1 1 GONE item 1",
                "w2 2 ENTER item 2 => FINISHED",
                "w2 2 GONE item 2 => FINISHED",
                "w1 1 GONE item 1 => FINISHED");
    }

    @Test
    void goneEndsTheHold() {
        timeline("w1 1 ENTER item 1", "w1 1 GONE item 1", "w1 1 EXIT item 1 => NOT_HELD", "w1 1 ENDED");
    }

    @Test
    void onlyTheHolderMakesAPlaceGone() {
        timeline(
                "w1 1 GONE item 1 => NOT_HELD",
                "w1 1 ENTER item 1",
                "w2 2 GONE item 1 => NOT_HELD",
                "w1 2 GONE item 1 => NOT_HELD",
                "w1 1 GONE item 0 => NOT_HELD",
                "w1 1 EXIT item 1",
                "w2 2 ENTER item 2",
                "w2 2 GONE item 2");
    }

    @Test
    void aValueIsGivenOutOnce() {
        timeline(
                "w1 1 ONCE id 5",
                "w2 2 ONCE id 4",
                "w2 2 ONCE id 6",
                "w2 2 ONCE other 5",
                "w2 2 ONCE id 5 => REPEATED",
                "w1 1 ONCE id 6 => REPEATED");
    }

    @Test
    void onlyTheHolderExits() {
        timeline(
                "w1 1 EXIT lock 1 => NOT_HELD",
                "w1 1 ENTER lock 1",
                "w1 1 EXIT lock 2 => NOT_HELD",
                "w2 2 EXIT lock 1 => NOT_HELD",
                "w1 3 EXIT lock 1 => NOT_HELD",
                "w1 1 EXIT lock 1",
                "w1 1 EXIT lock 1 => NOT_HELD");
    }

    @Test
    void aRevokedHolderExcludesNobodyAndMayExit() {
        timeline(
                "w1 1 ENTER lock 1",
                "w2 2 REVOKE lock 1",
                "w2 2 ENTER lock 2",
                "w1 1 EXIT lock 1",
                "w1 1 EXIT lock 1 => NOT_HELD",
                "w3 3 ENTER lock 3 => OVERLAP");
    }

    @Test
    void aRevokedHolderNeedNotExit() {
        timeline("w1 1 ENTER lock 1", "w2 2 REVOKE lock 1", "w1 1 ENDED");
    }

    @Test
    void onlyTheHoldWithTheTokenIsRevoked() {
        timeline("w1 1 ENTER lock 1", "w2 2 REVOKE lock 2", "w2 2 REVOKE other 1", "w3 3 ENTER lock 3 => OVERLAP");
    }

    @Test
    void revokingATokenThatHasExitedDoesNothing() {
        timeline(
                "w1 1 ENTER lock 1",
                "w1 1 EXIT lock 1",
                "w2 2 REVOKE lock 1",
                "w2 2 ENTER lock 1 => TOKEN",
                "w3 3 ENTER lock 2 => OVERLAP",
                "w2 2 ENDED => VANISHED");
    }

    @Test
    void aTokenMayBeRevokedBeforeItsHolderIsHeardToEnter() {
        timeline(
                "w2 2 REVOKE lock 1",
                "w2 2 ENTER lock 2",
                "w1 1 ENTER lock 1",
                "w1 1 EXIT lock 1",
                "w2 2 EXIT lock 2",
                "w1 1 ENTER lock 1 => TOKEN");
    }

    @Test
    void aRevokedHolderMayFinishItsPlaceAsLongAsNobodyHasTakenIt() {
        timeline(
                "w1 1 ENTER item 1",
                "w2 2 REVOKE item 1",
                "w1 1 GONE item 1",
                "w2 2 REVOKE item 2",
                "w2 2 ENTER item 2 => FINISHED");
    }

    @Test
    void aRevokedHolderMustNotFinishWhatAnotherHasTaken() {
        timeline(
                "w1 1 ENTER item 1",
                "w2 2 REVOKE item 1",
                "w2 2 ENTER item 2",
                "w1 1 GONE item 1 => NOT_HELD",
                "w2 2 GONE item 2");
    }

    @Test
    void aCondemnedHolderExcludesNobody() {
        timeline("w1 1 ENTER lock 1", "controller 9 CONDEMN w1", "w2 2 ENTER lock 2", "w1 1 ENDED", "w2 2 EXIT lock 2");
    }

    @Test
    void onlyTheCondemnedProcessExcludesNobody() {
        timeline("w1 1 ENTER lock 1", "controller 9 CONDEMN w2", "w3 3 ENTER lock 2 => OVERLAP");
    }

    @Test
    void theLastWordsOfACondemnedProcessAreNoViolation() {
        timeline(
                "controller 9 CONDEMN w1",
                "w2 2 ONCE id 1",
                "w2 2 ENTER lock 2",
                "w2 3 ENTER item 1",
                "w2 3 GONE item 1",
                "w1 1 ENTER lock 1",
                "w1 1 EXIT lock 1",
                "w1 1 EXIT lock 1",
                "w1 1 GONE lock 1",
                "w1 1 ENTER item 0",
                "w1 1 GONE item 0",
                "w1 1 ONCE id 1",
                "w1 4 ENTER lock 0",
                "w1 1 ENDED",
                "w1 4 ENDED",
                "w2 2 GONE lock 2");
    }

    @Test
    void whatACondemnedProcessWasGivenIsNotGivenToOthers() {
        timeline(
                "controller 9 CONDEMN w1",
                "w1 1 ENTER lock 5",
                "w1 1 ENTER item 1",
                "w1 1 GONE item 1",
                "w1 1 ONCE id 1",
                "w2 2 ENTER lock 5 => TOKEN",
                "w2 2 ENTER item 2 => FINISHED",
                "w2 2 ONCE id 1 => REPEATED");
    }

    @Test
    void whoEndsWhileHoldingHasVanished() {
        timeline("w1 1 ENTER a 1", "w1 1 ENTER b 1", "w1 2 ENTER c 1", "w1 1 ENDED => VANISHED VANISHED");
    }

    @Test
    void whoHoldsNothingMayEnd() {
        timeline("w1 1 ENTER lock 1", "w1 1 EXIT lock 1", "w2 2 ENTER lock 2", "w1 1 ENDED");
    }

    @Test
    void whatTheVanishedHeldIsFree() {
        timeline("w1 1 ENTER lock 1", "w1 1 ENDED => VANISHED", "w2 2 ENTER lock 2");
    }
}

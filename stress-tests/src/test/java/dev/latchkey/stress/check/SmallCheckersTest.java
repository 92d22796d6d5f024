package dev.latchkey.stress.check;

import dev.latchkey.stress.check.Remains.StateRow;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Those that judge single operations, and what remains. */
class SmallCheckersTest {
    @Nested
    class Errors {
        @Test
        void anErrorIsNoticedWithItsText() {
            new Story()
                    .error("w1", 10, 11, "put x-1 -> disk_I/O_error")
                    .breaks(new NoErrors(), "ERROR[disk_I/O_error]");
        }

        @Test
        void failuresAndKillsAreNoErrors() {
            new Story()
                    .fail("w1", 10, 11, "lock a try")
                    .unknown("w1", 12, "put x-1")
                    .kill("w1", 13)
                    .keeps(new NoErrors());
        }
    }

    @Nested
    class DisksWithoutSpace {
        private final Checker checker = new FullDisk();

        private Story full() {
            return new Story().fault("", 1_000, Fault.Kind.DISK_FILLED).fault("", 2_000, Fault.Kind.DISK_FREED);
        }

        @Test
        void whatGrowsIsRefusedUntilAMomentAfterThereIsSpaceAgain() {
            full().fail("w1", 990, 1_001, "store a 1 200 -> full")
                    .fail("w1", 1_500, 1_501, "push q BACK w1 1 200 -> full")
                    .fail("w1", 1_510, 1_511, "put x-1 -> full")
                    .fail("w1", 6_900, 6_901, "incr a 1 -> full")
                    .ok("w1", 1_520, 1_521, "remove a -> true")
                    .keeps(checker);
        }

        @Test
        void aRefusalWhenThereIsSpaceIsNoticed() {
            full().fail("w1", 980, 990, "store a 1 200 -> full").breaks(checker, "not full: w1.t0 store[a, 1, 200]");
            full().fail("w1", 7_100, 7_101, "store a 1 200 -> full").breaks(checker, "not full: w1.t0 store");
            new Story().fail("w1", 10, 11, "store a 1 200 -> full").breaks(checker, "not full: w1.t0 store");
        }

        @Test
        void aRefusalOfWhatNeedsNoSpaceIsNoticed() {
            for (String call : List.of("remove a", "unlock a 1", "ack x-1 1", "lock a handle", "read a", "open")) {
                full().fail("w1", 1_500, 1_501, call + " -> full").breaks(checker, "needs no space: w1.t0 ");
            }
        }

        @Test
        void aDiskThatIsNeverFreedIsFullToTheEnd() {
            new Story()
                    .fault("", 1_000, Fault.Kind.DISK_FILLED)
                    .fail("w1", 60_000, 60_001, "store a 1 200 -> full")
                    .keeps(checker);
        }
    }

    @Nested
    class OutlivedLeases {
        private final Checker checker = new Leases();

        @Test
        void whatIsDoneBeforeTheEndIsFine() {
            new Story()
                    .ok("w1", 10, 12, "lock a lock 20 -> 1")
                    .ok("w1", 20, 31, "fence a 1")
                    .ok("w1", 31.5, 40, "unlock a 1")
                    .keeps(checker);
            new Story()
                    .ok("w1", 10, 12, "lock a lock -> 1")
                    .ok("w1", 500, 501, "unlock a 1")
                    .keeps(checker);
        }

        @Test
        void whatIsRefusedAfterTheEndIsFine() {
            new Story()
                    .ok("w1", 10, 12, "lock a lock 20 -> 1")
                    .fail("w1", 33, 34, "fence a 1 -> lost")
                    .fail("w1", 35, 36, "unlock a 1 -> lost")
                    .keeps(checker);
        }

        @Test
        void whatIsDoneAfterTheEndIsNoticed() {
            new Story()
                    .ok("w1", 10, 12, "lock a handle 20 -> 1")
                    .ok("w1", 33, 34, "fence a 1")
                    .breaks(checker, "the lease of w1.t0 lock[a, handle, 20]");
            new Story()
                    .ok("w1", 10, 12, "lock a lock 20 -> 1")
                    .ok("w1", 33, 34, "unlock a 1")
                    .breaks(checker, "unlock[a, 1]");
        }

        @Test
        void closingAHandleNeverFails() {
            new Story()
                    .ok("w1", 10, 12, "lock a async 20 -> 1")
                    .ok("w1", 33, 34, "unlock a 1")
                    .keeps(checker);
        }
    }

    @Nested
    class Hangs {
        private final Checker checker = new NoHang(Duration.ofMillis(100));

        @Test
        void quickOperationsAreFine() {
            new Story()
                    .ok("w1", 0, 99, "put x-1")
                    .ok("w1", 100, 199, "claim -> x-1 1")
                    .fail("w1", 200, 299, "lock a tryFor")
                    .keeps(checker);
        }

        @Test
        void aTimedOperationThatDoesNotEndInTimeIsNoticed() {
            new Story().fail("w1", 0, 101, "claim").breaks(checker, "longer than 100 ms");
            new Story().fail("w1", 0, 101, "lock a tryFor").breaks(checker, "longer than 100 ms");
        }

        @Test
        void aSlowOperationIsNoticed() {
            new Story().ok("w1", 0, 101, "put x-1").breaks(checker, "longer than 100 ms: w1.t0 put");
            new Story().ok("w1", 0, 101, "lock a lock -> 1").breaks(checker, "longer than 100 ms");
        }

        @Test
        void timeInWhichAnybodyWasStoppedDoesNotCount() {
            new Story()
                    .ok("w1", 0, 300, "put x-1")
                    .stop("w1", 10, 150)
                    .stop("w2", 100, 250)
                    .keeps(checker);
            new Story()
                    .ok("w1", 0, 300, "put x-1")
                    .stop("w2", 10, 150)
                    .stop("w3", 20, 140)
                    .breaks(checker, "put");
            new Story()
                    .ok("w1", 0, 300, "put x-1")
                    .fault("w2", 10, Fault.Kind.STOP)
                    .kill("w2", 250)
                    .keeps(checker);
        }

        @Test
        void whatNeverReturnsIsNoticedUnlessItsProcessWasKilled() {
            new Story().unknown("w1", 0, "claim").breaks(checker, "not killed");
            new Story().unknown("w1", 0, "claim").kill("w1", 99).keeps(checker);
            new Story().unknown("w1", 0, "put x-1").kill("w1", 99).keeps(checker);
            new Story().unknown("w1", 0, "put x-1").kill("w1", 999).breaks(checker, "longer than");
        }
    }

    @Nested
    class Residue {
        private static Story left(Remains remains) {
            return new Story().left(remains);
        }

        private static Remains files(List<String> orphans, long logBytes, long longest) {
            return new Remains("ok", List.of(), orphans, 0, List.of(), Map.of(), Map.of(), 0, logBytes, longest);
        }

        @Test
        void nothingLeftIsFine() {
            new Story()
                    .note("w1", 10, "residue 0 0")
                    .note("w1", 11, "committing")
                    .keeps(new NoResidue());
            left(Story.remains(0, List.of(new StateRow("a", "lock", 0, 17, "")), Map.of("jobs", 0), Map.of()))
                    .keeps(new NoResidue());
        }

        @Test
        void threadsAndDescriptorsAreNoticed() {
            new Story().note("w1", 10, "residue 1 0").breaks(new NoResidue(), "[1, 0] at 10000000");
            new Story().note("w1", 10, "residue 0 2").breaks(new NoResidue(), "[0, 2]");
        }

        @Test
        void rowsAreNoticed() {
            left(Story.remains(
                            2,
                            List.of(new StateRow("a", "lock", 5, 17, ""), new StateRow("b", "lock", 0, 3, "77~")),
                            Map.of("jobs", 3),
                            Map.of()))
                    .breaks(
                            new NoResidue(),
                            "2 sessions",
                            "a is held by session 5",
                            "b is waited for by '77~'",
                            "queue jobs has 3 items left");
        }

        @Test
        void sessionsOfTheDeadAndItemsMayBeAllowed() {
            Remains remains = Story.remains(2, List.of(), Map.of("jobs", 3), Map.of());
            left(remains).keeps(new NoResidue(2, 1, false, 100));
            left(remains).breaks(new NoResidue(1, 1, false, 100), "2 sessions");
        }

        @Test
        void valueFilesWithoutRowComeFromKillsOnly() {
            Remains two = files(List.of("00/11/a.val", "00/11/b.val"), 0, 0);
            left(two).kill("w1", 10).kill("w2", 11).keeps(new NoResidue());
            left(two).kill("w1", 10).keeps(new NoResidue(0, 2, true, 100));
            left(two).kill("w1", 10).breaks(new NoResidue(), "2 value files");
            left(files(List.of("00/11/a.val"), 0, 0)).breaks(new NoResidue(0, 9, true, 100), "after 0 kills");
        }

        @Test
        void aLogThatIsLeftOrWasLongIsNoticed() {
            left(files(List.of(), 1, 1)).breaks(new NoResidue(), "the log has 1 bytes left");
            left(files(List.of(), 0, 64 << 20)).keeps(new NoResidue());
            left(files(List.of(), 0, (64 << 20) + 1)).breaks(new NoResidue(), "the log had 67108865 bytes");
        }
    }

    @Nested
    class Size {
        private final Checker checker = new Volume(1_000, 10);

        private static Story volume(long bytes) {
            return new Story()
                    .left(new Remains("ok", List.of(), List.of(), 0, List.of(), Map.of(), Map.of(), bytes, 0, 0));
        }

        @Test
        void belowTheLimitIsFine() {
            volume(1_010).keeps(checker);
            volume(750).keeps(checker);
        }

        @Test
        void moreThanTheLimitIsNoticed() {
            volume(1_011).breaks(checker, "takes 1011 bytes in the end");
        }

        @Test
        void thatMoreWasEvictedThanNeededIsNoticed() {
            volume(749).breaks(checker, "takes only 749 bytes");
        }
    }

    @Nested
    class WholeDatabase {
        @Test
        void isFine() {
            new Story().keeps(new Integrity());
        }

        @Test
        void damageIsNoticed() {
            Remains damaged = new Remains(
                    "row 3 missing from index",
                    List.of("row 1 names 00/11/x.val, which is not there"),
                    List.of(),
                    0,
                    List.of(),
                    Map.of(),
                    Map.of(),
                    0,
                    0,
                    0);
            new Story().left(damaged).breaks(new Integrity(), "row 3 missing", "which is not there");
        }
    }
}

package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.latchkey.stress.history.History;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MomentTest {
    @TempDir
    Path folder;

    /** What a process was doing at the instant 10 ms, if these are the last lines of its history, a microsecond apart. */
    private Moment last(String... lines) throws IOException {
        Path file = folder.resolve("w1.history");
        long[] nanos = {1_000_000};
        Files.writeString(
                file,
                Stream.of(lines)
                        .map(line -> (nanos[0] += 1_000) + " " + line + "\n")
                        .collect(Collectors.joining()));
        return Moment.of(History.read("w1", file), 10_000_000);
    }

    @Test
    void theLastUnfinishedOperationCounts() throws IOException {
        assertEquals(Moment.OPENING, last("t0 INVOKE open"));
        assertEquals(Moment.OTHER, last("t0 INVOKE open", "t0 OK open"));
        assertEquals(Moment.WAITING, last("t0 INVOKE lock a lock"));
        assertEquals(Moment.OTHER, last("t0 INVOKE lock a lock", "t0 FAIL lock busy"));
        assertEquals(Moment.HOLDING, last("t0 INVOKE lock a lock", "t0 OK lock 7"));
        assertEquals(Moment.HOLDING, last("t0 INVOKE claim", "t0 OK claim x-1 1", "t0 INVOKE set k v"));
        assertEquals(Moment.OTHER, last("t0 INVOKE lock a lock", "t0 OK lock 7", "t0 INVOKE unlock a 7"));
        assertEquals(Moment.CLOSING, last("t0 INVOKE close"));
    }

    @Test
    void aCommitCountsUntilItIsOverAndThenWhatWasGoingOnBefore() throws IOException {
        assertEquals(Moment.COMMITTING, last("t0 INVOKE close", "t0 NOTE committing"));
        assertEquals(Moment.CLOSING, last("t0 INVOKE close", "t0 NOTE committing", "t0 NOTE committed"));
    }

    @Test
    void aCheckpointCountsUntilItIsOverWhatsoeverTheOtherThreadsDo() throws IOException {
        assertEquals(Moment.CHECKPOINTING, last("t0 NOTE checkpointing", "t1 NOTE committing"));
        assertEquals(Moment.COMMITTING, last("t0 NOTE checkpointing", "t0 NOTE checkpointed", "t1 NOTE committing"));
        assertEquals(Moment.CLOSING, last("t0 INVOKE close", "t0 NOTE checkpointing", "t0 NOTE checkpointed"));
    }

    @Test
    void whoDiedAtTheEdgeOfACommitOnPurposeWasNotCommitting() throws IOException {
        assertEquals(Moment.CLOSING, last("t0 INVOKE close", "t0 NOTE committing", "t0 NOTE dying before-commit 0"));
        assertEquals(Moment.CLOSING, last("t0 INVOKE close", "t0 NOTE committing", "t0 NOTE dying after-commit 0"));
        assertEquals(
                Moment.COMMITTING, last("t0 INVOKE close", "t0 NOTE committing", "t0 NOTE dying before-commit 20"));
    }

    @Test
    void aReservationIsHeldAndAPermitOnlyWaitedFor() throws IOException {
        assertEquals(Moment.WAITING, last("t0 INVOKE permit api 1 wait"));
        assertEquals(Moment.OTHER, last("t0 INVOKE permit api 1 wait", "t0 OK permit"));
        assertEquals(Moment.OTHER, last("t0 INVOKE permit api 1 now"));
        assertEquals(Moment.HOLDING, last("t0 INVOKE reserve api 1 17", "t0 OK reserve 81230 81295"));
        assertEquals(
                Moment.WAITING,
                last("t0 INVOKE reserve api 1 17", "t0 OK reserve 81230 81295", "t0 INVOKE use api 17"));
    }

    @Test
    void whoComputesWhatItAsksForHoldsIt() throws IOException {
        assertEquals(Moment.WAITING, last("t0 INVOKE ask a"));
        assertEquals(Moment.HOLDING, last("t0 INVOKE ask a", "t0 NOTE computing a 7"));
        assertEquals(Moment.OTHER, last("t0 INVOKE ask a", "t0 NOTE computing a 7", "t0 NOTE computed a 7"));
    }

    @Test
    void whoDoesNotWaitIsNotCountedAsWaiting() throws IOException {
        assertEquals(Moment.OTHER, last("t0 INVOKE lock a now"));
    }

    @Test
    void theRarestOfWhatItsThreadsWereDoingCounts() throws IOException {
        assertEquals(Moment.HOLDING, last("t0 INVOKE lock a lock", "t0 OK lock 7", "t1 INVOKE lock a lock"));
        assertEquals(Moment.COMMITTING, last("t0 NOTE committing", "t1 INVOKE close"));
    }

    @Test
    void whoHasOnlyJustAskedDoesNotWait() throws IOException {
        Path file = folder.resolve("w2.history");
        Files.writeString(file, "1000000 t0 INVOKE lock a lock\n");
        assertEquals(Moment.OTHER, Moment.of(History.read("w2", file), 1_900_000));
    }
}

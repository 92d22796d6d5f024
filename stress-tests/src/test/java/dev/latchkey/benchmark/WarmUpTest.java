package dev.latchkey.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WarmUpTest {
    private static final Duration LONG = Duration.ofMinutes(10);

    private static final long EACH = TimeUnit.MILLISECONDS.toNanos(1);

    private long now;
    private int contended;
    private int alone;

    /** Every call takes a millisecond. */
    private final Operation operation = new Operation() {
        @Override
        public long run() {
            now += EACH;
            return ++contended;
        }

        @Override
        public Optional<Operation> alone() {
            return Optional.of(() -> {
                now += EACH;
                return ++alone;
            });
        }
    };

    private WarmUp warmUp(int calls, Duration longest) {
        return new WarmUp(() -> now, calls, longest);
    }

    @Test
    void itGoesOnForAllCallsAndUntilTheCompilersRest() throws Exception {
        warmUp(100, LONG).run(operation, 0, () -> contended >= 250);
        assertEquals(250, contended);
        warmUp(100, LONG).run(operation, 0, () -> true);
        assertEquals(350, contended);
    }

    @Test
    void withoutCallsItLastsAsLongAsItIsTold() throws Exception {
        warmUp(0, LONG).run(operation, 20 * EACH, () -> false);
        assertEquals(20, contended);
        warmUp(0, LONG).runAlone(operation, () -> false);
        assertEquals(0, alone);
    }

    @Test
    void whatIsDoneAloneAndWhatIsContendedShareOneLimit() throws Exception {
        WarmUp warmUp = warmUp(1, Duration.ofNanos(400 * EACH));
        warmUp.runAlone(operation, () -> false); // ends although the compilers never rest
        assertEquals(200, alone);
        assertEquals(0, contended);
        warmUp.run(operation, 0, () -> false);
        assertEquals(200, contended);
        warmUp.run(operation, 0, () -> false);
        assertEquals(200, contended);
    }

    @Test
    void callsAreGivenUpAtTheLimit() throws Exception {
        warmUp(1_000, Duration.ofNanos(400 * EACH)).run(operation, 0, () -> true);
        assertEquals(400, contended);
    }

    @Test
    void whatCannotBeDoneAloneIsNot() throws Exception {
        warmUp(100, LONG)
                .runAlone(
                        () -> {
                            throw new AssertionError("ran");
                        },
                        () -> true);
    }
}

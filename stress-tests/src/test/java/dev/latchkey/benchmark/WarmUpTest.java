package dev.latchkey.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WarmUpTest {
    private static final Duration LONG = Duration.ofMinutes(10);

    private int contended;
    private int alone;

    private final Operation operation = new Operation() {
        @Override
        public long run() {
            return ++contended;
        }

        @Override
        public Optional<Operation> alone() {
            return Optional.of(() -> ++alone);
        }
    };

    @Test
    void itGoesOnForAllCallsAndUntilTheCompilersRest() throws Exception {
        new WarmUp(100, LONG).run(operation, 0, () -> contended >= 250);
        assertEquals(250, contended);
        new WarmUp(100, LONG).run(operation, 0, () -> true);
        assertEquals(350, contended);
    }

    @Test
    void withoutCallsItLastsAsLongAsItIsTold() throws Exception {
        long start = System.nanoTime();
        new WarmUp(0, LONG).run(operation, TimeUnit.MILLISECONDS.toNanos(20), () -> false);
        assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(20));
        assertTrue(contended > 0);
        new WarmUp(0, LONG).runAlone(operation, () -> false);
        assertEquals(0, alone);
    }

    @Test
    void whatIsDoneAloneAndWhatIsContendedShareOneLimit() throws Exception {
        Duration longest = Duration.ofMillis(400);
        long start = System.nanoTime();
        WarmUp warmUp = new WarmUp(1, longest);
        warmUp.runAlone(operation, () -> false); // ends although the compilers never rest
        assertTrue(alone > 0);
        assertEquals(0, contended);
        assertTrue(System.nanoTime() - start >= longest.toNanos() / 2);
        warmUp.run(operation, 0, () -> false);
        assertTrue(System.nanoTime() - start >= longest.toNanos());
        int before = contended;
        assertTrue(before > 0, "half of the time is left for what is contended");
        warmUp.run(operation, 0, () -> false);
        assertEquals(before, contended);
    }

    @Test
    void whatCannotBeDoneAloneIsNot() throws Exception {
        new WarmUp(100, LONG)
                .runAlone(
                        () -> {
                            throw new AssertionError("ran");
                        },
                        () -> true);
    }
}

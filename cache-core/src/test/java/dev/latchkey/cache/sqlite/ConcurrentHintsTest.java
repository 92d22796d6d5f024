package dev.latchkey.cache.sqlite;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/*
 * Words in mapped memory and a system call: no tool can choose the interleavings here. Lincheck compares what real threads
 * read of a word with a counter; what a sleep promises takes time, and is shown by two threads that take turns.
 */
/** Rings that come at any moment between the look at a word and the sleep on it. */
@Order(1) // Lincheck takes several times as long in a JVM that has loaded many classes
class ConcurrentHintsTest {
    private static final int TURNS = 3_000;
    private static final int REMAPS = 200;
    /** A lost ring costs as much. */
    private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long SHORT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    // The word

    /** Opened by the test; Lincheck makes many objects of {@link Word}. */
    private static Hints shared;

    /** Counts from where it was when this was made. */
    public static class Word {
        private final Hints hints = shared;
        private final int before = hints.seen("a");

        @Operation
        public void ring() {
            hints.ring("a");
        }

        @Operation
        public int seen() {
            return hints.seen("a") - before;
        }
    }

    public static class Counter {
        private int count;

        public void ring() {
            count++;
        }

        public int seen() {
            return count;
        }
    }

    @Test
    void everyRingIsSeenAndCountedOnce() throws IOException {
        Path file = directory.resolve("hints");
        Hints.create(file);
        try (Hints hints = new Hints(file)) {
            shared = hints;
            new StressOptions()
                    .iterations(10)
                    .invocationsPerIteration(1_000)
                    .threads(3)
                    .actorsPerThread(3)
                    .minimizeFailedScenario(false)
                    .sequentialSpecification(Counter.class)
                    .check(Word.class);
        }
    }

    // The sleep

    /** Two threads that take turns; whose turn it is not sleeps on the word until it is. */
    private static final class Turns {
        private final Hints hints;
        private final long nanos;
        private final AtomicInteger turn = new AtomicInteger();
        private final AtomicLong longest = new AtomicLong();
        private volatile boolean stopped;

        Turns(Hints hints, long nanos) {
            this.hints = hints;
            this.nanos = nanos;
        }

        void take(int parity, int turns) {
            for (int next = parity; next < turns; next += 2) {
                long start = System.nanoTime();
                int seen = hints.seen("a");
                while (turn.get() != next && !stopped) {
                    hints.await("a", seen, nanos);
                    seen = hints.seen("a");
                }
                if (stopped) {
                    return;
                }
                longest.accumulateAndGet(System.nanoTime() - start, Math::max);
                turn.set(next + 1);
                hints.ring("a");
            }
        }

        Thread start(int parity, int turns) {
            Thread thread = new Thread(() -> take(parity, turns), "turns-" + parity);
            thread.setDaemon(true);
            thread.start();
            return thread;
        }
    }

    /** Takes all turns, and says how long the longest wait was. */
    static final class TakeTurns {
        public static void main(String[] args) throws Exception {
            Child.start();
            try (Hints hints = new Hints(Path.of(args[0]))) {
                Turns turns = new Turns(hints, LONG_NANOS);
                Thread even = turns.start(0, TURNS);
                turns.take(1, TURNS);
                even.join();
                Child.say("FUTEX " + Futex.isAvailable());
                Child.say("LONGEST " + TimeUnit.NANOSECONDS.toMillis(turns.longest.get()));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void noRingIsLostBetweenTheLookAndTheSleep(boolean futex) throws IOException {
        Path file = directory.resolve("hints");
        Hints.create(file);
        var child = processes.start(
                JavaCommand.of(TakeTurns.class, file.toString()).options("-Ddev.latchkey.futex=" + futex));
        assertEquals("FUTEX " + (futex && Futex.isAvailable()), child.await("FUTEX ", Duration.ofSeconds(60)));
        String longest = child.await("LONGEST ", Duration.ofSeconds(10));
        assertTrue(Long.parseLong(longest.substring("LONGEST ".length())) < LONG_NANOS / 2_000_000, longest);
    }

    @Test
    void aRingThatAChangeOfTheFileSwallowsDelaysUntilTheEndOfTheSleep() throws Exception {
        Path file = directory.resolve("hints");
        Hints.create(file);
        try (LockFile locks = LockFile.open(directory.resolve("locks"));
                Hints hints = new Hints(file)) {
            Turns turns = new Turns(hints, SHORT_NANOS);
            Thread even = turns.start(0, Integer.MAX_VALUE);
            Thread odd = turns.start(1, Integer.MAX_VALUE);
            for (int i = 0; i < REMAPS; i++) {
                int before = turns.turn.get();
                Files.delete(file);
                hints.look(locks);
                await().pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(1))
                        .atMost(Duration.ofSeconds(20))
                        .until(() -> turns.turn.get() >= before + 10);
            }
            turns.stopped = true;
            even.join();
            odd.join();
        }
    }
}

package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Signal;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.Elapsed;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.ReplacedClass;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HintsTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final long TEN_SECONDS = TimeUnit.SECONDS.toNanos(10);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path file;
    private Cache cache;
    private Signal signal;
    private Elapsed elapsed;

    @BeforeEach
    void open() {
        elapsed = new Elapsed();
        Path path = directory.resolve("cache");
        file = path.resolve("cache.db-latchkey/hints");
        cache = Cache.open(path);
        signal = cache.unwrap(CoordinationEngine.class).signal();
    }

    @AfterEach
    void close() {
        cache.close();
        elapsed.close();
    }

    /** Rings and waits for the first time with the flag set, and says whether the flag survived. */
    static final class Interrupted {
        public static void main(String[] args) {
            Child.start();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                Signal signal = cache.unwrap(CoordinationEngine.class).signal();
                Thread.currentThread().interrupt();
                signal.ring("a");
                signal.await("a", signal.seen("a"), TimeUnit.MILLISECONDS.toNanos(50));
                Child.say("FLAG " + Thread.interrupted());
            }
        }
    }

    /** JNA runs ldconfig when it is loaded, and swallows an interrupt that comes just then. */
    private static final String SWALLOWING_FUTEX = """
            package dev.latchkey.cache.sqlite;

            final class Futex {
                static {
                    Thread.interrupted();
                }

                static boolean isAvailable() {
                    return true;
                }

                static long address(java.nio.ByteBuffer memory) {
                    return 1;
                }

                static void await(long word, int expected, long nanos) {}

                static void wakeAll(long word) {}
            }
            """;

    @Test
    void anInterruptIsNotLostWhileTheNativeLibraryIsLoaded() throws IOException {
        Path replaced = ReplacedClass.compile(directory.resolve("replaced"), SWALLOWING_FUTEX);
        JavaProcess child = processes.start(
                JavaCommand.of(Interrupted.class, directory.resolve("cache").toString())
                        .inFront(replaced));
        assertEquals("FLAG true", child.await("FLAG", LONG));
    }

    /** Sleeps on a name as often as told, and says when it woke: the clock is the same in all processes. */
    static final class Sleeper {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Cache cache = Cache.open(Path.of(args[0]));
            Signal signal = cache.unwrap(CoordinationEngine.class).signal();
            Child.say("FUTEX " + Futex.isAvailable());
            while (true) {
                String name = Child.hear();
                int seen = signal.seen(name);
                Child.say("ASLEEP");
                signal.await(name, seen, TEN_SECONDS);
                Child.say("AWAKE " + System.nanoTime());
            }
        }
    }

    private JavaProcess sleeper(boolean futex) {
        JavaCommand command =
                JavaCommand.of(Sleeper.class, cache.directory().toString()).options("-Ddev.latchkey.futex=" + futex);
        JavaProcess sleeper = processes.start(command);
        assertEquals("FUTEX " + (futex && Futex.isAvailable()), sleeper.await("FUTEX ", LONG));
        return sleeper;
    }

    /** How long the sleeper went on sleeping after a ring, in milliseconds; it may not be asleep yet. */
    private long wake(JavaProcess sleeper, String name) {
        sleeper.send(name);
        sleeper.await("ASLEEP", LONG);
        long rung = System.nanoTime();
        signal.ring(name);
        long awake = Long.parseLong(sleeper.await("AWAKE ", LONG).substring("AWAKE ".length()));
        return elapsed.millis(rung, awake);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("process")
    void aRingWakesASleeperInAnotherProcess(boolean futex) {
        JavaProcess sleeper = sleeper(futex);
        for (int i = 0; i < 20; i++) {
            long millis = wake(sleeper, "name" + i);
            assertTrue(millis < 1_000, "woke after " + millis + " ms");
        }
    }

    @Test
    void aRingThatCameBeforeTheSleepIsNotLost() {
        int seen = signal.seen("a");
        signal.ring("a");
        assertNotEquals(seen, signal.seen("a"));
        long start = System.nanoTime();
        signal.await("a", seen, TEN_SECONDS);
        assertTrue(System.nanoTime() - start < TEN_SECONDS / 2);
    }

    @Test
    void withoutARingTheSleepEndsInTime() {
        long start = System.nanoTime();
        signal.await("a", signal.seen("a"), TimeUnit.MILLISECONDS.toNanos(100));
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        assertTrue(millis >= 90 && millis < 3_000, millis + " ms");
    }

    @Test
    void anInterruptedThreadDoesNotSleepAndKeepsItsFlag() {
        Thread.currentThread().interrupt();
        long start = System.nanoTime();
        signal.await("a", signal.seen("a"), TEN_SECONDS);
        assertTrue(Thread.interrupted(), "the flag");
        assertTrue(System.nanoTime() - start < TEN_SECONDS / 2);
    }

    @Test
    @Tag("process")
    void aDeletedFileIsMadeAndMappedAnewWithinAboutASecondInAllProcesses() throws IOException {
        JavaProcess sleeper = sleeper(true);
        assertTrue(wake(sleeper, "before") < 1_000);
        Files.delete(file);
        assertWithinThreeSeconds(() -> Files.exists(file));
        // the other process may still be on the old file, and then sleeps for as long as it may
        Awaitility.await().atMost(LONG).until(() -> wake(sleeper, "after") < 1_000);
        Object key = Directory.key(file);
        Awaitility.await().during(Duration.ofMillis(1500)).until(() -> key.equals(Directory.key(file)));
    }

    private void assertWithinThreeSeconds(Callable<Boolean> condition) {
        long start = System.nanoTime();
        Awaitility.await().atMost(LONG).until(condition);
        long millis = elapsed.millisSince(start);
        assertTrue(millis < 3_000, "after " + millis + " ms");
    }

    @Test
    @Tag("process")
    void anotherFileInItsPlaceIsMappedWithinAboutASecond() throws IOException {
        JavaProcess sleeper = sleeper(true);
        Path other = directory.resolve("hints.other");
        Hints.create(other); // a copy would have what was rung before
        Files.move(other, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        int before = signal.seen("a");
        try (Hints written = new Hints(file)) {
            assertWithinThreeSeconds(() -> {
                signal.ring("a");
                return written.seen("a") != 0;
            });
        }
        assertNotEquals(before, signal.seen("a"));
        Awaitility.await().atMost(LONG).until(() -> wake(sleeper, "after") < 1_000);
    }

    @Test
    @Tag("process")
    void zeroingTheFileIsHarmless() throws IOException {
        JavaProcess sleeper = sleeper(true);
        assertTrue(wake(sleeper, "a") < 1_000);
        try (RandomAccessFile words = new RandomAccessFile(file.toFile(), "rw")) {
            words.write(new byte[(int) words.length()]);
        }
        assertTrue(wake(sleeper, "a") < 1_000);
        assertEquals(1, cache.incr("k"));
    }
}

package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Signal;
import dev.latchkey.testing.Child;
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

    @BeforeEach
    void open() {
        Path path = directory.resolve("cache");
        file = path.resolve("cache.db-latchkey/hints");
        cache = Cache.open(path);
        signal = cache.unwrap(CoordinationEngine.class).signal();
    }

    @AfterEach
    void close() {
        cache.close();
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

    /** Sleeps on a name as often as told, and says when it woke. */
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
                long start = System.nanoTime();
                signal.await(name, seen, TimeUnit.SECONDS.toNanos(3));
                Child.say("AWAKE " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
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

    /** Rings until the sleeper has woken: it may not be asleep at the first ring. */
    private long wake(JavaProcess sleeper, String name) {
        sleeper.send(name);
        sleeper.await("ASLEEP", LONG);
        signal.ring(name);
        return Long.parseLong(sleeper.await("AWAKE ", LONG).substring("AWAKE ".length()));
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
        Awaitility.await().atMost(Duration.ofSeconds(3)).until(() -> Files.exists(file));
        // the other process may still be on the old file; a ring is late by at most one look then
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> wake(sleeper, "after") < 1_000);
        Object key = Directory.key(file);
        Awaitility.await().during(Duration.ofMillis(1500)).until(() -> key.equals(Directory.key(file)));
    }

    @Test
    @Tag("process")
    void anotherFileInItsPlaceIsMappedWithinAboutASecond() throws IOException {
        JavaProcess sleeper = sleeper(true);
        Path other = Files.copy(file, directory.resolve("hints.other"));
        Files.move(other, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        int before = signal.seen("a");
        Awaitility.await().atMost(Duration.ofSeconds(3)).until(() -> {
            signal.ring("a");
            return wordIsWritten();
        });
        assertNotEquals(before, signal.seen("a"));
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> wake(sleeper, "after") < 1_000);
    }

    private boolean wordIsWritten() throws IOException {
        for (byte each : Files.readAllBytes(file)) {
            if (each != 0) {
                return true;
            }
        }
        return false;
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

package dev.latchkey.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class JavaProcessTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(300);

    @RegisterExtension
    final Processes processes = new Processes();

    static final class Echo {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Child.say("hello " + String.join(" ", args));
            while (true) {
                Child.say("heard " + Child.hear());
            }
        }
    }

    /** Says something when its main thread hears. */
    static final class Hears {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Thread main = Thread.currentThread();
            Thread watcher = new Thread(() -> {
                while (!isHearing(main)) {
                    Thread.onSpinWait();
                }
                Child.say("hello");
            });
            watcher.start();
            Child.say("heard " + Child.hear());
        }

        private static boolean isHearing(Thread thread) {
            return Arrays.stream(thread.getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals("hear"));
        }
    }

    static final class ExitsEarly {
        public static void main(String[] args) {
            Child.start();
            Child.say("my stdout");
            System.err.println("my stderr");
            System.exit(3);
        }
    }

    static final class PrintsMuch {
        public static void main(String[] args) {
            Child.start();
            Stream.iterate(0, i -> i + 1).limit(2L * Transcript.LIMIT).forEach(i -> Child.say("line " + i));
            Child.say("last words");
        }
    }

    static final class UsesNativeLibraries {
        public static void main(String[] args) throws Exception {
            Child.start();
            try (Connection memory = DriverManager.getConnection("jdbc:sqlite::memory:")) {
                int pid = NativeLibrary.getProcess().getFunction("getpid").invokeInt(new Object[0]);
                Child.say("pid " + pid + " open " + !memory.isClosed());
                Child.hear();
            }
        }
    }

    static final class StartsAnother {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            JavaProcess other = JavaProcess.start(Echo.class);
            other.await("hello", LONG);
            Child.say("other " + other.pid());
            Child.hear();
        }
    }

    @Test
    void linesGoBothWays() {
        JavaProcess echo = processes.start(Echo.class, "a b", "ü");
        assertEquals("hello a b ü", echo.await("hello", LONG));
        echo.send("one ü");
        echo.send("two");
        assertEquals("heard one ü", echo.await("heard", LONG));
        assertEquals("heard two", echo.await("heard", LONG));
        assertEquals(List.of("hello a b ü", "heard one ü", "heard two"), echo.output());
    }

    @Test
    void aLineThatWasPassedOverIsNotSeenAgain() {
        JavaProcess echo = processes.start(Echo.class);
        echo.send("x");
        echo.await("heard", LONG);
        assertThrows(AssertionError.class, () -> echo.await("hello", SHORT));
    }

    @Test
    void aChildThatExitsEarlyIsReportedWithItsExitCodeAndOutput() {
        JavaProcess child = processes.start(ExitsEarly.class);
        String message = assertThrows(AssertionError.class, () -> child.await("READY", LONG))
                .getMessage();
        assertContains(message, "ExitsEarly", "did not print 'READY'", "exit code is 3");
        assertContains(message, "my stdout", "stderr: my stderr");
        assertEquals(3, child.exitCode(LONG));
    }

    @Test
    void aChildThatHangsIsReportedWithItsThreads() {
        JavaProcess child = processes.start(Hears.class);
        child.await("hello", LONG);
        String message = assertThrows(AssertionError.class, () -> child.await("READY", SHORT))
                .getMessage();
        assertContains(message, "it is alive", "hello", "dev.latchkey.testing.Child.hear");
    }

    @Test
    void aMainClassThatCannotRunIsReportedWithTheWordsOfTheJvm() {
        JavaProcess child = processes.start(JavaProcessTest.class);
        String message = assertThrows(AssertionError.class, () -> child.await("READY", LONG))
                .getMessage();
        assertContains(message, "exit code is 1", "Main method not found");
    }

    @Test
    void sendingToADeadChildFailsWithItsOutput() {
        JavaProcess child = processes.start(ExitsEarly.class);
        child.exitCode(LONG);
        String message =
                assertThrows(AssertionError.class, () -> child.send("x")).getMessage();
        assertContains(message, "did not take the line 'x'", "my stderr");
    }

    @Test
    void outputIsBoundedAndItsEndIsKept() {
        JavaProcess child = processes.start(PrintsMuch.class);
        child.exitCode(LONG);
        assertEquals(Transcript.LIMIT, child.output().size());
        child.await("last words", SHORT);
        String message = assertThrows(AssertionError.class, () -> child.await("line", SHORT))
                .getMessage();
        assertContains(message, "earlier lines dropped", "last words");
    }

    @Test
    void aKilledChildIsGoneAndItsLastWordsAreKept() {
        JavaProcess child = processes.start(Echo.class);
        child.await("hello", LONG);
        child.kill();
        assertFalse(child.isAlive());
        assertFalse(ProcessHandle.of(child.pid()).isPresent());
        assertEquals(128 + 9, child.exitCode(Duration.ZERO));
        assertEquals(List.of("hello "), child.output());
    }

    @Test
    void killNowTellsAMomentBeforeTheEnd() {
        JavaProcess child = processes.start(Echo.class);
        child.await("hello", LONG);
        long before = System.nanoTime();
        long killed = child.killNow();
        assertTrue(killed >= before && killed <= System.nanoTime());
        assertEquals(128 + 9, child.exitCode(LONG));
    }

    @Test
    void aStoppedChildDoesNothingUntilItIsContinued() {
        JavaProcess echo = processes.start(Echo.class);
        echo.await("hello", LONG);
        echo.stop();
        assertTrue(echo.isStopped());
        echo.send("x");
        String message = assertThrows(AssertionError.class, () -> echo.await("heard", SHORT))
                .getMessage();
        assertContains(message, "it is stopped");
        echo.cont();
        assertEquals("heard x", echo.await("heard", LONG));
        assertFalse(echo.isStopped());
    }

    @Test
    void aStoppedChildCanBeKilled() {
        JavaProcess echo = processes.start(Echo.class);
        echo.stop();
        echo.kill();
        assertEquals(128 + 9, echo.exitCode(Duration.ZERO));
    }

    @Test
    void stoppingADeadChildFails() {
        JavaProcess child = processes.start(ExitsEarly.class);
        child.exitCode(LONG);
        assertContains(assertThrows(AssertionError.class, child::stop).getMessage(), "did not get SIGSTOP");
    }

    @Test
    void closeEndsAChildAndCanBeRepeated() {
        JavaProcess echo = JavaProcess.start(Echo.class);
        try (echo) {
            echo.await("hello", LONG);
        }
        assertFalse(echo.isAlive());
        echo.close();
    }

    @Test
    void anInterruptedWaitFailsWithTheOutputAndKeepsTheInterrupt() {
        JavaProcess echo = processes.start(Echo.class);
        echo.await("hello", LONG);
        Thread.currentThread().interrupt();
        String message = assertThrows(AssertionError.class, () -> echo.await("READY", LONG))
                .getMessage();
        assertTrue(Thread.interrupted());
        assertContains(message, "interrupted", "hello");
    }

    @Test
    void aChildEndsByItselfWhenItsLifetimeIsOver() {
        try (JavaProcess child =
                JavaCommand.of(Echo.class).lifetime(Duration.ofSeconds(3)).start()) {
            assertEquals(Child.TIMED_OUT, child.exitCode(LONG));
            String output = String.join("\n", child.output());
            assertContains(output, "outlived its limit", "dev.latchkey.testing.Child.hear");
        }
    }

    @Test
    void aChildEndsByItselfWhenItsParentIsKilled() {
        JavaProcess parent = processes.start(StartsAnother.class);
        long other = Long.parseLong(parent.await("other ", LONG).substring("other ".length()));
        assertTrue(ProcessHandle.of(other).isPresent());
        parent.kill();
        Awaitility.await().atMost(LONG).until(() -> ProcessHandle.of(other).isEmpty());
    }

    @Test
    void aKilledChildLeavesNoNativeLibraryBehind() throws IOException {
        JavaProcess child = processes.start(UsesNativeLibraries.class);
        assertEquals("pid " + child.pid() + " open true", child.await("pid", LONG));
        child.kill();
        assertTrue(child.output().stream().noneMatch(line -> line.startsWith(Transcript.STDERR)));
        try (Stream<Path> left = Files.list(processes.temporary())) {
            assertEquals(List.of(), left.toList());
        }
        Path performance = Path.of("/tmp", "hsperfdata_" + System.getProperty("user.name"));
        assertFalse(Files.exists(performance.resolve(Long.toString(child.pid()))));
    }

    private static void assertContains(String text, String... parts) {
        for (String part : parts) {
            assertTrue(text.contains(part), () -> "no '" + part + "' in: " + text);
        }
    }
}

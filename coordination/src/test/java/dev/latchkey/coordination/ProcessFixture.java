package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes that use one directory. */
@Tag("process")
public abstract class ProcessFixture {
    protected static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    protected final Processes processes = new Processes();

    @RegisterExtension
    protected final TestDirectory directory = new TestDirectory();

    protected Path cachePath() {
        return directory.resolve("cache");
    }

    /** Starts a child, and waits until it has the directory open. */
    protected JavaProcess opened(JavaCommand command) {
        JavaProcess child = processes.start(command);
        child.await("OPEN", SOON);
        return child;
    }

    protected static String ask(JavaProcess child, String line, String answer) {
        child.send(line);
        return child.await(answer, SOON);
    }

    protected static long word(String answer, int index) {
        return Long.parseLong(answer.split(" ", -1)[index]);
    }

    protected static long instant(String answer) {
        return word(answer, 1);
    }

    protected static long token(String answer) {
        return word(answer, 2);
    }

    /** Lets children go on for a while, in which none of them ends or fails. */
    static void letRun(Duration time, List<JavaProcess> children) {
        await().during(time)
                .atMost(time.plus(SOON))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .untilAsserted(() -> children.forEach(ProcessFixture::assertRuns));
    }

    private static void assertRuns(JavaProcess child) {
        assertTrue(
                child.isAlive() && child.output().stream().noneMatch(line -> line.startsWith("FAILED")),
                () -> child + ": " + child.output());
    }

    static String futex(boolean enabled) {
        return "-Ddev.latchkey.futex=" + enabled;
    }

    /** When a process was sent SIGKILL, and when the kernel said that it was gone, both of {@code System.nanoTime}. */
    protected record Death(long signalled, long gone) {}

    protected static Death kill(JavaProcess victim) throws Exception {
        CompletableFuture<Long> gone =
                ProcessHandle.of(victim.pid()).orElseThrow().onExit().thenApply(handle -> System.nanoTime());
        long signalled = victim.killNow();
        return new Death(signalled, gone.get(SOON.toSeconds(), TimeUnit.SECONDS));
    }
}

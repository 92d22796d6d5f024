package dev.latchkey.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class ProcessesTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    final Processes processes = new Processes();

    static final class Runner {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Child.ready();
            Child.say("ran " + System.nanoTime());
            Child.hear();
        }
    }

    static final class LeavesProcess {
        public static void main(String[] args) throws Exception {
            Child.start();
            Process left = new ProcessBuilder("sleep", "300").start();
            Child.say("left " + left.pid());
            Child.hear();
        }
    }

    @Test
    void theGunLetsAllRunAtOnce() {
        List<JavaProcess> runners =
                Stream.generate(() -> processes.start(Runner.class)).limit(4).toList();
        long before = System.nanoTime();
        processes.gun(runners);
        for (JavaProcess runner : runners) {
            long ran = Long.parseLong(runner.await("ran ", LONG).substring("ran ".length()));
            assertTrue(ran > before, "ran before the gun");
        }
        processes.end();
    }

    @Test
    void afterTheTestNoChildAndNoFileIsLeft() {
        List<JavaProcess> children =
                Stream.generate(() -> processes.start(Runner.class)).limit(2).toList();
        children.get(0).await(Child.READY, LONG);
        children.get(0).stop();
        Path temporary = processes.temporary();
        processes.end();
        children.forEach(child -> assertFalse(ProcessHandle.of(child.pid()).isPresent()));
        assertFalse(Files.exists(temporary));
    }

    @Test
    void aProcessThatAChildLeavesBehindFailsTheTestAndIsKilled() {
        JavaProcess child = processes.start(LeavesProcess.class);
        long left = Long.parseLong(child.await("left ", LONG).substring("left ".length()));
        String message = assertThrows(AssertionError.class, processes::end).getMessage();
        assertTrue(message.contains("left process " + left + " behind"), message);
        Awaitility.await().atMost(LONG).until(() -> ProcessHandle.of(left).isEmpty());
    }

    @Test
    void aChildThatOutlivedItsLimitFailsTheTest() {
        JavaProcess child = processes.start(JavaCommand.of(Runner.class).lifetime(Duration.ofMillis(100)));
        assertEquals(Child.TIMED_OUT, child.exitCode(LONG));
        String message = assertThrows(AssertionError.class, processes::end).getMessage();
        assertTrue(message.contains("outlived its limit"), message);
    }
}

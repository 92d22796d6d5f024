package dev.latchkey.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class FailpointTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    static final class Worker {
        public static void main(String[] args) {
            Child.start();
            for (int round = 1; round <= 4; round++) {
                dev.latchkey.cache.spi.Failpoint.reached("begin");
                Child.say("round " + round);
                dev.latchkey.cache.spi.Failpoint.reached("end");
            }
        }
    }

    @Test
    void withoutAFailpointTheChildRunsToItsEnd() {
        assertEquals(0, processes.start(Worker.class).exitCode(LONG));
    }

    @Test
    void aChildKillsItselfAtThePoint() {
        JavaProcess child = start(Failpoint.kill("end", 3));
        assertEquals(128 + 9, child.exitCode(LONG));
        assertEquals(List.of("round 1", "round 2", "round 3"), child.output());
    }

    @Test
    void aChildStopsItselfAtThePointAndCanGoOn() {
        JavaProcess child = start(Failpoint.stop("begin", 2));
        child.awaitStopped(LONG);
        child.await("round 1", LONG);
        assertEquals(List.of("round 1"), child.output());
        child.cont();
        assertEquals(0, child.exitCode(LONG));
    }

    @Test
    void aClassThatDoesNotCompileIsReported() {
        String source = "package a.b;\n\nfinal class C {\n    int x = \"\";\n}\n";
        AssertionError failure =
                assertThrows(AssertionError.class, () -> ReplacedClass.compile(directory.path(), source));
        assertTrue(failure.getMessage().contains("line 4: incompatible types"), failure.getMessage());
    }

    private JavaProcess start(Failpoint failpoint) {
        return processes.start(failpoint.in(JavaCommand.of(Worker.class), directory.path()));
    }
}

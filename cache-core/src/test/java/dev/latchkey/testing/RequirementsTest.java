package dev.latchkey.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;

class RequirementsTest {
    private static final String CI = "latchkey.ci";

    @Test
    void aMissingProgramSkipsTheTest() {
        String before = System.clearProperty(CI);
        try {
            var skipped = assertThrows(TestAbortedException.class, () -> Requirements.missing("x"));
            assertTrue(String.valueOf(skipped.getMessage()).contains("this test needs x"));
        } finally {
            restore(before);
        }
    }

    @Test
    void aMissingProgramFailsTheTestWhereAllMustRun() {
        String before = System.setProperty(CI, "true");
        try {
            assertThrows(AssertionFailedError.class, () -> Requirements.missing("x"));
        } finally {
            restore(before);
        }
    }

    @Test
    void theShellOfSqliteRuns() {
        String program = Requirements.sqliteShell();
        Finished shell = Finished.run(Duration.ofSeconds(30), program, ":memory:", "SELECT 6 * 7");
        assertEquals(new Finished(0, "42\n", ""), shell);
    }

    @Test
    void pythonRunsAScriptWithArguments() {
        assertEquals("ü b\n", Python.run("import diskcache, sys\nprint(' '.join(sys.argv[1:]))", "ü", "b"));
    }

    @Test
    void aScriptThatFailsIsReportedWithItsTraceback() {
        Requirements.python();
        String script = "raise KeyError('gone')";
        String message =
                assertThrows(AssertionError.class, () -> Python.run(script)).getMessage();
        assertTrue(message.contains("python ended with 1") && message.contains("KeyError: 'gone'"), message);
    }

    @Test
    void aCommandThatDoesNotExistOrDoesNotEndIsNoticed() {
        assertEquals(
                127, Finished.run(Duration.ofSeconds(30), "no-such-command").exitCode());
        assertThrows(AssertionError.class, () -> Finished.run(Duration.ofMillis(100), "sleep", "300"));
    }

    private static void restore(@Nullable String before) {
        if (before == null) {
            System.clearProperty(CI);
        } else {
            System.setProperty(CI, before);
        }
    }
}

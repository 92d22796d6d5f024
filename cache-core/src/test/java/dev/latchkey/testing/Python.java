package dev.latchkey.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Runs Python scripts with the Python of {@link Requirements#python()}. */
public final class Python {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private Python() {}

    /**
     * Runs a script, which finds {@code arguments} in {@code sys.argv[1:]}.
     *
     * @return what it printed to stdout
     * @throws AssertionError if its exit code is not 0, with what it printed to stderr
     */
    public static String run(String script, String... arguments) {
        List<String> command = new ArrayList<>(List.of(Requirements.python(), "-B", "-c", script));
        command.addAll(List.of(arguments));
        Finished python = Finished.run(LIMIT, command);
        if (python.exitCode() != 0) {
            throw new AssertionError("python ended with " + python.exitCode() + ":\n" + python.stderr());
        }
        return python.stdout();
    }

    /**
     * Starts a script that goes on by itself and is to end when its input ends; otherwise a child as a JVM is, if it dumps its
     * threads for SIGQUIT.
     */
    public static JavaProcess start(String script, String... arguments) {
        List<String> command = new ArrayList<>(List.of(Requirements.python(), "-B", "-c", script));
        command.addAll(List.of(arguments));
        try {
            return new JavaProcess("python", new ProcessBuilder(command).start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

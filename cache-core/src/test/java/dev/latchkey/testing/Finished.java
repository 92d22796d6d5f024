package dev.latchkey.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** A short command that has run to its end, and what it printed. */
record Finished(int exitCode, String stdout, String stderr) {

    static Finished run(Duration limit, String... command) {
        return run(limit, List.of(command));
    }

    /** Runs a command without input; one that is missing counts as one that failed with exit code 127. */
    static Finished run(Duration limit, List<String> command) {
        Process process;
        try {
            process = new ProcessBuilder(command).start();
        } catch (IOException e) {
            return new Finished(127, "", String.valueOf(e.getMessage()));
        }
        try {
            return finish(process, limit, command);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Finished finish(Process process, Duration limit, List<String> command) {
        try {
            FutureTask<String> stdout = read(process.getInputStream());
            FutureTask<String> stderr = read(process.getErrorStream());
            process.getOutputStream().close();
            if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new AssertionError("did not end within " + limit.toMillis() + " ms: " + command);
            }
            return new Finished(process.exitValue(), stdout.get(), stderr.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while waiting for the end of " + command, e);
        } catch (Exception e) {
            throw new AssertionError("cannot run " + command, e);
        }
    }

    private static FutureTask<String> read(InputStream stream) {
        FutureTask<String> text = new FutureTask<>(() -> text(stream));
        Thread reader = new Thread(text, "output of a command");
        reader.setDaemon(true);
        reader.start();
        return text;
    }

    private static String text(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

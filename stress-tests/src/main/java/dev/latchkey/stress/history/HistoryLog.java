package dev.latchkey.stress.history;

import dev.latchkey.stress.history.Event.Kind;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The history that a worker writes. Every line is handed to the kernel in one write before the worker goes on, so that a
 * kill loses none; a stream, not a channel, because interrupts would close that.
 */
public final class HistoryLog {
    private final FileOutputStream out;

    /** Starts a new log. */
    public HistoryLog(Path file) throws IOException {
        out = new FileOutputStream(file.toFile(), true);
    }

    /** Writes down one event of the calling thread, and answers its instant. */
    public synchronized long write(Kind kind, String operation, Object... arguments) {
        List<String> words = Arrays.stream(arguments).map(HistoryLog::word).toList();
        long nanos = System.nanoTime();
        String line = new Event(nanos, Thread.currentThread().getName(), kind, operation, words).line() + "\n";
        try {
            out.write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return nanos;
    }

    private static String word(Object argument) {
        return String.valueOf(argument).replaceAll("\\s+", "_");
    }
}

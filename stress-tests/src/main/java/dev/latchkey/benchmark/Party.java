package dev.latchkey.benchmark;

import dev.latchkey.testing.JavaProcess;
import java.time.Duration;

/** A process that uses a library and does what it is told; see {@link Client}. */
final class Party implements AutoCloseable {
    private static final Duration SOON = Duration.ofSeconds(60);

    private final JavaProcess process;
    private final Duration patience;
    private boolean isOpen;

    Party(JavaProcess process, Duration patience) {
        this.process = process;
        this.patience = patience;
    }

    /** Several are started at once, and each is waited for when it is needed. */
    void tell(String line) {
        awaitOpen();
        process.send(line);
    }

    /** A process that begins takes time from those that are measured. */
    void awaitOpen() {
        if (!isOpen) {
            process.await("OPEN", SOON);
            isOpen = true;
        }
    }

    /** What follows this word in the next line that starts with it. */
    String hear(String word) {
        return process.await(word, patience).substring(word.length()).strip();
    }

    /** Whether a line that starts with this word has come, heard or not. */
    boolean hasSaid(String word) {
        return process.output().stream().anyMatch(line -> line.startsWith(word));
    }

    String ask(String line, String word) {
        tell(line);
        return hear(word);
    }

    /** Asks for a number. */
    long nanos(String line, String word) {
        return Long.parseLong(ask(line, word));
    }

    /** Ends it without closing anything. */
    void halt() {
        tell("halt");
        int code = process.exitCode(SOON);
        if (code != 0) {
            throw new IllegalStateException(process + " ended with " + code + ": " + process.output());
        }
        process.close();
    }

    JavaProcess process() {
        return process;
    }

    @Override
    public void close() {
        process.close();
    }
}

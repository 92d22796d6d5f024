package dev.latchkey.examples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/** Sends signals through one shell that stays: a new process for each would come when the receiver has long gone on. */
final class Signals implements AutoCloseable {
    private final Process shell;
    private final Writer commands;
    private final BufferedReader answers;

    Signals() throws IOException {
        this.shell = new ProcessBuilder("sh")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        this.commands = shell.outputWriter(StandardCharsets.US_ASCII);
        this.answers = shell.inputReader(StandardCharsets.US_ASCII);
    }

    /** SIGSTOP: it can be looked at and does not move on. Returns whether there was such a process. */
    boolean stop(long pid) throws IOException {
        return send("STOP", pid);
    }

    /** SIGCONT. */
    void resume(long pid) throws IOException {
        send("CONT", pid);
    }

    private boolean send(String signal, long pid) throws IOException {
        commands.write("kill -s " + signal + " " + pid + "; echo $?\n");
        commands.flush();
        return "0".equals(answers.readLine());
    }

    /** Ends the shell. */
    @Override
    public void close() {
        shell.destroyForcibly();
        shell.onExit().join();
    }
}

package dev.latchkey.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A child JVM: lines to it and from it, signals, and its end. Every failure shows what the child has printed.
 *
 * <p>SIGKILL goes through the process handle, never through {@link Process#destroyForcibly()}, which would
 * close the pipes and lose the last words of the child.
 */
public final class JavaProcess implements AutoCloseable {
    private static final Duration SOON = Duration.ofSeconds(60);
    /** For what comes at once unless the machine is slow. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(10);

    private final String name;
    private final Process process;
    private final Transcript transcript = new Transcript();

    JavaProcess(String name, Process process) {
        this.name = name;
        this.process = process;
        Survivors.add(process.toHandle());
        follow(process.getInputStream(), transcript::said);
        follow(process.getErrorStream(), transcript::complained);
    }

    /** Starts {@code main} with the defaults of {@link JavaCommand}. */
    public static JavaProcess start(Class<?> main, String... arguments) {
        return JavaCommand.of(main, arguments).start();
    }

    private void follow(InputStream stream, Consumer<String> line) {
        Thread reader = new Thread(() -> drain(stream, line), "output of " + this);
        reader.setDaemon(true);
        reader.start();
    }

    private void drain(InputStream stream, Consumer<String> line) {
        try (var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            reader.lines().forEach(line);
        } catch (IOException | UncheckedIOException e) {
            transcript.complained("reading its output failed: " + e);
        } finally {
            transcript.ended();
        }
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /**
     * The lines that have been read from the child so far, those of its stderr marked with
     * {@value Transcript#STDERR}. They are complete after {@link #kill()} and {@link #exitCode}.
     */
    public List<String> output() {
        return transcript.lines();
    }

    /** Sends a line, which the child reads with {@link Child#hear()}. */
    public void send(String line) {
        try {
            OutputStream stdin = process.getOutputStream();
            stdin.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            stdin.flush();
        } catch (IOException e) {
            throw failure("did not take the line '" + line + "' (" + e.getMessage() + ")");
        }
    }

    /**
     * Waits for the next line on the child's stdout that starts with {@code prefix}, and returns it. The
     * lines before it count as read: a later call does not see them.
     *
     * @throws AssertionError if the child ends or {@code limit} passes without such a line
     */
    public String await(String prefix, Duration limit) {
        String line = transcript.next(prefix, limit);
        if (line == null) {
            settle();
            throw failure("did not print '" + prefix + "' within " + limit.toMillis() + " ms");
        }
        return line;
    }

    /**
     * Sends SIGKILL and returns at once.
     *
     * @return {@link System#nanoTime()} right before the signal
     */
    public long killNow() {
        ProcessHandle handle = process.toHandle();
        long nanos = System.nanoTime();
        handle.destroyForcibly();
        return nanos;
    }

    /** Sends SIGKILL and waits until the child is gone and all that it printed has been read. */
    public void kill() {
        killNow();
        exitCode(SOON);
    }

    /** Waits until the child has ended by itself or by a signal; a signal n gives 128 + n. */
    public int exitCode(Duration limit) {
        if (!ended(limit)) {
            dumpThreads();
            throw failure("did not end within " + limit.toMillis() + " ms");
        }
        transcript.ends(LAST_WORDS);
        return process.exitValue();
    }

    /** Sends SIGSTOP and returns when the kernel says of every thread of the child that it is stopped. */
    public void stop() {
        signal("STOP");
        awaitStopped(SOON);
    }

    /** Waits until every thread of the child is stopped, for a child that stops itself. */
    public void awaitStopped(Duration limit) {
        try {
            Awaitility.await()
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(1))
                    .atMost(limit)
                    .until(() -> isStopped() || !isAlive());
        } catch (ConditionTimeoutException e) {
            throw failure("was not stopped within " + limit.toMillis() + " ms");
        }
        if (!isAlive()) {
            throw failure("ended and was not stopped");
        }
    }

    public boolean isStopped() {
        return ProcDirectory.of(pid()).isStopped();
    }

    /** How many bytes of memory it occupies. */
    public long residentBytes() {
        return 1024 * ProcDirectory.of(pid()).number("status", "VmRSS");
    }

    /** Sends SIGCONT. */
    public void cont() {
        signal("CONT");
    }

    /** Kills the child if it is alive, and reaps it. */
    @Override
    public void close() {
        kill();
        Survivors.remove(process.toHandle());
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // A line that the child never read is of no interest any more.
        }
    }

    @Override
    public String toString() {
        return "child " + name + " (pid " + pid() + ")";
    }

    List<ProcessHandle> descendants() {
        return process.descendants().toList();
    }

    private void signal(String signal) {
        Finished kill = Finished.run(Duration.ofSeconds(10), "kill", "-s", signal, Long.toString(pid()));
        if (kill.exitCode() != 0) {
            throw failure("did not get SIG" + signal + " (" + kill.stderr().strip() + ")");
        }
    }

    private boolean ended(Duration limit) {
        try {
            return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** A child whose output has ended is about to end, one that hangs is to show where. */
    private void settle() {
        if (!transcript.ends(Duration.ZERO) || !ended(Duration.ofSeconds(1))) {
            dumpThreads();
        }
    }

    /** SIGQUIT makes a JVM dump its threads; the last line counts JNI references. */
    private void dumpThreads() {
        if (isAlive() && !isStopped() && !Thread.currentThread().isInterrupted()) {
            signal("QUIT");
            transcript.shows(Transcript.STDERR + "JNI global refs", LAST_WORDS);
        }
    }

    private AssertionError failure(String what) {
        return new AssertionError(this + " " + what + "; " + state() + "; its output:\n" + transcript);
    }

    private String state() {
        String waiting = Thread.currentThread().isInterrupted() ? "the waiting thread was interrupted; " : "";
        if (isAlive()) {
            return waiting + (isStopped() ? "it is stopped" : "it is alive");
        }
        return waiting + "its exit code is " + process.exitValue();
    }
}

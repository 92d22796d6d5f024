package dev.latchkey.stress.referee;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The referee as the process sees it that started it, the controller.
 *
 * <pre>{@code
 * try (RefereeProcess referee = RefereeProcess.start(file, Duration.ofMinutes(5))) {
 *     ... // workers report to referee.port()
 *     RefereeRecord record = RefereeRecord.read(referee.end(Duration.ofSeconds(20)));
 *     assertEquals(List.of(), referee.violations());
 * }
 * }</pre>
 *
 * <p>The referee ends after its lifetime, and when the process that started it ends.
 */
public final class RefereeProcess implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration STOP = Duration.ofSeconds(10);

    private final Process process;
    private final Path record;
    private final List<Violation> violations = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Listening> listening = new CompletableFuture<>();
    private final CompletableFuture<Void> allRead = new CompletableFuture<>();

    /** What the first two lines say. */
    private record Listening(int port, String classPath) {}

    private RefereeProcess(Process process, Path record) {
        this.process = process;
        this.record = record;
        Thread reader = new Thread(this::follow, "output of the referee");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts a referee and waits until it listens. It sees nothing but the classes it was compiled with.
     *
     * @param record the file of its record, which is replaced
     * @param lifetime after which it ends by itself
     * @throws IllegalStateException if it does not start
     */
    public static RefereeProcess start(Path record, Duration lifetime) {
        return start(record, lifetime, ownClasses());
    }

    static RefereeProcess start(Path record, Duration lifetime, String classPath) {
        var command = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-XX:+DisplayVMOutputToStderr",
                        "-cp",
                        classPath,
                        Referee.class.getName(),
                        record.toAbsolutePath().toString(),
                        Long.toString(lifetime.toMillis()))
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        try {
            var referee = new RefereeProcess(command.start(), record);
            referee.awaitListening();
            return referee;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String ownClasses() {
        try {
            return Path.of(Referee.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("the classes of the referee are in no file", e);
        }
    }

    private void awaitListening() {
        try {
            listening.copy().orTimeout(START.toMillis(), TimeUnit.MILLISECONDS).join();
        } catch (CompletionException e) {
            close();
            throw new IllegalStateException("the referee did not start; " + state(), e);
        }
    }

    private void follow() {
        try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            int port = Integer.parseInt(after(Referee.PORT, lines.readLine()));
            listening.complete(new Listening(port, after(Referee.CLASS_PATH, lines.readLine())));
            lines.lines().map(Violation::parse).forEach(violations::add);
            allRead.complete(null);
        } catch (IOException | RuntimeException e) {
            listening.completeExceptionally(e);
            allRead.completeExceptionally(e);
        }
    }

    private static String after(String prefix, @Nullable String line) throws IOException {
        if (line == null || !line.startsWith(prefix)) {
            throw new IOException("expected " + prefix + "of the referee, got " + line);
        }
        return line.substring(prefix.length());
    }

    /** Where it listens. */
    public int port() {
        return listening.join().port();
    }

    /** What it says its class path is. */
    public String classPath() {
        return listening.join().classPath();
    }

    /** Connects to it. */
    public RefereeConnection connect(String name) {
        return new RefereeConnection(port(), name);
    }

    /** The violations so far, the first hundred at most; complete after {@link #end}. */
    public List<Violation> violations() {
        return List.copyOf(violations);
    }

    /**
     * Says that all has been said, and waits for the end of the referee.
     *
     * @return the file of the record, which is complete
     * @throws IllegalStateException if it does not end well within the limit
     */
    public Path end(Duration limit) {
        try (RefereeConnection controller = connect(RefereeConnection.CONTROLLER)) {
            controller.end();
        }
        if (!endsWithin(limit) || process.exitValue() != Referee.ENDED) {
            throw new IllegalStateException(
                    "the referee did not end well within " + limit.toMillis() + " ms; " + state());
        }
        try {
            allRead.copy().orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS).join();
        } catch (CompletionException e) {
            throw new IllegalStateException("the violations could not all be read", e);
        }
        return record;
    }

    /** Ends the referee if it has not ended yet. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // it has ended
        }
        if (!endsWithin(STOP)) {
            process.destroyForcibly();
        }
    }

    private boolean endsWithin(Duration limit) {
        return process.onExit()
                .thenApply(ended -> true)
                .completeOnTimeout(false, limit.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    private String state() {
        return process.isAlive() ? "it is alive" : "its exit status is " + process.exitValue();
    }
}

package dev.latchkey.examples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** A worker as its parent sees it: a JVM with a small heap, the lines it says, and signals to it. */
final class WorkerProcess {
    private final Process process;
    private WorkerEvent last = new WorkerEvent(WorkerEvent.Kind.ENDED, 0, 0, "");
    private volatile WorkerEvent newest = last;
    private boolean killed;

    private WorkerProcess(Process process) {
        this.process = process;
    }

    /**
     * Starts a worker.
     *
     * @param temporary where its native libraries are extracted: a killed JVM does not delete them
     * @param arguments of {@link IndexWorker#main}
     * @param listener is told all events, one after the other, on a thread of this worker
     */
    static WorkerProcess start(Path temporary, List<String> arguments, BiConsumer<WorkerProcess, WorkerEvent> listener)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"));
        command.add("--enable-native-access=ALL-UNNAMED");
        for (String property : WordIndexDemo.TEMPORARY) {
            command.add("-D" + property + "=" + temporary);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), IndexWorker.class.getName()));
        command.addAll(arguments);
        var process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        WorkerProcess worker = new WorkerProcess(process);
        Thread reader = new Thread(() -> worker.follow(listener), "output of " + worker);
        reader.setDaemon(true);
        reader.start();
        return worker;
    }

    private void follow(BiConsumer<WorkerProcess, WorkerEvent> listener) {
        try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            lines.lines().map(WorkerEvent::parse).forEach(event -> {
                newest = event;
                listener.accept(this, event);
            });
        } catch (IOException | RuntimeException e) {
            // the last line of a killed process may be cut off
        }
        int status = process.onExit().join().exitValue();
        listener.accept(this, new WorkerEvent(WorkerEvent.Kind.ENDED, System.nanoTime(), status, ""));
    }

    /** Remembers what it said last; returns what it had said before. */
    WorkerEvent saw(WorkerEvent event) {
        WorkerEvent before = last;
        last = event;
        return before;
    }

    /** Whether it has not gone on to another item, which its parent may not have seen yet. */
    boolean isStillAt(String item) {
        return newest.workingOn().equals(item);
    }

    /** What it works on, or nothing. */
    String item() {
        return last.workingOn();
    }

    long pid() {
        return process.pid();
    }

    boolean wasKilled() {
        return killed;
    }

    /** Lets it begin. */
    void go() {
        try {
            OutputStream stdin = process.getOutputStream();
            stdin.write('\n');
            stdin.flush();
        } catch (IOException e) {
            // it is dead, which is told as an event
        }
    }

    /** Asks it to end. */
    void end() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // it is dead already
        }
    }

    /** SIGKILL; returns the time of it. */
    long kill() {
        killed = true;
        long nanos = System.nanoTime();
        process.toHandle().destroyForcibly(); // unlike process.destroyForcibly(), leaves its last lines to be read
        return nanos;
    }

    void awaitEnd() {
        process.onExit().join();
    }

    @Override
    public String toString() {
        return "pid " + pid();
    }
}

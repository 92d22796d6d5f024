package dev.latchkey.testing;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The children of a test, for {@code @RegisterExtension final Processes processes = new Processes()}.
 *
 * <p>After the test all of them are killed. The test fails if one had outlived its limit, if one cannot be
 * killed, or if a process that a child had started is left behind. If the test has failed, what the children
 * printed is printed.
 */
public final class Processes implements AfterEachCallback {
    private static final Duration READY_LIMIT = Duration.ofSeconds(60);
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final List<JavaProcess> children = new CopyOnWriteArrayList<>();
    private @Nullable Path temporary;

    /** Starts a child with the defaults of {@link JavaCommand}. */
    public JavaProcess start(Class<?> main, String... arguments) {
        return start(JavaCommand.of(main, arguments));
    }

    public JavaProcess start(JavaCommand command) {
        JavaProcess child = command.temporary(temporary()).start();
        children.add(child);
        return child;
    }

    /** Waits until all children are in {@link Child#ready()}, then lets all of them go at once. */
    public void gun(List<JavaProcess> runners) {
        runners.forEach(child -> child.await(Child.READY, READY_LIMIT));
        runners.forEach(child -> child.send(Child.GO));
    }

    /** The directory for temporary files of all children of this test. */
    public synchronized Path temporary() {
        if (temporary == null) {
            temporary = TestDirectory.create("children");
        }
        return temporary;
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (context.getExecutionException().isPresent()) {
            children.forEach(child -> System.err.println(printed(child)));
        }
        end();
    }

    /** Kills all children now; fails if something is wrong with one of them. */
    synchronized void end() {
        List<String> faults = new ArrayList<>();
        children.forEach(child -> end(child, faults));
        children.clear();
        if (temporary != null) {
            DirectoryTree.delete(temporary).forEach(file -> faults.add("cannot delete " + file));
            temporary = null;
        }
        if (!faults.isEmpty()) {
            throw new AssertionError(String.join("\n", faults));
        }
    }

    private static void end(JavaProcess child, List<String> faults) {
        List<ProcessHandle> descendants = child.descendants();
        try {
            child.close();
            if (child.exitCode(Duration.ZERO) == Child.TIMED_OUT) {
                faults.add("outlived its limit: " + printed(child));
            }
        } catch (AssertionError e) {
            faults.add(String.valueOf(e.getMessage()));
        }
        descendants.stream().filter(Processes::remains).forEach(left -> faults.add(remove(child, left)));
    }

    private static String printed(JavaProcess child) {
        return child + " printed:\n" + String.join("\n", child.output());
    }

    /** A process that ends because its parent has ended is given the time for it. */
    private static boolean remains(ProcessHandle handle) {
        try {
            handle.onExit().get(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
            return false;
        } catch (TimeoutException e) {
            return handle.isAlive();
        } catch (Exception e) {
            return true;
        }
    }

    private static String remove(JavaProcess child, ProcessHandle left) {
        String command = left.info().commandLine().orElse("?");
        left.destroyForcibly();
        return child + " left process " + left.pid() + " behind: " + command;
    }
}

package dev.latchkey.testing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line of a child JVM: the same Java and class path as this JVM, small and quick to start.
 *
 * <p>A killed child leaves nothing in the system's temporary directory: native libraries are extracted
 * beforehand, performance data is off, and {@code java.io.tmpdir} is a directory of the test.
 */
public final class JavaCommand {
    private final Class<?> main;
    private final List<String> arguments;
    private final List<String> options = new ArrayList<>();
    private final List<Path> inFront = new ArrayList<>();
    private String classPath = System.getProperty("java.class.path");
    private Path temporary = TestDirectory.root();
    private final List<String> starter = new ArrayList<>();
    private int descriptors;
    private Duration lifetime = Duration.ofMinutes(2);

    private JavaCommand(Class<?> main, List<String> arguments) {
        this.main = main;
        this.arguments = arguments;
    }

    public static JavaCommand of(Class<?> main, String... arguments) {
        return new JavaCommand(main, List.of(arguments));
    }

    /** Adds options of the JVM, such as {@code -Xmx256m}; they win over the defaults. */
    public JavaCommand options(String... more) {
        options.addAll(List.of(more));
        return this;
    }

    /** Puts a directory or jar before the rest of the class path, such as one of {@link ReplacedClass}. */
    public JavaCommand inFront(Path entry) {
        inFront.add(entry);
        return this;
    }

    /** Sets the class path, which is that of this JVM otherwise. */
    public JavaCommand classPath(String path) {
        classPath = path;
        return this;
    }

    /** Sets how many files, connections and the like the child may have open. */
    public JavaCommand descriptors(int most) {
        descriptors = most;
        return this;
    }

    /** Has another program start the JVM, one that becomes it in the end. */
    public JavaCommand startedBy(String... program) {
        starter.addAll(List.of(program));
        return this;
    }

    /** Sets the child's directory for temporary files, which must exist. */
    JavaCommand temporary(Path directory) {
        temporary = directory;
        return this;
    }

    /** Sets when a child that has called {@link Child#start()} halts by itself; after 120 s by default. */
    public JavaCommand lifetime(Duration limit) {
        lifetime = limit;
        return this;
    }

    public JavaProcess start() {
        try {
            return new JavaProcess(main.getSimpleName(), new ProcessBuilder(words()).start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<String> words() {
        List<String> words = new ArrayList<>();
        if (descriptors > 0) {
            words.addAll(List.of("sh", "-c", "ulimit -n " + descriptors + " && exec \"$@\"", "sh"));
        }
        words.addAll(starter);
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(defaults());
        words.addAll(NativeLibraries.options());
        words.addAll(options);
        words.addAll(List.of("-cp", classPath(), main.getName()));
        words.addAll(arguments);
        return words;
    }

    /** What the JVM itself prints, such as thread dumps, goes to stderr and never splits a line of ours. */
    private List<String> defaults() {
        return List.of(
                "-Xmx64m",
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-XX:+DisplayVMOutputToStderr",
                "--enable-native-access=ALL-UNNAMED",
                "-Dfile.encoding=UTF-8",
                "-Djava.io.tmpdir=" + temporary,
                "-Djna.tmpdir=" + temporary,
                "-D" + Child.LIFETIME_MILLIS + "=" + lifetime.toMillis());
    }

    private String classPath() {
        StringBuilder path = new StringBuilder();
        inFront.forEach(entry -> path.append(entry).append(File.pathSeparator));
        return path.append(classPath).toString();
    }
}

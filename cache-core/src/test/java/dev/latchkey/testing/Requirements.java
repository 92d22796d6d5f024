package dev.latchkey.testing;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * Programs that some tests need. Without one the test is skipped and says why, unless the system property
 * {@code latchkey.ci} is {@code true}: then it fails.
 */
public final class Requirements {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private Requirements() {}

    /** The path of a Python 3 that has the module diskcache. */
    public static String python() {
        return Found.PYTHON.orElseGet(() -> missing("a python3 with the module diskcache"));
    }

    /** The same, or empty where a test must do without. */
    public static Optional<String> pythonIfAny() {
        return Boolean.getBoolean("latchkey.ci") ? Optional.of(python()) : Found.PYTHON;
    }

    /** The path of SQLite's command line shell. */
    public static String sqliteShell() {
        return Found.SQLITE_SHELL.orElseGet(() -> missing("sqlite3, the shell of SQLite"));
    }

    /** The path of the program of libfiu that lets calls of the C library fail. */
    public static String faultInjector() {
        return Found.FAULT_INJECTOR.orElseGet(() -> missing("fiu-run, of the package fiu-utils"));
    }

    /** Whether one may mount a {@link SmallVolume}, where a test must do without. */
    public static boolean smallVolumesIfAny() {
        return Found.SMALL_VOLUMES
                || Boolean.getBoolean("latchkey.ci") && Requirements.<Boolean>missing("the right to mount a tmpfs");
    }

    /** The path of the library of libfaketime that gives a program another time of day. */
    public static Path clockFaker() {
        return Found.CLOCK_FAKER.orElseGet(() -> missing("libfaketimeMT.so.1, of the package libfaketime"));
    }

    /** So many bytes of memory that could be given to programs now. */
    public static void memory(long bytes) {
        long available = ProcDirectory.availableMemory();
        if (available < bytes) {
            missing((bytes >> 20) + " MiB of memory; there are " + (available >> 20));
        }
    }

    /** Skips the test, or lets it fail. */
    public static <T> T missing(String what) {
        String reason = "this test needs " + what;
        if (Boolean.getBoolean("latchkey.ci")) {
            return Assertions.fail(reason);
        }
        System.err.println("skipped: " + reason);
        return Assumptions.abort(reason);
    }

    private static Optional<String> first(List<String> candidates, String... test) {
        return candidates.stream().filter(candidate -> works(candidate, test)).findFirst();
    }

    /** Debian has one folder for libraries for each kind of processor. */
    private static Optional<Path> library(String name) {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(Path.of("/usr/lib"))) {
            return StreamSupport.stream(folders.spliterator(), false)
                    .map(folder -> folder.resolve(name))
                    .filter(Files::exists)
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static boolean works(String candidate, String... test) {
        List<String> command =
                Stream.concat(Stream.of(candidate), Stream.of(test)).toList();
        return Finished.run(LIMIT, command).exitCode() == 0;
    }

    /** Looked for once. */
    private static final class Found {
        static final Optional<String> PYTHON = first(List.of("/usr/bin/python3", "python3"), "-c", "import diskcache");
        static final Optional<String> SQLITE_SHELL = first(List.of("/usr/bin/sqlite3", "sqlite3"), "-version");
        static final Optional<String> FAULT_INJECTOR = first(List.of("/usr/bin/fiu-run", "fiu-run"), "-x", "true");
        static final boolean SMALL_VOLUMES = canMount();

        private static boolean canMount() {
            Path directory = TestDirectory.create("mount");
            try (SmallVolume volume = SmallVolume.mount(directory, 1)) {
                return volume.path().equals(directory);
            } catch (IOException e) {
                return false;
            } finally {
                DirectoryTree.delete(directory);
            }
        }

        static final Optional<Path> CLOCK_FAKER = library("faketime/libfaketimeMT.so.1");
    }
}

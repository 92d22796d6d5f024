package dev.latchkey.stress;

import dev.latchkey.stress.worker.WarmUp;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.DirectoryTree;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.ReplacedClass;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * What the workers of a run are started from: the shipped classes, with some that stand before them, and an archive of all that they load
 * first. With that a worker starts at half the cost; as the JVM archives only what comes from jars, all of it is packed into some.
 */
final class TestBuild {
    /** The failpoints tell the worker that they were reached. */
    private static final String FAILPOINT = """
            package dev.latchkey.cache.spi;

            public final class Failpoint {
                public static void reached(String point) {
                    dev.latchkey.stress.worker.Worker.reached(point);
                }
            }
            """;

    private static final String ENGINE = "cache-core/src/main/java/dev/latchkey/cache/sqlite/";
    private static final String WALL_MILLIS = "dev.latchkey.stress.worker.WallClock.millis()";

    private static final Duration WARMED_UP = Duration.ofSeconds(60);
    /** That of the run that is played, of the one that begins and of the one that ends. */
    private static final int MOST = 3;

    private static final Map<Optional<BrokenRule>, TestBuild> BUILDS = new LinkedHashMap<>();
    private static String shipped = "";

    private final Path folder;
    private final String classPath;
    private final Path archive;

    private TestBuild(Path folder, String classPath) {
        this.folder = folder;
        this.classPath = classPath;
        this.archive = folder.resolve("classes.jsa");
    }

    /** That of the engine as it is, or with a rule broken; made when it is first asked for. */
    static synchronized TestBuild of(Optional<BrokenRule> broken) throws IOException {
        TestBuild build = BUILDS.get(broken);
        if (build == null) {
            build = make(broken);
            BUILDS.put(broken, build);
            if (BUILDS.size() > MOST) {
                Iterator<TestBuild> all = BUILDS.values().iterator();
                DirectoryTree.delete(all.next().folder);
                all.remove();
            }
        }
        return build;
    }

    private static TestBuild make(Optional<BrokenRule> broken) throws IOException {
        if (shipped.isEmpty()) {
            shipped = packed(System.getProperty("java.class.path"), newFolder());
        }
        Path folder = newFolder();
        String classPath = Stream.concat(compile(folder, broken).stream().map(Path::toString), Stream.of(shipped))
                .collect(Collectors.joining(File.pathSeparator));
        TestBuild build = new TestBuild(folder, packed(classPath, folder));
        JavaCommand warmUp = JavaCommand.of(WarmUp.class)
                .classPath(build.classPath)
                .options("-XX:ArchiveClassesAtExit=" + build.archive, "-Xlog:disable", "-Xlog:all=error:stderr");
        try (JavaProcess process = warmUp.start()) {
            process.await(Child.READY, WARMED_UP);
            process.exitCode(WARMED_UP);
        }
        return build;
    }

    private static Path newFolder() throws IOException {
        Path folder = Files.createTempDirectory(Stress.root(), "build-");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> DirectoryTree.delete(folder)));
        return folder;
    }

    /** A class path whose folders have become jars. */
    private static String packed(String classPath, Path folder) throws IOException {
        List<String> entries = new ArrayList<>();
        for (String entry : classPath.split(File.pathSeparator, -1)) {
            Path classes = Path.of(entry);
            Path jar = folder.resolve(entries.size() + ".jar");
            if (Files.isDirectory(classes)) {
                pack(classes, jar);
                entries.add(jar.toString());
            } else {
                entries.add(entry);
            }
        }
        return String.join(File.pathSeparator, entries);
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (OutputStream out = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> all = Files.walk(classes)) {
            zip.setLevel(0);
            for (Path file : all.filter(Files::isRegularFile).sorted().toList()) {
                zip.putNextEntry(
                        new ZipEntry(classes.relativize(file).toString().replace(File.separatorChar, '/')));
                Files.copy(file, zip);
            }
        }
    }

    /** The command line of a process that runs a class of this build. */
    JavaCommand command(Class<?> main, String... arguments) {
        return JavaCommand.of(main, arguments).classPath(classPath).options("-XX:SharedArchiveFile=" + archive);
    }

    /** Compiles what stands before the shipped classes. */
    private static List<Path> compile(Path parent, Optional<BrokenRule> broken) throws IOException {
        List<Path> folders = new ArrayList<>();
        folders.add(ReplacedClass.compile(parent, FAILPOINT));
        // what the kernel stamps on a file goes by a clock that nobody steps here, and so must the age of a file
        folders.add(replaced(parent, "SystemHostClock.java", "System.currentTimeMillis()", WALL_MILLIS));
        folders.add(replaced(parent, "Grace.java", "clock.wallMillis()", "System.currentTimeMillis()"));
        if (broken.isPresent()) {
            Path source = root().resolve(broken.get().source());
            folders.add(ReplacedClass.compile(parent, broken.get().applyTo(Files.readString(source))));
        }
        return folders;
    }

    /** A class of the engine with a piece of its source replaced, which must be there once. */
    private static Path replaced(Path parent, String source, String piece, String replacement) throws IOException {
        String text = Files.readString(root().resolve(ENGINE + source));
        if (text.indexOf(piece) < 0 || text.indexOf(piece) != text.lastIndexOf(piece)) {
            throw new IllegalStateException("'" + piece + "' must be once in " + source);
        }
        return ReplacedClass.compile(parent, text.replace(piece, replacement));
    }

    /** The folder of the project: this one or the one above. */
    static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("cache-core"))
                ? here
                : here.resolve("..").normalize();
    }
}

package dev.latchkey.benchmark;

import dev.latchkey.testing.Python;
import dev.latchkey.testing.Requirements;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** Where and when a run took place, and what else the machine did. */
record Machine(Instant start, List<String> facts, double loadBefore, double loadAfter, Duration took) {

    static Machine now(RedisServer redis) throws IOException {
        FileStore store = Files.getFileStore(folder());
        List<String> facts = new ArrayList<>();
        facts.add("processor: " + Runtime.getRuntime().availableProcessors() + " of " + processor());
        facts.add("system: " + System.getProperty("os.name") + " " + System.getProperty("os.version") + ", file system "
                + store.type());
        facts.add("Java: " + System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version")
                + ", one JVM for each measurement, -Xmx512m -XX:+UseSerialGC");
        facts.add("SQLite of Latchkey: sqlite-jdbc " + version("org/xerial/sqlite-jdbc"));
        if (Requirements.pythonIfAny().isPresent()) {
            facts.add(Python.run("import sys, sqlite3, diskcache; print('Python', sys.version.split()[0],"
                            + " 'with diskcache', diskcache.__version__, 'and SQLite', sqlite3.sqlite_version)")
                    .strip());
        }
        facts.add(redis.missing().isEmpty() ? "Redis " + redis.version() + " on loopback" : redis.missing());
        facts.add("libraries: " + libraries());
        return new Machine(Instant.now().truncatedTo(ChronoUnit.SECONDS), facts, load(), 0, Duration.ZERO);
    }

    /** Where the stores are made. */
    static Path folder() throws IOException {
        Path root = Path.of(System.getProperty("latchkey.tmp", System.getProperty("java.io.tmpdir")));
        return Files.createDirectories(root).toAbsolutePath();
    }

    Machine ended() {
        return new Machine(start, facts, loadBefore, load(), Duration.between(start, Instant.now()));
    }

    private static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    private static String processor() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        if (!Files.exists(info)) {
            return System.getProperty("os.arch");
        }
        return Files.readAllLines(info).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
    }

    /** The jars of the peers on the class path, with their versions in their names. */
    private static String libraries() {
        return String.join(
                ", ",
                List.of("jedis", "redisson", "chronicle-map", "lmdbjava", "jmh-core", "HdrHistogram").stream()
                        .map(Machine::jar)
                        .toList());
    }

    private static String version(String folder) {
        return jar(folder.substring(folder.lastIndexOf('/') + 1)).replaceFirst("^.*-(?=\\d)", "");
    }

    private static String jar(String artifact) {
        for (String entry : System.getProperty("java.class.path").split(java.io.File.pathSeparator, -1)) {
            String name = String.valueOf(Path.of(entry).getFileName());
            if (name.matches(java.util.regex.Pattern.quote(artifact) + "-\\d.*\\.jar")) {
                return name.substring(0, name.length() - ".jar".length());
            }
        }
        return artifact;
    }
}

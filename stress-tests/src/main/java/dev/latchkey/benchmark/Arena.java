package dev.latchkey.benchmark;

import dev.latchkey.testing.ReplacedClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** Where the measurements of a run take place. */
final class Arena {
    private static final Path SOURCES = Path.of("cache-core/src/main/java/dev/latchkey/cache/sqlite");

    private final BenchmarkOptions options;
    private final Path folder;
    private final RedisServer redis;
    private final Map<Peer, Path> replaced = new EnumMap<>(Peer.class);

    Arena(BenchmarkOptions options, Path folder, RedisServer redis) {
        this.options = options;
        this.folder = folder;
        this.redis = redis;
    }

    BenchmarkOptions options() {
        return options;
    }

    Path folder() {
        return folder;
    }

    RedisServer redis() {
        return redis;
    }

    /** The short form is too short for the optimizing compiler. */
    String compiler() {
        return "-XX:TieredStopAtLevel=" + (options.isShort() ? 1 : 4);
    }

    /** How long one answer may take. */
    Duration patience() {
        return Duration.ofMinutes(5);
    }

    /** Classes that stand before ours, for a build that lacks something. */
    Optional<Path> replacedFor(Peer peer) {
        return switch (peer) {
            case UNGROUPED ->
                Optional.of(replaced(peer, "Writer.java", "MOST_PER_COMMIT = 64;", "MOST_PER_COMMIT = 1;"));
            case UNGATED ->
                Optional.of(replaced(
                        peer,
                        "Gate.java",
                        "PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);",
                        "PATIENCE_NANOS = 0;"));
            case UNRUNG ->
                Optional.of(replaced(
                        peer,
                        "Hints.java",
                        "int offset = offset(name);\n        WORD.getAndAdd(mapped.memory, offset, 1);",
                        "int offset = offset(name);\n        if (offset >= 0) {\n            return;\n        }"));
            default -> Optional.empty();
        };
    }

    private Path replaced(Peer peer, String file, String piece, String replacement) {
        return replaced.computeIfAbsent(
                peer, missing -> ReplacedClass.compile(folder, source(SOURCES.resolve(file), piece, replacement)));
    }

    private static String source(Path file, String piece, String replacement) {
        String source;
        try {
            source = Files.readString(root().resolve(file));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        if (!source.contains(piece)) {
            throw new IllegalStateException("'" + piece + "' must be in " + file);
        }
        return source.replace(piece, replacement);
    }

    /** The folder of the project: this one or the one above. */
    static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("cache-core"))
                ? here
                : here.resolve("..").normalize();
    }
}

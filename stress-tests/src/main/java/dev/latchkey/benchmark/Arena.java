package dev.latchkey.benchmark;

import dev.latchkey.testing.ReplacedClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where the measurements of a run take place. */
final class Arena {
    private static final String WRITER = "cache-core/src/main/java/dev/latchkey/cache/sqlite/Writer.java";
    private static final String GROUP = "MOST_PER_COMMIT = 64;";
    private static final String NO_GROUP = "MOST_PER_COMMIT = 1;";

    private final BenchmarkOptions options;
    private final Path folder;
    private final RedisServer redis;
    private @Nullable Path ungrouped;

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
        if (peer != Peer.UNGROUPED) {
            return Optional.empty();
        }
        if (ungrouped == null) {
            ungrouped = ReplacedClass.compile(folder, writerWithoutGroups());
        }
        return Optional.of(ungrouped);
    }

    private static String writerWithoutGroups() {
        String source;
        try {
            source = Files.readString(root().resolve(WRITER));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        if (!source.contains(GROUP)) {
            throw new IllegalStateException("'" + GROUP + "' must be in " + WRITER);
        }
        return source.replace(GROUP, NO_GROUP);
    }

    /** The folder of the project: this one or the one above. */
    static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("cache-core"))
                ? here
                : here.resolve("..").normalize();
    }
}

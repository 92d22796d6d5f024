package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.FanoutCache;
import dev.latchkey.cache.spi.Deadline;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The door to this package. */
public final class SqliteCaches {
    private SqliteCaches() {}

    /**
     * Opens a cache on the embedded engine.
     *
     * @param path the directory
     * @param options how
     * @return the open cache
     */
    public static Cache open(Path path, OpenOptions options) {
        return open(path, options, null);
    }

    /**
     * Opens a cache in shards on the embedded engine.
     *
     * @param path the directory
     * @param options how
     * @param shards how many there must be; null if that does not matter
     * @return the open cache
     */
    public static FanoutCache openFanout(Path path, OpenOptions options, @Nullable Integer shards) {
        return FanoutOpening.open(FanoutDirectory.open(path, options.readOnly()), options, shards);
    }

    static ReadableCache open(Path path, OpenOptions options, @Nullable Family family) {
        boolean network = options.networkFileSystem();
        Directory directory =
                options.readOnly() ? Directory.openReadOnly(path, network) : Directory.open(path, network);
        Deadline deadline = Deadline.after(options.timeout()).atLeast(Duration.ofSeconds(1));
        Engines.Lease lease = Engines.acquire(directory, options, family, deadline);
        Source source = lease.source();
        try {
            requireSameUse(source, family);
            Schema.requireCodec(source.settings(), options.codec(), source.root());
        } catch (Throwable t) {
            Engines.release(List.of(lease), () -> {});
            throw t;
        }
        Codec codec = options.codec().withDiskSettings(source.settings().disk());
        return source instanceof Engine engine
                ? new SqliteCache(lease, engine, codec, options, null)
                : new ReadOnlyCache(lease, codec, options);
    }

    /** A shard shares with the others what a cache of its own has alone. */
    private static void requireSameUse(Source source, @Nullable Family family) {
        if (source instanceof Engine engine && (engine.family() == null) != (family == null)) {
            throw new CacheException("the directory " + source.root() + " is open in this process "
                    + (family == null
                            ? "as a shard of a FanoutCache; use that, or close it first"
                            : "as a cache of its own; close it before it is opened as a shard of a FanoutCache"));
        }
    }

    /**
     * Opens a cache in a new directory, which is deleted when it is closed.
     *
     * @param options how
     * @return the open cache
     */
    public static Cache temporary(OpenOptions options) {
        Directory directory = Directory.temporary();
        Engines.Lease lease;
        try {
            lease = Engines.acquire(directory, options, null, Deadline.after(options.timeout()));
        } catch (Throwable t) {
            directory.delete();
            throw t;
        }
        return new SqliteCache(lease, (Engine) lease.source(), options.codec(), options, directory);
    }

    /**
     * Opens a cache in shards in a new directory, which is deleted when it is closed.
     *
     * @param options how
     * @return the open cache
     */
    public static FanoutCache temporaryFanout(OpenOptions options) {
        return FanoutOpening.open(FanoutDirectory.temporary(), options, null);
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.spi.Deadline;
import java.nio.file.Path;
import java.time.Duration;

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
        boolean network = options.networkFileSystem();
        Directory directory =
                options.readOnly() ? Directory.openReadOnly(path, network) : Directory.open(path, network);
        return open(directory, options);
    }

    private static Cache open(Directory directory, OpenOptions options) {
        Deadline deadline = Deadline.after(options.timeout()).atLeast(Duration.ofSeconds(1));
        Engines.Lease lease = Engines.acquire(directory, options, deadline);
        Source source = lease.source();
        try {
            Schema.requireCodec(source.settings(), options.codec(), source.root());
        } catch (Throwable t) {
            Engines.release(lease);
            throw t;
        }
        Codec codec = options.codec().withDiskSettings(source.settings().disk());
        return source instanceof Engine engine
                ? new SqliteCache(lease, engine, codec, options, null)
                : new ReadOnlyCache(lease, codec, options);
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
            lease = Engines.acquire(directory, options, Deadline.after(options.timeout()));
        } catch (Throwable t) {
            directory.delete();
            throw t;
        }
        return new SqliteCache(lease, (Engine) lease.source(), options.codec(), options, directory);
    }
}

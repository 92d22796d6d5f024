package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.Cache;
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
     * @param timeout how long a call waits for the database
     * @return the open cache
     */
    public static Cache open(Path path, Duration timeout) {
        Deadline deadline = Deadline.after(timeout).atLeast(Duration.ofSeconds(1));
        return new SqliteCache(Engines.acquire(Directory.open(path), deadline), timeout);
    }
}

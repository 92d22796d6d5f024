package dev.latchkey.cache;

import dev.latchkey.cache.sqlite.SqliteCaches;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/** Opens a {@link Cache} with options. */
public final class CacheBuilder {
    private final Path directory;
    private Duration timeout = Duration.ofSeconds(60);

    CacheBuilder(Path directory) {
        this.directory = Objects.requireNonNull(directory, "directory");
    }

    /**
     * How long a call waits for the database.
     *
     * @param timeout zero or more; 60 seconds if not set
     * @return this builder
     * @throws IllegalArgumentException if it is negative
     */
    public CacheBuilder timeout(Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("timeout must be >= 0, was " + timeout);
        }
        this.timeout = timeout;
        return this;
    }

    /**
     * Opens the cache.
     *
     * @return the open cache
     * @throws CacheException if there is a file in its place or it cannot be opened
     * @throws CacheCorruptException if what is there is not a cache
     */
    public Cache open() {
        return SqliteCaches.open(directory, timeout);
    }
}

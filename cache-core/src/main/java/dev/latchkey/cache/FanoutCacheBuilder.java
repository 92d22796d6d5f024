package dev.latchkey.cache;

import dev.latchkey.cache.sqlite.SqliteCaches;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Opens a {@link FanoutCache} with options.
 *
 * <pre>{@code
 * FanoutCache cache = FanoutCache.builder(Path.of("/var/cache/app"))
 *         .shards(16)
 *         .sizeLimit(10L << 30) // of all shards together
 *         .open();
 * }</pre>
 */
public final class FanoutCacheBuilder extends AbstractCacheBuilder<FanoutCacheBuilder> {
    private @Nullable Integer shards;

    FanoutCacheBuilder(Path directory) {
        super(directory);
    }

    static FanoutCache temporary() {
        return SqliteCaches.temporaryFanout(new FanoutCacheBuilder(Path.of("")).options());
    }

    @Override
    FanoutCacheBuilder self() {
        return this;
    }

    /**
     * Over how many shards the entries are spread; stored when the directory is created, and never changed afterwards.
     *
     * @param shards from 1 to {@value FanoutCache#MOST_SHARDS}; if not set, as many as there are, and
     *     {@value FanoutCache#DEFAULT_SHARDS} in a new directory
     * @return this builder
     * @throws IllegalArgumentException if it is another number
     */
    public FanoutCacheBuilder shards(int shards) {
        if (shards < 1 || shards > FanoutCache.MOST_SHARDS) {
            throw new IllegalArgumentException(
                    "shards must be from 1 to " + FanoutCache.MOST_SHARDS + ", was " + shards);
        }
        this.shards = shards;
        return this;
    }

    /**
     * Opens the cache.
     *
     * @return the open cache
     * @throws CacheException if there is a file in its place, it cannot be opened, it is on a network file system, it is
     *     missing and was to be opened for reading alone, or a shard of it is open in this process as a {@link Cache}
     * @throws CacheCorruptException if a shard is missing, or what is there is not a cache
     * @throws IllegalArgumentException if the directory has another number of shards, or was created with another codec
     */
    @Override
    public FanoutCache open() {
        return SqliteCaches.openFanout(directory, options(), shards);
    }
}

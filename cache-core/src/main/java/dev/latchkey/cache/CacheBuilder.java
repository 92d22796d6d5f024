package dev.latchkey.cache;

import dev.latchkey.cache.sqlite.SqliteCaches;
import java.nio.file.Path;

/**
 * Opens a {@link Cache} with options.
 *
 * <pre>{@code
 * Cache cache = Cache.builder(Path.of("/var/cache/app"))
 *         .sizeLimit(200L << 20)
 *         .evictionPolicy(EvictionPolicy.LEAST_RECENTLY_USED)
 *         .open();
 * }</pre>
 */
public final class CacheBuilder extends AbstractCacheBuilder<CacheBuilder> {
    CacheBuilder(Path directory) {
        super(directory);
    }

    static Cache temporary() {
        return SqliteCaches.temporary(new CacheBuilder(Path.of("")).options());
    }

    @Override
    CacheBuilder self() {
        return this;
    }

    @Override
    public Cache open() {
        return SqliteCaches.open(directory, options());
    }
}

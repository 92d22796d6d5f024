package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.FanoutCache;
import java.nio.file.Path;

/** Permits over a cache in shards. */
class FanoutBoundedSemaphoreTest extends BoundedSemaphoreTest {
    @Override
    Cache newCache() {
        return FanoutCache.open(directory.resolve("cache"));
    }

    @Override
    Path database() {
        return directory.resolve("cache/000/cache.db");
    }
}

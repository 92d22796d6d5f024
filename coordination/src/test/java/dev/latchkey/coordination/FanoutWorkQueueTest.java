package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.FanoutCache;
import java.nio.file.Path;

/** The work queue over a cache in shards. */
class FanoutWorkQueueTest extends WorkQueueTest {
    @Override
    Cache newCache() {
        return FanoutCache.open(directory.resolve("cache"));
    }

    @Override
    Path database() {
        return directory.resolve("cache/000/cache.db");
    }
}

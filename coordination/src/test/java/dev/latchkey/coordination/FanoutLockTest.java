package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.FanoutCache;
import java.nio.file.Path;

/** The lock over a cache in shards, where it is in the first one. */
class FanoutLockTest extends LockTest {
    @Override
    Cache newCache() {
        return FanoutCache.open(directory.resolve("cache"));
    }

    @Override
    Path database() {
        return directory.resolve("cache/000/cache.db");
    }
}

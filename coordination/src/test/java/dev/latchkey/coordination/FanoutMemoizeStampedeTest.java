package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.FanoutCache;

/** Results in all shards, and flights in the first one. */
class FanoutMemoizeStampedeTest extends MemoizeStampedeTest {
    @Override
    Cache newCache() {
        return FanoutCache.open(directory.resolve("cache"));
    }
}

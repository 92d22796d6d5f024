package dev.latchkey.cache;

import java.nio.file.Path;

/** The cache on SQLite: what goes when there is no room. */
class SqliteEvictionTest extends EvictionContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }
}

package dev.latchkey.cache;

import java.nio.file.Path;

/** The cache on SQLite: many entries at once. */
class SqliteBatchTest extends BatchContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }
}

package dev.latchkey.cache;

import java.nio.file.Path;

/** The cache on SQLite: streams of keys. */
class SqliteIterationTest extends IterationContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }
}

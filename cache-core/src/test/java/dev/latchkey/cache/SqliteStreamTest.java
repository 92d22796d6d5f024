package dev.latchkey.cache;

import java.nio.file.Path;

/** The cache on SQLite: streams in and out. */
class SqliteStreamTest extends StreamContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }
}

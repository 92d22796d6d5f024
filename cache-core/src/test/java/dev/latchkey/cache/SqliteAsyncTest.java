package dev.latchkey.cache;

import java.nio.file.Path;

/** The cache on SQLite: calls on other threads. */
class SqliteAsyncTest extends AsyncContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }
}

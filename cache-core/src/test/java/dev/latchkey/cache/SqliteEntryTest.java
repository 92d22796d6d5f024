package dev.latchkey.cache;

import java.nio.file.Path;

/** The cache on SQLite: numbers, expiry and removal. */
class SqliteEntryTest extends EntryContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }
}

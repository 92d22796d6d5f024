package dev.latchkey.cache;

import java.nio.file.Path;

/** The cache on SQLite: listeners. */
class SqliteListenerTest extends ListenerContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }
}

package dev.latchkey.cache;

import java.nio.file.Path;

/** The cache on SQLite: queues. */
class SqliteQueueTest extends QueueContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }
}

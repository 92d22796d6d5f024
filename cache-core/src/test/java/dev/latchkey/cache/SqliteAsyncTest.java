package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Ticker;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** The cache on SQLite: calls on other threads. */
class SqliteAsyncTest extends AsyncContract {
    /** By this one no set takes long to encode, so that no more batches are made than needed. */
    private static final Ticker STANDING = new Ticker() {
        @Override
        public long read() {
            return 0;
        }
    };

    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }

    @Override
    List<Path> databases() {
        return List.of(cache.directory().resolve("cache.db"));
    }

    @Test
    void setsThatWaitTogetherGiveUpTogether() throws Exception {
        Duration timeout = Duration.ofMillis(400);
        create(options -> options.timeout(timeout));
        ExecutorService thread = Executors.newSingleThreadExecutor();
        AsyncCache async = AsyncCache.of(cache, thread, STANDING);
        async.get("a").join(); // the thread and the connection are there
        try (Connection connection = connect(databases().get(0));
                Statement statement = connection.createStatement()) {
            List<CompletableFuture<Void>> sets = new ArrayList<>();
            statement.execute("BEGIN IMMEDIATE");
            long start = System.nanoTime();
            for (int i = 0; i < 60; i++) {
                sets.add(async.set("k" + i, i));
            }
            sets.forEach(set -> assertInstanceOf(CacheTimeoutException.class, failure(set)));
            Duration waited = Duration.ofNanos(System.nanoTime() - start);
            assertTrue(waited.compareTo(timeout.multipliedBy(10)) < 0, () -> "they gave up after " + waited);
            statement.execute("ROLLBACK");
        } finally {
            thread.shutdown();
        }
        assertEquals(0, cache.size());
    }
}

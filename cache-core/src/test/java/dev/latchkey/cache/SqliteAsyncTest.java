package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Ticker;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The cache on SQLite: calls on other threads. */
class SqliteAsyncTest extends AsyncContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + cache.directory().resolve("cache.db"));
    }

    /** Sixty sets that wait for the only thread. */
    private static List<CompletableFuture<Void>> setTogether(AsyncCache async) throws InterruptedException {
        List<CompletableFuture<Void>> sets = new ArrayList<>();
        try (Stopper stopper = new Stopper(async)) {
            for (int i = 0; i < 60; i++) {
                sets.add(async.set("k" + i, i));
            }
        }
        return sets;
    }

    /** How many transactions sixty sets were that waited together, each of which took so long to encode. */
    private int transactions(Duration encoding) throws Exception {
        AtomicLong now = new AtomicLong();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            AsyncCache async = AsyncCache.of(cache, thread, new Ticker() {
                @Override
                public long read() {
                    return now.getAndAdd(encoding.toNanos());
                }
            });
            setTogether(async).forEach(CompletableFuture::join);
        } finally {
            thread.shutdown();
        }
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet times = statement.executeQuery("SELECT count(*), count(DISTINCT store_time) FROM Cache")) {
            assertEquals(60, times.getInt(1));
            return times.getInt(2);
        }
    }

    @Test
    void setsThatWaitTogetherAreOneTransaction() throws Exception {
        assertEquals(1, transactions(Duration.ZERO), "they were stored at different instants");
    }

    @Test
    void setsThatTakeLongToEncodeWaitForFewOthers() throws Exception {
        assertEquals(15, transactions(Duration.ofNanos(300_000)));
    }

    @Test
    void theOneThatCannotBeStoredKeepsNoOtherFromIt() throws Exception {
        create(options -> options.asyncThreads(1));
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TRIGGER refuse BEFORE INSERT ON Cache WHEN NEW.key = 'k7'"
                    + " BEGIN SELECT RAISE(ABORT, 'not this one'); END");
        }
        List<CompletableFuture<Void>> sets = setTogether(cache.async());
        for (int i = 0; i < sets.size(); i++) {
            if (i == 7) {
                assertInstanceOf(CacheException.class, failure(sets.get(i)));
                assertFalse(cache.containsKey("k7"));
            } else {
                sets.get(i).join();
                assertEquals(i, cache.get("k" + i, int.class));
            }
        }
    }

    @Test
    void setsThatWaitTogetherGiveUpTogether() throws Exception {
        Duration timeout = Duration.ofMillis(400);
        create(options -> options.asyncThreads(1).timeout(timeout));
        cache.async().get("a").join(); // the thread and the connection are there
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            List<CompletableFuture<Void>> sets = new ArrayList<>();
            statement.execute("BEGIN IMMEDIATE");
            long start = System.nanoTime();
            for (int i = 0; i < 60; i++) {
                sets.add(cache.async().set("k" + i, i));
            }
            sets.forEach(set -> assertInstanceOf(CacheTimeoutException.class, failure(set)));
            Duration waited = Duration.ofNanos(System.nanoTime() - start);
            assertTrue(waited.compareTo(timeout.multipliedBy(10)) < 0, () -> "they gave up after " + waited);
            statement.execute("ROLLBACK");
        }
        assertEquals(0, cache.size());
    }
}

package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.Listing;
import dev.latchkey.testing.TestDirectory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Transactions over shards. The integral number i is in the shard i modulo 8. */
@Timeout(60)
class FanoutTransactionTest {
    private static final String LARGE = "x".repeat(40_000);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private FanoutCache cache;

    @BeforeEach
    void open() {
        cache = FanoutCache.open(directory.resolve("cache"));
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private Connection connect(int shard) throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("cache/00" + shard + "/cache.db"));
    }

    private void sql(int shard, String statement) throws SQLException {
        try (Connection connection = connect(shard);
                Statement s = connection.createStatement()) {
            s.execute("PRAGMA busy_timeout = 5000");
            s.executeUpdate(statement);
        }
    }

    private static Map<Long, Object> everywhere(Object value) {
        Map<Long, Object> values = new LinkedHashMap<>();
        IntStream.range(0, 16).forEach(i -> values.put((long) i, value));
        return values;
    }

    private void assertEverywhere(Object value) {
        assertEquals(
                new HashMap<>(everywhere(value)),
                new HashMap<>(cache.getAll(everywhere(1).keySet(), Object.class)));
    }

    private long files() {
        return Listing.of(cache.directory()).stream()
                .map(path -> path.getFileName().toString())
                .filter(name -> name.endsWith(".val") || name.startsWith("incoming-"))
                .count();
    }

    @Test
    void anExceptionRollsBackWhatWasDoneInEveryShard() {
        cache.setAll(everywhere("old"));
        cache.set("large", LARGE);
        Runnable body = () -> {
            everywhere(LARGE).forEach(cache::set);
            cache.delete("large");
            cache.push(LARGE);
            cache.clear();
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        everywhere("old").forEach((key, value) -> assertEquals(value, cache.get(key)));
        assertEquals(LARGE, cache.get("large"));
        assertEquals(17, cache.size());
        assertEquals(1, files());
    }

    /** The shards behind it would have been committed already. */
    @Test
    void whatFailsInOneShardKeepsAllFromBeingCommittedAlsoIfTheErrorIsSwallowed() throws SQLException {
        cache.setAll(everywhere("old"));
        for (int broken : new int[] {0, 3, 7}) {
            sql(broken, "CREATE TRIGGER no BEFORE UPDATE ON Cache BEGIN SELECT RAISE(ABORT, 'no'); END");
            Runnable body = () -> everywhere("new").forEach((key, value) -> {
                if (key % 8 == broken) {
                    assertThrows(CacheException.class, () -> cache.set(key, value));
                } else {
                    cache.set(key, value);
                }
            });
            CacheException e = assertThrows(CacheException.class, () -> cache.transact(body));
            assertInstanceOf(CacheException.class, e.getCause());
            assertThrows(CacheException.class, () -> cache.setAll(everywhere(LARGE)));
            sql(broken, "DROP TRIGGER no");
            everywhere("old").forEach((key, value) -> assertEquals(value, cache.get(key), "shard " + broken));
            assertEquals(0, files());
            assertTrue(cache.check(false).isClean(), cache.check(false)::toString);
        }
        cache.setAll(everywhere("new"));
        assertEverywhere("new");
    }

    @Test
    void aShardThatSomebodyKeepsMakesAWriteThrowInTimeWithNothingChanged() throws Exception {
        cache.setAll(everywhere("old"));
        cache.close();
        cache = FanoutCache.builder(directory.resolve("cache"))
                .timeout(Duration.ofMillis(300))
                .open();
        try (Connection connection = connect(5);
                Statement other = connection.createStatement()) {
            other.execute("PRAGMA busy_timeout = 5000");
            other.execute("BEGIN IMMEDIATE");
            long start = System.nanoTime();
            assertThrows(
                    CacheTimeoutException.class,
                    () -> cache.transact(() -> everywhere("new").forEach(cache::set)));
            assertThrows(CacheTimeoutException.class, () -> cache.setAll(everywhere(LARGE)));
            assertThrows(CacheTimeoutException.class, () -> cache.set(5, "new"));
            assertThrows(CacheTimeoutException.class, () -> cache.delete(13));
            assertThrows(CacheTimeoutException.class, () -> cache.alter(Setting.CULL_LIMIT, 3));
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            assertTrue(millis < 5 * 300 + 5000, "one time-out for all shards of a call, not for each: " + millis);
            everywhere("old").forEach((key, value) -> assertEquals(value, cache.get(key)));
            cache.set(4, "new");
            assertEquals("new", cache.get(4));
            other.execute("COMMIT");
        }
        assertEquals(10L, cache.settings().get(Setting.CULL_LIMIT));
        assertEquals(0, files());
        cache.setAll(everywhere("new"));
        assertEverywhere("new");
    }

    @Test
    void transactionsAndBatchesOfManyThreadsNeverWaitForEachOtherForEver() throws Exception {
        var threads = Executors.newFixedThreadPool(6);
        try {
            List<Future<Integer>> all = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                Random random = new Random(i);
                all.add(threads.submit(() -> {
                    int added = 0;
                    for (int round = 0; round < 60; round++) {
                        if (random.nextBoolean()) {
                            int from = random.nextInt(8);
                            int to = random.nextInt(8);
                            added += cache.transact(() -> {
                                cache.incr(from);
                                return cache.transact(() -> cache.incr(to) > 0 ? 2 : 0);
                            });
                        } else {
                            cache.setAll(Map.of("a" + random.nextInt(9), 1, "b" + random.nextInt(9), 1, "c", 1));
                        }
                    }
                    return added;
                }));
            }
            int sum = 0;
            for (Future<Integer> one : all) {
                sum += one.get(50, TimeUnit.SECONDS);
            }
            assertEquals(
                    sum,
                    cache.getAll(List.of(0, 1, 2, 3, 4, 5, 6, 7), Integer.class).values().stream()
                            .mapToInt(i -> i)
                            .sum());
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void setAllStoresAllWithOneExpiry() {
        cache.setAll(everywhere("v"), EntryOptions.none().expireAfter(Duration.ofHours(1)));
        assertEquals(
                1,
                everywhere("v").keySet().stream()
                        .map(key -> cache.entry(key, String.class).orElseThrow().expiry())
                        .distinct()
                        .count());
    }

    @Test
    void aSettingIsAlteredInAllShardsOrInNone() throws SQLException {
        sql(6, "CREATE TRIGGER no BEFORE INSERT ON Settings BEGIN SELECT RAISE(ABORT, 'no'); END");
        Map<Setting, Object> before = cache.settings();
        assertThrows(CacheException.class, () -> cache.alter(Setting.CULL_LIMIT, 3));
        sql(6, "DROP TRIGGER no");
        assertEquals(before, cache.settings());
        cache.alter(Setting.CULL_LIMIT, 3);
        cache.alter(Setting.SIZE_LIMIT, 1_000_003);
        assertEquals(1_000_003L, cache.settings().get(Setting.SIZE_LIMIT));
        cache.close();
        for (int i = 0; i < 8; i++) {
            try (Cache one = Cache.open(directory.resolve("cache/00" + i))) {
                assertEquals(3L, one.settings().get(Setting.CULL_LIMIT));
                assertEquals(i < 3 ? 125_001L : 125_000L, one.settings().get(Setting.SIZE_LIMIT));
            }
        }
    }

    @Test
    void aTransactionOfAnotherThreadIsNotJoined() throws Exception {
        var other = Executors.newSingleThreadExecutor();
        try {
            cache.transact(() -> {
                everywhere(1).forEach(cache::set);
                for (int i = 0; i < 8; i++) {
                    int key = i;
                    assertNull(other.submit(() -> cache.get(key)).get());
                }
                return true;
            });
            assertFalse(other.submit(() -> cache.add(3, 2)).get());
        } finally {
            other.shutdownNow();
        }
    }
}

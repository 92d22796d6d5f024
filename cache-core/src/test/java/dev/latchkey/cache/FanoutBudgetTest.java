package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.TestDirectory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One limit for all shards. The integral number i is in the shard i modulo 8. */
class FanoutBudgetTest {
    private static final int VALUE = 100_000;
    private static final long LIMIT = 4_000_000;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private FanoutCache cache;

    private void open(EvictionPolicy policy, boolean reaper) {
        cache = FanoutCache.builder(directory.resolve("cache"))
                .sizeLimit(LIMIT)
                .evictionPolicy(policy)
                .reaper(reaper)
                .open();
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private void fill(int shard, int from, int count) {
        for (int i = from; i < from + count; i++) {
            cache.set(8L * i + shard, new byte[VALUE]);
            long now = System.currentTimeMillis();
            while (System.currentTimeMillis() == now) {
                Thread.onSpinWait(); // what is stored in the same millisecond has no order
            }
        }
    }

    private List<Long> left(int shard, int count) {
        return LongStream.range(0, count)
                .map(i -> 8 * i + shard)
                .filter(cache::containsKey)
                .boxed()
                .toList();
    }

    /** Writes what is small until something holds: a writer who finds the house-keeping in a shard leaves eviction for later. */
    private void writeUntil(Callable<Boolean> holds) {
        Awaitility.await().until(() -> {
            cache.set(8_000L, 1);
            return holds.call();
        });
    }

    @Test
    void aShardMayHoldMoreThanItsPartWhileTheOthersHoldLess() {
        open(EvictionPolicy.LEAST_RECENTLY_STORED, true);
        fill(0, 0, 30); // six times its part
        assertEquals(0, cache.cull());
        Awaitility.await()
                .during(Duration.ofMillis(1500))
                .atMost(Duration.ofSeconds(10))
                .until(() -> cache.size() == 30);
    }

    @Test
    void anEntryMayBeAsLargeAsTheWholeButNoLarger() {
        open(EvictionPolicy.LEAST_RECENTLY_STORED, false);
        cache.set("small", 1);
        cache.set("large", new byte[3_000_000]);
        assertEquals(3_000_000, cache.get("large", byte[].class).length);
        assertTrue(cache.containsKey("small"));
        EntryTooLargeException e =
                assertThrows(EntryTooLargeException.class, () -> cache.set("huge", new byte[(int) LIMIT + 1]));
        assertTrue(String.valueOf(e.getMessage()).contains("" + LIMIT), e.getMessage());
        assertEquals(2, cache.size());
        cache.alter(Setting.SIZE_LIMIT, 5_000_000);
        cache.set("huge", new byte[(int) LIMIT + 1]);
        assertTrue(cache.containsKey("huge"));
    }

    @Test
    void theOldestOfAllShardsGoFirstWhicheverIsWritten() {
        open(EvictionPolicy.LEAST_RECENTLY_STORED, false);
        fill(6, 0, 15);
        fill(3, 0, 15);
        fill(0, 0, 15);
        writeUntil(() -> left(6, 15).size() < 15); // there is no room for so many
        assertEquals(15, left(3, 15).size());
        assertEquals(15, left(0, 15).size());
        fill(0, 15, 15);
        // those of the shard that was not written are older
        writeUntil(() -> left(6, 15).isEmpty() && left(3, 15).size() < 15);
        assertEquals(30, left(0, 30).size());
        List<Long> middle = left(3, 15);
        assertTrue(middle.size() < 15 && middle.get(middle.size() - 1) == 8 * 14 + 3, middle.toString());
    }

    /** With a limit for each shard it would never have held more than one entry. */
    @Test
    void aShardThatWasEmptyGetsItsShareOfAFullCache() {
        open(EvictionPolicy.LEAST_RECENTLY_STORED, false);
        fill(0, 0, 60);
        fill(5, 0, 20);
        assertEquals(20, left(5, 20).size());
    }

    @Test
    void theLimitHoldsWhenManyThreadsWrite() throws Exception {
        open(EvictionPolicy.LEAST_RECENTLY_USED, true);
        var threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> writers = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                String name = "key" + t + " ";
                writers.add(threads.submit(() -> {
                    for (int i = 0; i < 400; i++) {
                        cache.set(name + i, new byte[VALUE / 2]);
                        cache.get(name + i / 2);
                    }
                }));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
        } finally {
            threads.shutdownNow();
        }
        cache.cull();
        assertTrue(cache.size() > 40, "only " + cache.size() + " of 50,000 bytes are left in " + LIMIT);
        assertTrue(cache.size() <= LIMIT / (VALUE / 2), cache.size() + " of 50,000 bytes are left in " + LIMIT);
        assertTrue(cache.check(false).isClean(), cache.check(false)::toString);
    }

    /** What cannot be looked at now is left for later; the write itself is done. */
    @Test
    void aShardThatSomebodyKeepsHoldsUpNoWriterOfAnotherAndTheLimitHoldsAfterwards() throws Exception {
        open(EvictionPolicy.LEAST_RECENTLY_STORED, false);
        fill(3, 0, 38);
        try (Connection connection =
                        DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("cache/003/cache.db"));
                Statement other = connection.createStatement()) {
            other.execute("PRAGMA busy_timeout = 5000");
            other.execute("BEGIN IMMEDIATE");
            long start = System.nanoTime();
            fill(4, 0, 30);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            assertTrue(millis < 20_000, "30 writes took " + millis + " ms");
            assertEquals(30, left(4, 30).size());
            other.execute("COMMIT");
        }
        cache.cull();
        assertTrue(cache.size() <= 40, cache.size() + " are left");
        assertEquals(30, left(4, 30).size(), "they are younger");
    }

    @Test
    void everyShardStoresItsPartOfTheLimit() {
        Object limit;
        cache = FanoutCache.builder(directory.resolve("cache"))
                .shards(3)
                .sizeLimit(1_000_000)
                .open();
        limit = cache.settings().get(Setting.SIZE_LIMIT);
        cache.close();
        assertEquals(1_000_000L, limit);
        for (int i = 0; i < 3; i++) {
            try (Cache one = Cache.open(directory.resolve("cache/00" + i))) {
                assertEquals(i == 0 ? 333_334L : 333_333L, one.settings().get(Setting.SIZE_LIMIT));
            }
        }
    }

    @Test
    void whatHasExpiredInAnyShardGoesBeforeWhatIsLive() {
        open(EvictionPolicy.LEAST_RECENTLY_STORED, false);
        fill(1, 0, 25);
        for (int i = 0; i < 6; i++) {
            cache.set(8L * i + 6, new byte[VALUE], EntryOptions.none().expireAfter(Duration.ofMillis(20)));
        }
        Awaitility.await().until(() -> !cache.containsKey(46L));
        fill(1, 25, 5);
        writeUntil(() -> cache.size() < 25 + 6 + 5 + 1);
        assertEquals(30, left(1, 30).size());
        cache.close();
        try (Cache one = Cache.open(directory.resolve("cache/006"))) {
            assertFalse(one.size() == 6, "none of the six was removed");
        }
    }
}

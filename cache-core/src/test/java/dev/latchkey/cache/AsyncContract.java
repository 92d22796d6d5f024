package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Ticker;
import com.google.common.reflect.TypeToken;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The asynchronous face of every {@link Cache}. */
abstract class AsyncContract extends CacheFixture {
    private AsyncCache async() {
        return cache.async();
    }

    static Throwable failure(CompletableFuture<?> future) {
        return Objects.requireNonNull(
                assertThrows(CompletionException.class, future::join).getCause());
    }

    /** Keeps all threads of a pool of one busy until it is closed. */
    static final class Stopper implements AutoCloseable {
        private final CountDownLatch begun = new CountDownLatch(1);
        private final CountDownLatch end = new CountDownLatch(1);

        Stopper(AsyncCache async) throws InterruptedException {
            CompletableFuture<Boolean> unused = async.transact(() -> {
                begun.countDown();
                end.await();
                return true;
            });
            begun.await();
        }

        @Override
        public void close() {
            end.countDown();
        }
    }

    @Test
    void everyCallThatWaitsIsThere() {
        Set<String> wanted = new TreeSet<>();
        Set<String> unneeded = Set.of(
                "keys",
                "keysReversed",
                "sortedKeys",
                "sortedKeysReversed",
                "keysByTag",
                "memoize",
                "async",
                "addListener",
                "removeListener",
                "directory",
                "unwrap",
                "close");
        for (Method method : Cache.class.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers()) && !unneeded.contains(method.getName())) {
                wanted.add(method.getName() + List.of(method.getParameterTypes()));
            }
        }
        Set<String> there = new TreeSet<>();
        for (Method method : AsyncCache.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())) {
                assertEquals(CompletableFuture.class, method.getReturnType());
                there.add(method.getName() + List.of(method.getParameterTypes()));
            }
        }
        assertEquals(wanted, there);
    }

    @Test
    void everyCallDoesWhatTheCacheDoes() throws Exception {
        AsyncCache async = async();
        TypeToken<String> string = TypeToken.of(String.class);
        EntryOptions tagged = EntryOptions.none().tag("t");
        async.set("a", "1").join();
        async.set("b", "2", tagged).join();
        async.setAll(Map.of("c", "3")).join();
        async.setAll(Map.of("d", "4"), tagged).join();
        assertEquals(4, async.size().join());
        assertEquals("1", async.get("a", String.class).join());
        assertEquals("1", async.get("a", string).join());
        assertEquals("1", async.get("a").join());
        assertNull(async.get("absent", String.class).join());
        assertEquals("x", async.getOrDefault("absent", String.class, "x").join());
        assertEquals(
                Map.of("a", "1"),
                async.getAll(List.of("a", "absent"), String.class).join());
        assertEquals(
                Map.of("a", "1"), async.getAll(List.of("a", "absent"), string).join());
        assertEquals("2", async.entry("b", String.class).join().orElseThrow().value());
        assertEquals("2", async.entry("b", string).join().orElseThrow().value());
        assertTrue(async.containsKey("a").join());
        assertFalse(async.add("a", "x").join());
        assertTrue(async.add("e", "5", tagged).join());
        assertEquals(1, async.incr("n").join());
        assertEquals(3, async.incr("n", 2).join());
        assertEquals(6, async.incr("n", 3, 9).join());
        assertEquals(0.5, async.incr("r", 0.5).join());
        assertEquals(5, async.decr("n").join());
        assertEquals(3, async.decr("n", 2).join());
        assertEquals(2, async.decr("n", 1, 9).join());
        assertTrue(async.touch("a", Duration.ofHours(1)).join());
        assertTrue(async.persist("a").join());
        assertEquals("1", async.pop("a", String.class).join());
        assertNull(async.pop("a", string).join());
        assertEquals("3", async.popEntry("c", String.class).join().orElseThrow().value());
        assertEquals(Optional.empty(), async.popEntry("c", string).join());
        assertEquals(3, async.evict("t").join());
        async.write("w", new ByteArrayInputStream(new byte[] {7})).join();
        async.write("w", new ByteArrayInputStream(new byte[] {8}), tagged).join();
        try (InputStream in = Objects.requireNonNull(async.read("w").join())) {
            assertEquals(8, in.read());
        }
        assertTrue(async.delete("w").join());
        async.push("p").join();
        async.push("q", "jobs", Side.BACK, EntryOptions.none()).join();
        async.push(new ByteArrayInputStream(new byte[1]), "s", Side.BACK, EntryOptions.none())
                .join();
        assertEquals(
                "q",
                async.peek("jobs", Side.FRONT, String.class)
                        .join()
                        .orElseThrow()
                        .value());
        assertEquals(
                "q", async.peek("jobs", Side.FRONT, string).join().orElseThrow().value());
        assertEquals(
                "q",
                async.pull("jobs", Side.FRONT, String.class)
                        .join()
                        .orElseThrow()
                        .value());
        assertEquals(
                "p", async.pull(null, Side.FRONT, string).join().orElseThrow().value());
        assertEquals(0, async.expire().join());
        assertEquals(0, async.cull().join());
        async.alter(Setting.CULL_LIMIT, 3).join();
        assertEquals(3L, async.settings().join().get(Setting.CULL_LIMIT));
        async.createTagIndex().join();
        async.dropTagIndex().join();
        assertEquals(cache.stats(), async.stats().join());
        assertEquals(new Cache.Stats(0, 0), async.resetStats().join());
        assertTrue(async.volume().join() > 0);
        assertTrue(async.check(false).join().isClean());
        assertEquals("done", async.transact(() -> "done").join());
        async.transact(() -> cache.set("z", 1)).join();
        assertTrue(async.clear().join() > 0);
        async.set("only", "one").join();
        assertTrue(async.peekItem(Side.BACK, String.class).join().isPresent());
        assertTrue(async.peekItem(Side.FRONT, string).join().isPresent());
    }

    @Test
    void whatACallThrowsCompletesTheFuture() {
        cache.set("a", "text");
        assertInstanceOf(CodecException.class, failure(async().incr("a")));
        assertInstanceOf(IllegalArgumentException.class, failure(async().set(new Object(), 1)));
        assertInstanceOf(NullPointerException.class, failure(async().set("a", null)));
        assertInstanceOf(CacheException.class, failure(async().transact(() -> {
            throw new java.io.IOException("checked");
        })));
    }

    @Test
    void nothingIsAskedForInsideATransaction() {
        AsyncCache async = async();
        cache.transact(() -> {
            assertThrows(IllegalStateException.class, () -> async.get("a"));
            assertThrows(IllegalStateException.class, () -> async.set("a", 1));
        });
        assertNull(async.get("a").join());
    }

    @Test
    void noMoreThreadsThanAskedForMakeTheCallsAndTheCallerDoesNot() {
        create(options -> options.asyncThreads(2));
        List<CompletableFuture<String>> names = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            names.add(async().transact(() -> Thread.currentThread().getName()));
        }
        Set<String> used = new TreeSet<>();
        names.forEach(name -> used.add(name.join()));
        assertTrue(used.size() <= 2, used::toString);
        assertTrue(used.stream().allMatch(name -> name.startsWith("latchkey-async-")), used::toString);
        assertThrows(IllegalArgumentException.class, () -> builder(directory.resolve("x"))
                .asyncThreads(0));
    }

    @Test
    void aCallThatWasCancelledInTimeIsNotMade() throws InterruptedException {
        create(options -> options.asyncThreads(1));
        CompletableFuture<Void> set;
        try (Stopper stopper = new Stopper(async())) {
            set = async().set("a", 1);
            assertTrue(set.cancel(true));
        }
        assertNull(async().get("b").join()); // made after it by the only thread
        assertFalse(cache.containsKey("a"));
        assertTrue(set.isCancelled());
    }

    @Test
    void setsThatWaitTogetherHaveOutcomesOfTheirOwn() throws InterruptedException {
        create(options -> options.asyncThreads(1));
        String large = "x".repeat(1 << 17);
        CompletableFuture<Void> first;
        CompletableFuture<Void> badKey;
        CompletableFuture<Void> noValue;
        CompletableFuture<Void> noOptions;
        CompletableFuture<Void> cancelled;
        CompletableFuture<Void> inFile;
        CompletableFuture<Void> last;
        try (Stopper stopper = new Stopper(async())) {
            first = async().set("a", 1);
            badKey = async().set(new Object(), 1);
            noValue = async().set("b", null);
            noOptions = async().set("c", 1, null);
            cancelled = async().set("d", 1);
            cancelled.cancel(false);
            inFile = async().set("e", large, FOR_AN_HOUR.tag("t"));
            last = async().set("a", 2);
        }
        first.join();
        inFile.join();
        last.join();
        assertInstanceOf(IllegalArgumentException.class, failure(badKey));
        assertInstanceOf(NullPointerException.class, failure(noValue));
        assertInstanceOf(NullPointerException.class, failure(noOptions));
        assertTrue(cancelled.isCancelled());
        assertEquals(2, cache.size());
        assertTrue(Set.of(1, 2).contains(cache.get("a", int.class)));
        Cache.Entry<String> entry = cache.entry("e", String.class).orElseThrow();
        assertEquals(large, entry.value());
        assertEquals(Optional.of("t"), entry.tag());
        assertTrue(entry.expiry().isPresent());
        assertEquals(1, valueFiles().size());
    }

    /** Two can be encoded only at the same time. */
    public static final class Meeting {
        private final CyclicBarrier both;

        Meeting(CyclicBarrier both) {
            this.both = both;
        }

        public int getNumber() throws Exception {
            return both.await(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void valuesThatTakeLongToEncodeAreEncodedBySeveralThreads() throws Exception {
        CyclicBarrier both = new CyclicBarrier(2);
        CountDownLatch asked = new CountDownLatch(1);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        for (int i = 0; i < 2; i++) {
            Future<?> unused = threads.submit(() -> asked.await(10, TimeUnit.SECONDS));
        }
        AsyncCache async = AsyncCache.of(cache, threads);
        CompletableFuture<Void> first = async.set("a", new Meeting(both));
        CompletableFuture<Void> second = async.set("b", new Meeting(both));
        asked.countDown();
        first.join();
        second.join();
        threads.shutdown();
        assertEquals(2, cache.size());
    }

    @Test
    void moreSetsThanGoTogetherAreAllMade() throws InterruptedException {
        create(options -> options.asyncThreads(1));
        List<CompletableFuture<Void>> sets = new ArrayList<>();
        try (Stopper stopper = new Stopper(async())) {
            for (int i = 0; i < 1_000; i++) {
                sets.add(async().set(i, "value " + i));
            }
        }
        sets.forEach(CompletableFuture::join);
        for (int i = 0; i < 1_000; i++) {
            assertEquals("value " + i, cache.get(i, String.class));
        }
    }

    @Test
    void callsThatHaveNotBegunWhenTheCacheIsClosedFail() throws InterruptedException {
        create(options -> options.asyncThreads(1));
        AsyncCache async = async();
        try (Cache keeper = open(cache.directory());
                Stopper stopper = new Stopper(async)) {
            CompletableFuture<Void> set = async.set("a", 1);
            CompletableFuture<Void> another = async.set("b", 1);
            CompletableFuture<Boolean> added = async.add("c", 1);
            cache.close();
            stopper.close();
            assertInstanceOf(CacheClosedException.class, failure(set));
            assertInstanceOf(CacheClosedException.class, failure(another));
            assertInstanceOf(CacheClosedException.class, failure(added));
            assertFalse(keeper.containsKey("a"));
        }
        assertInstanceOf(CacheClosedException.class, failure(async.get("a")));
        assertInstanceOf(CacheClosedException.class, failure(async.set("a", 1)));
    }

    @Test
    void aUsersOwnExecutorMakesTheCalls() {
        List<String> order = new ArrayList<>();
        AsyncCache own = AsyncCache.of(cache, task -> {
            order.add("task");
            task.run();
        });
        own.set("a", 1).join();
        assertEquals(List.of("task"), order);
        assertEquals(1, cache.get("a", int.class));
    }

    @Test
    void manyCallsAtOnceAreAllMade() {
        List<CompletableFuture<Long>> sums = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            sums.add(async().incr("n"));
        }
        CompletableFuture.allOf(sums.toArray(CompletableFuture[]::new)).join();
        assertEquals(500, cache.get("n", int.class));
        assertEquals(500, sums.stream().map(CompletableFuture::join).distinct().count());
    }

    // Sets that wait together

    /** One for each shard. */
    abstract List<Path> databases();

    static Connection connect(Path database) throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + database);
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

    /** In how many transactions each database got its part of sixty sets that waited together, if each took so long to encode. */
    List<Integer> transactions(Duration encoding) throws Exception {
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
        assertEquals(60, cache.size());
        List<Integer> instants = new ArrayList<>();
        for (Path database : databases()) {
            try (Connection connection = connect(database);
                    Statement statement = connection.createStatement();
                    ResultSet times = statement.executeQuery("SELECT count(DISTINCT store_time) FROM Cache")) {
                instants.add(times.getInt(1));
            }
        }
        return instants;
    }

    @Test
    void setsThatWaitTogetherAreOneTransaction() throws Exception {
        assertEquals(Collections.nCopies(databases().size(), 1), transactions(Duration.ZERO));
    }

    @Test
    void theOneThatCannotBeStoredKeepsNoOtherFromIt() throws Exception {
        create(options -> options.asyncThreads(1));
        for (Path database : databases()) {
            try (Connection connection = connect(database);
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TRIGGER refuse BEFORE INSERT ON Cache WHEN NEW.key = 'k7'"
                        + " BEGIN SELECT RAISE(ABORT, 'not this one'); END");
            }
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
}

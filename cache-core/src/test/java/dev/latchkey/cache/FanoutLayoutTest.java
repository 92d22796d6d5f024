package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.TestDirectory;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a cache in shards keeps what, and what it says of a directory that is not as it was left. */
class FanoutLayoutTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Path path;

    @BeforeEach
    void name() {
        path = directory.resolve("cache");
    }

    private static List<String> folders(Path of) {
        try (Stream<Path> children = Files.list(of)) {
            return children.map(child -> child.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void deleteTree(Path tree) throws IOException {
        try (Stream<Path> all = Files.walk(tree)) {
            for (Path each : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }

    private void sql(String shard, String statement) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        "jdbc:sqlite:" + path.resolve(shard).resolve("cache.db"));
                Statement s = connection.createStatement()) {
            s.executeUpdate(statement);
        }
    }

    @Test
    void aTemporaryOneIsDeletedWhenItIsClosed() {
        Path root;
        try (FanoutCache temporary = FanoutCache.temporary();
                FanoutCache other = FanoutCache.temporary()) {
            root = temporary.directory();
            temporary.set("a", new byte[40_000]);
            temporary.cache("inner").set("b", 2);
            assertEquals(FanoutCache.DEFAULT_SHARDS, temporary.shards());
            assertEquals(40_000, temporary.get("a", byte[].class).length);
            assertFalse(other.containsKey("a"));
        }
        assertFalse(Files.exists(root));
    }

    @Test
    void aCloseThatIsRefusedClosesNothing() {
        try (FanoutCache cache = FanoutCache.open(path, 3)) {
            Cache inner = cache.cache("inner");
            inner.transact(() -> {
                assertThrows(IllegalStateException.class, cache::close);
                inner.set("a", 1);
                cache.set("b", 2);
            });
            assertEquals(2, cache.async().get("b", int.class).join());
            assertEquals(1, cache.cache("inner").async().get("a", int.class).join());
            cache.close();
            assertThrows(CacheClosedException.class, () -> cache.cache("inner"));
            assertThrows(CacheClosedException.class, () -> inner.get("a"));
        }
    }

    private static String refusal(Class<? extends RuntimeException> type, Runnable opening) {
        return String.valueOf(assertThrows(type, opening::run).getMessage());
    }

    private static void assertNames(String message, String... parts) {
        for (String part : parts) {
            assertTrue(message.contains(part), "'" + part + "' is not in: " + message);
        }
    }

    // How many

    @Test
    void aNewDirectoryHasEightShards() {
        try (FanoutCache cache = FanoutCache.open(path)) {
            assertEquals(8, cache.shards());
            assertEquals(List.of("000", "001", "002", "003", "004", "005", "006", "007"), folders(path));
            assertEquals(path.toAbsolutePath(), cache.directory());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 12})
    void theNumberOfShardsIsStoredAndAnotherOneIsRefusedWithBoth(int shards) {
        try (FanoutCache cache = FanoutCache.open(path, shards)) {
            for (int i = 0; i < 100; i++) {
                cache.set("key" + i, i);
            }
            assertEquals(shards, cache.shards());
        }
        assertEquals(shards, folders(path).size());
        for (int other : new int[] {8, shards + 1, shards * 2}) {
            assertNames(
                    refusal(IllegalArgumentException.class, () -> FanoutCache.open(path, other)),
                    "has " + shards + " shards",
                    "with " + other);
        }
        assertEquals(shards, folders(path).size());
        for (FanoutCacheBuilder builder :
                List.of(FanoutCache.builder(path), FanoutCache.builder(path).shards(shards))) {
            for (boolean readOnly : new boolean[] {true, false}) {
                try (FanoutCache cache = builder.readOnly(readOnly).open()) {
                    assertEquals(shards, cache.shards());
                    assertEquals(100, cache.size());
                    assertEquals(42, cache.get("key42", int.class));
                }
            }
        }
    }

    @Test
    void aNumberThatMakesNoSenseIsRefusedWithItsValue() {
        for (int wrong : new int[] {0, -1, 1001, Integer.MIN_VALUE}) {
            assertNames(refusal(IllegalArgumentException.class, () -> FanoutCache.open(path, wrong)), "" + wrong);
        }
        assertFalse(Files.exists(path));
    }

    @Test
    void ofThreadsThatCreateADirectoryWithDifferentNumbersOneWinsAndTheOthersAreToldWhich() throws Exception {
        var threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<String>> all = new ArrayList<>();
            for (int i = 2; i < 6; i++) {
                int shards = i;
                all.add(threads.submit(() -> {
                    try (FanoutCache cache = FanoutCache.open(path, shards)) {
                        return "has " + cache.shards() + " shards";
                    } catch (IllegalArgumentException e) {
                        return String.valueOf(e.getMessage());
                    }
                }));
            }
            List<String> said = new ArrayList<>();
            for (Future<String> one : all) {
                said.add(one.get());
            }
            int made = folders(path).size();
            said.forEach(each -> assertNames(each, "has " + made + " shards"));
        } finally {
            threads.shutdownNow();
        }
    }

    // Where

    @Test
    void everyKeyIsInItsShardAndNothingIsBesideTheShards() {
        Map<Integer, List<Object>> expected = new TreeMap<>();
        List<Object> keys = new ArrayList<>(List.of("", "a", "ü", "\uD83D\uDE00", 0.5, -0.0, 1e300, new byte[0]));
        keys.addAll(List.of(new byte[] {-1, 0}, 0L, -1L, Long.MIN_VALUE, Long.MAX_VALUE, 0xFFFF_FFFFL, 0xFFFF_FFFEL));
        IntStream.range(0, 200).forEach(i -> keys.addAll(List.of("key" + i, 1_000_003L * (i + 1), i / 7.0 + 0.01)));
        try (FanoutCache cache = FanoutCache.open(path, 5)) {
            keys.forEach(key -> cache.set(key, "value"));
        }
        keys.forEach(key -> expected.computeIfAbsent(FanoutFixture.shardOf(key, 5), absent -> new ArrayList<>())
                .add(key));
        assertEquals(5, folders(path).size());
        expected.forEach((shard, here) -> {
            try (Cache one = Cache.open(path.resolve("00" + shard))) {
                assertEquals(
                        CacheFixture.comparable(here),
                        CacheFixture.comparable(one.keys().toList()),
                        "shard " + shard);
            }
        });
    }

    @Test
    void aQueueIsInTheShardOfItsPrefixAndItsItemsAreFoundByTheirKeys() {
        try (FanoutCache cache = FanoutCache.open(path)) {
            for (String prefix : List.of("a", "job", "x-y", "")) {
                for (int i = 0; i < 20; i++) {
                    Object key = cache.push(prefix + i, prefix, Side.BACK, EntryOptions.none());
                    assertEquals(prefix + i, cache.get(key));
                    assertTrue(cache.touch(key, java.time.Duration.ofHours(1)) && cache.persist(key));
                }
            }
            Object key = cache.push("b");
            assertEquals(Map.of(key, "b"), cache.getAll(List.of(key), String.class));
            cache.set("job-500000000000003", "changed");
            assertTrue(cache.delete("job-500000000000000"));
            assertEquals("job1", cache.pop("job-500000000000001", String.class));
            assertEquals(
                    "job2",
                    cache.pull("job", Side.FRONT, String.class).orElseThrow().value());
            assertEquals(
                    "changed",
                    cache.pull("job", Side.FRONT, String.class).orElseThrow().value());
        }
        for (String prefix : List.of("a", "job", "x-y", "")) {
            int shard = FanoutFixture.shardOf(prefix, 8);
            try (Cache one = Cache.open(path.resolve("00" + shard))) {
                assertTrue(one.peek(prefix, Side.FRONT, String.class).isPresent(), prefix);
            }
        }
        try (Cache first = Cache.open(path.resolve("000"))) {
            assertTrue(first.peek(null, Side.FRONT, String.class).isPresent());
        }
    }

    /** No push has made it, so it is where Python looks for it. */
    @Test
    void aKeyThatOnlyLooksLikeThatOfAnItemIsInItsOwnShard() {
        List<Object> keys = List.of("job-500000000000000", "job-123456789012345", 500_000_000_000_003L);
        try (FanoutCache cache = FanoutCache.open(path)) {
            keys.forEach(key -> cache.set(key, "value"));
            keys.forEach(key -> assertEquals("value", cache.get(key)));
            assertEquals(3, cache.size());
        }
        for (Object key : keys) {
            try (Cache one = Cache.open(path.resolve("00" + FanoutFixture.shardOf(key, 8)))) {
                assertTrue(one.containsKey(key));
            }
        }
    }

    // Not as it was left

    @ParameterizedTest
    @ValueSource(strings = {"000", "003", "007"})
    void aShardThatIsMissingIsNamedAndNotMadeAnew(String shard) throws IOException {
        try (FanoutCache cache = FanoutCache.open(path)) {
            cache.set("a", 1);
        }
        deleteTree(path.resolve(shard));
        for (Consumer<Path> opening : List.<Consumer<Path>>of(
                FanoutCache::open,
                place -> FanoutCache.open(place, 8),
                place -> FanoutCache.builder(place).readOnly(true).open())) {
            assertNames(refusal(CacheCorruptException.class, () -> opening.accept(path)), shard);
            assertFalse(Files.exists(path.resolve(shard)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"000", "005"})
    void aShardWhoseDatabaseIsEmptyIsNamedAndNotMadeAnew(String shard) throws IOException {
        FanoutCache.open(path).close();
        Files.write(path.resolve(shard).resolve("cache.db"), new byte[0]);
        assertNames(refusal(CacheCorruptException.class, () -> FanoutCache.open(path)), shard);
        assertEquals(0, Files.size(path.resolve(shard).resolve("cache.db")));
    }

    @Test
    void whatSomebodyWhoDiedHadBegunToMakeIsCompleted() throws Exception {
        FanoutCache.open(path, 4).close();
        sql("000", "DELETE FROM Latchkey WHERE key = 'whole'");
        deleteTree(path.resolve("003"));
        deleteTree(path.resolve("002"));
        try (FanoutCache cache = FanoutCache.open(path)) {
            assertEquals(4, cache.shards());
            cache.set("a", 1);
        }
        deleteTree(path.resolve("003"));
        assertThrows(CacheCorruptException.class, () -> FanoutCache.open(path), "it was complete");
    }

    @Test
    void aDirectoryOfAnotherKindIsRefusedAndLeftAlone() {
        Cache.open(path).close();
        List<String> before = folders(path);
        assertNames(refusal(CacheException.class, () -> FanoutCache.open(path)), "Cache.open", path.toString());
        assertEquals(before, folders(path));
        Path shards = directory.resolve("shards");
        FanoutCache.open(shards).close();
        assertNames(refusal(CacheException.class, () -> Cache.open(shards)), "FanoutCache.open", shards.toString());
        assertFalse(Files.exists(shards.resolve("cache.db")));
        FanoutCache.open(shards).close();
    }

    @Test
    void aFileInItsPlaceAndALinkAmongItsShardsAreRefused() throws IOException {
        Path file = Files.write(directory.resolve("file"), new byte[1]);
        assertNames(refusal(CacheException.class, () -> FanoutCache.open(file)), file.toString());
        FanoutCache.open(path).close();
        Files.move(path.resolve("002"), directory.resolve("elsewhere"));
        Files.createSymbolicLink(path.resolve("002"), directory.resolve("elsewhere"));
        assertNames(refusal(CacheException.class, () -> FanoutCache.open(path)), "002", "link");
    }

    @Test
    void aShardIsOpenInOneWayAtATime() {
        Path second = path.resolve("001");
        try (FanoutCache cache = FanoutCache.open(path)) {
            assertNames(refusal(CacheException.class, () -> Cache.open(second)), second.toString(), "FanoutCache");
            try (FanoutCache again = FanoutCache.open(path)) {
                again.set("a", 1);
            }
            assertEquals(1, cache.get("a", int.class));
        }
        try (Cache alone = Cache.open(second)) {
            assertNames(refusal(CacheException.class, () -> FanoutCache.open(path)), second.toString());
            alone.set("b", 1);
        }
        FanoutCache.open(path).close();
    }

    @Test
    void aCacheThatIsClosedLeavesTheOthersOnTheDirectoryOpen() {
        FanoutCache one = FanoutCache.open(path);
        try (FanoutCache two = FanoutCache.open(path)) {
            one.close();
            one.close();
            assertThrows(CacheClosedException.class, () -> one.get("a"));
            two.set("a", 1);
            two.transact(() -> two.incr("a"));
            assertEquals(2, two.get("a", int.class));
        }
    }

    @Test
    void aCacheCannotBeClosedInsideItsTransactionAndGoesOn() {
        try (FanoutCache cache = FanoutCache.open(path)) {
            cache.transact(() -> {
                cache.set("a", 1);
                assertThrows(IllegalStateException.class, cache::close);
                cache.set("b", 2);
            });
            assertEquals(2, cache.get("b", int.class));
        }
    }

    @Test
    void aDirectoryThatIsRemovedIsNoticed() throws IOException {
        FanoutCache cache = FanoutCache.open(path);
        cache.set("a", 1);
        Files.move(path, directory.resolve("moved"));
        Awaitility.await().atMost(java.time.Duration.ofSeconds(20)).untilAsserted(() -> IntStream.range(0, 8)
                .forEach(i -> assertThrows(CacheReplacedException.class, () -> cache.get(i))));
        cache.close();
    }

    // What is open

    private static Map<String, Long> descriptorsByFolder(Path path) {
        File[] all = new File("/proc/self/fd").listFiles();
        return Arrays.stream(all == null ? new File[0] : all)
                .map(FanoutLayoutTest::target)
                .filter(target -> target.startsWith(path))
                .collect(Collectors.groupingBy(
                        target -> path.relativize(target).getName(0).toString(), TreeMap::new, Collectors.counting()));
    }

    private static Path target(File descriptor) {
        try {
            return Files.readSymbolicLink(descriptor.toPath());
        } catch (IOException e) {
            return Path.of("/closed"); // meanwhile
        }
    }

    @Test
    void aShardNeedsNoMoreThanSevenDescriptors() throws Exception {
        var threads = Executors.newFixedThreadPool(4);
        try (FanoutCache cache = FanoutCache.open(path)) {
            List<Future<?>> users = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                users.add(threads.submit(() -> {
                    for (int n = 0; n < 3000; n++) {
                        cache.set(n % 100, "value" + n);
                        cache.get(n % 100);
                    }
                }));
            }
            for (Future<?> user : users) {
                user.get();
            }
            cache.transact(() -> cache.incr("n"));
            assertEquals(0, cache.keysByTag("t").count());
            assertEquals(8, descriptorsByFolder(path).size());
            Awaitility.await().atMost(java.time.Duration.ofSeconds(20)).untilAsserted(() -> descriptorsByFolder(path)
                    .forEach((folder, count) -> assertTrue(count <= 7, folder + " has " + count)));
        } finally {
            threads.shutdownNow();
        }
        assertEquals(Map.of(), descriptorsByFolder(path));
    }

    @Test
    void theWakeUpsAreInTheFirstShardAlone() {
        try (FanoutCache cache = FanoutCache.open(path, 3)) {
            cache.set("a", 1);
            assertTrue(Files.exists(path.resolve("000/cache.db-latchkey/hints")));
            assertFalse(Files.exists(path.resolve("001/cache.db-latchkey/hints")));
            assertFalse(Files.exists(path.resolve("002/cache.db-latchkey/hints")));
        }
    }

    @Test
    void threadsAreGoneWhenItIsClosed() {
        FanoutCache.open(path).close();
        Awaitility.await()
                .untilAsserted(() -> assertEquals(
                        List.of(),
                        Thread.getAllStackTraces().keySet().stream()
                                .map(Thread::getName)
                                .filter(name -> name.startsWith("latchkey-"))
                                .toList()));
    }

    @Test
    void aShardOfTheWrongCodecIsRefusedAndNothingStaysOpen() {
        FanoutCache.open(path).close();
        Codec other = new OtherCodec();
        assertNames(
                refusal(
                        IllegalArgumentException.class,
                        () -> FanoutCache.builder(path).codec(other).open()),
                "json",
                "other");
        assertEquals(Map.of(), descriptorsByFolder(path));
        try (FanoutCache cache = FanoutCache.open(path)) {
            assertNull(cache.get("a"));
        }
    }

    /** Stores as JSON does, under another name. */
    private static final class OtherCodec implements Codec {
        private final Codec json = Codecs.json();

        @Override
        public String name() {
            return "other";
        }

        @Override
        public StoredKey encodeKey(Object key) {
            return json.encodeKey(key);
        }

        @Override
        public Object decodeKey(StoredKey stored) {
            return json.decodeKey(stored);
        }

        @Override
        public StoredValue encode(Object value) {
            return json.encode(value);
        }

        @Override
        public <V> @org.jspecify.annotations.Nullable V decode(
                StoredValue stored, com.google.common.reflect.TypeToken<V> type) {
            return json.decode(stored, type);
        }

        @Override
        public @org.jspecify.annotations.Nullable Object decode(StoredValue stored) {
            return json.decode(stored);
        }
    }

    // Caches of their own

    @Test
    void aCacheOfItsOwnIsInItsFolderAndTheSameForTheSameName() {
        try (FanoutCache cache =
                FanoutCache.builder(path).tagIndex(true).sizeLimit(8_000_000).open()) {
            Cache small = cache.cache("small");
            assertEquals(small, cache.cache("small"));
            small.set("a", "small");
            cache.cache("deep/er").set("a", "deeper");
            assertEquals(path.resolve("cache/small").toAbsolutePath(), small.directory());
            assertEquals(path.resolve("cache/deep/er"), cache.cache("deep/er").directory());
            assertNull(cache.get("a"));
            assertEquals(0, cache.size());
            assertEquals("small", cache.cache("small").get("a"));
            assertEquals("deeper", cache.cache("deep/er").get("a"));
            assertEquals(1L << 30, small.settings().get(Setting.SIZE_LIMIT), "the settings of any new cache");
            small.close();
            assertEquals("small", cache.cache("small").get("a"), "one that was closed is opened anew");
            Cache again = cache.cache("small");
            cache.close();
            assertThrows(CacheClosedException.class, () -> again.get("a"));
            assertThrows(CacheClosedException.class, () -> cache.cache("small"));
            assertThrows(CacheClosedException.class, () -> cache.cache("other"));
        }
        assertFalse(Files.exists(path.resolve("cache/other")));
        try (FanoutCache cache = FanoutCache.open(path)) {
            assertEquals("small", cache.cache("small").get("a"));
            assertTrue(cache.check(false).isClean(), "what is beside the shards is no damage");
        }
    }

    @Test
    void aDequeAndAnIndexOfItsOwnAreInTheirFoldersAndClosedTogetherWithIt() throws Exception {
        try (FanoutCache cache = FanoutCache.open(path, 2)) {
            Deque<String> urls = cache.deque("urls", String.class);
            urls.extend(List.of("a", "b"));
            assertEquals("a", cache.deque("urls", String.class).takeFirst());
            Index<String, Integer> ages = cache.index("people/ages", String.class, Integer.class);
            ages.put("Ada", 36);
            assertEquals(Map.of("Ada", 36), cache.index("people/ages", String.class, Integer.class));
            assertEquals(path.resolve("deque/urls"), urls.cache().directory());
            assertEquals(path.resolve("index/people/ages"), ages.cache().directory());
            assertEquals("none", ages.cache().settings().get(Setting.EVICTION_POLICY));
            assertEquals(0, cache.size());
            for (String wrong : List.of("", "..", "a/../../b")) {
                assertThrows(IllegalArgumentException.class, () -> cache.deque(wrong, String.class));
                assertThrows(IllegalArgumentException.class, () -> cache.index(wrong, String.class, String.class));
            }
            cache.close();
            assertThrows(CacheClosedException.class, urls::peek);
            assertThrows(CacheClosedException.class, ages::size);
        }
        try (Deque<String> urls = Deque.open(path.resolve("deque/urls"), String.class)) {
            assertEquals(List.of("b"), List.copyOf(urls));
        }
    }

    @Test
    void aNameThatWouldLeadElsewhereIsRefusedWithIt() throws IOException {
        try (FanoutCache cache = FanoutCache.open(path, 2)) {
            for (String wrong : List.of("", "/", "..", ".", "a/../b", "/a", "a/", "a//b", "../../other", "a\0b")) {
                assertNames(refusal(IllegalArgumentException.class, () -> cache.cache(wrong)), wrong);
            }
            cache.cache("a");
            assertNames(refusal(IllegalArgumentException.class, () -> cache.cache("a/b")), "'a/b'");
            cache.cache("c/d");
            assertNames(refusal(IllegalArgumentException.class, () -> cache.cache("c")), "'c'");
            Files.createSymbolicLink(path.resolve("cache/link"), directory.resolve("elsewhere"));
            assertNames(refusal(CacheException.class, () -> cache.cache("link")), "link");
            assertEquals(List.of("a", "c", "link"), folders(path.resolve("cache")));
        }
    }

    @Test
    void aCacheOfItsOwnOfOneForReadingAloneIsForReadingAlone() {
        try (FanoutCache cache = FanoutCache.open(path)) {
            cache.cache("small").set("a", 1);
        }
        try (FanoutCache reader = FanoutCache.builder(path).readOnly(true).open()) {
            assertEquals(1, reader.cache("small").get("a", int.class));
            assertThrows(
                    CacheReadOnlyException.class, () -> reader.cache("small").set("a", 2));
            assertThrows(CacheException.class, () -> reader.cache("missing"));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> reader.unwrap(dev.latchkey.cache.spi.CoordinationEngine.class));
        }
    }
}

package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every {@link Cache} does to stay in order: removal of many, counts, settings, reading alone, closing. */
abstract class MaintenanceContract extends CacheFixture {
    private static final String LARGE = "x".repeat(40_000);
    private static final EntryOptions TAGGED = EntryOptions.none().tag("t");

    private void withoutReaper() {
        create(options -> options.reaper(false).cullLimit(0));
    }

    // Removal of many

    /** In python-diskcache 150 of 250 rows with the same time stayed. */
    @Test
    void expireRemovesAllThatHasExpiredEvenAtTheSameTime() {
        withoutReaper();
        cache.setAll(numbered("key", 250), BRIEFLY);
        cache.set("stays", 1, FOR_AN_HOUR);
        cache.set("for ever", 1);
        awaitExpiry("key249");
        assertEquals(252, cache.size(), "what has expired is there until it is removed");
        assertEquals(250, cache.expire());
        assertEquals(2, cache.size());
        assertEquals(0, cache.expire());
    }

    @Test
    void expireRemovesFiles() {
        withoutReaper();
        for (int i = 0; i < 30; i++) {
            cache.set("key" + i, LARGE, BRIEFLY);
        }
        awaitExpiry("key29");
        assertEquals(30, cache.expire());
        assertEquals(List.of(), valueFiles());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void evictRemovesAllEntriesOfATag(boolean indexed) {
        create(options -> options.tagIndex(indexed));
        cache.setAll(numbered("tagged", 350), TAGGED);
        cache.set("large", LARGE, TAGGED.pinned());
        cache.setAll(numbered("other", 10), EntryOptions.none().tag("T"));
        cache.setAll(numbered("untagged", 10));
        assertEquals(351, cache.evict("t"));
        assertEquals(0, cache.evict("t"));
        assertEquals(20, cache.size());
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void evictKnowsEveryKindOfTag() {
        List<Object> tags = List.of("1", 1L, 1.5, new byte[] {'1'}, Long.MIN_VALUE, "");
        for (int i = 0; i < tags.size(); i++) {
            for (int j = 0; j < tags.size(); j++) {
                cache.set("key", 1, EntryOptions.none().tag(tags.get(i)));
                assertEquals(i == j ? 1 : 0, cache.evict(tags.get(j)));
            }
        }
        cache.set("key", 1, EntryOptions.none().tag(7L));
        assertEquals(1, cache.evict((short) 7));
        assertThrows(IllegalArgumentException.class, () -> cache.evict(List.of()));
    }

    @Test
    void clearRemovesEverythingPinnedToo() {
        cache.setAll(numbered("key", 1000));
        cache.set("pinned", LARGE, EntryOptions.none().pinned());
        cache.push(LARGE);
        assertEquals(1002, cache.clear());
        assertEquals(0, cache.size());
        assertEquals(List.of(), cache.keys().toList());
        assertEquals(List.of(), valueFiles());
        assertEquals(0, valueFolders());
        assertEquals(0, cache.clear());
        cache.set("a", 1);
        assertEquals(1, cache.size());
        assertTrue(cache.check(false).isClean(), cache.check(false)::toString);
    }

    @Test
    void cullRemovesWhatHasExpiredAndNothingElseWhileThereIsRoom() {
        withoutReaper();
        cache.setAll(numbered("expired", 250), BRIEFLY);
        cache.setAll(numbered("key", 100));
        awaitExpiry("expired249");
        assertEquals(250, cache.cull());
        assertEquals(100, cache.size());
        assertEquals(0, cache.cull());
    }

    @Test
    void removalOfManyInATransactionIsRolledBackWithIt() {
        withoutReaper();
        cache.setAll(numbered("key", 300), TAGGED);
        cache.set("large", LARGE, TAGGED);
        cache.set("expired", LARGE, BRIEFLY);
        awaitExpiry("expired");
        for (Consumer<Cache> removal : List.<Consumer<Cache>>of(
                c -> assertEquals(1, c.expire()),
                c -> assertEquals(301, c.evict("t")),
                c -> assertEquals(1, c.cull()),
                c -> assertEquals(302, c.clear()))) {
            Runnable body = () -> {
                removal.accept(cache);
                throw new IllegalStateException("no");
            };
            assertThrows(IllegalStateException.class, () -> cache.transact(body));
            assertEquals(302, cache.size());
            assertEquals(LARGE, cache.get("large"));
            assertEquals(2, valueFiles().size());
        }
    }

    // Counts

    @Test
    void sizeCountsEntries() {
        assertEquals(0, cache.size());
        cache.setAll(numbered("key", 50));
        cache.set("key1", 2);
        cache.delete("key2");
        cache.push("item");
        assertEquals(50, cache.size());
        cache.transact(() -> {
            cache.set("new", 1);
            assertEquals(51, cache.size());
        });
        reopen();
        assertEquals(51, cache.size());
    }

    @Test
    void volumeGrowsWithValuesInRowsAndInFiles() {
        long empty = cache.volume();
        assertTrue(empty > 0);
        for (int i = 0; i < 20; i++) {
            cache.set("file" + i, new byte[100_000]);
        }
        long withFiles = cache.volume();
        assertTrue(withFiles - empty >= 2_000_000, empty + " " + withFiles);
        for (int i = 0; i < 40; i++) {
            cache.set("row" + i, "x".repeat(30_000));
        }
        long withRows = cache.volume();
        assertTrue(withRows - withFiles >= 1_000_000, withFiles + " " + withRows);
        assertVolumeIsThatOfTheFiles();
        cache.clear();
        assertTrue(cache.volume() <= withRows - 2_000_000, withRows + " " + cache.volume());
    }

    /** What is still in the log alone may count already as if it were in the database too. */
    private void assertVolumeIsThatOfTheFiles() {
        long actual = bytes(files(name -> name.matches("cache\\.db|cache\\.db-wal|.*\\.val")));
        long volume = cache.volume();
        assertTrue(volume >= actual && volume <= actual + logBytes(), volume + " " + actual);
    }

    @Test
    void volumeCountsTheLog() {
        for (int i = 0; i < 300; i++) {
            cache.set("a", "x".repeat(i + 100));
        }
        assertVolumeIsThatOfTheFiles();
    }

    @Test
    void hitsAndMissesAreNotCountedUnlessAskedFor() {
        cache.set("a", 1);
        cache.get("a");
        cache.get("b");
        assertEquals(new Cache.Stats(0, 0), cache.stats());
        assertEquals(new Cache.Stats(0, 0), cache.resetStats());
    }

    @Test
    void everyReadIsAHitOrAMiss() throws IOException {
        create(options -> options.statistics(true));
        cache.set("a", "x");
        setExpired("expired", "x");
        cache.resetStats();
        for (String key : List.of("a", "absent", "expired")) {
            cache.get(key);
            cache.get(key, String.class);
            cache.get(key, TypeToken.of(String.class));
            cache.getOrDefault(key, String.class, "y");
            cache.entry(key, String.class);
            try (InputStream in = cache.read(key)) {
                assertEquals(key.equals("a"), in != null);
            }
        }
        cache.getAll(List.of("a", "absent", "expired"), String.class);
        assertEquals(new Cache.Stats(7, 14), cache.stats());
        assertEquals(new Cache.Stats(7, 14), cache.stats());
        assertEquals(new Cache.Stats(7, 14), cache.resetStats());
        assertEquals(new Cache.Stats(0, 0), cache.stats());
        cache.get("a");
        assertEquals(new Cache.Stats(1, 0), cache.resetStats());
    }

    @Test
    void statisticsCountTheReadsOfAllCachesOnADirectoryAndOutliveThem() {
        create(options -> options.statistics(true));
        cache.set("a", 1);
        try (Cache other = open(cache.directory())) {
            for (int i = 0; i < 100; i++) {
                cache.get("a");
                other.get("a");
                other.get("b");
            }
            assertEquals(new Cache.Stats(200, 100), cache.stats());
            assertEquals(new Cache.Stats(200, 100), other.stats());
        }
        cache.get("a");
        reopen();
        assertEquals(new Cache.Stats(201, 100), cache.stats());
    }

    @Test
    void statisticsMayBeSwitchedOnAndOff() {
        cache.set("a", 1);
        cache.get("a");
        cache.alter(Setting.STATISTICS, true);
        cache.get("a");
        assertEquals(new Cache.Stats(1, 0), cache.stats());
        cache.alter(Setting.STATISTICS, false);
        cache.get("a");
        assertEquals(new Cache.Stats(1, 0), cache.stats());
    }

    // Settings

    @Test
    void settingsAreTheDefaultsAtFirst() {
        Map<Setting, Object> defaults = new EnumMap<>(Setting.class);
        Arrays.stream(Setting.values()).forEach(setting -> defaults.put(setting, setting.byDefault()));
        assertEquals(defaults, cache.settings());
    }

    @Test
    void optionsOfTheBuilderAreStoredWhenTheDirectoryIsCreatedAndIgnoredLater() {
        create(options -> options.sizeLimit(5_000_000)
                .evictionPolicy(EvictionPolicy.LEAST_FREQUENTLY_USED)
                .cullLimit(7)
                .tagIndex(true)
                .statistics(true)
                .minFileSize(100)
                .reaper(false));
        Map<Setting, Object> expected = new HashMap<>(Map.of(
                Setting.SIZE_LIMIT, 5_000_000L,
                Setting.EVICTION_POLICY, "least-frequently-used",
                Setting.CULL_LIMIT, 7L,
                Setting.TAG_INDEX, 1L,
                Setting.STATISTICS, 1L,
                Setting.MIN_FILE_SIZE, 100L,
                Setting.REAPER, 0L));
        assertTrue(
                cache.settings().entrySet().containsAll(expected.entrySet()),
                cache.settings().toString());
        cache.set("a", "x".repeat(100));
        assertEquals(1, valueFiles().size());
        Map<Setting, Object> before = cache.settings();
        try (Cache other = builder(cache.directory())
                .sizeLimit(9)
                .evictionPolicy(EvictionPolicy.NONE)
                .cullLimit(1)
                .tagIndex(false)
                .statistics(false)
                .minFileSize(1_000_000)
                .reaper(true)
                .open()) {
            assertEquals(before, other.settings());
            other.set("b", "x".repeat(100));
        }
        reopen();
        assertEquals(before, cache.settings());
        assertEquals(2, valueFiles().size());
    }

    @Test
    void everySettingTakesWhatItMeans() {
        Map<Setting, List<Object>> good = new EnumMap<>(Map.ofEntries(
                Map.entry(Setting.STATISTICS, List.of(true, 0, 1L, false)),
                Map.entry(Setting.TAG_INDEX, List.of(true, 0, 1, false)),
                Map.entry(
                        Setting.EVICTION_POLICY,
                        List.of(
                                EvictionPolicy.NONE,
                                "least-recently-used",
                                EvictionPolicy.LEAST_FREQUENTLY_USED,
                                "least-recently-stored")),
                Map.entry(Setting.SIZE_LIMIT, List.of(1L << 40, 50_000_000, Long.MAX_VALUE)),
                Map.entry(Setting.CULL_LIMIT, List.of(0, 100, 10L)),
                Map.entry(Setting.MIN_FILE_SIZE, List.of(0, Long.MAX_VALUE, 32_768)),
                Map.entry(Setting.SQLITE_SYNCHRONOUS, List.of(2, 1L)),
                Map.entry(Setting.SQLITE_CACHE_SIZE, List.of(100, -2000, 8192)),
                Map.entry(Setting.SQLITE_MMAP_SIZE, List.of(1 << 20, 0)),
                Map.entry(Setting.SQLITE_WAL_AUTOCHECKPOINT, List.of(1, 1000)),
                Map.entry(Setting.DISK_PICKLE_PROTOCOL, List.of(0, 5)),
                Map.entry(Setting.REAPER, List.of(false, 1, true))));
        good.forEach((setting, values) -> values.forEach(value -> {
            cache.alter(setting, value);
            assertEquals(setting.toStored(value), cache.settings().get(setting), setting + " " + value);
            cache.set("a", value.toString(), TAGGED);
            assertEquals(value.toString(), cache.get("a"));
            assertEquals(List.of("a"), cache.keysByTag("t").toList());
        }));
        Map<Setting, Object> before = cache.settings();
        reopen();
        assertEquals(before, cache.settings());
    }

    @Test
    void aSettingRefusesWhatItDoesNotMeanWithNameAndValue() {
        Map<Setting, List<Object>> bad = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            bad.put(setting, new ArrayList<>(List.of(List.of(), "nonsense", 1.5)));
        }
        bad.get(Setting.STATISTICS).addAll(List.of(2, -1));
        bad.get(Setting.TAG_INDEX).addAll(List.of(2, -1));
        bad.get(Setting.REAPER).addAll(List.of(2, -1));
        bad.get(Setting.SIZE_LIMIT).addAll(List.of(0, -1, true));
        bad.get(Setting.CULL_LIMIT).addAll(List.of(-1, Long.MAX_VALUE));
        bad.get(Setting.MIN_FILE_SIZE).add(-1);
        bad.get(Setting.SQLITE_SYNCHRONOUS).addAll(List.of(0, 4));
        bad.get(Setting.SQLITE_AUTO_VACUUM).add(0);
        bad.get(Setting.SQLITE_JOURNAL_MODE).addAll(List.of("wal", "delete"));
        bad.get(Setting.SQLITE_MMAP_SIZE).add(-1);
        bad.get(Setting.SQLITE_WAL_AUTOCHECKPOINT).add(0);
        bad.get(Setting.DISK_PICKLE_PROTOCOL).addAll(List.of(-1, 6));
        Map<Setting, Object> before = cache.settings();
        bad.forEach((setting, values) -> values.forEach(value -> {
            String message = assertThrows(
                            IllegalArgumentException.class, () -> cache.alter(setting, value), setting + " " + value)
                    .getMessage();
            assertTrue(message.contains(setting.stored()) && message.contains(value.toString()), message);
        }));
        assertEquals(before, cache.settings());
    }

    @Test
    void anAlteredSettingIsObeyedAtOnceByAllCachesOfTheProcess() {
        try (Cache other = open(cache.directory())) {
            cache.alter(Setting.MIN_FILE_SIZE, 10);
            other.set("a", "0123456789");
            assertEquals(1, valueFiles().size());
            other.alter(Setting.MIN_FILE_SIZE, 1000);
            cache.set("a", "0123456789");
            assertEquals(0, valueFiles().size());
        }
    }

    @Test
    void theIndexOfTagsMayComeAndGoWithoutAnyDifference() {
        cache.setAll(numbered("key", 500), TAGGED);
        cache.createTagIndex();
        cache.createTagIndex();
        assertEquals(1L, cache.settings().get(Setting.TAG_INDEX));
        assertEquals(500, cache.keysByTag("t").count());
        cache.setAll(numbered("more", 10), TAGGED);
        assertEquals(510, cache.keysByTag("t").count());
        cache.dropTagIndex();
        cache.dropTagIndex();
        assertEquals(0L, cache.settings().get(Setting.TAG_INDEX));
        assertEquals(510, cache.evict("t"));
    }

    // Checking

    @Test
    void aCacheThatIsInOrderIsClean() {
        assertTrue(cache.check(false).isClean(), cache.check(false)::toString);
        cache.setAll(numbered("key", 200), TAGGED);
        for (int i = 0; i < 50; i++) {
            cache.set("large" + i % 20, LARGE + i);
        }
        cache.push(LARGE);
        cache.set("expired", LARGE, BRIEFLY);
        assertEquals("no damage found", cache.check(false).toString());
        assertEquals("no damage found", cache.check(true).toString());
        assertEquals(LARGE + 49, cache.get("large9"));
    }

    // Reading alone

    private Cache readOnly() {
        return builder(cache.directory()).readOnly(true).open();
    }

    private void fill() {
        cache.set("a", "text", TAGGED);
        cache.set("l", List.of("text"));
        cache.set("large", LARGE);
        cache.push("item", "q", Side.BACK, EntryOptions.none());
    }

    @Test
    void everyWritingCallOnAReadOnlyCacheIsRefusedAndNothingChanges() {
        fill();
        List<Object> keys = cache.keys().toList();
        try (Cache reader = readOnly()) {
            CacheCalls.writing()
                    .forEach((name, calls) -> calls.forEach(
                            call -> assertThrows(CacheReadOnlyException.class, () -> call.accept(reader), name)));
            assertThrows(CacheReadOnlyException.class, () -> reader.check(true));
            assertThrows(CacheReadOnlyException.class, () -> reader.transact(() -> reader.incr("n")));
        }
        assertEquals(keys, cache.keys().toList());
        assertEquals(10L, cache.settings().get(Setting.CULL_LIMIT));
        assertEquals(1, valueFiles().size());
        cache.close();
        Path path = cache.directory();
        try (Cache reader = builder(path).readOnly(true).open()) {
            CacheCalls.writing()
                    .forEach((name, calls) -> calls.forEach(
                            call -> assertThrows(CacheReadOnlyException.class, () -> call.accept(reader), name)));
        }
        cache = open(path);
        assertEquals(keys, cache.keys().toList());
    }

    @Test
    void aReadOnlyCacheReadsEverything() throws IOException {
        fill();
        try (Cache reader = readOnly()) {
            CacheCalls.reading().forEach((name, calls) -> calls.forEach(call -> call.accept(reader)));
            assertEquals("text", reader.get("a", String.class));
            assertEquals(LARGE, reader.get("large", String.class));
            assertEquals(cache.keys().toList(), reader.keys().toList());
            assertEquals(cache.settings(), reader.settings());
            assertEquals(
                    "item",
                    reader.peek("q", Side.FRONT, String.class).orElseThrow().value());
            assertEquals(4, reader.size());
            try (InputStream in = reader.read("large")) {
                assertEquals(LARGE.length(), in.readAllBytes().length);
            }
        }
    }

    @Test
    void aReadOnlyCacheSeesWhatAWriterWritesMeanwhile() {
        fill();
        try (Cache reader = readOnly()) {
            for (int i = 0; i < 50; i++) {
                cache.set("a", i % 2 == 0 ? "small" + i : LARGE + i);
                assertEquals(cache.get("a"), reader.get("a"));
            }
            cache.delete("a");
            assertNull(reader.get("a"));
        }
    }

    @Test
    void aMissingDirectoryIsNotCreatedToBeReadAlone() {
        Path missing = directory.resolve("missing");
        String message = assertThrows(
                        CacheException.class,
                        () -> builder(missing).readOnly(true).open())
                .getMessage();
        assertTrue(message.contains("missing"), message);
        assertFalse(Files.exists(missing));
    }

    // Arguments and closing

    @Test
    void theListsOfCallsNameEveryMethod() {
        Set<String> named = new TreeSet<>(CacheCalls.writing().keySet());
        named.addAll(CacheCalls.reading().keySet());
        named.addAll(Set.of("transact", "unwrap", "directory", "close", "memoize", "removeListener"));
        Set<String> methods = new TreeSet<>();
        for (Method method : Cache.class.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers())) {
                methods.add(method.getName());
            }
        }
        assertEquals(methods, named);
    }

    @Test
    void everyCallAfterCloseIsRefused() {
        fill();
        cache.close();
        Map<String, List<Consumer<Cache>>> all = new HashMap<>(CacheCalls.writing());
        all.putAll(CacheCalls.reading());
        all.put("transact", List.of(c -> c.transact(() -> "a"), c -> c.transact(() -> {})));
        all.put("check", List.of(c -> c.check(false), c -> c.check(true)));
        all.forEach((name, calls) ->
                calls.forEach(call -> assertThrows(CacheClosedException.class, () -> call.accept(cache), name)));
    }

    @Test
    void everyCallOnACacheThatIsClosedIsRefusedWhileAnotherIsOpen() {
        fill();
        try (Cache other = open(cache.directory())) {
            cache.close();
            Map<String, List<Consumer<Cache>>> all = new HashMap<>(CacheCalls.writing());
            all.putAll(CacheCalls.reading());
            all.forEach((name, calls) ->
                    calls.forEach(call -> assertThrows(CacheClosedException.class, () -> call.accept(cache), name)));
            assertEquals("text", other.get("a"));
        }
    }

    @Test
    void aNullArgumentIsRefusedAndChangesNothing() {
        fill();
        List<Consumer<Cache>> calls = CacheCalls.withNull();
        for (int i = 0; i < calls.size(); i++) {
            Consumer<Cache> call = calls.get(i);
            assertThrows(NullPointerException.class, () -> call.accept(cache), "call " + i);
        }
        assertEquals(4, cache.size());
        assertEquals("text", cache.get("a"));
        assertEquals(1, valueFiles().size());
    }

    @Test
    void everyCallWorksInATransaction() {
        fill();
        cache.transact(() -> {
            CacheCalls.reading().forEach((name, calls) -> {
                if (!name.equals("check")) {
                    calls.forEach(call -> call.accept(cache));
                }
            });
        });
        List<Object> keys = cache.keys().toList();
        CacheCalls.writing()
                .forEach((name, calls) -> calls.forEach(call -> {
                    if (!Set.of("alter", "createTagIndex", "dropTagIndex", "resetStats")
                            .contains(name)) {
                        Runnable body = () -> {
                            call.accept(cache);
                            throw new IllegalStateException(name);
                        };
                        assertEquals(
                                name,
                                assertThrows(IllegalStateException.class, () -> cache.transact(body))
                                        .getMessage());
                    }
                }));
        assertEquals(keys, cache.keys().toList());
        assertEquals(1, valueFiles().size());
        assertTrue(cache.check(false).isClean(), cache.check(false)::toString);
    }

    @Test
    void aReaperThatRunsDoesNotKeepACacheFromClosing() {
        for (int i = 0; i < 5; i++) {
            cache.set("a", 1, EntryOptions.none().expireAfter(Duration.ofMillis(1)));
            reopen();
        }
        Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> cache.size() == 0);
    }
}

package dev.latchkey.cache.sqlite;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.Setting;
import dev.latchkey.testing.Elapsed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Settings, counters, eviction, clean-up and checks, done by either side to what the other has written. */
class PythonMaintenanceTest extends PythonInterop {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final long A_SECOND_IN_MILLIS = 1500;

    // Settings

    @Test
    void pythonSeesTheSettingsThatLatchkeyStores() {
        try (Cache cache = Cache.builder(path)
                .sizeLimit(123_456_789)
                .cullLimit(3)
                .minFileSize(1000)
                .statistics(true)
                .tagIndex(true)
                .evictionPolicy(EvictionPolicy.LEAST_FREQUENTLY_USED)
                .open()) {
            Map<String, String> before = storedSettings();
            python("""
                    assert cache.size_limit == 123456789 and cache.cull_limit == 3
                    assert cache.disk_min_file_size == cache.disk.min_file_size == 1000
                    assert cache.disk.pickle_protocol == 5 and cache.statistics == 1 and cache.tag_index == 1
                    assert cache.eviction_policy == 'least-frequently-used'
                    assert cache.sqlite_mmap_size == 0 and cache.sqlite_journal_mode == 'wal'
                    """);
            assertEquals(before, storedSettings());
            for (Setting setting : Setting.values()) {
                Object value = cache.settings().get(setting);
                assertFalse(value == null, setting.toString());
                if (setting != Setting.REAPER) {
                    assertEquals(String.valueOf(value), before.get(setting.stored()), setting.toString());
                }
            }
            assertFalse(before.containsKey("reaper"));
            assertTrue(hasIndex("Cache_access_count"));
            assertTrue(hasIndex("Cache_tag_rowid"));
        }
    }

    @Test
    void whatJavaAltersANewObjectOfPythonObeys() {
        try (Cache cache = Cache.open(path)) {
            cache.alter(Setting.MIN_FILE_SIZE, 10);
            cache.alter(Setting.SIZE_LIMIT, 1L << 40);
            cache.alter(Setting.CULL_LIMIT, 0);
            cache.alter(Setting.STATISTICS, true);
            cache.alter(Setting.TAG_INDEX, true);
            cache.alter(Setting.SQLITE_SYNCHRONOUS, 2);
            cache.alter(Setting.DISK_PICKLE_PROTOCOL, 4);
            cache.alter(Setting.EVICTION_POLICY, EvictionPolicy.LEAST_RECENTLY_USED);
            cache.alter(Setting.REAPER, false);
            python("""
                    assert cache.disk.min_file_size == 10 and cache.size_limit == 2**40 and cache.cull_limit == 0
                    assert cache.statistics == 1 and cache.tag_index == 1 and cache.disk.pickle_protocol == 4
                    assert cache.eviction_policy == 'least-recently-used'
                    assert cache._sql('PRAGMA synchronous').fetchall() == [(2,)]
                    cache['ten'] = '0123456789'
                    """);
            assertEquals("3|10", row("SELECT mode, size FROM Cache"));
            assertTrue(hasIndex("Cache_access_time"));
            assertFalse(hasIndex("Cache_store_time"));
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void whatPythonResetsJavaObeysWithinASecond() {
        try (Cache cache = Cache.open(path)) {
            cache.set("a", "0123456789");
            python("""
                    cache.reset('statistics', 1)
                    cache.reset('size_limit', 2**40)
                    cache.reset('cull_limit', 7)
                    cache.reset('disk_min_file_size', 10) # the one that is waited for
                    """);
            assertWithinASecond(() -> {
                cache.set("a", "0123456789");
                return row("SELECT mode FROM Cache").equals("3");
            });
            assertEquals(1L << 40, cache.settings().get(Setting.SIZE_LIMIT));
            assertEquals(7L, cache.settings().get(Setting.CULL_LIMIT));
            assertEquals("0123456789", cache.get("a", String.class));
            assertNull(cache.get("b"));
            assertEquals(new Cache.Stats(1, 1), cache.stats());
        }
    }

    @Test
    void aPolicyThatPythonChoosesIsObeyedWithinASecond() {
        try (Cache cache = Cache.open(path)) {
            fill(cache, 3);
            python("diskcache.Cache(sys.argv[1], eviction_policy='least-recently-used')");
            assertEquals("least-recently-used", cache.settings().get(Setting.EVICTION_POLICY));
            assertWithinASecond(() -> {
                cache.get("java0");
                cache.stats();
                return row("SELECT access_time > store_time FROM Cache WHERE key = 'java0'")
                        .equals("1");
            });
        }
    }

    private static void assertWithinASecond(Callable<Boolean> isObeyed) {
        try (Elapsed elapsed = new Elapsed()) {
            long start = System.nanoTime();
            await().pollInterval(Duration.ofMillis(20)).atMost(LONG).until(isObeyed);
            long millis = elapsed.millisSince(start);
            assertTrue(millis < A_SECOND_IN_MILLIS, "obeyed after " + millis + " ms");
        }
    }

    // Counters

    @Test
    void countSizeHitsAndMissesAreCommonToBoth() {
        try (Cache cache = Cache.builder(path).statistics(true).open()) {
            cache.set("a", new byte[40_000]);
            cache.set("b", 1);
            cache.get("a");
            cache.get("a", byte[].class);
            cache.get("absent");
            assertEquals(new Cache.Stats(2, 1), cache.stats());
            python("""
                    assert cache.stats() == (2, 1) and len(cache) == 2 and cache.reset('size') == 40000
                    cache['c'] = 'ü' * 40000
                    cache['a']
                    for _ in range(3):
                        cache.get('absent')
                    assert cache.volume() > 120000
                    """);
            assertEquals(new Cache.Stats(3, 4), cache.stats());
            assertEquals(3, cache.size());
            assertTrue(cache.volume() > 120_000);
            cache.delete("a");
            cache.set("c", 1);
            assertEquals(new Cache.Stats(3, 4), cache.resetStats());
            python("assert cache.stats(reset=True) == (0, 0) and len(cache) == 2 and cache.reset('size') == 0");
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void hitsAreFlushedForPythonWithinASecondsWait() {
        try (Cache cache = Cache.builder(path).statistics(true).open()) {
            cache.set("a", 1);
            for (int i = 0; i < 10; i++) {
                cache.get("a");
            }
            await().atMost(Duration.ofSeconds(5)).until(() -> row("SELECT value FROM Settings WHERE key = 'hits'")
                    .equals("10"));
            python("assert cache.stats() == (10, 0)");
        }
    }

    // Directories of Python

    @ParameterizedTest
    @EnumSource(EvictionPolicy.class)
    void aDirectoryThatPythonMadeWithAnyPolicyIsUsedAsItIs(EvictionPolicy policy) {
        String settings =
                "eviction_policy='" + policy.stored() + "', statistics=1, tag_index=1, disk_min_file_size=100,"
                        + " size_limit=2**24, cull_limit=5, sqlite_mmap_size=2**20";
        pythonCreates(settings, """
                cache.set('a', 'x' * 100, tag='t')
                cache['b'] = 1
                """);
        Map<String, String> before = storedSettings();
        try (Cache cache = Cache.open(path)) {
            assertEquals("x".repeat(100), cache.get("a", String.class));
            assertEquals(policy.stored(), cache.settings().get(Setting.EVICTION_POLICY));
            cache.set("c", "ü".repeat(100));
            assertEquals(List.of("a"), cache.keysByTag("t").toList());
            assertEquals(new Cache.Stats(1, 0), cache.stats());
            assertEquals(before, storedSettings());
            assertTrue(hasIndex("Cache_tag_rowid"));
            if (policy == EvictionPolicy.LEAST_RECENTLY_USED) {
                assertEquals("1", row("SELECT access_time > store_time FROM Cache WHERE key = 'a'"));
            }
            if (policy == EvictionPolicy.LEAST_FREQUENTLY_USED) {
                assertEquals("1", row("SELECT access_count FROM Cache WHERE key = 'a'"));
            }
            python("""
                    assert cache['c'] == 'ü' * 100 and cache.evict('t') == 1 and cache.check() == []
                    """);
            assertCleanOnBothSides(cache);
        }
        assertEquals(before, storedSettings());
    }

    @Test
    void aDirectoryOfJsonDiskIsRefusedWithTheNameOfTheCodecItNeeds() {
        python("""
                json = diskcache.Cache(sys.argv[1] + '/json', disk=diskcache.JSONDisk, disk_compress_level=6)
                json['a'] = [1]
                """);
        Path json = path.resolve("json");
        List<String> before = Rows.of(json, "SELECT * FROM sqlite_master");
        RuntimeException refused = assertThrows(RuntimeException.class, () -> Cache.open(json));
        assertTrue(
                refused instanceof IllegalArgumentException || refused instanceof CacheException, refused.toString());
        assertContains(String.valueOf(refused.getMessage()), "jsonZip");
        assertEquals(before, Rows.of(json, "SELECT * FROM sqlite_master"));
        python("""
                c = diskcache.Cache(sys.argv[1] + '/json', disk=diskcache.JSONDisk)
                assert c['a'] == [1]
                assert c.check() == []
                """);
    }

    // Removing

    private static void fill(Cache cache, int count) {
        for (int i = 0; i < count; i++) {
            cache.set("java" + i, i);
        }
    }

    /** 250 rows with one expiry are more than one page of Python's, which skips equal times at the end of a page. */
    @Test
    void expireEvictAndClearOfPythonRemoveWhatJavaWrote() {
        try (Cache cache = Cache.builder(path).reaper(false).cullLimit(0).open()) {
            EntryOptions over = EntryOptions.none().expireAfter(Duration.ofMillis(1));
            for (int i = 0; i < 130; i++) {
                cache.set("over" + i, i % 10 == 0 ? new byte[40_000] : i, over);
                cache.set(
                        "tagged" + i,
                        i % 10 == 0 ? "ü".repeat(40_000) : i,
                        EntryOptions.none().tag("t"));
                cache.set("kept" + i, i % 10 == 0 ? new byte[40_000] : i);
            }
            python("""
                    time.sleep(0.01)
                    count = 0
                    while True:
                        now = cache.expire()
                        count += now
                        if not now:
                            break
                    assert count == 130, count
                    assert cache.evict('t') == 130
                    assert len(cache) == 130
                    assert cache.check() == []
                    """);
            assertEquals(130, cache.size());
            assertEquals(
                    130,
                    cache.keys()
                            .filter(key -> ((String) key).startsWith("kept"))
                            .count());
            assertCleanOnBothSides(cache);
            python("assert cache.clear() == 130");
            assertEquals(0, cache.size());
            assertEquals(List.of(), cache.keys().toList());
            assertNoValueFiles();
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void expireEvictAndClearOfJavaRemoveWhatPythonWrote() {
        pythonCreates("cull_limit=0", """
                for i in range(250):
                    cache.set('over%d' % i, bytes(40000) if i % 10 == 0 else i, expire=0.001)
                    cache.set('tagged%d' % i, 'ü' * 40000 if i % 10 == 0 else i, tag='t')
                    cache['kept%d' % i] = bytes(40000) if i % 10 == 0 else {'pickled': i}
                cache._sql("UPDATE Cache SET expire_time = 1.0 WHERE expire_time IS NOT NULL")
                time.sleep(0.01)
                """);
        try (Cache cache = Cache.builder(path).reaper(false).open()) {
            cache.alter(Setting.REAPER, false);
            int reaped = 750 - cache.size();
            assertEquals(250, reaped + cache.expire());
            assertEquals(0, cache.expire());
            assertEquals(250, cache.evict("t"));
            assertEquals(0, cache.evict("none of that"));
            assertEquals(250, cache.size());
            assertCleanOnBothSides(cache);
            assertEquals(250, cache.clear());
            assertNoValueFiles();
            python("assert len(cache) == 0 and list(cache) == [] and cache.check() == []");
            assertCleanOnBothSides(cache);
        }
    }

    private void assertNoValueFiles() {
        try (Stream<Path> files = Files.walk(path)) {
            assertEquals(
                    List.of(),
                    files.filter(file -> file.toString().endsWith(".val")).toList());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @EnumSource(value = EvictionPolicy.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void bothCullTheSameEntriesFirstUnderEachPolicy(EvictionPolicy policy) {
        List<String> byJava = culled(policy, "java", true);
        List<String> byPython = culled(policy, "python", false);
        assertFalse(byJava.isEmpty());
        assertTrue(byJava.size() < 40, byJava.toString());
        // Python culls ten at a time, Java no more than needed.
        assertEquals(byPython.subList(0, Math.min(byJava.size(), byPython.size())), byJava);
        assertTrue(byPython.size() >= byJava.size() && byPython.size() < byJava.size() + 10, byPython + " " + byJava);
    }

    /** Forty entries, written and read by both in turn; a third of them has to go. */
    private List<String> culled(EvictionPolicy policy, String name, boolean java) {
        path = directory.resolve(name);
        try (Cache cache = Cache.builder(path)
                .evictionPolicy(policy)
                .reaper(false)
                .cullLimit(0)
                .open()) {
            for (int i = 0; i < 40; i++) {
                cache.set("%02d".formatted(i), new byte[100_000]);
            }
            python("for i in range(0, 40, 3): cache['%02d' % i]");
            for (int i = 0; i < 40; i += 5) {
                cache.get("%02d".formatted(i));
            }
            cache.stats(); // flushes what was read
            List<String> before = order(policy);
            cache.alter(Setting.SIZE_LIMIT, 3_000_000);
            cache.alter(Setting.CULL_LIMIT, 10);
            String said = java ? String.valueOf(cache.cull()) : python("print(cache.cull())");
            List<String> after = order(policy);
            assertEquals(String.valueOf(before.size() - after.size()), said);
            assertCleanOnBothSides(cache);
            List<String> gone = new ArrayList<>(before);
            gone.removeAll(after);
            assertEquals(before.subList(0, gone.size()), gone);
            return gone;
        }
    }

    private List<String> order(EvictionPolicy policy) {
        String column =
                switch (policy) {
                    case LEAST_RECENTLY_STORED, NONE -> "store_time";
                    case LEAST_RECENTLY_USED -> "access_time";
                    case LEAST_FREQUENTLY_USED -> "access_count";
                };
        return rows("SELECT key FROM Cache ORDER BY " + column);
    }

    @ParameterizedTest
    @EnumSource(value = EvictionPolicy.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void pythonEvictsPinnedEntriesLast(EvictionPolicy policy) {
        try (Cache cache = Cache.builder(path)
                .evictionPolicy(policy)
                .reaper(false)
                .sizeLimit(2_000_000)
                .open()) {
            for (int i = 0; i < 5; i++) {
                cache.set("pinned" + i, new byte[40_000], EntryOptions.none().pinned());
                cache.push(new byte[40_000], "q", dev.latchkey.cache.Side.BACK, EntryOptions.none());
            }
            for (int i = 0; i < 5; i++) {
                cache.get("pinned" + i);
            }
            python("""
                    for i in range(300):
                        cache['python%d' % i] = bytes(40000)
                        cache['python%d' % (i // 2)] = bytes(40000)
                    cache.cull()
                    assert cache.volume() <= 2000000
                    """);
            assertEquals(
                    5L,
                    cache.keys()
                            .filter(key -> key.toString().startsWith("pinned"))
                            .count());
            assertEquals(
                    5L,
                    cache.keys().filter(key -> key.toString().startsWith("q-")).count());
            assertTrue(cache.keys().anyMatch(key -> key.toString().startsWith("python")));
            assertCleanOnBothSides(cache);
            python("""
                    cache.reset('size_limit', 100)
                    assert cache.cull() > 0 and len(cache) == 0
                    """);
            assertEquals(0, cache.size());
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void aGetOfPythonUnderLeastRecentlyUsedUnpinsAndOneOfJavaDoesNot() {
        try (Cache cache = Cache.builder(path)
                .evictionPolicy(EvictionPolicy.LEAST_RECENTLY_USED)
                .open()) {
            cache.set("a", 1, EntryOptions.none().pinned());
            cache.get("a");
            cache.stats();
            String pinned = "SELECT access_time > 100e9 FROM Cache WHERE key = 'a'";
            assertEquals("1", row(pinned));
            python("cache['a']");
            assertEquals("0", row(pinned));
        }
    }

    @Test
    void javaEvictsAmongWhatPythonWroteOnlyWhatIsNeeded() {
        pythonCreates("size_limit=4_000_000", """
                for i in range(35):
                    cache['%02d' % i] = bytes(100000)
                """);
        try (Cache cache = Cache.open(path)) {
            List<Object> before = cache.keys().toList();
            cache.set("java", new byte[1_000_000], EntryOptions.none().pinned());
            List<Object> after = cache.keys().toList();
            assertTrue(after.contains("java"));
            assertTrue(after.size() > 20 && after.size() < before.size(), after.toString());
            assertEquals(
                    before.subList(before.size() - after.size() + 1, before.size()),
                    after.subList(0, after.size() - 1));
            assertCleanOnBothSides(cache);
        }
    }

    // Check

    @Test
    void damageThatEitherFindsTheOtherFindsToo() throws IOException {
        try (Cache cache = Cache.builder(path).reaper(false).open()) {
            cache.set("lost", new byte[40_000]);
            cache.set("short", new byte[40_000]);
            cache.set("kept", new byte[40_000]);
            Files.delete(path.resolve(row("SELECT filename FROM Cache WHERE key = 'lost'")));
            Files.write(path.resolve(row("SELECT filename FROM Cache WHERE key = 'short'")), new byte[7]);
            String ofKept = row("SELECT filename FROM Cache WHERE key = 'kept'").substring(0, 2);
            Path folder = path.resolve(ofKept.equals("ab") ? "ba" : "ab"); // one of its own
            Files.createDirectories(folder.resolve("cd"));
            Files.writeString(folder.resolve("unknown"), "?");
            Rows.change(path, "UPDATE Settings SET value = 17 WHERE key = 'count'");
            Rows.change(path, "UPDATE Settings SET value = 17 WHERE key = 'size'");
            python("""
                    warnings.simplefilter('default')
                    found = sorted({str(w.message).split(':')[0].split(' !=')[0] for w in cache.check()})
                    assert found == ['Settings.count', 'Settings.size', 'empty directory', 'file not found',
                        'unknown file', 'wrong file size'], found
                    """);
            CheckReport report = cache.check(false);
            for (CheckReport.Kind kind : List.of(
                    CheckReport.Kind.FILE_MISSING,
                    CheckReport.Kind.FILE_SIZE,
                    CheckReport.Kind.EMPTY_FOLDER,
                    CheckReport.Kind.FOREIGN_FILE,
                    CheckReport.Kind.COUNTER)) {
                assertTrue(
                        report.findings().stream().anyMatch(finding -> finding.kind() == kind),
                        kind + " of\n" + report);
            }
            cache.check(true);
            Files.deleteIfExists(folder.resolve("unknown"));
            Files.deleteIfExists(folder);
            assertCleanOnBothSides(cache);
            assertTrue(cache.containsKey("kept"));
            assertFalse(cache.containsKey("lost"));
            assertEquals(40_000, Objects.requireNonNull(cache.get("kept", byte[].class)).length);
        }
    }

    @Test
    void damageThatPythonRepairsIsGoneForJava() throws IOException {
        try (Cache cache = Cache.builder(path).reaper(false).open()) {
            cache.set("lost", new byte[40_000]);
            cache.set("kept", new byte[40_000]);
            Files.delete(path.resolve(row("SELECT filename FROM Cache WHERE key = 'lost'")));
            String ofKept = row("SELECT filename FROM Cache WHERE key = 'kept'").substring(0, 2);
            Path folder = path.resolve(ofKept.equals("ab") ? "ba" : "ab"); // one of its own
            Files.createDirectories(folder.resolve("cd"));
            Files.writeString(folder.resolve("unknown"), "?");
            Rows.change(path, "UPDATE Settings SET value = 17 WHERE key = 'count'");
            python("""
                    warnings.simplefilter('default')
                    cache.check(fix=True)
                    cache.check(fix=True)
                    """);
            assertCleanOnBothSides(cache);
            assertEquals(List.of("kept"), cache.keys().toList());
            assertEquals(1, cache.size());
        }
    }
}

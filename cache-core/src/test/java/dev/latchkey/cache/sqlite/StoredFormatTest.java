package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.Python;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What stands on the disk. */
class StoredFormatTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private static final List<String> SETTINGS = List.of(
            "count|0|integer",
            "cull_limit|10|integer",
            "disk_min_file_size|32768|integer",
            "disk_pickle_protocol|5|integer",
            "eviction_policy|least-recently-stored|text",
            "hits|0|integer",
            "misses|0|integer",
            "size|0|integer",
            "size_limit|1073741824|integer",
            "sqlite_auto_vacuum|1|integer",
            "sqlite_cache_size|8192|integer",
            "sqlite_journal_mode|wal|text",
            "sqlite_mmap_size|0|integer",
            "sqlite_synchronous|1|integer",
            "sqlite_wal_autocheckpoint|10000|integer",
            "statistics|0|integer",
            "tag_index|0|integer");

    private static List<String> settings(Path path) {
        return Rows.of(path, "SELECT key, value, typeof(value) FROM Settings ORDER BY key");
    }

    @Test
    void theSettingsOfANewDirectoryAreTheDocumentedOnes() {
        Path path = directory.resolve("cache");
        Cache.open(path).close();
        assertEquals(SETTINGS, settings(path));
        assertEquals("wal", Rows.one(path, "PRAGMA journal_mode"));
        assertEquals("1", Rows.one(path, "PRAGMA auto_vacuum"));
        assertEquals("2048", Rows.one(path, "PRAGMA page_size"));
        assertEquals("0", Rows.one(path, "PRAGMA application_id"));
        assertEquals("1|integer", Rows.one(path, "SELECT value, typeof(value) FROM Latchkey WHERE key = 'format'"));
    }

    @Test
    void openingNeverRewritesAStoredSettingAndKeepsUnknownOnes() {
        Path path = directory.resolve("cache");
        Cache.open(path).close();
        Rows.change(
                path, "UPDATE Settings SET value = 7 WHERE key IN ('cull_limit', 'sqlite_mmap_size', 'size_limit')");
        Rows.change(path, "UPDATE Settings SET value = 'none' WHERE key = 'eviction_policy'");
        Rows.change(path, "INSERT INTO Settings VALUES ('sqlite_of_tomorrow', 'x')");
        Rows.change(path, "DELETE FROM Latchkey WHERE key = 'format'"); // makes the next opener go through creation
        List<String> before = settings(path);
        Cache.open(path).close();
        assertEquals(before, settings(path));
    }

    @Test
    void theStoredBoundForValueFilesIsObeyed() {
        Path path = directory.resolve("cache");
        Cache.open(path).close();
        Rows.change(path, "UPDATE Settings SET value = 10 WHERE key = 'disk_min_file_size'");
        try (Cache cache = Cache.open(path)) {
            cache.set("a", "123456789");
            cache.set("b", "1234567890");
        }
        assertEquals(
                List.of("a|1|0|null", "b|3|10|text"),
                Rows.of(path, "SELECT key, mode, size, nullif(typeof(filename), 'null') FROM Cache ORDER BY key"));
    }

    @Test
    void thePragmasOfEveryConnectionAreEffective() {
        Path path = directory.resolve("cache");
        Cache.open(path).close();
        Rows.change(path, "UPDATE Settings SET value = 2 WHERE key = 'sqlite_synchronous'");
        try (Cache cache = Cache.open(path)) {
            Engine engine = (Engine) cache.unwrap(CoordinationEngine.class);
            Deadline deadline = Deadline.after(Duration.ofSeconds(5));
            engine.writer()
                    .write(
                            tx -> {
                                assertPragmas(tx.db);
                                return true;
                            },
                            deadline);
            engine.readers()
                    .read(
                            db -> {
                                assertPragmas(db);
                                return true;
                            },
                            deadline);
        }
    }

    @Test
    void settingsThatOnlyPythonWouldStoreAreObeyedAsPythonMeansThem() {
        Path path = directory.resolve("cache");
        Cache.open(path).close();
        Rows.change(path, "UPDATE Settings SET value = 1e6 WHERE key = 'size_limit'");
        Rows.change(path, "UPDATE Settings SET value = 5000000000 WHERE key = 'cull_limit'");
        try (Cache cache = Cache.open(path)) {
            assertEquals(1_000_000L, cache.settings().get(Setting.SIZE_LIMIT));
            Engine engine = (Engine) cache.unwrap(CoordinationEngine.class);
            assertEquals(1_000_000, engine.settings().sizeLimit());
            assertEquals(Integer.MAX_VALUE, engine.settings().cullLimit());
        }
        Rows.change(path, "UPDATE Settings SET value = 0 WHERE key = 'size_limit'");
        try (Cache cache = Cache.open(path)) {
            Engine engine = (Engine) cache.unwrap(CoordinationEngine.class);
            assertEquals(1, engine.settings().sizeLimit(), "never room, not the default of 1 GiB");
        }
    }

    @Test
    void aChangedSynchronousIsObeyedByTheNextCommit() {
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            Engine engine = (Engine) cache.unwrap(CoordinationEngine.class);
            assertEquals(1, synchronousOf(engine));
            cache.alter(Setting.SQLITE_SYNCHRONOUS, 2);
            assertEquals(2, synchronousOf(engine));
            cache.alter(Setting.SQLITE_SYNCHRONOUS, 1);
            assertEquals(1, synchronousOf(engine));
        }
    }

    private static long synchronousOf(Engine engine) {
        return engine.writer()
                .write(
                        tx -> tx.db.one("PRAGMA synchronous", row -> row.getLong(1)),
                        Deadline.after(Duration.ofSeconds(5)));
    }

    private static void assertPragmas(Database db) {
        Map<String, String> wanted = Map.of(
                "synchronous", "2",
                "wal_autocheckpoint", "0",
                "mmap_size", "0",
                "trusted_schema", "0",
                "busy_timeout", "0",
                "journal_mode", "wal");
        Map<String, String> found = new TreeMap<>();
        wanted.keySet().forEach(name -> found.put(name, db.one("PRAGMA " + name, row -> row.getString(1))));
        assertEquals(new TreeMap<>(wanted), found);
    }

    @Test
    void aRowHoldsTheTypesOfPython() {
        Path path = directory.resolve("cache");
        try (Cache cache = Cache.open(path)) {
            cache.set("text", "t", EntryOptions.none().tag("x"));
            cache.set(1, 2);
            cache.set(1.5, 2.5);
            cache.set(new byte[] {1}, new byte[] {2});
            cache.set("nan", Double.NaN);
            cache.set("json", List.of(1));
        }
        assertEquals(
                List.of(
                        "text|1|text|1|t|0",
                        "integer|1|integer|1|2|0",
                        "real|1|real|1|2.5|0",
                        "blob|1|blob|1|\u0002|0",
                        "text|1|text|1|NaN|0",
                        "text|1|text|1|[1]|0"),
                Rows.of(
                        path,
                        "SELECT typeof(key), raw, typeof(value), mode, CAST(value AS TEXT), access_count FROM Cache"
                                + " ORDER BY rowid"));
    }

    @Test
    void triggersKeepCountAndSize() {
        Path path = directory.resolve("cache");
        try (Cache cache = Cache.open(path)) {
            cache.set("a", new byte[40_000]);
            cache.set("b", new byte[50_000]);
            cache.set("a", new byte[60_000]);
            cache.delete("b");
            cache.set("c", 1);
        }
        assertEquals(
                List.of("2", "60000"),
                Rows.of(path, "SELECT value FROM Settings WHERE key IN ('count', 'size') ORDER BY key"));
    }

    @Test
    @Tag("process")
    void theSharedTablesAreThoseOfPythonDiskcache() {
        Path java = directory.resolve("java");
        Path python = directory.resolve("python");
        Cache.open(java).close();
        Python.run("import sys, diskcache; diskcache.Cache(sys.argv[1]).close()", python.toString());
        Map<String, String> expected = schema(python);
        Map<String, String> found = schema(java);
        found.keySet().removeIf(name -> name.startsWith("Latchkey") || name.contains("_Latchkey"));
        // diskcache creates the index of tags on request only, some releases always
        expected.remove("Cache_tag_rowid");
        // two documented conditions that spare writes; the newest diskcache has the second one too
        for (Map<String, String> each : List.of(expected, found)) {
            each.computeIfPresent("Settings_size_update", (name, sql) -> sql.replace("when new.size<>old.size ", ""));
            each.computeIfPresent("Cache_expire_time", (name, sql) -> sql.replace("where expire_time is not null", ""));
        }
        assertEquals(expected, found);
        assertTrue(found.size() > 8, found.toString());
    }

    private static Map<String, String> schema(Path path) {
        Map<String, String> schema = new TreeMap<>();
        for (String row : Rows.of(path, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")) {
            int bar = row.indexOf('|');
            schema.put(row.substring(0, bar), normal(row.substring(bar + 1)));
        }
        schema.keySet().removeIf(name -> name.startsWith("sqlite_"));
        return schema;
    }

    private static String normal(String sql) {
        return sql.toLowerCase(java.util.Locale.ROOT)
                .replaceAll("if not exists", "")
                .replaceAll("[\"'`\\[\\]]", "")
                .replaceAll("\\s+", " ")
                .replaceAll(" ?([(),;=<>+-]+) ?", "$1")
                .strip();
    }
}

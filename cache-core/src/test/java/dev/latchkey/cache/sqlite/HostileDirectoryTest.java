package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A directory that somebody else has written, who wishes us ill. */
@Tag("everyJdk")
class HostileDirectoryTest {
    private static final List<String> VALUES = List.of(
            "NULL",
            "'x'",
            "''",
            "x'00ff'",
            "'../../outside'",
            "'/etc/passwd'",
            "-1",
            "0",
            "9223372036854775807",
            "-9223372036854775808",
            "1e308",
            "9e999",
            "-9e999",
            "0.5",
            "zeroblob(1000000)",
            "replace(hex(zeroblob(100000)), '0', '[')",
            "replace(hex(zeroblob(100000)), '00', '{\"a\":')");

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Path path() {
        return directory.resolve("cache");
    }

    private static void tryAll(Cache cache, Object key) {
        for (Runnable operation : List.<Runnable>of(
                () -> cache.get(key),
                () -> cache.get(key, String.class),
                () -> cache.get(key, List.class),
                () -> cache.entry(key, byte[].class),
                () -> cache.containsKey(key),
                () -> cache.touch(key, Duration.ofDays(1)),
                () -> cache.incr(key),
                () -> cache.add(key, 1),
                () -> cache.set(key, new byte[40_000]),
                () -> cache.delete(key))) {
            expectTyped(operation);
        }
    }

    private static void expectTyped(Runnable operation) {
        try {
            operation.run();
        } catch (CacheException | ArithmeticException e) {
            // refused; a sum that is too large is the caller's matter
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "store_time",
                "expire_time",
                "access_time",
                "access_count",
                "tag",
                "size",
                "mode",
                "filename",
                "value",
                "raw"
            })
    void whateverStandsInAColumnIsAbsentOrATypedError(String column) throws IOException {
        Path outside = Files.write(directory.resolve("outside"), new byte[5]);
        try (Cache cache = Cache.open(path())) {
            for (String value : VALUES) {
                for (Object original : List.of("text", 7, new byte[40_000])) {
                    cache.set("k", original);
                    expectTyped(() -> Rows.change(path(), "UPDATE Cache SET " + column + " = " + value));
                    assertTimeoutPreemptively(Duration.ofSeconds(20), () -> tryAll(cache, "k"), column + " " + value);
                    Rows.change(path(), "DELETE FROM Cache");
                }
            }
            cache.set("k", "fine");
            assertEquals("fine", cache.get("k"));
        }
        assertEquals(5, Files.size(outside));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "disk_min_file_size",
                "sqlite_synchronous",
                "sqlite_cache_size",
                "sqlite_mmap_size",
                "sqlite_journal_mode",
                "sqlite_auto_vacuum",
                "size_limit",
                "cull_limit",
                "eviction_policy",
                "statistics",
                "tag_index",
                "count",
                "size"
            })
    void whateverIsSetTheCacheOpensOrSaysWhyNot(String setting) {
        Cache.open(path()).close();
        for (String value : VALUES) {
            Rows.change(path(), "UPDATE Settings SET value = " + value + " WHERE key = '" + setting + "'");
            expectTyped(() -> {
                try (Cache cache = Cache.open(path())) {
                    tryAll(cache, "k");
                }
            });
        }
        assertEquals("ok", Rows.one(path(), "PRAGMA integrity_check"));
        assertFalse(Files.exists(path().resolve("cache.db-journal")));
    }

    @Test
    void aSettingIsNeverPartOfAStatement() {
        Cache.open(path()).close();
        Rows.change(path(), "UPDATE Settings SET value = '1; DROP TABLE Cache' WHERE key LIKE 'sqlite%'");
        expectTyped(() -> Cache.open(path()).close());
        assertEquals("1", Rows.one(path(), "SELECT count(*) FROM sqlite_master WHERE name = 'Cache'"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT RAISE(ABORT, 'no')",
                "SELECT load_extension('/tmp/evil.so')",
                "SELECT writefile('outside', 'x')",
                "INSERT INTO Missing VALUES (1)",
                "UPDATE Cache SET filename = '../outside', mode = 2",
                "DELETE FROM Cache"
            })
    void aTriggerThatSomebodyPlantedReachesNothingOutside(String body) throws IOException {
        Path outside = Files.write(directory.resolve("outside"), new byte[5]);
        Cache.open(path()).close();
        for (String event : List.of("INSERT", "UPDATE", "DELETE")) {
            Rows.change(
                    path(), "CREATE TRIGGER evil_" + event + " AFTER " + event + " ON Cache BEGIN " + body + "; END");
        }
        expectTyped(() -> {
            try (Cache cache = Cache.open(path())) {
                tryAll(cache, "k");
                tryAll(cache, "k");
            }
        });
        assertEquals(5, Files.size(outside));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Cache", "Settings", "Latchkey", "LatchkeySession", "LatchkeyState"})
    void aViewInThePlaceOfATableIsATypedError(String table) {
        Cache.open(path()).close();
        Rows.change(path(), "DROP TABLE " + table);
        Rows.change(path(), "CREATE VIEW " + table + " AS SELECT * FROM sqlite_master");
        assertThrows(CacheException.class, () -> {
            try (Cache cache = Cache.open(path())) {
                cache.set("k", 1);
                cache.unwrap(dev.latchkey.cache.spi.CoordinationEngine.class)
                        .sessions()
                        .self(dev.latchkey.cache.spi.Deadline.after(Duration.ofSeconds(5)));
                cache.unwrap(dev.latchkey.cache.spi.CoordinationEngine.class)
                        .states()
                        .read("lock", "a", dev.latchkey.cache.spi.Deadline.after(Duration.ofSeconds(5)));
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"cache.db-latchkey/spare", "cache.db-latchkey/spare.log"})
    void aLinkInThePlaceOfTheBallastIsRefused(String name) throws IOException {
        Path outside = Files.write(directory.resolve("outside"), new byte[5]);
        Cache.open(path()).close();
        Files.createSymbolicLink(path().resolve(name), outside);
        String message =
                assertThrows(CacheException.class, () -> Cache.open(path())).getMessage();
        assertTrue(message.contains("symbolic link"), message);
        assertEquals(5, Files.size(outside));
    }
}

package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** The cache on SQLite: the contract, and what hostile or damaged rows and files do to it. */
class SqliteCacheTest extends CacheContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        "jdbc:sqlite:" + cache.directory().resolve("cache.db"));
                var s = connection.createStatement()) {
            s.executeUpdate(statement);
        }
    }

    @Test
    void aWholeNumberIsTheSameKeyWhateverItsType() {
        cache.set(1, "number");
        assertEquals("number", cache.get(1.0, String.class), "1 and 1.0 are one key, as in Python");
    }

    @Test
    void aValueFileThatIsMissingIsAbsent() throws IOException {
        cache.set("a", new byte[40_000]);
        Files.delete(valueFiles().get(0));
        assertNull(cache.get("a"));
    }

    @Test
    void aValueFileThatWasCutShortIsAbsentAndNeverAPartialValue() throws IOException {
        cache.set("a", new byte[40_000]);
        Files.write(valueFiles().get(0), new byte[39_999]);
        assertNull(cache.get("a"));
    }

    @Test
    void aFilenameOutsideTheDirectoryIsNeitherReadNorDeleted() throws Exception {
        Path outside = Files.write(directory.resolve("secret.val"), new byte[5]);
        cache.set("a", 1);
        for (String name : new String[] {"../secret.val", outside.toString(), "aa/bb/../../../secret.val"}) {
            sql("UPDATE Cache SET mode = 2, size = 5, value = NULL, filename = '" + name + "'");
            assertNull(cache.get("a"), name);
            cache.set("a", 1);
        }
        assertTrue(Files.exists(outside));
    }

    @Test
    void aFolderThatIsALinkIsNeitherReadThroughNorDeletedThrough() throws Exception {
        Path folder = Files.createDirectories(directory.resolve("elsewhere/bb"));
        Path outside = Files.write(folder.resolve("0".repeat(28) + ".val"), new byte[5]);
        Files.createSymbolicLink(cache.directory().resolve("aa"), directory.resolve("elsewhere"));
        cache.set("a", 1);
        sql("UPDATE Cache SET mode = 2, size = 5, value = NULL, filename = 'aa/bb/" + outside.getFileName() + "'");
        assertNull(cache.get("a"));
        cache.set("a", 1);
        assertTrue(Files.exists(outside));
    }

    @Test
    void aDamagedRowIsACodecExceptionWithItsKey() throws SQLException {
        for (String damage : new String[] {"mode = 9", "mode = 2, value = NULL", "mode = 4, value = NULL"}) {
            cache.set("a", 1);
            sql("UPDATE Cache SET " + damage);
            String message = assertThrows(CodecException.class, () -> cache.get("a"), damage)
                    .getMessage();
            assertTrue(message.contains("'a'"), message);
        }
        cache.set("a", 2);
        assertEquals(2, cache.get("a", int.class));
    }

    @Test
    void statisticsDoNotWaitForAWriter() throws SQLException {
        cache.alter(Setting.STATISTICS, true);
        cache.set("a", 1);
        try (Connection connection = DriverManager.getConnection(
                        "jdbc:sqlite:" + cache.directory().resolve("cache.db"));
                var other = connection.createStatement()) {
            other.execute("BEGIN IMMEDIATE");
            cache.get("a");
            cache.get("b");
            assertEquals(new Cache.Stats(1, 1), cache.stats());
            other.execute("COMMIT");
        }
        assertEquals(new Cache.Stats(1, 1), cache.stats());
        assertEquals(new Cache.Stats(1, 1), cache.resetStats());
        assertEquals(new Cache.Stats(0, 0), cache.stats());
    }
}

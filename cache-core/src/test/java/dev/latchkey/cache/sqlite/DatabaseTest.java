package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.latchkey.cache.CacheFullException;
import dev.latchkey.testing.TestDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class DatabaseTest {
    private static final String INSERT = "INSERT INTO t (value) VALUES (?)";

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /** The driver closes a prepared statement that fails, and once it was used again: "statement is not executing". */
    @Test
    void aStatementThatFailedOnAFullDiskWorksWhenThereIsSpaceAgain() {
        try (Database db = Database.open(directory.resolve("cache.db"))) {
            db.execute("CREATE TABLE t (value)");
            db.execute("PRAGMA max_page_count = 10");
            byte[] value = new byte[100_000];
            assertThrows(CacheFullException.class, () -> db.update(INSERT, value));
            assertThrows(CacheFullException.class, () -> db.update(INSERT, value));
            db.execute("PRAGMA max_page_count = 1000");
            assertEquals(1, db.update(INSERT, value));
        }
    }
}

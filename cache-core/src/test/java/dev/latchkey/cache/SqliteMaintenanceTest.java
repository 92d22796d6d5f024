package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The cache on SQLite: what keeps a cache in order. */
class SqliteMaintenanceTest extends MaintenanceContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }

    @Test
    void aTemporaryCacheIsDeletedWhenItIsClosed() {
        Path path;
        try (Cache temporary = Cache.temporary()) {
            path = temporary.directory();
            temporary.set("a", "x".repeat(40_000));
            assertEquals(40_000, temporary.get("a", String.class).length());
            assertTrue(Files.isDirectory(path));
            assertTrue(path.startsWith(realPath(System.getProperty("java.io.tmpdir"))), path.toString());
        }
        assertFalse(Files.exists(path));
    }

    private static Path realPath(String path) {
        try {
            return Path.of(path).toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void twoTemporaryCachesAreTwo() {
        try (Cache one = Cache.temporary();
                Cache two = Cache.temporary()) {
            one.set("a", 1);
            assertFalse(two.containsKey("a"));
        }
    }
}

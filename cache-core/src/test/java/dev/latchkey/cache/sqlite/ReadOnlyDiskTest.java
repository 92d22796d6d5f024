package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheReadOnlyException;
import dev.latchkey.testing.SmallDisk;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A directory seen through a mount that may not be written, while others may write it elsewhere. */
@Tag("process")
@Tag("everyJdk")
class ReadOnlyDiskTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final SmallDisk disk = new SmallDisk(24);

    private Path writable;
    private Path readable;

    @BeforeEach
    void mount() throws IOException {
        Path view = disk.mountReadOnly(Files.createDirectory(directory.resolve("view")));
        writable = disk.resolve("cache");
        readable = view.resolve("cache");
    }

    private void fill() {
        try (Cache cache = Cache.open(writable)) {
            cache.set("a", 1);
            cache.set("large", new byte[50_000]);
        }
    }

    @Test
    void openingToWriteIsRefusedAtOnceAsReadOnly() {
        fill();
        long start = System.nanoTime();
        assertThrows(CacheReadOnlyException.class, () -> Cache.open(readable));
        assertTrue(System.nanoTime() - start < LIMIT.toNanos(), "it does not wait for what never comes");
    }

    @Test
    void aCacheThatNobodyHasOpenIsRead() {
        fill();
        try (Cache cache = Cache.builder(readable).readOnly(true).open()) {
            assertEquals(1, cache.get("a", int.class));
            assertEquals(50_000, cache.get("large", byte[].class).length);
            assertEquals(2, cache.keys().count());
            assertTrue(cache.check(false).isClean());
            assertThrows(CacheReadOnlyException.class, () -> cache.set("a", 2));
        }
    }

    @Test
    void whatOthersWriteIsSeenAlsoByAReaderWhoCameBeforeThem() {
        fill();
        try (Cache reader = Cache.builder(readable).readOnly(true).open()) {
            assertEquals(1, reader.get("a", int.class));
            try (Cache writer = Cache.open(writable)) {
                for (int i = 2; i < 5; i++) {
                    writer.set("a", i);
                    writer.set("large", new byte[50_000 + i]);
                    int expected = i;
                    Awaitility.await().atMost(LIMIT).until(() -> reader.get("a", Integer.class) == expected);
                    assertEquals(50_000 + i, reader.get("large", byte[].class).length);
                }
            }
            assertEquals(4, reader.get("a", int.class));
        }
    }
}

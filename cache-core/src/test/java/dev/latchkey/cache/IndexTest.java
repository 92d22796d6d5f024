package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Indexes over the cache on SQLite. */
class IndexTest extends IndexContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }

    @Test
    void aCacheThatWasOpenedForReadingAloneIsAnIndexToRead() {
        cache.set("a", 1);
        try (Cache readOnly = Cache.builder(cache.directory()).readOnly(true).open()) {
            Index<String, Integer> index = new Index<>(readOnly, String.class, Integer.class);
            assertEquals(1, index.get("a"));
            assertThrows(CacheReadOnlyException.class, () -> index.put("b", 2));
            assertThrows(CacheReadOnlyException.class, () -> index.remove("a"));
        }
    }
}

package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Deques over the cache on SQLite. */
class DequeTest extends DequeContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }

    @Test
    void aCacheThatWasOpenedForReadingAloneOffersNone() {
        try (Cache readOnly = Cache.builder(cache.directory()).readOnly(true).open()) {
            assertThrows(IllegalArgumentException.class, () -> new Deque<>(readOnly, "d", String.class));
        }
    }
}

package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The cache on SQLite: queues. */
class SqliteQueueTest extends QueueContract {
    @Override
    CacheBuilder builder(Path path) {
        return Cache.builder(path);
    }

    @Test
    void keysKeepTheirFifteenDigitsAndEndWithAClearError() {
        cache.set("job-000000000000010", "x");
        assertEquals("job-000000000000011", push("b", "job"));
        assertEquals("job-000000000000009", pushFront("a", "job"));
        for (Object key : List.of("low-000000000000001", 250_000_000_000_001L)) {
            cache.set(key, "x");
            assertNoKeyLeft(key, () -> pushFront("a", key instanceof String ? "low" : null));
        }
        assertEquals("low-000000000000002", push("b", "low"));
        assertEquals(250_000_000_000_002L, push("b", null));
        assertEquals(List.of("x", "b"), drain(null));
        for (Object key : List.of("high-999999999999998", 749_999_999_999_999L)) {
            cache.set(key, "x");
            assertNoKeyLeft(key, () -> push("a", key instanceof String ? "high" : null));
        }
        assertEquals("high-999999999999997", pushFront("b", "high"));
        assertEquals(749_999_999_999_998L, pushFront("b", null));
        assertEquals(List.of("b", "x"), drain("high"));
        assertEquals("high-500000000000000", push("a", "high"));
    }

    private void assertNoKeyLeft(Object key, Executable push) {
        long before = cache.size();
        CacheException e = assertThrows(CacheException.class, push);
        assertTrue(String.valueOf(e.getMessage()).contains(key.toString()), e.getMessage());
        assertEquals(before, cache.size());
    }
}

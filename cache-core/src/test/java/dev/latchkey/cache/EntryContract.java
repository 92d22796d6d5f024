package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What every {@link Cache} does with numbers, expiry and removal of single entries. */
abstract class EntryContract extends CacheFixture {
    private static final String LARGE = "x".repeat(40_000);

    // Numbers

    @Test
    void decrSubtractsFromWhatIsThereOrFromTheInitialNumber() {
        assertEquals(-1, cache.decr("a"));
        assertEquals(-11, cache.decr("a", 10));
        assertEquals(-10, cache.decr("a", -1));
        assertEquals(97, cache.decr("b", 3, 100));
        assertEquals(94, cache.decr("b", 3, 100));
        assertEquals(-5, cache.decr("c", 5));
    }

    @Test
    void decrByTheLeastNumberThatHasNoOppositeIsAnArithmeticException() {
        assertThrows(ArithmeticException.class, () -> cache.decr("a", Long.MIN_VALUE));
        assertThrows(ArithmeticException.class, () -> cache.decr("a", Long.MIN_VALUE, -1));
        assertFalse(cache.containsKey("a"));
        cache.set("a", Long.MIN_VALUE);
        assertThrows(ArithmeticException.class, () -> cache.decr("a"));
        assertEquals(Long.MIN_VALUE, cache.get("a"));
        assertEquals(Long.MAX_VALUE, cache.decr("b", Long.MIN_VALUE + 1));
    }

    @Test
    void incrOfDoublesAddsToWhatIsThereOrToZero() {
        assertEquals(0.5, cache.incr("a", 0.5));
        assertEquals(-1.25, cache.incr("a", -1.75));
        assertEquals(-1.25, cache.get("a"));
        cache.set("float", 1.5f);
        assertEquals(2.0, cache.incr("float", 0.5));
    }

    @Test
    void anIntegerThatIsIncrementedByADoubleBecomesADouble() {
        cache.set("a", 3);
        assertEquals(3.25, cache.incr("a", 0.25));
        assertEquals(4.25, cache.incr("a", 1.0));
        assertEquals(4.25, cache.get("a"));
        assertThrows(CodecException.class, () -> cache.incr("a", 1), "it is not an integral number any more");
    }

    @Test
    void aWholeDoubleStaysADouble() {
        cache.incr("a", 2.0);
        assertEquals(2.0, cache.get("a"));
    }

    @Test
    void incrOfDoublesKeepsExpiryAndTag() {
        cache.set("a", 1.0, FOR_AN_HOUR.tag("t"));
        cache.incr("a", 1.0);
        Cache.Entry<Double> entry = cache.entry("a", Double.class).orElseThrow();
        assertEquals(2.0, entry.value());
        assertEquals(Optional.of("t"), entry.tag());
        assertTrue(entry.expiry().isPresent());
    }

    @Test
    void anExpiredNumberCountsAsZero() {
        setExpired("a", 41.0);
        assertEquals(1.5, cache.incr("a", 1.5));
        assertTrue(cache.entry("a", Double.class).orElseThrow().expiry().isEmpty());
        setExpired("b", "text");
        assertEquals(2.5, cache.incr("b", 2.5));
    }

    @Test
    void incrOfDoublesOnAnythingButANumberIsRefused() {
        for (Object value : List.of("text", "1.5", new byte[] {1}, LARGE, List.of(1))) {
            cache.set("a", value);
            Object before = cache.get("a");
            assertThrows(CodecException.class, () -> cache.incr("a", 1.0));
            assertEquals(comparable(List.of(before)), comparable(List.of(cache.get("a"))));
        }
    }

    @Test
    void aSumThatIsNotANumberStoresNothing() {
        assertThrows(IllegalArgumentException.class, () -> cache.incr("a", Double.NaN));
        assertFalse(cache.containsKey("a"));
        cache.set("a", Double.POSITIVE_INFINITY);
        assertThrows(ArithmeticException.class, () -> cache.incr("a", Double.NEGATIVE_INFINITY));
        assertEquals(Double.POSITIVE_INFINITY, cache.get("a"));
        assertEquals(Double.POSITIVE_INFINITY, cache.incr("a", 1.0));
    }

    @Test
    void manyThreadsThatIncrementLoseNothing() throws Exception {
        inFourThreads(() -> {
            for (int i = 0; i < 250; i++) {
                cache.incr("n");
                cache.decr("m", 2);
                cache.incr("d", 0.5);
            }
        });
        assertEquals(1000L, cache.get("n"));
        assertEquals(-2000L, cache.get("m"));
        assertEquals(500.0, cache.get("d"));
    }

    private static void inFourThreads(Executable work) throws Exception {
        var threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                all.add(threads.submit(() -> {
                    try {
                        work.execute();
                    } catch (Throwable t) {
                        throw new AssertionError(t);
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    // Expiry

    @Test
    void persistTakesTheExpiryAwayAndLeavesTheTag() {
        cache.set("a", 1, FOR_AN_HOUR.tag("t"));
        assertTrue(cache.persist("a"));
        Cache.Entry<Long> entry = cache.entry("a", Long.class).orElseThrow();
        assertEquals(Optional.empty(), entry.expiry());
        assertEquals(Optional.of("t"), entry.tag());
        assertTrue(cache.persist("a"), "there is an entry, if without an expiry");
    }

    @Test
    void persistAndTouchDoNotBringBackWhatHasExpired() {
        assertFalse(cache.persist("absent"));
        setExpired("a", 1);
        assertFalse(cache.persist("a"));
        assertFalse(cache.touch("a", Duration.ofHours(1)));
        assertFalse(cache.containsKey("a"));
    }

    @Test
    void anEntryOfAnArrayAsKeyIsTouchedPersistedAndDeleted() {
        byte[] key = {1, 2};
        cache.set(key, LARGE);
        assertTrue(cache.touch(key.clone(), Duration.ofHours(1)));
        assertTrue(cache.persist(key.clone()));
        assertTrue(cache.delete(key.clone()));
    }

    // Entries

    @Test
    void anEntryOfAGenericTypeIsRead() {
        cache.set("a", List.of(Map.of("n", 1)), FOR_AN_HOUR.tag(2.5));
        Cache.Entry<List<Map<String, Long>>> entry =
                cache.entry("a", new TypeToken<List<Map<String, Long>>>() {}).orElseThrow();
        assertEquals(List.of(Map.of("n", 1L)), entry.value());
        assertEquals(Optional.of(2.5), entry.tag());
        assertThrows(CodecException.class, () -> cache.entry("a", new TypeToken<List<Long>>() {}));
    }

    @Test
    void everyKindOfTagComesBack() {
        Map<String, Object> tags =
                Map.of("string", "ü\uD83D\uDE00", "empty", "", "long", Long.MIN_VALUE, "double", 0.1);
        tags.forEach((key, tag) -> cache.set(key, 1, EntryOptions.none().tag(tag)));
        tags.forEach((key, tag) -> assertEquals(
                Optional.of(tag), cache.entry(key, Long.class).orElseThrow().tag()));
        cache.set("bytes", 1, EntryOptions.none().tag(new byte[] {0, -1}));
        assertArrayEquals(new byte[] {0, -1}, (byte[])
                cache.entry("bytes", Long.class).orElseThrow().tag().orElseThrow());
    }

    // Taking out

    @Test
    void popReadsAndRemoves() {
        cache.set("a", "text");
        cache.set(7, List.of(1));
        assertEquals("text", cache.pop("a", String.class));
        assertNull(cache.pop("a", String.class));
        assertFalse(cache.containsKey("a"));
        assertEquals(List.of(1), cache.pop(7, new TypeToken<List<Integer>>() {}));
        assertNull(cache.pop(7, new TypeToken<List<Integer>>() {}));
    }

    @Test
    void popEntryHasAllPartsOfWhatItRemoves() {
        cache.set("a", LARGE, FOR_AN_HOUR.tag("t"));
        Cache.Entry<String> expected = cache.entry("a", String.class).orElseThrow();
        assertEquals(Optional.of(expected), cache.popEntry("a", String.class));
        assertEquals(Optional.empty(), cache.popEntry("a", String.class));
        assertEquals(Optional.empty(), cache.popEntry("a", new TypeToken<List<Integer>>() {}));
    }

    @Test
    void popOfALargeValueLeavesNoFileAndNoFolder() {
        cache.set("text", LARGE);
        cache.set("bytes", new byte[40_000]);
        assertEquals(LARGE, cache.pop("text", String.class));
        assertArrayEquals(new byte[40_000], cache.pop("bytes", byte[].class));
        assertEquals(List.of(), valueFiles());
        assertEquals(0, valueFolders());
    }

    @Test
    void popOfAnotherTypeLeavesTheEntry() {
        cache.set("a", LARGE);
        cache.set("b", 1, FOR_AN_HOUR.tag("t"));
        assertThrows(CodecException.class, () -> cache.pop("a", Long.class));
        assertThrows(CodecException.class, () -> cache.popEntry("b", byte[].class));
        assertThrows(CodecException.class, () -> cache.pop("b", new TypeToken<List<Integer>>() {}));
        assertEquals(LARGE, cache.get("a", String.class));
        assertEquals(
                Optional.of("t"), cache.entry("b", Long.class).orElseThrow().tag());
        assertTrue(cache.entry("b", Long.class).orElseThrow().expiry().isPresent());
    }

    @Test
    void popOfAnotherTypeDoesNotDoomATransaction() {
        cache.transact(() -> {
            cache.set("a", "t");
            assertThrows(CodecException.class, () -> cache.pop("a", Long.class));
            cache.set("b", 1);
        });
        assertTrue(cache.containsKey("a") && cache.containsKey("b"));
    }

    @Test
    void popOfAnExpiredEntryIsNull() {
        setExpired("a", LARGE);
        assertNull(cache.pop("a", String.class));
        assertEquals(Optional.empty(), cache.popEntry("a", Long.class));
    }

    @Test
    void popInATransactionThatIsRolledBackTakesNothing() {
        cache.set("a", LARGE);
        Runnable body = () -> {
            assertEquals(LARGE, cache.pop("a", String.class));
            assertNull(cache.pop("a", String.class));
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        assertEquals(LARGE, cache.get("a", String.class));
    }

    @Test
    void ofManyThreadsOneGetsWhatIsPopped() throws Exception {
        List<String> keys = IntStream.range(0, 300).mapToObj(i -> "key" + i).toList();
        keys.forEach(key -> cache.set(key, key.endsWith("7") ? LARGE + key : key));
        Set<String> got = ConcurrentHashMap.newKeySet();
        inFourThreads(() -> {
            for (String key : keys) {
                String value = cache.pop(key, String.class);
                assertTrue(value == null || value.endsWith(key), key);
                assertTrue(value == null || got.add(key), "twice: " + key);
            }
        });
        assertEquals(keys.size(), got.size());
        assertEquals(List.of(), valueFiles());
    }

    // Values that are none

    @Test
    void aStreamIsNoValueButForWrite() {
        ByteArrayInputStream stream = new ByteArrayInputStream(new byte[3]);
        assertThrows(IllegalArgumentException.class, () -> cache.set("a", stream));
        assertThrows(IllegalArgumentException.class, () -> cache.add("a", stream));
        assertThrows(IllegalArgumentException.class, () -> cache.setAll(Map.of("a", stream)));
        assertFalse(cache.containsKey("a"));
    }
}

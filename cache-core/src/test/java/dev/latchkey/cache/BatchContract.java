package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What every {@link Cache} does with many entries at once. */
abstract class BatchContract extends CacheFixture {
    private static final String LARGE = "x".repeat(40_000);

    @Test
    void setAllStoresEveryKindOfKeyAndValue() {
        byte[] bytes = {1, 2};
        Map<Object, Object> values = new LinkedHashMap<>();
        values.put("text", LARGE);
        values.put(7, 8);
        values.put(1.5, List.of(1));
        values.put(bytes, new byte[50_000]);
        cache.setAll(values);
        assertEquals(LARGE, cache.get("text"));
        assertEquals(8L, cache.get(7L));
        assertEquals(List.of(1), cache.get(1.5, new TypeToken<List<Integer>>() {}));
        assertArrayEquals(new byte[50_000], cache.get(bytes.clone(), byte[].class));
        assertEquals(2, valueFiles().size());
    }

    @Test
    void setAllReplacesWhatIsThereAndItsFiles() {
        cache.set("a", LARGE, FOR_AN_HOUR.tag("old"));
        cache.setAll(Map.of("a", "new", "b", LARGE));
        Cache.Entry<String> entry = cache.entry("a", String.class).orElseThrow();
        assertEquals("new", entry.value());
        assertEquals(Optional.empty(), entry.tag());
        assertEquals(Optional.empty(), entry.expiry());
        assertEquals(1, valueFiles().size());
    }

    @Test
    void theOptionsOfSetAllHoldForEveryEntry() {
        cache.setAll(numbered("key", 20), FOR_AN_HOUR.tag("t"));
        for (String key : numbered("key", 20).keySet()) {
            Cache.Entry<Integer> entry = cache.entry(key, Integer.class).orElseThrow();
            assertEquals(Optional.of("t"), entry.tag());
            assertTrue(entry.expiry().isPresent());
        }
    }

    @Test
    void setAllOfNothingDoesNothing() {
        cache.setAll(Map.of());
        assertEquals(0, cache.size());
    }

    @Test
    void setAllOfTenThousandEntriesStoresThemInTheirOrder() {
        Map<String, Integer> values = numbered("key", 10_000);
        cache.setAll(values);
        assertEquals(10_000, cache.size());
        assertEquals(
                inOrderOfInsertion(List.copyOf(values.keySet())), cache.keys().toList());
    }

    @Test
    void aNullOrABadKeyOrValueInSetAllStoresNothing() {
        Map<Object, Object> withNullValue = new LinkedHashMap<>(Map.of("large", LARGE));
        withNullValue.put("a", null);
        Map<Object, Object> withNullKey = new LinkedHashMap<>(Map.of("large", LARGE));
        withNullKey.put(null, 1);
        assertThrows(NullPointerException.class, () -> cache.setAll(withNullValue));
        assertThrows(NullPointerException.class, () -> cache.setAll(withNullKey));
        Map<Object, Object> withBadKey = new LinkedHashMap<>(Map.of("large", LARGE));
        withBadKey.put(List.of(), 1);
        assertThrows(IllegalArgumentException.class, () -> cache.setAll(withBadKey));
        Map<Object, Object> withBadValue = new LinkedHashMap<>(Map.of("large", LARGE));
        withBadValue.put("a", "\uD800");
        assertThrows(CodecException.class, () -> cache.setAll(withBadValue));
        assertEquals(0, cache.size());
        assertEquals(List.of(), valueFiles());
        assertEquals(0, valueFolders());
    }

    @Test
    void setAllOfARolledBackTransactionLeavesNothing() {
        cache.set("a", LARGE);
        List<Path> before = valueFiles();
        Runnable body = () -> {
            cache.setAll(Map.of("a", LARGE + "b", "c", LARGE));
            assertEquals(2, cache.size());
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        assertEquals(LARGE, cache.get("a"));
        assertEquals(before, valueFiles());
        assertEquals(1, cache.size());
    }

    @Test
    void nobodySeesAHalfOfSetAll() throws Exception {
        List<String> keys = List.copyOf(numbered("key", 20).keySet());
        cache.setAll(same(keys, 0));
        AtomicBoolean done = new AtomicBoolean();
        var threads = Executors.newSingleThreadExecutor();
        try {
            Future<Integer> reader = threads.submit(() -> {
                int reads = 0;
                for (; !done.get() || reads == 0; reads++) {
                    Map<String, Integer> all = cache.transact(() -> cache.getAll(keys, Integer.class));
                    assertEquals(1, all.values().stream().distinct().count(), all.toString());
                }
                return reads;
            });
            for (int i = 1; i < 300; i++) {
                cache.setAll(same(keys, i));
            }
            done.set(true);
            assertTrue(reader.get() > 0);
        } finally {
            done.set(true);
            threads.shutdownNow();
        }
    }

    private static Map<String, Integer> same(List<String> keys, int value) {
        Map<String, Integer> map = new LinkedHashMap<>();
        keys.forEach(key -> map.put(key, value));
        return map;
    }

    @Test
    void getAllAnswersWhatIsThereInTheOrderOfTheKeys() {
        cache.setAll(numbered("key", 3000));
        List<String> keys = new ArrayList<>(numbered("key", 3100).keySet());
        Collections.shuffle(keys, new java.util.Random(1));
        Map<String, Integer> all = cache.getAll(keys, int.class);
        assertEquals(
                keys.stream()
                        .filter(key -> numbered("key", 3000).containsKey(key))
                        .toList(),
                List.copyOf(all.keySet()));
        all.forEach((key, value) -> assertEquals("key" + value, key));
    }

    @Test
    void getAllOfNothingIsEmpty() {
        assertEquals(Map.of(), cache.getAll(List.of(), String.class));
        assertEquals(Map.of(), cache.getAll(List.of("absent"), String.class));
    }

    @Test
    void getAllReadsFilesAndGenericTypes() {
        cache.set("large", LARGE);
        cache.set("small", "s");
        assertEquals(Map.of("large", LARGE, "small", "s"), cache.getAll(List.of("large", "small"), String.class));
        cache.setAll(Map.of("a", List.of(1), "b", List.of()));
        assertEquals(
                Map.of("a", List.of(1L), "b", List.of()),
                cache.getAll(List.of("a", "b"), new TypeToken<List<Long>>() {}));
    }

    @Test
    void getAllLeavesOutWhatHasExpired() {
        cache.set("a", 1);
        setExpired("b", 2);
        assertEquals(Map.of("a", 1), cache.getAll(List.of("a", "b"), Integer.class));
    }

    @Test
    void getAllAnswersTheKeysThatItWasGiven() {
        byte[] array = {1, 2};
        cache.set(array.clone(), "array");
        cache.set(7, "number");
        Map<Object, String> all = cache.getAll(List.of(array, 7, 7L), String.class);
        assertEquals(3, all.size());
        assertEquals("array", all.get(array));
        assertEquals("number", all.get(7));
        assertEquals("number", all.get(7L));
    }

    @Test
    void aKeyThatGetAllIsGivenTwiceIsAnsweredOnce() {
        cache.set("a", 1);
        cache.set("b", 2);
        assertEquals(
                List.of("b", "a"),
                List.copyOf(cache.getAll(List.of("b", "a", "b"), Integer.class).keySet()));
    }

    @Test
    void getAllIsRefusedIfOneValueIsOfAnotherTypeOrOneKeyIsNone() {
        cache.set("a", 1);
        cache.set("b", "text");
        String message = assertThrows(CodecException.class, () -> cache.getAll(List.of("a", "b"), Integer.class))
                .getMessage();
        assertTrue(message.contains("'b'"), message);
        assertThrows(NullPointerException.class, () -> cache.getAll(Arrays.asList("a", null), Integer.class));
        assertThrows(IllegalArgumentException.class, () -> cache.getAll(List.of("a", true), Integer.class));
    }

    @Test
    void getAllInATransactionSeesItsWrites() {
        cache.transact(() -> {
            cache.set("a", 1);
            assertEquals(Map.of("a", 1), cache.getAll(List.of("a", "b"), Integer.class));
        });
    }
}

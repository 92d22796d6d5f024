package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an {@link Index} does over every {@link Cache}. */
abstract class IndexContract extends CacheFixture {
    private static final String LARGE = "x".repeat(40_000);

    private Index<String, Integer> index;

    @BeforeEach
    void make() {
        index = new Index<>(cache, String.class, Integer.class);
    }

    /** Its entries in its order, as text. */
    private static String content(Map<?, ?> map) {
        return map.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
    }

    private void assertContent(String expected) {
        List<Object> inserted = expected.isEmpty() ? List.of() : List.of((Object[]) expected.split(" ", -1));
        List<Object> keys = inserted.stream()
                .map(entry ->
                        (Object) entry.toString().substring(0, entry.toString().indexOf('=')))
                .toList();
        Map<Object, Object> byKey = new HashMap<>();
        inserted.forEach(entry ->
                byKey.put(entry.toString().substring(0, entry.toString().indexOf('=')), entry));
        String ordered = inOrderOfInsertion(keys).stream()
                .map(key -> byKey.get(key).toString())
                .collect(Collectors.joining(" "));
        assertEquals(ordered, content(index));
    }

    // The map

    @Test
    void entriesAreStoredReadReplacedAndRemovedInTheOrderOfInsertion() {
        assertTrue(index.isEmpty());
        assertNull(index.put("b", 1));
        assertNull(index.put("a", 2));
        assertNull(index.put("c", 3));
        assertEquals(1, index.put("b", 4));
        assertContent("b=4 a=2 c=3");
        assertEquals(2, index.remove("a"));
        assertNull(index.remove("a"));
        assertNull(index.get("a"));
        assertNull(index.put("a", 5));
        assertContent("b=4 c=3 a=5");
        assertEquals(3, index.size());
        assertTrue(index.containsKey("a"));
        assertFalse(index.containsKey("x"));
        assertTrue(index.containsValue(5));
        assertFalse(index.containsValue(6));
        assertEquals(7, index.getOrDefault("x", 7));
        assertEquals(cache.get("a", Integer.class), index.get("a"));
        index.clear();
        assertTrue(index.isEmpty());
        assertEquals(0, index.size());
    }

    @Test
    void conditionalCallsDoWhatTheySay() {
        assertNull(index.putIfAbsent("a", 1));
        assertEquals(1, index.putIfAbsent("a", 2));
        assertFalse(index.replace("a", 2, 3));
        assertTrue(index.replace("a", 1, 3));
        assertEquals(3, index.replace("a", 4));
        assertNull(index.replace("x", 4));
        assertFalse(index.replace("x", 4, 5));
        assertFalse(index.remove("a", 5));
        assertFalse(index.remove("x", 5));
        assertFalse(index.remove("a", null));
        assertTrue(index.remove("a", 4));
        assertContent("");
    }

    @Test
    void computedValuesAreStoredAndNullRemoves() {
        assertEquals(1, index.computeIfAbsent("a", key -> 1));
        assertEquals(1, index.computeIfAbsent("a", key -> 2));
        assertNull(index.computeIfAbsent("x", key -> null));
        assertEquals(3, index.computeIfPresent("a", (key, old) -> old + 2));
        assertNull(index.computeIfPresent("x", (key, old) -> old + 2));
        assertEquals(4, index.compute("a", (key, old) -> old + 1));
        assertEquals(9, index.compute("b", (key, old) -> old == null ? 9 : 0));
        assertEquals(14, index.merge("b", 5, Integer::sum));
        assertEquals(6, index.merge("c", 6, Integer::sum));
        assertContent("a=4 b=14 c=6");
        index.replaceAll((key, value) -> value * 2);
        assertContent("a=8 b=28 c=12");
        assertNull(index.merge("a", 0, (old, value) -> null));
        assertNull(index.compute("b", (key, old) -> null));
        assertNull(index.computeIfPresent("c", (key, old) -> null));
        assertNull(index.compute("c", (key, old) -> null));
        assertContent("");
    }

    @Test
    void aFunctionThatThrowsChangesNothing() {
        index.put("a", 1);
        List<Runnable> calls = List.of(
                () -> index.compute("a", (key, old) -> failing()),
                () -> index.computeIfPresent("a", (key, old) -> failing()),
                () -> index.computeIfAbsent("b", key -> failing()),
                () -> index.merge("a", 1, (old, value) -> failing()));
        for (Runnable call : calls) {
            assertEquals(
                    "broken",
                    assertThrows(IllegalStateException.class, call::run).getMessage());
            assertContent("a=1");
        }
    }

    /** Changes something else before it fails. */
    private Integer failing() {
        index.put("other", 1);
        throw new IllegalStateException("broken");
    }

    @Test
    void nullIsNeitherKeyNorValue() {
        index.put("a", 1);
        List<Consumer<Index<String, Integer>>> calls = List.of(
                i -> i.put(null, 1),
                i -> i.put("b", null),
                i -> i.putAll(Map.of("b", 1).entrySet().stream()
                        .collect(HashMap::new, (map, entry) -> map.put(entry.getKey(), null), HashMap::putAll)),
                i -> i.putIfAbsent("a", null),
                i -> i.replace("a", null),
                i -> i.replace("a", 1, null),
                i -> i.replace("a", null, 1),
                i -> i.merge("a", null, Integer::sum),
                i -> i.get(null),
                i -> assertFalse(i.containsKey(null)),
                i -> assertFalse(i.containsValue(null)),
                i -> i.remove(null),
                i -> i.compute("a", null),
                i -> i.entrySet().iterator().next().setValue(null));
        calls.forEach(call -> assertThrows(NullPointerException.class, () -> call.accept(index)));
        assertContent("a=1");
    }

    @Test
    void severalValuesAreStoredAllOrNone() {
        Map<String, Integer> values = new LinkedHashMap<>();
        values.put("a", 1);
        values.put("b", 2);
        index.putAll(values);
        assertContent("a=1 b=2");
        values.put("c", 3);
        values.put("\uD800", 4); // no key
        assertThrows(IllegalArgumentException.class, () -> index.putAll(values));
        assertContent("a=1 b=2");
    }

    @Test
    void callsInsideATransactionJoinIt() {
        index.put("a", 1);
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact(() -> {
                    index.put("b", 2);
                    index.remove("a");
                    index.merge("b", 1, Integer::sum);
                    assertContent("b=3");
                    throw new IllegalStateException("no");
                }));
        assertContent("a=1");
    }

    @Test
    void threadsThatComputeTheSameLoseNothing() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        AtomicInteger added = new AtomicInteger();
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                running.add(threads.submit(() -> {
                    for (int j = 0; j < 50; j++) {
                        index.merge("sum", 1, Integer::sum);
                        added.addAndGet(index.putIfAbsent("only " + j, 1) == null ? 1 : 0);
                    }
                }));
            }
            for (Future<?> one : running) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(200, index.get("sum"));
        assertEquals(50, added.get());
    }

    // Views

    @Test
    void viewsReadAndWriteThrough() {
        index.putAll(new LinkedHashMap<>(Map.of("a", 1)));
        index.put("b", 2);
        index.put("c", 3);
        Iterator<Map.Entry<String, Integer>> entries = index.entrySet().iterator();
        Map.Entry<String, Integer> first = entries.next();
        assertEquals(index.get(first.getKey()), first.setValue(7));
        assertEquals(7, first.getValue());
        assertEquals(7, index.get(first.getKey()));
        entries.remove();
        assertThrows(IllegalStateException.class, entries::remove);
        assertNull(index.get(first.getKey()));
        assertTrue(index.keySet().removeIf(key -> key.equals("b") || key.equals("a")));
        assertTrue(index.values().remove(3) || index.isEmpty());
        index.put("d", 4);
        index.put("e", 5);
        assertTrue(index.entrySet().contains(Map.entry("d", 4)));
        assertFalse(index.entrySet().contains(Map.entry("d", 5)));
        assertFalse(index.entrySet().remove(Map.entry("d", 5)));
        assertTrue(index.entrySet().remove(Map.entry("d", 4)));
        assertTrue(index.keySet().retainAll(Set.of("x")));
        assertTrue(index.isEmpty());
        assertThrows(UnsupportedOperationException.class, () -> index.keySet().add("x"));
        assertThrows(NoSuchElementException.class, index.keySet().iterator()::next);
    }

    @Test
    void iteratorsAndStreamsSeeMoreThanOnePageAndNeverFail() {
        index.putAll(numbered("k", 600));
        Iterator<String> keys = index.keySet().iterator();
        Set<String> seen = new HashSet<>();
        while (keys.hasNext()) {
            String key = keys.next();
            seen.add(key);
            index.remove(key);
            index.put("later " + key, 1); // is behind what was there when the iteration began
        }
        assertTrue(seen.containsAll(numbered("k", 600).keySet()));
        assertEquals(600, index.size());
        assertEquals(600, index.keySet().stream().toList().size());
        assertEquals(600, index.values().stream().mapToInt(value -> value).sum());
        assertEquals(600, index.entrySet().parallelStream().count());
    }

    @Test
    void equalityIsThatOfAMap() {
        index.put("a", 1);
        index.put("b", 2);
        assertEquals(Map.of("b", 2, "a", 1), index);
        assertEquals(index, Map.of("b", 2, "a", 1));
        assertEquals(Map.of("b", 2, "a", 1).hashCode(), index.hashCode());
        assertNotEquals(Map.of("a", 1), index);
        assertNotEquals(Map.of("a", 1, "b", 3), index);
        assertEquals(Set.of("a", "b"), index.keySet());
        assertEquals(new HashMap<>(Map.of("a", 1, "b", 2)).toString(), new HashMap<>(index).toString());
    }

    // Keys and values of other types

    @Test
    void keysAreShownAsWhatTheIndexPromises() {
        assertKeys(Integer.class, List.of(1, -7));
        assertKeys(Long.class, List.of(1L << 60, Long.MIN_VALUE));
        assertKeys(Short.class, List.of((short) 300));
        assertKeys(Byte.class, List.of((byte) -1));
        assertKeys(Double.class, List.of(0.5, 3.0));
        assertKeys(Float.class, List.of(0.5f, 2f));
        assertKeys(String.class, List.of("", "ü"));
        assertKeys(Object.class, List.of("a", 1L, 0.5));
    }

    private <K> void assertKeys(Class<K> type, List<K> keys) {
        cache.clear();
        Index<K, String> typed = new Index<>(cache, type, String.class);
        keys.forEach(key -> typed.put(key, "v"));
        assertEquals(new HashSet<>(keys), new HashSet<>(typed.keySet()));
        keys.forEach(key -> assertEquals("v", typed.get(key)));
        assertEquals(keys.size(), typed.entrySet().stream().count());
    }

    @Test
    @SuppressWarnings("UndefinedEquals") // unlike other maps, an index compares arrays
    void bytesAreKeysByTheirContent() {
        Index<byte[], byte[]> bytes = new Index<>(cache, byte[].class, byte[].class);
        bytes.put(new byte[] {1}, new byte[] {2});
        assertArrayEquals(new byte[] {2}, bytes.get(new byte[] {1}));
        assertTrue(bytes.containsKey(new byte[] {1}));
        Collection<?> keys = bytes.keySet();
        assertTrue(keys.contains(new byte[] {1}));
        assertTrue(bytes.containsValue(new byte[] {2}));
        assertFalse(bytes.remove(new byte[] {1}, new byte[] {3}));
        assertTrue(bytes.replace(new byte[] {1}, new byte[] {2}, new byte[] {4}));
        assertTrue(bytes.remove(new byte[] {1}, new byte[] {4}));
    }

    @Test
    void entriesWhoseKeyIsOfAnotherTypeAreNotShown() {
        index.put("a", 1);
        cache.set(7, 7);
        cache.set(0.5, "not even an Integer");
        cache.set(new byte[] {1}, 1);
        cache.push(5);
        assertContent("a=1");
        assertEquals(Set.of("a"), new HashSet<>(index.keySet()));
        assertEquals(List.of(1), new ArrayList<>(index.values()));
        assertEquals(5, index.size(), "but they are counted");
        Map<?, Integer> anyKey = index;
        assertNull(anyKey.get(7));
        assertFalse(anyKey.containsKey(7L));
        assertNull(anyKey.remove(7));
        assertEquals(5, cache.size());
        Index<Integer, Integer> numbers = new Index<>(cache, Integer.class, Integer.class);
        assertEquals(7, numbers.get(7));
        assertEquals(Set.of(7), new HashSet<>(numbers.keySet()), "the key of a pushed item is no int");
        Index<Double, String> real = new Index<>(cache, Double.class, String.class);
        cache.set(Long.MAX_VALUE, "x");
        assertEquals(Set.of(7.0, 0.5, 5e14), new HashSet<>(real.keySet()), "no double is exactly the greatest long");
        cache.delete("a");
        assertTrue(index.isEmpty());
        assertTrue(index.peekItem().isEmpty());
    }

    @Test
    void aValueOfAnotherTypeIsAnErrorAndStays() {
        cache.set("a", "text");
        assertThrows(CodecException.class, () -> index.get("a"));
        assertThrows(CodecException.class, () -> index.put("a", 1));
        assertThrows(CodecException.class, () -> index.remove("a"));
        assertThrows(CodecException.class, () -> index.values().iterator().hasNext());
        assertEquals("text", cache.get("a", String.class));
        index.putAll(Map.of("a", 1));
        assertContent("a=1");
    }

    @Test
    void valuesMayBeOfAGenericType() {
        Index<String, List<String>> lists =
                new Index<>(cache, TypeToken.of(String.class), new TypeToken<List<String>>() {});
        lists.put("a", List.of(LARGE));
        lists.merge("a", List.of("b"), (old, more) -> {
            List<String> all = new ArrayList<>(old);
            all.addAll(more);
            return all;
        });
        assertEquals(List.of(LARGE, "b"), lists.get("a"));
        assertEquals(1, valueFiles().size());
        lists.clear();
        assertEquals(List.of(), valueFiles());
    }

    // The ends, queues, memoized functions

    @Test
    void theEndsAreReadAndRemoved() {
        assertEquals(Optional.empty(), index.peekItem());
        assertEquals(Optional.empty(), index.popItem());
        index.put("a", 1);
        index.put("b", 2);
        index.put("c", 3);
        List<Object> order = inOrderOfInsertion(List.of("a", "b", "c"));
        assertEquals(order.get(2), index.peekItem().orElseThrow().getKey());
        assertEquals(order.get(0), index.peekItem(Side.FRONT).orElseThrow().getKey());
        assertEquals(
                List.of(order.get(2), order.get(1), order.get(0)),
                index.keysReversed().map(key -> (Object) key).toList());
        assertEquals(order.get(2), index.popItem().orElseThrow().getKey());
        assertEquals(order.get(0), index.popItem(Side.FRONT).orElseThrow().getKey());
        assertEquals(Set.of(order.get(1)), new HashSet<Object>(index.keySet()));
    }

    @Test
    void valuesArePushedAndPulledAsThoseOfTheCache() {
        Object key = index.push(1, "q", Side.BACK);
        index.push(0, "q", Side.FRONT);
        index.push(2, null, Side.BACK);
        assertEquals(1, index.get(key.toString()));
        assertEquals(0, index.pull("q", Side.FRONT).orElseThrow().value());
        assertEquals(key, index.pull("q", Side.FRONT).orElseThrow().key());
        assertEquals(
                2, cache.pull(null, Side.FRONT, Integer.class).orElseThrow().value());
    }

    @Test
    void memoizedResultsAreEntries() {
        AtomicInteger calls = new AtomicInteger();
        Memoizer memoizer = index.memoize("double", MemoizeOptions.none());
        var doubled = memoizer.wrap(Integer.class, (Integer x) -> {
            calls.incrementAndGet();
            return 2 * x;
        });
        assertEquals(14, doubled.apply(7));
        assertEquals(14, doubled.apply(7));
        assertEquals(1, calls.get());
        assertEquals(14, index.get(memoizer.keyOf(7)));
    }

    @Test
    void aDirectoryOfItsOwnIsAnIndexToo() {
        try (Index<Integer, String> own = Index.open(directory.resolve("own"), Integer.class, String.class)) {
            own.put(1, "a");
            assertEquals(
                    EvictionPolicy.NONE.stored(),
                    String.valueOf(own.cache().settings().get(Setting.EVICTION_POLICY)));
        }
        Index<Integer, String> own = Index.open(directory.resolve("own"), Integer.class, String.class);
        assertEquals(Map.of(1, "a"), own);
        own.close();
        own.close();
        assertThrows(CacheClosedException.class, () -> own.get(1));
        index.close();
        assertNull(index.put("the cache of somebody else is still open", 1));
    }

    @Test
    void somethingThatHasExpiredIsAbsent() {
        setExpired("a", 1);
        assertNull(index.get("a"));
        assertNull(index.putIfAbsent("a", 2));
        cache.set("b", 3, BRIEFLY);
        index.put("b", 4);
        assertEquals(
                Optional.empty(), cache.entry("b", Integer.class).orElseThrow().expiry());
        assertEquals(Arrays.asList("a", "b").size(), ((Collection<?>) index.keySet()).size());
    }
}

package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What every {@link Cache} does with streams of its keys. */
abstract class IterationContract extends CacheFixture {
    private static final int MANY = 10_000;
    private static final EntryOptions TAGGED = EntryOptions.none().tag("t");

    private static final Map<String, Function<Cache, Stream<Object>>> STREAMS = new LinkedHashMap<>(Map.of(
            "keys", Cache::keys,
            "keysReversed", Cache::keysReversed,
            "sortedKeys", Cache::sortedKeys,
            "sortedKeysReversed", Cache::sortedKeysReversed,
            "keysByTag", cache -> cache.keysByTag("t")));

    private static List<Object> reversed(List<Object> keys) {
        List<Object> reversed = new ArrayList<>(keys);
        Collections.reverse(reversed);
        return reversed;
    }

    private static List<Object> read(Stream<Object> keys) {
        try (keys) {
            return comparable(keys.toList());
        }
    }

    @Test
    void anEmptyCacheHasNoKeys() {
        STREAMS.forEach((name, stream) -> assertEquals(List.of(), read(stream.apply(cache)), name));
    }

    @Test
    void keysComeInTheOrderOfInsertion() {
        List<Object> keys = List.of("z", 3L, "a", 1.5, new byte[] {1}, -7L, "m");
        keys.forEach(key -> cache.set(key, 1, TAGGED));
        cache.set("z", 2, TAGGED);
        cache.incr("a");
        cache.touch(3, FOR_AN_HOUR.expireAfter().orElseThrow());
        List<Object> expected = comparable(inOrderOfInsertion(keys));
        assertEquals(expected, read(cache.keys()));
        assertEquals(reversed(expected), read(cache.keysReversed()));
        assertEquals(expected, read(cache.keysByTag("t")));
    }

    @Test
    void sortedKeysAreNumbersThenTextsThenBytes() {
        List<Object> sorted = List.of(
                Long.MIN_VALUE,
                -1.5,
                -1L,
                0L,
                0.5,
                2L,
                10L,
                1e300,
                "",
                "10",
                "2",
                "A",
                "a",
                "a\u0000",
                "ab",
                "ü",
                "\uFFFF",
                "\uD83D\uDE00",
                new byte[0],
                new byte[] {0},
                new byte[] {1},
                new byte[] {1, 0},
                new byte[] {-1});
        List<Object> shuffled = new ArrayList<>(sorted);
        Collections.shuffle(shuffled, new Random(3));
        shuffled.forEach(key -> cache.set(key, 1));
        assertEquals(comparable(sorted), read(cache.sortedKeys()));
        assertEquals(reversed(comparable(sorted)), read(cache.sortedKeysReversed()));
    }

    @Test
    void tenThousandKeysOfAllKindsAreShownOnceAndInOrder() {
        List<Object> keys = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            keys.add(i % 3 == 0 ? (Object) ("key" + i) : i % 3 == 1 ? (Object) (long) i : i + 0.5);
        }
        Collections.shuffle(keys, new Random(5));
        Map<Object, Object> values = new LinkedHashMap<>();
        keys.forEach(key -> values.put(key, 1));
        cache.setAll(values, TAGGED);
        List<Object> inserted = inOrderOfInsertion(keys);
        assertEquals(inserted, read(cache.keys()));
        assertEquals(reversed(inserted), read(cache.keysReversed()));
        assertEquals(inserted, read(cache.keysByTag("t")));
        List<Object> sorted = new ArrayList<>(keys);
        sorted.sort((a, b) -> a instanceof Number x && b instanceof Number y
                ? Double.compare(x.doubleValue(), y.doubleValue())
                : a instanceof String x && b instanceof String y ? x.compareTo(y) : a instanceof Number ? -1 : 1);
        assertEquals(sorted, read(cache.sortedKeys()));
        assertEquals(reversed(sorted), read(cache.sortedKeysReversed()));
    }

    @Test
    void aStreamReadsOnlyAsMuchAsIsTakenFromIt() {
        STREAMS.forEach((name, stream) -> {
            cache.setAll(numbered("key", MANY), TAGGED);
            try (Stream<Object> keys = stream.apply(cache)) {
                Iterator<Object> left = keys.iterator();
                left.next();
                cache.clear();
                int more = 0;
                for (; left.hasNext(); more++) {
                    left.next();
                }
                assertTrue(more < MANY / 3, name + " had read " + more + " keys ahead");
            }
        });
    }

    @Test
    void aStreamMayBeLeftUnfinished() {
        cache.setAll(numbered("key", 1000), TAGGED);
        STREAMS.forEach((name, stream) -> {
            for (int i = 0; i < 100; i++) {
                assertTrue(stream.apply(cache).findFirst().isPresent(), name);
            }
        });
        cache.set("a", 1);
        cache.close();
        cache = open(cache.directory());
        assertTrue(cache.containsKey("a"));
    }

    @Test
    void keysThatAreThereAllTheTimeAreShownOnceWhileOthersComeAndGo() {
        STREAMS.forEach((name, stream) -> {
            cache.clear();
            Map<String, Integer> stay = numbered("stay", 1500);
            Map<Object, Object> all = new LinkedHashMap<>();
            stay.forEach((key, i) -> {
                all.put(key, 0);
                all.put("go" + i, 0);
            });
            cache.setAll(all, TAGGED);
            Random random = new Random(6);
            int[] step = {0};
            List<Object> seen = new ArrayList<>();
            try (Stream<Object> keys = stream.apply(cache)) {
                keys.forEach(key -> {
                    seen.add(key);
                    int i = step[0]++;
                    if (i < 3000 && i % 4 == 0) {
                        cache.delete("go" + random.nextInt(1500));
                        cache.set("come" + random.nextInt(5000), 1, TAGGED);
                        cache.set("stay" + random.nextInt(1500), i, TAGGED);
                    }
                });
            }
            Set<Object> distinct = new HashSet<>(seen);
            assertTrue(distinct.containsAll(stay.keySet()), name + " misses some");
            long stayed = seen.stream().filter(stay::containsKey).count();
            assertEquals(stay.size(), stayed, name + " shows some twice");
        });
    }

    @Test
    void iterationsBesideAThreadThatWritesMissNothing() throws Exception {
        Map<String, Integer> stay = numbered("stay", 2000);
        cache.setAll(stay, TAGGED);
        AtomicBoolean done = new AtomicBoolean();
        var threads = Executors.newSingleThreadExecutor();
        try {
            Future<Boolean> writer = threads.submit(() -> {
                Random random = new Random(7);
                while (!done.get()) {
                    cache.set("other" + random.nextInt(500), 1, TAGGED);
                    cache.delete("other" + random.nextInt(500));
                    cache.set("stay" + random.nextInt(2000), 1, TAGGED);
                }
                return true;
            });
            for (int round = 0; round < 5; round++) {
                STREAMS.forEach((name, stream) -> assertEquals(
                        stay.keySet(),
                        new HashSet<>(
                                stream.apply(cache).filter(stay::containsKey).toList()),
                        name));
            }
            done.set(true);
            assertTrue(writer.get());
        } finally {
            done.set(true);
            threads.shutdownNow();
        }
    }

    @Test
    void insertingWhileIteratingComesToAnEnd() {
        cache.setAll(numbered("key", 300), TAGGED);
        for (Function<Cache, Stream<Object>> stream :
                List.<Function<Cache, Stream<Object>>>of(Cache::keys, cache -> cache.keysByTag("t"))) {
            int[] seen = {0};
            stream.apply(cache).limit(5000).forEach(key -> cache.set("new" + seen[0]++, 1, TAGGED));
            assertTrue(seen[0] < 5000, "the stream runs after its own tail");
        }
    }

    @Test
    void expiredKeysAreNotShown() {
        cache.set("a", 1, TAGGED);
        cache.setAll(numbered("expired", 500), BRIEFLY.tag("t"));
        cache.set("b", 1, TAGGED);
        awaitExpiry("expired499");
        STREAMS.forEach((name, stream) -> assertEquals(Set.of("a", "b"), Set.copyOf(read(stream.apply(cache))), name));
    }

    @Test
    void aStreamMayBeParallel() {
        Map<String, Integer> all = numbered("key", MANY);
        cache.setAll(all, TAGGED);
        STREAMS.forEach((name, stream) -> {
            List<Object> seen = stream.apply(cache).parallel().map(key -> key).toList();
            assertEquals(MANY, seen.size(), name);
            assertEquals(all.keySet(), new HashSet<>(seen), name);
        });
    }

    @Test
    void aStreamInATransactionSeesItsWrites() {
        cache.setAll(numbered("old", 300), TAGGED);
        Runnable body = () -> {
            cache.set("new", 1, TAGGED);
            cache.delete("old0");
            STREAMS.forEach((name, stream) -> {
                List<Object> seen = read(stream.apply(cache));
                assertTrue(seen.contains("new") && !seen.contains("old0") && seen.size() == 300, name);
            });
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        STREAMS.forEach((name, stream) -> {
            List<Object> seen = read(stream.apply(cache));
            assertTrue(seen.contains("old0") && !seen.contains("new") && seen.size() == 300, name);
        });
    }

    @Test
    void everyKindOfTagSelectsItsKeysWithAndWithoutAnIndex() {
        List<Object> tags = List.of(
                "t", "T", "", "1", 1L, Long.MAX_VALUE, 0.5, Double.NEGATIVE_INFINITY, new byte[] {'t'}, new byte[0]);
        for (boolean indexed : new boolean[] {false, true, false}) {
            cache.alter(Setting.TAG_INDEX, indexed);
            cache.clear();
            cache.set("untagged", 1);
            for (int i = 0; i < tags.size() * 3; i++) {
                cache.set("key" + i, 1, EntryOptions.none().tag(tags.get(i % tags.size())));
            }
            for (int i = 0; i < tags.size(); i++) {
                List<Object> expected = inOrderOfInsertion(
                        List.of("key" + i, "key" + (i + tags.size()), "key" + (i + 2 * tags.size())));
                assertEquals(expected, read(cache.keysByTag(tags.get(i))));
            }
            assertEquals(List.of(), read(cache.keysByTag("absent")));
        }
        assertEquals(3, cache.keysByTag((byte) 1).count(), "integers of all sizes are one kind of tag");
        assertThrows(IllegalArgumentException.class, () -> cache.keysByTag(List.of()));
        assertThrows(IllegalArgumentException.class, () -> cache.keysByTag(Double.NaN));
    }

    @Test
    void anArrayAmongTheKeysIsACopy() {
        cache.set(new byte[] {1}, 1);
        cache.keys().forEach(key -> ((byte[]) key)[0] = 2);
        assertTrue(cache.containsKey(new byte[] {1}));
        assertFalse(cache.containsKey(new byte[] {2}));
    }

    @Test
    void aStreamOfACacheThatIsClosedMeanwhileSaysSo() {
        cache.setAll(numbered("key", MANY));
        Iterator<Object> keys = cache.keys().iterator();
        keys.next();
        cache.close();
        assertThrows(CacheClosedException.class, () -> keys.forEachRemaining(key -> {}));
    }
}

package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.Deque;
import dev.latchkey.cache.FanoutCache;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.SmallDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A disk without space under a cache in shards: each shard has a ballast of its own. */
@Tag("process")
class FanoutDiskFullTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SOON = Duration.ofSeconds(8);
    private static final int SHARDS = 3;
    private static final int VALUE = 20_000;

    @RegisterExtension
    final SmallDisk disk = new SmallDisk(48);

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return disk.resolve("cache");
    }

    private FanoutCache openWithBallast() {
        FanoutCache cache = FanoutCache.open(path(), SHARDS);
        Awaitility.await().atMost(SOON).until(() -> IntStream.range(0, SHARDS)
                .allMatch(i -> ballast(i) == Ballast.SIZE));
        return cache;
    }

    private Path shard(int number) {
        return path().resolve("00" + number);
    }

    private long ballast(int shard) {
        return shard(shard).resolve("cache.db-latchkey/spare").toFile().length();
    }

    private static String value(int i) {
        return i + "-" + "x".repeat(VALUE);
    }

    /** Stores values until every shard has refused one; they are full one after the other. Returns the keys of what is stored. */
    private static Set<Integer> storeUntilAllAreFull(FanoutCache cache, int from) {
        Set<Integer> stored = new TreeSet<>();
        Set<Integer> full = new TreeSet<>();
        for (int i = from; full.size() < SHARDS; i++) {
            try {
                cache.set(i, value(i));
                stored.add(i);
            } catch (CacheFullException e) {
                assertFalse(cache.containsKey(i));
                full.add(i % SHARDS); // Python's shard of a number
            }
        }
        return stored;
    }

    private static void assertStored(FanoutCache cache, Set<Integer> keys) {
        keys.forEach(key -> assertEquals(value(key), cache.get(key), "of key " + key));
    }

    private void assertClean(FanoutCache cache) {
        CheckReport report = cache.check(false);
        assertTrue(report.isClean(), report::toString);
        for (int i = 0; i < SHARDS; i++) {
            assertEquals("ok", Rows.one(shard(i), "PRAGMA integrity_check"));
        }
    }

    @Test
    void whatIsThereCanBeReadAndDeletedInEveryShardAndServiceResumesWithSpace() {
        try (FanoutCache cache = openWithBallast()) {
            Deque<String> deque = new Deque<>(cache, "d", String.class);
            deque.add("item");
            Set<Integer> stored = new TreeSet<>();
            for (int i = 0; i < 60; i++) {
                cache.set(i, value(i));
                stored.add(i);
            }
            disk.fill();
            stored.addAll(storeUntilAllAreFull(cache, 60));
            assertStored(cache, stored);
            Set<Integer> half = stored.stream().filter(key -> key % 2 == 0).collect(Collectors.toSet());
            half.forEach(key -> assertTrue(cache.delete(key), "key " + key));
            stored.removeAll(half);
            assertStored(cache, stored);
            assertEquals("item", deque.poll());
            assertEquals(0, cache.evict("tag"));
            assertClean(cache);
            assertEquals(stored.size(), cache.clear());
            disk.free();
            for (int i = 0; i < SHARDS; i++) {
                assertServesAgainSoon(cache, i);
            }
            assertClean(cache);
        }
    }

    /** The space that one shard has given up for its deletes is not for what others store. */
    @Test
    void aShardWithoutBallastKeepsAllOthersFromGrowing() {
        try (FanoutCache cache = openWithBallast()) {
            for (int i = 0; i < 60; i++) {
                cache.set(i, value(i));
            }
            for (int i = 1; i < 60; i += SHARDS) {
                assertTrue(cache.delete(i)); // so there is room in the files of shard 1
            }
            disk.fill();
            for (int i = 0; i < 60 && ballast(0) > 0; i += SHARDS) {
                assertTrue(cache.delete(i));
            }
            assertEquals(0, ballast(0));
            assertEquals(Ballast.SIZE, ballast(1));
            CacheFullException refused = assertThrows(CacheFullException.class, () -> cache.set(1, value(1)));
            assertTrue(String.valueOf(refused.getMessage()).contains(shard(0).toString()), refused::getMessage);
            assertTrue(cache.delete(2));
            disk.free();
            assertServesAgainSoon(cache, 1);
        }
    }

    private static void assertServesAgainSoon(FanoutCache cache, int key) {
        Awaitility.await()
                .atMost(SOON)
                .ignoreException(CacheFullException.class)
                .until(() -> {
                    cache.set(key, value(key));
                    return true;
                });
    }

    @Test
    void whatGoesToSeveralShardsIsStoredInAllOrInNone() {
        try (FanoutCache cache = openWithBallast()) {
            cache.set("before", 1);
            disk.fill();
            storeUntilAllAreFull(cache, 0);
            int size = cache.size();
            Map<Integer, String> several = new TreeMap<>();
            for (int i = 10_000; i < 10_000 + SHARDS; i++) {
                several.put(i, value(i));
            }
            for (int round = 0; round < 20; round++) {
                assertThrows(CacheFullException.class, () -> cache.setAll(several));
                assertThrows(CacheFullException.class, () -> cache.transact(() -> several.forEach(cache::set)));
                assertEquals(size, cache.size());
            }
            assertThrows(
                    CacheFullException.class,
                    () -> cache.transact(() -> {
                        cache.delete("before");
                        several.forEach(cache::set);
                    }));
            assertEquals(1, cache.get("before", int.class));
            assertTrue(deleteInTransaction(cache, "before"));
            assertClean(cache);
        }
    }

    /** The first one after the disk became full may fail, and makes room. */
    private static boolean deleteInTransaction(FanoutCache cache, Object key) {
        try {
            return cache.<Boolean>transact(() -> cache.delete(key));
        } catch (CacheFullException e) {
            assertTrue(cache.containsKey(key));
            return cache.<Boolean>transact(() -> cache.delete(key));
        }
    }

    @Test
    void aFullDiskCanBeOpenedAndFreedByANewProcess() {
        Set<Integer> stored;
        try (FanoutCache cache = openWithBallast()) {
            disk.fill();
            stored = storeUntilAllAreFull(cache, 0);
        }
        disk.fill();
        try (FanoutCache cache = FanoutCache.open(path())) {
            assertStored(cache, stored);
            stored.forEach(key -> assertTrue(cache.delete(key), "key " + key));
            disk.free();
            assertClean(cache);
        }
    }

    /** One that cannot be made says so, and is made when there is space. */
    @Test
    void aFullDiskRefusesANewCacheAndIsNotLeftWithHalfAOne() throws Exception {
        disk.fill();
        assertThrows(CacheFullException.class, () -> FanoutCache.open(path(), SHARDS));
        disk.free();
        Files.write(disk.resolve("other"), new byte[(48 << 20) - (300 << 10)]); // room for some shards
        try {
            FanoutCache.open(path(), SHARDS).close();
        } catch (CacheFullException e) {
            // which shards were made depends on what each takes
        }
        Files.delete(disk.resolve("other"));
        try (FanoutCache cache = openWithBallast()) {
            assertEquals(SHARDS, cache.shards());
            assertClean(cache);
        }
    }

    /** Stores in all shards until the disk is full, then deletes half of what it stored, again and again. */
    static final class Storer {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            String own = args[1];
            try (FanoutCache cache = FanoutCache.open(Path.of(args[0]))) {
                Child.ready();
                TreeSet<Integer> there = new TreeSet<>();
                for (int i = 0; Child.hearNow() == null; i++) {
                    try {
                        cache.set(own + i, value(i));
                        Child.say("SET " + own + i);
                        there.add(i);
                    } catch (CacheFullException e) {
                        for (int n = (there.size() + 1) / 2; n > 0; n--) {
                            int key = there.pollFirst();
                            Child.say("DELETING " + own + key);
                            if (!cache.delete(own + key)) {
                                throw new AssertionError(own + key + " is lost");
                            }
                        }
                    }
                }
            }
            Child.say("CLOSED");
        }
    }

    /** They alone fill the disk: what is given up for deletes while a stranger takes all there is may be gone before it is used. */
    @Test
    void processesOnAFullDiskLoseNothingOneOfThemKilled() throws Exception {
        openWithBallast().close();
        Files.write(disk.resolve("other"), new byte[16 << 20]);
        List<JavaProcess> all = List.of(
                processes.start(Storer.class, path().toString(), "a"),
                processes.start(Storer.class, path().toString(), "b"),
                processes.start(Storer.class, path().toString(), "c"));
        processes.gun(all);
        for (int round = 0; round < 5; round++) {
            all.forEach(child -> child.await("DELETING", LONG));
            all.forEach(child -> child.await("SET", LONG));
        }
        all.get(2).await("DELETING", LONG);
        all.get(2).kill();
        List<JavaProcess> both = all.subList(0, 2);
        both.forEach(child -> child.await("DELETING", LONG));
        both.forEach(child -> child.send("END"));
        both.forEach(child -> child.await("CLOSED", LONG));
        Set<String> expected = new TreeSet<>();
        for (JavaProcess child : all) {
            for (String line : child.output()) {
                if (line.startsWith("SET ")) {
                    expected.add(line.substring(4));
                } else if (line.startsWith("DELETING ")) {
                    expected.remove(line.substring(9));
                }
            }
        }
        assertFalse(expected.isEmpty());
        try (FanoutCache cache = FanoutCache.open(path())) {
            Set<String> there = cache.keys().map(Object::toString).collect(Collectors.toCollection(TreeSet::new));
            Set<String> lost = new TreeSet<>(expected);
            lost.removeAll(there);
            assertEquals(Set.of(), lost);
            there.removeAll(expected);
            // what the killed one had stored or not yet deleted, but not said so
            assertTrue(there.size() <= 1 && there.stream().allMatch(key -> key.startsWith("c")), there::toString);
            assertClean(cache);
        }
    }
}

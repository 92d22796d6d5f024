package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What every {@link Cache} does with queues. */
abstract class QueueContract extends CacheFixture {
    private static final String LARGE = "x".repeat(40_000);

    /** Prefixes that a pattern, a comparison or a quote could mistake for one another. */
    private static final List<@Nullable String> PREFIXES = new ArrayList<>(List.of(
            "",
            "-",
            "a",
            "A",
            "a-",
            "a-b",
            "a-5",
            "a%",
            "a_",
            "a*",
            "a?",
            "[a]",
            "%",
            "_",
            "'",
            "\"",
            "\\",
            "ü",
            "\uD83D\uDE00",
            "\uFFFF",
            "a b",
            "a\nb",
            "500000000000000",
            "a-500000000000000",
            "key".repeat(100)));

    static {
        PREFIXES.add(null);
    }

    Object push(Object value, @Nullable String prefix) {
        return cache.push(value, prefix, Side.BACK, EntryOptions.none());
    }

    Object pushFront(Object value, @Nullable String prefix) {
        return cache.push(value, prefix, Side.FRONT, EntryOptions.none());
    }

    private @Nullable String pull(@Nullable String prefix) {
        return cache.pull(prefix, Side.FRONT, String.class)
                .map(Cache.Item::value)
                .orElse(null);
    }

    List<String> drain(@Nullable String prefix) {
        List<String> all = new ArrayList<>();
        for (String item = pull(prefix); item != null; item = pull(prefix)) {
            all.add(item);
        }
        return all;
    }

    @Test
    void keysAreIntegersOrThePrefixAndFifteenDigits() {
        assertEquals(500_000_000_000_000L, cache.push("a"));
        assertEquals(500_000_000_000_001L, cache.push("b"));
        assertEquals(499_999_999_999_999L, pushFront("c", null));
        assertEquals("job-500000000000000", push("a", "job"));
        assertEquals("job-500000000000001", push("b", "job"));
        assertEquals("job-499999999999999", pushFront("c", "job"));
        assertEquals("b", cache.get(500_000_000_000_001L));
        assertEquals("c", cache.get("job-499999999999999"));
    }

    @Test
    void itemsComeOutFromEitherSide() {
        for (String prefix : new String[] {null, "q"}) {
            push("b", prefix);
            push("c", prefix);
            pushFront("a", prefix);
            push("d", prefix);
            assertEquals(
                    "d",
                    cache.pull(prefix, Side.BACK, String.class).orElseThrow().value());
            assertEquals(List.of("a", "b", "c"), drain(prefix));
            assertEquals(Optional.empty(), cache.pull(prefix, Side.FRONT, String.class));
            assertEquals(Optional.empty(), cache.pull(prefix, Side.BACK, String.class));
        }
    }

    @Test
    void aQueueThatBecameEmptyGoesOn() {
        for (String prefix : new String[] {null, "q"}) {
            for (int round = 0; round < 3; round++) {
                push("a", prefix);
                pushFront("b", prefix);
                assertEquals(List.of("b", "a"), drain(prefix));
                assertEquals(Optional.empty(), cache.peek(prefix, Side.BACK, String.class));
            }
        }
        assertEquals(0, cache.size());
    }

    @Test
    void aThousandItemsKeepTheirOrder() {
        Random random = new Random(4);
        java.util.Deque<String> model = new ArrayDeque<>();
        cache.transact(() -> {
            for (int i = 0; i < 1000; i++) {
                String item = "item" + i;
                if (random.nextBoolean()) {
                    push(item, "q");
                    model.addLast(item);
                } else {
                    pushFront(item, "q");
                    model.addFirst(item);
                }
            }
        });
        assertEquals(List.copyOf(model), drain("q"));
    }

    @Test
    void peekShowsAnItemAndLeavesIt() {
        push("a", "q");
        push(LARGE, "q");
        assertEquals(
                "a", cache.peek("q", Side.FRONT, String.class).orElseThrow().value());
        Cache.Item<String> last = cache.peek("q", Side.BACK, String.class).orElseThrow();
        assertEquals(LARGE, last.value());
        assertEquals("q-500000000000001", last.key());
        assertEquals(Optional.empty(), cache.peek(null, Side.FRONT, String.class));
        assertEquals(List.of("a", LARGE), drain("q"));
    }

    @Test
    void prefixesDoNotMix() {
        for (int round = 0; round < 3; round++) {
            for (String prefix : PREFIXES) {
                push(prefix + " " + round, prefix);
            }
        }
        for (String prefix : PREFIXES) {
            assertEquals(
                    prefix + " 0",
                    cache.peek(prefix, Side.FRONT, String.class).orElseThrow().value());
            assertEquals(
                    prefix + " 2",
                    cache.peek(prefix, Side.BACK, String.class).orElseThrow().value());
            assertEquals(List.of(prefix + " 0", prefix + " 1", prefix + " 2"), drain(prefix));
        }
        assertEquals(0, cache.size());
    }

    @Test
    void aPrefixThatIsNoTextIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> push("a", "\uD800"));
        assertThrows(IllegalArgumentException.class, () -> cache.pull("\uD800", Side.FRONT, String.class));
        assertThrows(IllegalArgumentException.class, () -> cache.peek("\uD800", Side.FRONT, String.class));
        assertEquals(0, cache.size());
    }

    /** In python-diskcache the first is pulled as an item and the second breaks every push. */
    @Test
    void foreignKeysAreNeitherPulledNorInTheWay() {
        List<Object> foreign = List.of(
                42,
                -1,
                0,
                1.5,
                5e14 + 0.5,
                "job",
                "job-",
                "job-5abc",
                "job-12",
                "job-5000000000000001",
                "job-49999999999999x",
                "job-+00000000000005",
                "job- 00000000000005",
                "job-50000000000000\u0660",
                "jobs-500000000000000",
                "JOB-500000000000000",
                "job-500000000000000-500000000000000");
        foreign.forEach(key -> cache.set(key, "foreign"));
        cache.set("job-500000000000000".getBytes(java.nio.charset.StandardCharsets.UTF_8), "foreign");
        for (String prefix : new String[] {null, "job"}) {
            assertEquals(Optional.empty(), cache.peek(prefix, Side.FRONT, String.class));
            assertEquals(Optional.empty(), cache.pull(prefix, Side.BACK, String.class));
            push("b", prefix);
            push("c", prefix);
            pushFront("a", prefix);
            assertEquals(
                    "a",
                    cache.peek(prefix, Side.FRONT, String.class).orElseThrow().value());
            assertEquals(
                    "c",
                    cache.peek(prefix, Side.BACK, String.class).orElseThrow().value());
            assertEquals(List.of("a", "b", "c"), drain(prefix));
        }
        foreign.forEach(key -> assertEquals("foreign", cache.get(key), key.toString()));
    }

    @Test
    void anItemHasKeyTagAndExpiry() {
        Object key = cache.push("a", "q", Side.BACK, FOR_AN_HOUR.tag("t"));
        Cache.Item<String> peeked = cache.peek("q", Side.FRONT, String.class).orElseThrow();
        assertEquals(key, peeked.key());
        assertEquals(Optional.of("t"), peeked.tag());
        assertTrue(peeked.expiry().isPresent());
        assertEquals(Optional.of(peeked), cache.pull("q", Side.FRONT, String.class));
        assertFalse(cache.containsKey(key));
    }

    @Test
    void expiredItemsArePassedOver() {
        create(options -> options.reaper(false));
        EntryOptions forASecond = EntryOptions.none().expireAfter(Duration.ofSeconds(1));
        for (String prefix : new String[] {null, "q"}) {
            Object first = cache.push(LARGE, prefix, Side.BACK, forASecond);
            push("b", prefix);
            push("c", prefix);
            Object last = cache.push("d", prefix, Side.BACK, forASecond);
            awaitExpiry(first);
            awaitExpiry(last);
            assertEquals(
                    "b",
                    cache.peek(prefix, Side.FRONT, String.class).orElseThrow().value());
            assertEquals(
                    "c",
                    cache.peek(prefix, Side.BACK, String.class).orElseThrow().value());
            push("e", prefix);
            assertEquals(
                    "e",
                    cache.pull(prefix, Side.BACK, String.class).orElseThrow().value());
            assertEquals(List.of("b", "c"), drain(prefix));
        }
        cache.expire();
        assertEquals(0, cache.size());
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void manyExpiredItemsArePassedOver() {
        Object last = null;
        for (int i = 0; i < 300; i++) {
            last = cache.push("expired", "q", Side.BACK, BRIEFLY);
        }
        push("live", "q");
        awaitExpiry(last);
        assertEquals(
                "live", cache.peek("q", Side.FRONT, String.class).orElseThrow().value());
        assertEquals(List.of("live"), drain("q"));
    }

    @Test
    void anItemOfAnotherTypeStays() {
        push(LARGE, "q");
        push(List.of("b"), "q");
        assertThrows(CodecException.class, () -> cache.pull("q", Side.FRONT, Long.class));
        assertThrows(CodecException.class, () -> cache.peek("q", Side.FRONT, Long.class));
        assertThrows(CodecException.class, () -> cache.pull("q", Side.BACK, new TypeToken<List<Long>>() {}));
        assertEquals(LARGE, pull("q"));
        assertEquals(
                List.of("b"),
                cache.peek("q", Side.FRONT, new TypeToken<List<String>>() {})
                        .orElseThrow()
                        .value());
        assertEquals(
                List.of("b"),
                cache.pull("q", Side.FRONT, new TypeToken<List<String>>() {})
                        .orElseThrow()
                        .value());
    }

    @Test
    void largeItemsLeaveNoFiles() {
        push(LARGE, null);
        push(new byte[40_000], null);
        assertEquals(2, valueFiles().size());
        assertEquals(LARGE, pull(null));
        assertArrayEquals(
                new byte[40_000],
                cache.pull(null, Side.FRONT, byte[].class).orElseThrow().value());
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void aStreamIsPushedAsBytes() {
        for (int length : new int[] {0, 10, 100_000}) {
            Object key = cache.push(
                    new ByteArrayInputStream(new byte[length]),
                    "q",
                    Side.BACK,
                    EntryOptions.none().tag(1));
            assertEquals(
                    Optional.of(1L),
                    cache.entry(key, byte[].class).orElseThrow().tag());
            Cache.Item<byte[]> item = cache.pull("q", Side.FRONT, byte[].class).orElseThrow();
            assertEquals(key, item.key());
            assertArrayEquals(new byte[length], item.value());
        }
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void aStreamThatThrowsIsNoItem() {
        IOException thrown = new IOException("no");
        InputStream broken = StreamContract.broken(100_000, thrown);
        CacheException e =
                assertThrows(CacheException.class, () -> cache.push(broken, "q", Side.BACK, EntryOptions.none()));
        assertSame(thrown, e.getCause());
        assertEquals(Optional.empty(), cache.peek("q", Side.FRONT, byte[].class));
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void whatARolledBackTransactionPulledOrPushedIsAsBefore() {
        push(LARGE, "q");
        push("b", "q");
        Runnable body = () -> {
            assertEquals(LARGE, pull("q"));
            push("c", "q");
            assertEquals(List.of("b", "c"), drain("q"));
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        assertEquals(List.of(LARGE, "b"), drain("q"));
    }

    @Test
    void queuesOutliveTheirCache() {
        push("a", "q");
        push("b", null);
        reopen();
        push("c", "q");
        assertEquals(List.of("a", "c"), drain("q"));
        assertEquals(List.of("b"), drain(null));
    }

    @Test
    void ofManyThreadsEachItemGoesToOne() throws Exception {
        for (int i = 0; i < 400; i++) {
            push("item" + i, i % 2 == 0 ? "q" : null);
        }
        Set<String> got = ConcurrentHashMap.newKeySet();
        var threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Boolean>> all = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                String prefix = i % 2 == 0 ? "q" : null;
                all.add(threads.submit(() -> {
                    for (String item : drain(prefix)) {
                        assertTrue(got.add(item), "twice: " + item);
                    }
                    return true;
                }));
            }
            for (Future<Boolean> one : all) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(400, got.size());
    }

    /** What is done while an item is being read, before it is taken. */
    private static final AtomicReference<Runnable> MEANWHILE = new AtomicReference<>(() -> {});

    /** An item whose reading takes its time. */
    record Job(String name) {
        Job {
            MEANWHILE.getAndSet(() -> {}).run();
        }
    }

    @Test
    void anItemThatMovedToAnotherQueueMeanwhileIsTakenOnce() {
        push(new Job("a"), "todo");
        MEANWHILE.set(() ->
                push(cache.pull("todo", Side.FRONT, Job.class).orElseThrow().value(), "done"));
        assertEquals(Optional.empty(), cache.pull("todo", Side.FRONT, Job.class));
        assertEquals(
                new Job("a"),
                cache.pull("done", Side.FRONT, Job.class).orElseThrow().value());
    }

    @Test
    void anEntryThatMovedToAnotherKeyMeanwhileIsPoppedOnce() {
        EntryOptions pinned = EntryOptions.none().pinned();
        cache.set("a", new Job("x"), pinned);
        MEANWHILE.set(() -> cache.set("b", cache.pop("a", Job.class), pinned));
        assertNull(cache.pop("a", Job.class));
        assertEquals(new Job("x"), cache.pop("b", Job.class));
    }

    // Entries at the ends of all

    @Test
    void peekItemShowsWhatWasInsertedFirstAndLast() {
        assertEquals(Optional.empty(), cache.peekItem(Side.FRONT, String.class));
        List<Object> keys = inOrderOfInsertion(List.of("z", "a", 3L));
        cache.set("z", "z", FOR_AN_HOUR.tag("t"));
        cache.set("a", LARGE);
        cache.set(3, "3");
        cache.set("z", "z", FOR_AN_HOUR.tag("t"));
        Map<Object, String> values = Map.of("z", "z", "a", LARGE, 3L, "3");
        Cache.Item<String> first = cache.peekItem(Side.FRONT, String.class).orElseThrow();
        Cache.Item<String> last =
                cache.peekItem(Side.BACK, new TypeToken<String>() {}).orElseThrow();
        assertEquals(keys.get(0), first.key());
        assertEquals(keys.get(2), last.key());
        assertEquals(values.get(first.key()), first.value());
        assertEquals(values.get(last.key()), last.value());
    }

    @Test
    void peekItemHasTagAndExpiryAndPassesOverWhatHasExpired() {
        cache.set("a", 1, BRIEFLY);
        cache.set(new byte[] {7}, 2, FOR_AN_HOUR.tag("t"));
        cache.set("c", 3, BRIEFLY);
        awaitExpiry("a");
        awaitExpiry("c");
        for (Side side : Side.values()) {
            Cache.Item<Long> item = cache.peekItem(side, Long.class).orElseThrow();
            assertEquals(2, item.value());
            assertArrayEquals(new byte[] {7}, (byte[]) item.key());
            assertEquals(Optional.of("t"), item.tag());
            assertTrue(item.expiry().isPresent());
        }
        assertThrows(CodecException.class, () -> cache.peekItem(Side.FRONT, byte[].class));
    }
}

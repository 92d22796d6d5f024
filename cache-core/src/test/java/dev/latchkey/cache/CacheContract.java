package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What every {@link Cache} does, whatever is behind it. */
abstract class CacheContract extends CacheFixture {
    private static final int BOUND = 32_768;

    record Person(String name, int age) {}

    // Values and keys

    @Test
    void everyKindOfValueComesBackAsItself() {
        Person person = new Person("Ada", 36);
        cache.set("text", "häßlich \uD83D\uDE00 \u0000 end");
        cache.set("empty", "");
        cache.set("int", 7);
        cache.set("long", Long.MIN_VALUE);
        cache.set("double", 0.1);
        cache.set("infinite", Double.NEGATIVE_INFINITY);
        cache.set("nan", Double.NaN);
        cache.set("bytes", new byte[] {0, -1, 2});
        cache.set("noBytes", new byte[0]);
        cache.set("boolean", true);
        cache.set("list", List.of(1, 2));
        cache.set("map", Map.of("a", 1));
        cache.set("record", person);
        cache.set("decimal", new BigDecimal("1.10"));
        cache.set("instant", Instant.EPOCH);

        assertEquals("häßlich \uD83D\uDE00 \u0000 end", cache.get("text", String.class));
        assertEquals("", cache.get("empty", String.class));
        assertEquals(7, cache.get("int", int.class));
        assertEquals(7L, cache.get("int"));
        assertEquals(Long.MIN_VALUE, cache.get("long", Long.class));
        assertEquals(0.1, cache.get("double", double.class));
        assertEquals(Double.NEGATIVE_INFINITY, cache.get("infinite", double.class));
        assertEquals(Double.NaN, cache.get("nan", double.class));
        assertArrayEquals(new byte[] {0, -1, 2}, cache.get("bytes", byte[].class));
        assertArrayEquals(new byte[0], cache.get("noBytes", byte[].class));
        assertEquals(true, cache.get("boolean", Boolean.class));
        assertEquals(List.of(1, 2), cache.get("list", new TypeToken<List<Integer>>() {}));
        assertEquals(Map.of("a", 1), cache.get("map", new TypeToken<Map<String, Integer>>() {}));
        assertEquals(person, cache.get("record", Person.class));
        assertEquals(new BigDecimal("1.10"), cache.get("decimal", BigDecimal.class));
        assertEquals(Instant.EPOCH, cache.get("instant", Instant.class));
    }

    @Test
    void keysOfDifferentTypesAreDifferentKeys() {
        cache.set("1", "text");
        cache.set(1, "number");
        cache.set(1.5, "real");
        cache.set(new byte[] {'1'}, "bytes");
        assertEquals("text", cache.get("1", String.class));
        assertEquals("number", cache.get(1L, String.class));
        assertEquals("real", cache.get(1.5f, String.class));
        assertEquals("bytes", cache.get(new byte[] {'1'}, String.class));
    }

    @Test
    void aKeyThatNoColumnHoldsIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> cache.set(List.of(1), 1));
        assertThrows(IllegalArgumentException.class, () -> cache.set(Double.NaN, 1));
        assertThrows(IllegalArgumentException.class, () -> cache.get("\uD800"));
        assertThrows(IllegalArgumentException.class, () -> cache.containsKey(true));
    }

    @Test
    void whatIsAbsentIsNullFalseOrEmpty() {
        assertNull(cache.get("a"));
        assertNull(cache.get("a", String.class));
        assertEquals("b", cache.getOrDefault("a", String.class, "b"));
        assertEquals(Optional.empty(), cache.entry("a", String.class));
        assertFalse(cache.containsKey("a"));
        assertFalse(cache.delete("a"));
        assertFalse(cache.touch("a", SHORT));
    }

    @Test
    void anotherTypeThanTheStoredOneIsACodecExceptionWithKeyAndTypes() {
        cache.set("number", 1);
        String message = assertThrows(CodecException.class, () -> cache.get("number", byte[].class))
                .getMessage();
        assertTrue(message.contains("'number'") && message.contains("INTEGER") && message.contains("byte[]"), message);
    }

    @Test
    void addStoresOnlyWhereThereIsNothing() {
        assertTrue(cache.add("a", 1));
        assertFalse(cache.add("a", 2));
        assertEquals(1, cache.get("a", int.class));
    }

    @Test
    void deleteTellsWhetherThereWasAnEntry() {
        cache.set("a", 1);
        assertTrue(cache.delete("a"));
        assertFalse(cache.delete("a"));
        assertNull(cache.get("a"));
    }

    @Test
    void anEntryHasValueTagStoreTimeAndExpiry() {
        Instant before = Instant.now().minusMillis(1);
        cache.set("a", "v", EntryOptions.none().tag("t").expireAfter(Duration.ofHours(1)));
        Cache.Entry<String> entry = cache.entry("a", String.class).orElseThrow();
        Instant after = Instant.now().plusMillis(1);
        assertEquals("v", entry.value());
        assertEquals(Optional.of("t"), entry.tag());
        assertFalse(entry.storeTime().isBefore(before) || entry.storeTime().isAfter(after));
        Instant expiry = entry.expiry().orElseThrow();
        assertFalse(expiry.isBefore(before.plusSeconds(3600)) || expiry.isAfter(after.plusSeconds(3600)));
    }

    @Test
    void setReplacesExpiryAndTagTogetherWithTheValue() {
        cache.set("a", 1, EntryOptions.none().tag("t").expireAfter(Duration.ofHours(1)));
        cache.set("a", 2);
        Cache.Entry<Integer> entry = cache.entry("a", Integer.class).orElseThrow();
        assertEquals(Optional.empty(), entry.tag());
        assertEquals(Optional.empty(), entry.expiry());
    }

    // Expiry

    @Test
    void anExpiredEntryIsAbsentForEveryRead() {
        setExpired("a", "v");
        assertNull(cache.get("a"));
        assertNull(cache.get("a", String.class));
        assertEquals("b", cache.getOrDefault("a", String.class, "b"));
        assertTrue(cache.entry("a", String.class).isEmpty());
    }

    @Test
    void anExpiredEntryIsAbsentForEveryWrite() {
        setExpired("add", "old");
        assertTrue(cache.add("add", "new"));
        assertEquals("new", cache.get("add", String.class));
        setExpired("incr", 41);
        assertEquals(1, cache.incr("incr"));
        assertTrue(cache.entry("incr", Long.class).orElseThrow().expiry().isEmpty());
        setExpired("delete", 1);
        assertFalse(cache.delete("delete"));
        setExpired("touch", 1);
        assertFalse(cache.touch("touch", Duration.ofHours(1)));
        assertFalse(cache.containsKey("touch"));
    }

    @Test
    void anExpiredTextIsNoObstacleToIncr() {
        setExpired("a", "text");
        assertEquals(8, cache.incr("a", 3, 5));
    }

    @Test
    void anExpiredLargeValueLeavesNoFileWhenItIsReplaced() {
        create(options -> options.reaper(false));
        setExpired("a", "x".repeat(BOUND));
        assertTrue(cache.add("a", 1));
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void touchPutsTheExpiryOff() {
        cache.set("a", 1, EntryOptions.none().expireAfter(Duration.ofHours(1)));
        assertTrue(cache.touch("a", Duration.ofHours(3)));
        Instant expiry = cache.entry("a", Integer.class).orElseThrow().expiry().orElseThrow();
        assertTrue(expiry.isAfter(Instant.now().plusSeconds(2 * 3600)));
        assertTrue(cache.touch("a", SHORT));
        Awaitility.await().until(() -> !cache.containsKey("a"));
    }

    @Test
    void incrKeepsExpiryAndTag() {
        cache.set("a", 1, EntryOptions.none().tag("t").expireAfter(Duration.ofHours(1)));
        cache.incr("a");
        Cache.Entry<Long> entry = cache.entry("a", Long.class).orElseThrow();
        assertEquals(Optional.of("t"), entry.tag());
        assertTrue(entry.expiry().isPresent());
    }

    @Test
    void aDurationThatIsZeroOrNegativeIsRefusedWithItsValue() {
        cache.set("a", 1);
        for (Duration wrong : List.of(Duration.ZERO, Duration.ofMillis(-1))) {
            String touch = assertThrows(IllegalArgumentException.class, () -> cache.touch("a", wrong))
                    .getMessage();
            assertTrue(touch.contains(wrong.toString()), touch);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> cache.set("a", 2, EntryOptions.none().expireAfter(wrong)));
        }
        assertEquals(1, cache.get("a", int.class));
    }

    @Test
    void aDurationLongerThanTheAgeOfTheUniverseIsForEver() {
        Duration ages = Duration.ofSeconds(Long.MAX_VALUE);
        cache.set("a", 1, EntryOptions.none().expireAfter(ages));
        assertTrue(cache.touch("a", ages));
        assertEquals(1, cache.get("a", int.class));
        assertTrue(cache.entry("a", Integer.class).orElseThrow().expiry().isPresent());
    }

    // Numbers

    @Test
    void incrAndDecrCount() {
        assertEquals(1, cache.incr("a"));
        assertEquals(11, cache.incr("a", 10));
        assertEquals(10, cache.decr("a"));
        assertEquals(10, cache.get("a", int.class));
        assertEquals(105, cache.incr("b", 5, 100));
        assertEquals(-1, cache.decr("c"));
    }

    @Test
    void incrOnAnythingButAnIntegerIsRefusedWithKeyAndStoredType() {
        Map<Object, String> stored = Map.of("text", "String", 0.5, "Double", new byte[] {1}, "byte[]");
        stored.forEach((value, type) -> {
            cache.set("a", value);
            String message =
                    assertThrows(CodecException.class, () -> cache.incr("a")).getMessage();
            assertTrue(message.contains("'a'") && message.contains(type), message);
        });
        cache.set("a", "x".repeat(BOUND));
        assertThrows(CodecException.class, () -> cache.incr("a"));
        assertEquals(BOUND, cache.get("a", String.class).length());
    }

    @Test
    void aSumBeyond64BitsStoresNothing() {
        cache.set("a", Long.MAX_VALUE);
        assertThrows(ArithmeticException.class, () -> cache.incr("a"));
        assertEquals(Long.MAX_VALUE, cache.get("a", long.class));
        assertThrows(ArithmeticException.class, () -> cache.incr("b", Long.MIN_VALUE, -1));
        assertFalse(cache.containsKey("b"));
    }

    // Large values

    @Test
    void theBoundBetweenRowAndFileCountsCharactersAndBytes() {
        cache.set("text", "x".repeat(BOUND - 1));
        cache.set("bytes", new byte[BOUND - 1]);
        cache.set("umlauts", "ü".repeat(BOUND - 1));
        cache.set("emojis", "\uD83D\uDE00".repeat(BOUND - 1));
        assertEquals(List.of(), valueFiles());
        cache.set("text", "x".repeat(BOUND));
        cache.set("bytes", new byte[BOUND]);
        cache.set("umlauts", "ü".repeat(BOUND));
        cache.set("emojis", "\uD83D\uDE00".repeat(BOUND));
        assertEquals(4, valueFiles().size());
        assertEquals("x".repeat(BOUND), cache.get("text", String.class));
        assertArrayEquals(new byte[BOUND], cache.get("bytes", byte[].class));
        assertEquals("ü".repeat(BOUND), cache.get("umlauts", String.class));
        assertEquals("\uD83D\uDE00".repeat(BOUND), cache.get("emojis", String.class));
    }

    @Test
    void aHugeValueComesBack() {
        byte[] huge = new byte[20_000_000];
        java.util.Arrays.fill(huge, (byte) 7);
        cache.set("a", huge);
        assertArrayEquals(huge, cache.get("a", byte[].class));
        cache.set("json", List.of("y".repeat(100_000)));
        assertEquals(List.of("y".repeat(100_000)), cache.get("json", new TypeToken<List<String>>() {}));
    }

    @Test
    void aLargeValueThatIsReplacedOrDeletedLeavesNoFileAndNoFolder() {
        cache.set("a", "x".repeat(BOUND));
        cache.set("a", "y".repeat(BOUND));
        assertEquals(1, valueFiles().size());
        cache.set("a", "small");
        assertEquals(List.of(), valueFiles());
        cache.set("a", new byte[BOUND]);
        assertTrue(cache.delete("a"));
        assertEquals(List.of(), valueFiles());
        assertEquals(0, valueFolders());
    }

    @Test
    void anAddThatComesTooLateLeavesNoFile() {
        cache.set("a", 1);
        assertFalse(cache.add("a", "x".repeat(BOUND)));
        assertEquals(List.of(), valueFiles());
        assertEquals(0, valueFolders());
    }

    // Transactions

    @Test
    void aTransactionReturnsItsResultAndSeesItsOwnWrites() {
        int result = cache.transact(() -> {
            cache.set("a", 1);
            assertEquals(1, cache.get("a", int.class));
            assertTrue(cache.containsKey("a"));
            assertEquals(2, cache.incr("a"));
            assertEquals(2, cache.entry("a", Integer.class).orElseThrow().value());
            return 42;
        });
        assertEquals(42, result);
        assertEquals(2, cache.get("a", int.class));
    }

    @Test
    void nobodyElseSeesATransactionBeforeItsEnd() throws Exception {
        var other = Executors.newSingleThreadExecutor();
        try {
            cache.transact(() -> {
                cache.set("a", 1);
                assertNull(other.submit(() -> cache.get("a")).get());
                return true;
            });
            assertEquals(1L, other.submit(() -> cache.get("a")).get());
        } finally {
            other.shutdownNow();
        }
    }

    @Test
    void anExceptionRollsBackAllOfATransaction() {
        cache.set("a", 1);
        IllegalStateException thrown = new IllegalStateException("no");
        Runnable body = () -> {
            cache.set("a", 2);
            cache.set("b", 2);
            cache.delete("a");
            throw thrown;
        };
        assertSame(thrown, assertThrows(IllegalStateException.class, () -> cache.transact(body)));
        assertEquals(1, cache.get("a", int.class));
        assertFalse(cache.containsKey("b"));
        cache.set("b", 3);
        assertEquals(3, cache.get("b", int.class));
    }

    @Test
    void anErrorRollsBackAllOfATransaction() {
        Runnable body = () -> {
            cache.set("a", 2);
            throw new StackOverflowError("no");
        };
        assertThrows(StackOverflowError.class, () -> cache.transact(body));
        assertFalse(cache.containsKey("a"));
    }

    @Test
    void aCheckedExceptionArrivesAsTheCause() {
        IOException thrown = new IOException("no");
        Callable<String> body = () -> {
            cache.set("a", 1);
            throw thrown;
        };
        assertSame(
                thrown,
                assertThrows(CacheException.class, () -> cache.transact(body)).getCause());
        assertFalse(cache.containsKey("a"));
    }

    @Test
    void anInterruptInsideATransactionRollsItBackAndSetsTheFlagAgain() {
        Callable<String> body = () -> {
            cache.set("a", 1);
            Thread.currentThread().interrupt();
            Thread.sleep(1000);
            return "not reached";
        };
        CacheException e = assertThrows(CacheException.class, () -> cache.transact(body));
        assertInstanceOf(InterruptedException.class, e.getCause());
        assertTrue(Thread.interrupted(), "the flag");
        assertFalse(cache.containsKey("a"));
    }

    @Test
    void aNestedTransactionIsAPartOfTheOuterOne() {
        Runnable body = () -> {
            cache.transact(() -> cache.set("a", 1));
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        assertFalse(cache.containsKey("a"));
        cache.transact(() -> {
            cache.set("a", 1);
            cache.transact(() -> cache.set("b", 1));
        });
        assertTrue(cache.containsKey("a") && cache.containsKey("b"));
    }

    @Test
    void anExceptionOfANestedTransactionDoomsTheOuterOneThatSwallowsIt() {
        IllegalStateException thrown = new IllegalStateException("no");
        Runnable inner = () -> {
            throw thrown;
        };
        Runnable body = () -> {
            cache.set("a", 1);
            assertThrows(IllegalStateException.class, () -> cache.transact(inner));
            cache.set("b", 1);
        };
        CacheException e = assertThrows(CacheException.class, () -> cache.transact(body));
        assertSame(thrown, e.getCause());
        assertFalse(cache.containsKey("a") || cache.containsKey("b"));
    }

    @Test
    void badInputInsideATransactionDoesNotDoomIt() {
        cache.transact(() -> {
            cache.set("text", "t");
            assertThrows(CodecException.class, () -> cache.incr("text"));
            assertThrows(IllegalArgumentException.class, () -> cache.get(true));
        });
        assertEquals("t", cache.get("text", String.class));
    }

    @Test
    void largeValuesOfARolledBackTransactionAreGoneAndTheOldOnesIntact() {
        String old = "o".repeat(BOUND);
        cache.set("a", old);
        cache.set("b", old);
        List<Path> before = valueFiles();
        Runnable body = () -> {
            cache.set("a", "n".repeat(BOUND));
            cache.set("a", "m".repeat(BOUND));
            cache.delete("b");
            assertTrue(cache.add("c", new byte[BOUND]));
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        assertEquals(before, valueFiles());
        assertEquals(old, cache.get("a", String.class));
        assertEquals(old, cache.get("b", String.class));
    }

    @Test
    void largeValuesThatATransactionReplacesGoAfterTheOutermostCommit() {
        String old = "o".repeat(BOUND);
        cache.set("a", old);
        List<Path> before = valueFiles();
        cache.transact(() -> {
            cache.transact(() -> cache.set("a", "n".repeat(BOUND)));
            assertTrue(valueFiles().containsAll(before), "the old file must stay until the commit");
            cache.set("a", "m".repeat(BOUND));
        });
        assertEquals(1, valueFiles().size());
        assertFalse(valueFiles().containsAll(before));
        assertEquals("m".repeat(BOUND), cache.get("a", String.class));
    }

    // Closing

    @Test
    void aSecondCloseIsHarmless() {
        cache.close();
        cache.close();
        try (Cache again = open(directory.resolve("cache"))) {
            assertFalse(again.containsKey("a"));
        }
    }

    @Test
    void whatWasStoredIsThereAfterReopening() {
        cache.set("a", "x".repeat(BOUND), EntryOptions.none().tag(7));
        cache.close();
        cache = open(directory.resolve("cache"));
        Cache.Entry<String> entry = cache.entry("a", String.class).orElseThrow();
        assertEquals("x".repeat(BOUND), entry.value());
        assertEquals(Optional.of(7L), entry.tag());
    }

    @Test
    void theInterruptFlagOutlivesEveryCall() {
        Thread.currentThread().interrupt();
        cache.set("a", "x".repeat(BOUND));
        assertEquals(BOUND, cache.get("a", String.class).length());
        cache.incr("b");
        cache.transact(() -> cache.delete("a"));
        assertTrue(Thread.interrupted(), "the flag");
        assertFalse(cache.containsKey("a"));
        assertEquals(1, cache.get("b", int.class));
    }

    @Test
    void lengthsOfUtf8DoNotMatterToInlineText() {
        String text = "\uD83D\uDE00".repeat(100);
        cache.set("a", text);
        assertEquals(400, cache.get("a", String.class).getBytes(StandardCharsets.UTF_8).length);
    }
}

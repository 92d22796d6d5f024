package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class MemoizerTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final List<Object> computed = new ArrayList<>();
    private Cache cache;

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private Memoizer memoizer(MemoizeOptions options) {
        return cache.memoize("f", options);
    }

    private long square(long number) {
        computed.add(number);
        return number * number;
    }

    @Test
    void aResultIsComputedOnceForAllObjectsAndCaches() {
        Function<Long, @Nullable Long> square = memoizer(MemoizeOptions.none()).wrap(Long.class, this::square);
        assertEquals(49, square.apply(7L));
        assertEquals(49, square.apply(7L));
        assertEquals(64, square.apply(8L));
        try (Cache second = Cache.open(directory.resolve("cache"))) {
            assertEquals(
                    49,
                    second.memoize("f", MemoizeOptions.none())
                            .wrap(Long.class, this::square)
                            .apply(7L));
        }
        assertEquals(List.of(7L, 8L), computed);
        assertEquals(49, cache.get("f:[7]", Long.class), "as cache.set stores it");
    }

    @Test
    void aNameStandsForOneFunction() {
        assertEquals(
                49,
                memoizer(MemoizeOptions.none()).wrap(Long.class, this::square).apply(7L));
        assertEquals(
                49,
                cache.memoize("g", MemoizeOptions.none())
                        .wrap(Long.class, this::square)
                        .apply(7L));
        assertEquals(2, computed.size());
        assertThrows(IllegalArgumentException.class, () -> cache.memoize("", MemoizeOptions.none()));
        assertThrows(NullPointerException.class, () -> cache.memoize("f", null));
    }

    @Test
    void theTypeOfAnArgumentIsPartOfTheKey() {
        Memoizer memoizer = memoizer(MemoizeOptions.none());
        assertEquals("f:[3]", memoizer.keyOf(3));
        assertEquals("f:[3.0]", memoizer.keyOf(3.0));
        assertEquals("f:[\"3\"]", memoizer.keyOf("3"));
        assertEquals("f:[]", memoizer.keyOf());
        assertEquals("f:[null]", memoizer.keyOf((Object) null));
        assertEquals("f:[[1,2],{\"a\":true}]", memoizer.keyOf(List.of(1, 2), Map.of("a", true)));
        assertNotEquals(memoizer.keyOf("a", "b"), memoizer.keyOf("b", "a"));
        assertNotEquals(memoizer.keyOf("a", "b"), memoizer.keyOf("a\",\"b"));
        assertThrows(CodecException.class, () -> memoizer.keyOf(new Object()));
    }

    @Test
    void mapsWithTheSameEntriesAreOneArgument() {
        Map<String, Integer> map = new LinkedHashMap<>();
        map.put("b", 1);
        map.put("a", 2);
        Map<String, Integer> other = new LinkedHashMap<>();
        other.put("a", 2);
        other.put("b", 1);
        Memoizer memoizer = memoizer(MemoizeOptions.none());
        assertEquals(memoizer.keyOf(map), memoizer.keyOf(other));
    }

    @Test
    void ignoredArgumentsAreNotPartOfTheKey() {
        Memoizer memoizer = memoizer(MemoizeOptions.none().ignore(1, 5));
        BiFunction<Long, Object, @Nullable Long> square = memoizer.wrap(Long.class, (number, logger) -> square(number));
        assertEquals(49, square.apply(7L, new Object()));
        assertEquals(49, square.apply(7L, new Object()));
        assertEquals(List.of(7L), computed);
        assertEquals("f:[7,null]", memoizer.keyOf(7L, this));
        assertThrows(IllegalArgumentException.class, () -> MemoizeOptions.none().ignore(-1));
    }

    @Test
    void aResultWithoutArgumentsIsRememberedToo() {
        Supplier<@Nullable List<String>> names = memoizer(MemoizeOptions.none())
                .wrap(new TypeToken<List<String>>() {}, () -> {
                    computed.add("names");
                    return List.of("a", "b");
                });
        assertEquals(List.of("a", "b"), names.get());
        assertEquals(List.of("a", "b"), names.get());
        assertEquals(1, computed.size());
    }

    @Test
    void nullIsComputedEachTimeUnlessItIsToBeRemembered() {
        Function<String, @Nullable String> lookup = memoizer(MemoizeOptions.none())
                .wrap(String.class, key -> {
                    computed.add(key);
                    return null;
                });
        assertNull(lookup.apply("a"));
        assertNull(lookup.apply("a"));
        assertEquals(2, computed.size());
        Function<String, @Nullable String> remembering = memoizer(
                        MemoizeOptions.none().cacheNulls())
                .wrap(String.class, key -> {
                    computed.add(key);
                    return null;
                });
        assertNull(remembering.apply("a"));
        assertNull(remembering.apply("a"));
        assertEquals(3, computed.size());
        assertTrue(cache.containsKey("f:[\"a\"]"));
        assertNull(cache.get("f:[\"a\"]", String.class));
    }

    @Test
    void onlyWantedResultsAreRemembered() {
        Function<Long, @Nullable Long> square = memoizer(MemoizeOptions.none().cacheIf(result -> (Long) result > 10))
                .wrap(Long.class, this::square);
        for (int i = 0; i < 2; i++) {
            assertEquals(4, square.apply(2L));
            assertEquals(16, square.apply(4L));
        }
        assertEquals(List.of(2L, 4L, 2L), computed);
    }

    @Test
    void resultsHaveAnExpiryAndATag() {
        MemoizeOptions options =
                MemoizeOptions.none().expireAfter(Duration.ofHours(1)).tag("squares");
        assertEquals(49, memoizer(options).wrap(Long.class, this::square).apply(7L));
        Cache.Entry<Long> entry = cache.entry("f:[7]", Long.class).orElseThrow();
        assertEquals(Optional.of("squares"), entry.tag());
        Instant expiry = entry.expiry().orElseThrow();
        assertTrue(expiry.isAfter(Instant.now().plus(Duration.ofMinutes(59))), expiry.toString());
        assertTrue(expiry.isBefore(Instant.now().plus(Duration.ofMinutes(61))), expiry.toString());
    }

    @Test
    void aForgottenResultIsComputedAgain() {
        Memoizer memoizer = memoizer(MemoizeOptions.none());
        Function<Long, @Nullable Long> square = memoizer.wrap(Long.class, this::square);
        assertEquals(49, square.apply(7L));
        assertTrue(memoizer.invalidate(7L));
        assertFalse(memoizer.invalidate(7L));
        assertEquals(49, square.apply(7L));
        assertEquals(2, computed.size());
    }

    @Test
    void anExceptionPassesThroughAndIsNotRemembered() {
        IllegalStateException failure = new IllegalStateException("broken");
        AtomicInteger calls = new AtomicInteger();
        Supplier<@Nullable String> failing = memoizer(MemoizeOptions.none()).wrap(String.class, () -> {
            calls.incrementAndGet();
            throw failure;
        });
        assertSame(failure, assertThrows(IllegalStateException.class, failing::get));
        assertThrows(IllegalStateException.class, failing::get);
        assertEquals(2, calls.get());
    }

    @Test
    void aCheckedExceptionArrivesAsACauseAndAnInterruptSetsTheFlag() {
        IOException failure = new IOException("broken");
        Supplier<@Nullable String> failing = memoizer(MemoizeOptions.none()).wrapCallable(String.class, () -> {
            throw failure;
        });
        assertSame(failure, assertThrows(CacheException.class, failing::get).getCause());
        assertFalse(Thread.interrupted());
        Supplier<@Nullable String> interrupted = memoizer(MemoizeOptions.none()).wrapCallable(String.class, () -> {
            throw new InterruptedException();
        });
        assertThrows(CacheException.class, interrupted::get);
        assertTrue(Thread.interrupted());
    }

    @Test
    void aResultOfATransactionThatIsRolledBackIsForgotten() {
        Function<Long, @Nullable Long> square = memoizer(MemoizeOptions.none()).wrap(Long.class, this::square);
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    assertEquals(49, square.apply(7L));
                    throw new IllegalStateException("roll back");
                }));
        assertEquals(49, square.apply(7L));
        assertEquals(2, computed.size());
    }
}

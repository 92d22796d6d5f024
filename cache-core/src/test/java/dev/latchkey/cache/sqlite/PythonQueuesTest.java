package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Queues that one language fills and the other empties, at both ends. */
class PythonQueuesTest extends PythonInterop {
    private static final long ORIGIN = 500_000_000_000_000L;

    private static Object key(@Nullable String prefix, long offset) {
        return prefix == null ? (Object) (ORIGIN + offset) : "%s-%015d".formatted(prefix, ORIGIN + offset);
    }

    /** Python's literal. */
    private static String literal(@Nullable String prefix) {
        return prefix == null ? "None" : "'" + prefix + "'";
    }

    private static List<Object> all(Cache cache, @Nullable String prefix, Side side) {
        return java.util.stream.Stream.generate(() -> cache.pull(prefix, side, Object.class))
                .takeWhile(Optional::isPresent)
                .map(item -> item.orElseThrow().value())
                .toList();
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"jobs", "", "a-b", "über", "50%"})
    void whatOneSidePushesTheOtherPullsInOrderFromBothEnds(@Nullable String prefix) {
        EntryOptions none = EntryOptions.none();
        try (Cache cache = Cache.open(path)) {
            assertEquals(key(prefix, 0), cache.push("java 0", prefix, Side.BACK, none));
            assertEquals(key(prefix, 1), cache.push("java 1", prefix, Side.BACK, none));
            python("p = " + literal(prefix) + """

                    key = lambda n: n + 500000000000000 if p is None else '%s-%015d' % (p, n + 500000000000000)
                    same(cache.push('python 2', prefix=p), key(2))
                    same(cache.push('python -1', prefix=p, side='front'), key(-1))
                    same(cache.peek(prefix=p), (key(-1), 'python -1'))
                    same(cache.peek(prefix=p, side='back'), (key(2), 'python 2'))
                    """);
            assertEquals(key(prefix, -2), cache.push("java -2", prefix, Side.FRONT, none));
            assertEquals(key(prefix, 3), cache.push("java 3", prefix, Side.BACK, none));
            assertEquals(
                    new Cache.Item<>(key(prefix, -2), "java -2", Optional.empty(), Optional.empty()),
                    cache.peek(prefix, Side.FRONT, String.class).orElseThrow());
            python("p = " + literal(prefix) + """

                    key = lambda n: n + 500000000000000 if p is None else '%s-%015d' % (p, n + 500000000000000)
                    same(cache.pull(prefix=p), (key(-2), 'java -2'))
                    same(cache.pull(prefix=p, side='back'), (key(3), 'java 3'))
                    """);
            assertEquals(
                    new Cache.Item<>(key(prefix, 2), "python 2", Optional.empty(), Optional.empty()),
                    cache.pull(prefix, Side.BACK, String.class).orElseThrow());
            assertEquals(List.of("python -1", "java 0", "java 1"), all(cache, prefix, Side.FRONT));
            python("same(cache.pull(prefix=" + literal(prefix) + "), (None, None))");
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void queuesWhosePrefixBeginsLikeAnothersAreKeptApart() {
        try (Cache cache = Cache.open(path)) {
            for (String prefix : Arrays.asList(null, "a", "a-", "ab", "")) {
                cache.push("java of " + prefix, prefix, Side.BACK, EntryOptions.none());
            }
            python("""
                    for p in [None, 'a', 'a-', 'ab', '']:
                        cache.push('python of %s' % ('null' if p is None else p), prefix=p)
                    """);
            for (String prefix : Arrays.asList("ab", "a-", "", "a", null)) {
                assertEquals(List.of("java of " + prefix, "python of " + prefix), all(cache, prefix, Side.FRONT));
            }
            assertEquals(0, cache.size());
        }
    }

    @Test
    void itemsOfAllKindsPassWithTagAndExpiry() {
        byte[] large = new byte[50_000];
        Arrays.fill(large, (byte) 7);
        EntryOptions options = EntryOptions.none().tag("t").expireAfter(Duration.ofHours(1));
        try (Cache cache = Cache.open(path)) {
            cache.push(large, "q", Side.BACK, options);
            cache.push("ü".repeat(40_000), "q", Side.BACK, EntryOptions.none());
            cache.push(new ByteArrayInputStream(large), "q", Side.BACK, options);
            cache.push(List.of(1, 2), "q", Side.BACK, EntryOptions.none().tag(7));
            cache.push(0.5, "q", Side.BACK, EntryOptions.none());
            python("""
                    def pull():
                        (key, value), expire, tag = cache.pull(prefix='q', expire_time=True, tag=True)
                        return value, expire and 3500 < expire - time.time() < 3601, tag
                    same(pull(), (b'\\7' * 50000, True, 't'))
                    same(pull(), ('ü' * 40000, None, None))
                    same(pull(), (b'\\7' * 50000, True, 't'))
                    same(pull(), ('[1,2]', None, 7))
                    same(pull(), (0.5, None, None))
                    cache.push(b'\\7' * 50000, prefix='q', tag='t', expire=3600)
                    cache.push('ü' * 40000, prefix='q', tag=b'x')
                    cache.push(io.BytesIO(b'\\7' * 50000), prefix='q', read=True)
                    cache.push(None, prefix='q')
                    """);
            Cache.Item<byte[]> first = cache.pull("q", Side.FRONT, byte[].class).orElseThrow();
            assertTrue(Arrays.equals(large, first.value()));
            assertEquals(Optional.of("t"), first.tag());
            assertTrue(first.expiry().isPresent());
            Cache.Item<String> second =
                    cache.pull("q", Side.FRONT, String.class).orElseThrow();
            assertEquals("ü".repeat(40_000), second.value());
            assertTrue(Arrays.equals(
                    large,
                    cache.pull("q", Side.FRONT, byte[].class).orElseThrow().value()));
            Cache.Item<String> none = cache.pull("q", Side.FRONT, String.class).orElseThrow();
            assertEquals(null, none.value());
            assertEquals(0, cache.size());
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void expiredItemsArePassedOverByBoth() {
        try (Cache cache = Cache.open(path)) {
            python("""
                    for side in ('front', 'back'):
                        cache.push('over', prefix='q', side=side, expire=0.001)
                        cache.push('x' * 40000, prefix='q', side=side, expire=0.001)
                    time.sleep(0.01)
                    """);
            assertEquals(Optional.empty(), cache.peek("q", Side.FRONT, Object.class));
            assertEquals(Optional.empty(), cache.pull("q", Side.BACK, Object.class));
            cache.push("java", "q", Side.BACK, EntryOptions.none());
            python("""
                    cache.push('over', prefix='q', expire=0.001)
                    cache.push('over', prefix='q', side='front', expire=0.001)
                    time.sleep(0.01)
                    """);
            assertEquals(
                    "java",
                    cache.peek("q", Side.BACK, String.class).orElseThrow().value());
            assertEquals(
                    "java",
                    cache.pull("q", Side.FRONT, String.class).orElseThrow().value());
            cache.push("java", "q", Side.FRONT, EntryOptions.none().expireAfter(Duration.ofMillis(1)));
            cache.push("last", "q", Side.BACK, EntryOptions.none());
            python("""
                    time.sleep(0.01)
                    same(cache.pull(prefix='q')[1], 'last')
                    same(cache.pull(prefix='q'), (None, None))
                    """);
            assertEquals(0, cache.size());
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void keysOfPythonInTheRangeOfAQueueAreNeitherPulledNorInTheWay() {
        pythonCreates("", """
                cache['q-5abc'] = 'foreign'
                cache['q-999'] = 'foreign'
                cache['q-5000000000000001'] = 'foreign'
                cache[500000000000000.5] = 'foreign'
                cache[42] = 'foreign'
                cache['500000000000003'] = 'foreign'
                cache[b'q-500000000000003'] = 'foreign'
                cache[('q-500000000000003',)] = 'foreign'
                """);
        try (Cache cache = Cache.open(path)) {
            assertEquals(key("q", 0), cache.push("item", "q", Side.BACK, EntryOptions.none()));
            assertEquals(key("q", -1), cache.push("item -1", "q", Side.FRONT, EntryOptions.none()));
            assertEquals(key(null, 0), cache.push("integer"));
            assertEquals(key(null, 1), cache.push("integer 1"));
            assertEquals(List.of("item -1", "item"), all(cache, "q", Side.FRONT));
            assertEquals(List.of("integer 1", "integer"), all(cache, null, Side.BACK));
            assertEquals(8, cache.size());
            assertCleanOnBothSides(cache);
        }
    }

    /** Python 5.4 removes the file of a large item when it peeks at it. */
    @Test
    void anItemWhoseFileAPeekOfPythonRemovedIsPassedOver() {
        try (Cache cache = Cache.open(path)) {
            cache.push(new byte[40_000], "q", Side.BACK, EntryOptions.none());
            cache.push("next", "q", Side.BACK, EntryOptions.none());
            boolean gone = python("""
                    same(cache.peek(prefix='q')[1], bytes(40000))
                    print(not [f for _, _, files in os.walk(sys.argv[1]) for f in files if f.endswith('.val')])
                    """).equals("True");
            if (gone) {
                assertEquals(
                        "next",
                        cache.peek("q", Side.FRONT, String.class).orElseThrow().value());
                assertEquals(
                        "next",
                        cache.pull("q", Side.FRONT, String.class).orElseThrow().value());
                cache.check(true);
            }
            assertCleanOnBothSides(cache);
        }
    }

    @Test
    void peekItemIsTheFirstOrLastInsertedForBoth() {
        try (Cache cache = Cache.open(path)) {
            cache.set("first", "f".repeat(40_000), EntryOptions.none().tag("t"));
            cache.set("gone", 1, EntryOptions.none().expireAfter(Duration.ofMillis(1)));
            python("""
                    cache[b'last'] = 2.5
                    cache['first'] = 'again' * 10000
                    cache.set('over', 1, expire=0.001)
                    time.sleep(0.01)
                    same(cache.peekitem(), (b'last', 2.5))
                    same(cache.peekitem(last=False), ('first', 'again' * 10000))
                    """);
            Cache.Item<String> first = cache.peekItem(Side.FRONT, String.class).orElseThrow();
            assertEquals("first", first.key());
            assertEquals("again".repeat(10_000), first.value());
            Cache.Item<Double> last = cache.peekItem(Side.BACK, Double.class).orElseThrow();
            assertTrue(Arrays.equals("last".getBytes(java.nio.charset.StandardCharsets.UTF_8), (byte[]) last.key()));
            assertEquals(2.5, last.value());
            cache.clear();
            assertEquals(Optional.empty(), cache.peekItem(Side.FRONT, Object.class));
        }
    }
}

package dev.latchkey.cache;

import com.google.common.collect.testing.ConcurrentMapTestSuiteBuilder;
import com.google.common.collect.testing.TestStringMapGenerator;
import com.google.common.collect.testing.features.CollectionFeature;
import com.google.common.collect.testing.features.CollectionSize;
import com.google.common.collect.testing.features.MapFeature;
import dev.latchkey.testing.OldSuites;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/**
 * What Guava expects of every {@link java.util.concurrent.ConcurrentMap}, and of its three views.
 *
 * <p>Features that are off: {@code ALLOWS_NULL_KEYS}, {@code ALLOWS_NULL_VALUES} and the queries for them, as for
 * {@link java.util.concurrent.ConcurrentHashMap}; {@code FAILS_FAST_ON_CONCURRENT_MODIFICATION}, since iterators are weakly consistent;
 * {@code SERIALIZABLE}, since an index is a view of a directory; {@code REJECTS_DUPLICATES_AT_CREATION}, since the last value wins.
 */
class IndexSuiteTest {
    /** More than one test has in use at a time. */
    private static final int POOL = 4;

    private static final java.util.Deque<Cache> CACHES = new ArrayDeque<>();

    @BeforeAll
    static void open() {
        Stream.generate(Cache::temporary).limit(POOL).forEach(CACHES::add);
    }

    @AfterAll
    static void close() {
        CACHES.forEach(Cache::close);
        CACHES.clear();
    }

    private static Index<String, String> empty() {
        Cache cache = CACHES.remove();
        CACHES.add(cache);
        cache.clear();
        return new Index<>(cache, String.class, String.class);
    }

    @TestFactory
    DynamicNode anIndexIsAConcurrentMapInTheOrderOfInsertion() {
        TestStringMapGenerator generator = new TestStringMapGenerator() {
            @Override
            protected Map<String, String> create(Map.Entry<String, String>[] entries) {
                Index<String, String> index = empty();
                for (Map.Entry<String, String> entry : entries) {
                    index.put(entry.getKey(), entry.getValue());
                }
                return index;
            }
        };
        return OldSuites.node(ConcurrentMapTestSuiteBuilder.using(generator)
                .named("Index")
                .withFeatures(
                        MapFeature.GENERAL_PURPOSE,
                        CollectionFeature.SUPPORTS_ITERATOR_REMOVE,
                        CollectionFeature.KNOWN_ORDER,
                        CollectionSize.ANY)
                .createTestSuite());
    }
}

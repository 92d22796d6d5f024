package dev.latchkey.cache;

import com.google.common.collect.testing.CollectionTestSuiteBuilder;
import com.google.common.collect.testing.QueueTestSuiteBuilder;
import com.google.common.collect.testing.TestStringCollectionGenerator;
import com.google.common.collect.testing.TestStringQueueGenerator;
import com.google.common.collect.testing.features.CollectionFeature;
import com.google.common.collect.testing.features.CollectionSize;
import com.google.common.collect.testing.features.Feature;
import dev.latchkey.testing.OldSuites;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/**
 * What Guava expects of every queue, as it does of {@link java.util.concurrent.LinkedBlockingDeque}, for which it switches the same features on.
 *
 * <p>Features that are off: {@code ALLOWS_NULL_VALUES}, since null means that there is nothing; {@code FAILS_FAST_ON_CONCURRENT_MODIFICATION},
 * since iterators are weakly consistent; {@code SERIALIZABLE}, since a deque is a view of a directory; {@code REJECTS_DUPLICATES_AT_CREATION} and
 * {@code NON_STANDARD_TOSTRING}, which would say that there is something unusual.
 */
class DequeSuiteTest {
    private static final Feature<?>[] FEATURES = {
        CollectionFeature.GENERAL_PURPOSE,
        CollectionFeature.ALLOWS_NULL_QUERIES,
        CollectionFeature.KNOWN_ORDER,
        CollectionSize.ANY
    };

    private static Cache cache;
    private static int count;

    @BeforeAll
    static void open() {
        cache = Cache.temporary();
    }

    @AfterAll
    static void close() {
        cache.close();
    }

    private static Deque<String> filled(Deque<String> deque, String[] elements) {
        deque.addAll(List.of(elements));
        return deque;
    }

    private static DynamicNode queue(String name, Supplier<Deque<String>> empty) {
        TestStringQueueGenerator generator = new TestStringQueueGenerator() {
            @Override
            public Queue<String> create(String[] elements) {
                return filled(empty.get(), elements);
            }
        };
        return OldSuites.node(QueueTestSuiteBuilder.using(generator)
                .named(name)
                .withFeatures(FEATURES)
                .createTestSuite());
    }

    @TestFactory
    DynamicNode aDequeIsAQueue() {
        return queue("Deque", () -> new Deque<>(cache, "deque " + count++, String.class));
    }

    @TestFactory
    DynamicNode aDequeWithACapacityThatIsNotReachedIsAQueue() {
        return queue("Deque with a capacity", () -> Deque.builder(cache, "bounded " + count++, String.class)
                .capacity(1_000)
                .build());
    }

    @TestFactory
    DynamicNode whatACollectionContractAsksAlsoHoldsForADequeThatHasRotated() {
        TestStringCollectionGenerator generator = new TestStringCollectionGenerator() {
            @Override
            public Collection<String> create(String[] elements) {
                Deque<String> deque = new Deque<>(cache, "rotated " + count++, String.class);
                deque.extend(List.of("to be dropped", "too"));
                deque.rotate(1);
                deque.clear();
                filled(deque, elements).reverse();
                deque.rotate(3);
                deque.rotate(-3);
                deque.reverse();
                return deque;
            }
        };
        return OldSuites.node(CollectionTestSuiteBuilder.using(generator)
                .named("rotated Deque")
                .withFeatures(FEATURES)
                .createTestSuite());
    }
}

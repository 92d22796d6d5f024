package dev.latchkey.coordination.resilience4j;

import dev.latchkey.coordination.MemoizeStampede;
import io.github.resilience4j.cache.Cache;
import io.github.resilience4j.cache.event.CacheEvent;
import io.github.resilience4j.cache.event.CacheOnErrorEvent;
import io.github.resilience4j.cache.event.CacheOnHitEvent;
import io.github.resilience4j.cache.event.CacheOnMissEvent;
import io.github.resilience4j.core.EventConsumer;
import io.github.resilience4j.core.EventProcessor;
import io.github.resilience4j.core.functions.CheckedSupplier;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A cache of Resilience4j that remembers results for all processes which open one directory, and has each computed by one caller of all
 * of them: a {@link MemoizeStampede}.
 *
 * <pre>{@code
 * MemoizeStampede pages = MemoizeStampede.builder(cache, "page").expireAfter(Duration.ofMinutes(10)).build();
 * Cache<String, Page> cached = StampedeCache.of(pages, Page.class);
 * Function<String, Page> page = Cache.decorateSupplier(cached, this::render);
 * }</pre>
 *
 * <p><b>Scope.</b> The name is that of the memoized function, and results are what it remembers. Hits, misses and events are those of this object.
 * A call that had its result without calling its supplier is a hit, also if it waited for another that computed it.
 *
 * <p><b>Blocking, crashes, transactions and thread safety</b> are those of {@link MemoizeStampede}; if the process that computes dies, a
 * waiter computes instead.
 *
 * <p><b>Errors.</b> What a supplier throws comes to the caller, a checked exception as the cause of a {@link dev.latchkey.cache.CacheException}, and
 * to the consumers of errors. It is called once.
 *
 * <p><b>Source.</b> Resilience4j's {@code CacheImpl} over a JCache, which calls a supplier that fails twice.
 *
 * @param <K> keys, which are written as JSON
 * @param <V> results
 */
public final class StampedeCache<K, V> implements Cache<K, V> {
    private final MemoizeStampede memoize;
    private final Class<V> type;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final Events events = new Events();

    private StampedeCache(MemoizeStampede memoize, Class<V> type) {
        this.memoize = Objects.requireNonNull(memoize, "memoize");
        this.type = Objects.requireNonNull(type, "type");
    }

    /**
     * The cache of a memoized function.
     *
     * @param <K> keys, which are written as JSON
     * @param <V> results
     * @param memoize what remembers
     * @param type the class of results
     * @return the cache
     */
    public static <K, V> StampedeCache<K, V> of(MemoizeStampede memoize, Class<V> type) {
        return new StampedeCache<>(memoize, type);
    }

    /** A supplier that knows whether a thread has called it. */
    private static final class Watched<V> {
        private final CheckedSupplier<V> supplier;
        private final Thread caller = Thread.currentThread();
        private boolean called;

        Watched(CheckedSupplier<V> supplier) {
            this.supplier = supplier;
        }

        V get() {
            called |= Thread.currentThread() == caller; // else it is computed anew in the background
            return supplier.unchecked().get();
        }
    }

    @Override
    public @Nullable V computeIfAbsent(K key, CheckedSupplier<V> supplier) {
        Watched<V> watched = new Watched<>(supplier);
        try {
            return memoize.<K, V>wrap(type, sameKey -> watched.get()).apply(key);
        } catch (RuntimeException | Error e) {
            publish(() -> new CacheOnErrorEvent(getName(), e));
            throw e;
        } finally {
            count(key, watched.called);
        }
    }

    private void count(K key, boolean computed) {
        if (computed) {
            misses.increment();
            publish(() -> new CacheOnMissEvent<>(getName(), key));
        } else {
            hits.increment();
            publish(() -> new CacheOnHitEvent<>(getName(), key));
        }
    }

    private void publish(Supplier<CacheEvent> event) {
        if (events.hasConsumers()) {
            events.processEvent(event.get());
        }
    }

    @Override
    public String getName() {
        return memoize.name();
    }

    @Override
    public Metrics getMetrics() {
        return new Metrics() {
            @Override
            public long getNumberOfCacheHits() {
                return hits.sum();
            }

            @Override
            public long getNumberOfCacheMisses() {
                return misses.sum();
            }
        };
    }

    @Override
    public EventPublisher getEventPublisher() {
        return events;
    }

    @Override
    public String toString() {
        return "StampedeCache[" + getName() + "]";
    }

    @SuppressWarnings("rawtypes") // as the interface has them
    private static final class Events extends EventProcessor<CacheEvent> implements EventPublisher {
        @Override
        public EventPublisher onCacheHit(EventConsumer<CacheOnHitEvent> eventConsumer) {
            registerConsumer(CacheOnHitEvent.class.getName(), eventConsumer);
            return this;
        }

        @Override
        public EventPublisher onCacheMiss(EventConsumer<CacheOnMissEvent> eventConsumer) {
            registerConsumer(CacheOnMissEvent.class.getName(), eventConsumer);
            return this;
        }

        @Override
        public EventPublisher onError(EventConsumer<CacheOnErrorEvent> eventConsumer) {
            registerConsumer(CacheOnErrorEvent.class.getName(), eventConsumer);
            return this;
        }
    }
}

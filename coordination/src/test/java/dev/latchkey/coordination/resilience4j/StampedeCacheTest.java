package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.latchkey.cache.CacheException;
import dev.latchkey.coordination.CacheFixture;
import dev.latchkey.coordination.MemoizeStampede;
import io.github.resilience4j.cache.Cache;
import io.github.resilience4j.cache.event.CacheEvent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

final class StampedeCacheTest extends CacheFixture {
    private final AtomicInteger calls = new AtomicInteger();

    private StampedeCache<String, String> pages() {
        return StampedeCache.of(MemoizeStampede.builder(cache, "page").build(), String.class);
    }

    @Test
    void aResultIsComputedOnceForAllObjects() throws Throwable {
        StampedeCache<String, String> first = pages();
        Function<String, String> page = Cache.decorateSupplier(first, () -> "page " + calls.incrementAndGet());
        assertEquals("page 1", page.apply("/"));
        assertEquals("page 1", page.apply("/"));
        assertEquals("page 2", page.apply("/other"));
        StampedeCache<String, String> second = pages();
        assertEquals("page 1", Cache.decorateCallable(second, () -> "never").apply("/"));
        assertEquals(1, first.getMetrics().getNumberOfCacheHits());
        assertEquals(2, first.getMetrics().getNumberOfCacheMisses());
        assertEquals(1, second.getMetrics().getNumberOfCacheHits());
        assertEquals(0, second.getMetrics().getNumberOfCacheMisses());
        assertEquals("page", first.getName());
    }

    @Test
    void whoeverComesMeanwhileWaitsForTheOneThatComputes() throws Exception {
        StampedeCache<String, String> pages = pages();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Future<String>> results = new ArrayList<>();
        results.add(threads.submit(() -> pages.computeIfAbsent("/", () -> {
            begun.countDown();
            go.await();
            return "page " + calls.incrementAndGet();
        })));
        begun.await();
        for (int i = 0; i < 4; i++) {
            results.add(threads.submit(() -> pages.computeIfAbsent("/", () -> "page " + calls.incrementAndGet())));
        }
        go.countDown();
        for (Future<String> result : results) {
            assertEquals("page 1", get(result));
        }
        assertEquals(1, calls.get());
        assertEquals(1, pages.getMetrics().getNumberOfCacheMisses());
        assertEquals(4, pages.getMetrics().getNumberOfCacheHits());
    }

    @Test
    void aFailureComesToTheCallerAndIsNotTriedTwice() {
        StampedeCache<String, String> pages = pages();
        IllegalStateException failure = new IllegalStateException("failed");
        assertSame(
                failure,
                assertThrows(
                        IllegalStateException.class,
                        () -> pages.computeIfAbsent("/", () -> {
                            calls.incrementAndGet();
                            throw failure;
                        })));
        IOException checked = new IOException("failed");
        assertSame(
                checked,
                assertThrows(
                                CacheException.class,
                                () -> pages.computeIfAbsent("/", () -> {
                                    calls.incrementAndGet();
                                    throw checked;
                                }))
                        .getCause());
        assertEquals(2, calls.get());
        assertEquals("page", pages.computeIfAbsent("/", () -> "page"));
    }

    @Test
    void itTellsOfHitsMissesAndErrors() {
        StampedeCache<String, String> pages = pages();
        List<CacheEvent.Type> events = new CopyOnWriteArrayList<>();
        List<CacheEvent.Type> one = new CopyOnWriteArrayList<>();
        pages.getEventPublisher().onEvent(event -> events.add(event.getEventType()));
        pages.getEventPublisher()
                .onCacheHit(event -> one.add(event.getEventType()))
                .onCacheMiss(event -> one.add(event.getEventType()))
                .onError(event -> one.add(event.getEventType()));
        pages.computeIfAbsent("/", () -> "page");
        pages.computeIfAbsent("/", () -> "page");
        assertThrows(
                IllegalStateException.class,
                () -> pages.computeIfAbsent("/other", () -> {
                    throw new IllegalStateException("failed");
                }));
        assertEquals(
                List.of(
                        CacheEvent.Type.CACHE_MISS,
                        CacheEvent.Type.CACHE_HIT,
                        CacheEvent.Type.ERROR,
                        CacheEvent.Type.CACHE_MISS),
                events);
        assertEquals(events, one);
    }
}

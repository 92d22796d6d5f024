package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Whom every {@link Cache} tells what, and when. */
abstract class ListenerContract extends CacheFixture {
    private final Recorder told = new Recorder();

    /** Writes down what it is told. */
    private static final class Recorder implements CacheListener {
        final Queue<String> events = new ConcurrentLinkedQueue<>();

        @Override
        public void hit(Object key) {
            events.add("hit " + key);
        }

        @Override
        public void miss(Object key) {
            events.add("miss " + key);
        }

        @Override
        public void store(Object key) {
            events.add("store " + key);
        }

        @Override
        public void delete(Object key) {
            events.add("delete " + key);
        }

        @Override
        public void expire(Object key) {
            events.add("expire " + key);
        }

        @Override
        public void evict(Object key) {
            events.add("evict " + key);
        }

        @Override
        public void oversize(Object key, long bytes) {
            events.add("oversize " + key + " " + bytes);
        }

        @Override
        public void busy(Duration waited) {
            events.add("busy " + waited.toMillis());
        }

        @Override
        public void repaired(CheckReport.Finding finding) {
            events.add("repaired " + finding.kind() + " " + finding.repaired());
        }

        /** What it was told since it was last asked. */
        List<String> take() {
            List<String> all = List.copyOf(events);
            all.forEach(events::remove);
            return all;
        }
    }

    private void listen() {
        cache.addListener(told);
    }

    @Test
    void readsAreHitsAndMisses() throws IOException {
        cache.set("a", "text");
        cache.set(7, 1);
        listen();
        cache.get("a");
        cache.get("b", String.class);
        cache.entry(7, int.class);
        assertEquals(List.of("hit a", "miss b", "hit 7"), told.take());
        cache.getAll(List.of("a", "c"), String.class);
        assertEquals(Set.of("hit a", "miss c"), Set.copyOf(told.take()));
        try (var in = cache.read("a")) {
            assertTrue(in != null);
        }
        assertNull(cache.read("d"));
        cache.containsKey("a");
        assertEquals(List.of("hit a", "miss d"), told.take());
    }

    @Test
    void allThatStoresAndRemovesIsTold() {
        listen();
        cache.set("a", 1);
        cache.set("a", new byte[40_000]);
        assertTrue(cache.add("b", 1, EntryOptions.none().tag("t")));
        cache.add("b", 2);
        cache.incr("n");
        cache.incr("n");
        cache.incr("r", 0.5);
        cache.setAll(Map.of("m", 1));
        cache.write("w", new ByteArrayInputStream(new byte[10]));
        assertEquals(
                List.of("store a", "store a", "store b", "store n", "store n", "store r", "store m", "store w"),
                told.take());
        Object key = cache.push("x", "q", Side.BACK, EntryOptions.none());
        assertEquals(List.of("store " + key), told.take());
        cache.pull("q", Side.FRONT, String.class);
        assertEquals(List.of("delete " + key), told.take());
        cache.delete("a");
        cache.delete("absent");
        cache.pop("m", int.class);
        cache.evict("t");
        assertEquals(List.of("delete a", "delete m", "delete b"), told.take());
        cache.clear();
        assertEquals(
                List.of("delete n", "delete r", "delete w"),
                told.take().stream().sorted().toList());
    }

    @Test
    void whatHasExpiredIsToldAsExpiredWhoeverRemovesIt() {
        create(options -> options.reaper(false).cullLimit(0));
        for (String key : List.of("a", "b", "c", "d")) {
            cache.set(key, 1, BRIEFLY);
        }
        Awaitility.await().until(() -> !cache.containsKey("d"));
        listen();
        cache.delete("a");
        cache.set("b", 2);
        assertEquals(List.of("expire a", "store b", "expire b"), told.take());
        cache.expire();
        assertEquals(
                List.of("expire c", "expire d"), told.take().stream().sorted().toList());
    }

    @Test
    void theReaperTellsToo() {
        listen();
        cache.set("a", 1, BRIEFLY);
        Awaitility.await().untilAsserted(() -> assertTrue(told.events.contains("expire a")));
    }

    @Test
    void evictionAndRefusalAreTold() {
        create(options -> options.sizeLimit(1 << 20).reaper(false));
        listen();
        for (int i = 0; i < 20; i++) {
            cache.set("k" + i, new byte[100_000]);
        }
        cache.cull();
        List<String> evicted = told.take().stream()
                .filter(event -> event.startsWith("evict k"))
                .toList();
        assertTrue(evicted.size() > 5 && !evicted.contains("evict k19"), evicted::toString);
        assertEquals(20, cache.size() + evicted.size());
        assertThrows(EntryTooLargeException.class, () -> cache.set("large", new byte[2 << 20]));
        assertThrows(
                EntryTooLargeException.class, () -> cache.write("stream", new ByteArrayInputStream(new byte[2 << 20])));
        assertEquals(
                List.of("oversize large " + (2 << 20), "oversize stream " + ((1 << 20) + 1)),
                told.take().stream()
                        .filter(event -> event.startsWith("oversize"))
                        .toList());
    }

    @Test
    void aTransactionIsToldAtItsEndAndNotIfItIsRolledBack() {
        cache.set("a", 1);
        listen();
        cache.transact(() -> {
            cache.get("a");
            cache.set("b", 1);
            cache.delete("a");
            assertEquals(List.of(), told.take());
        });
        assertEquals(Set.of("hit a", "store b", "delete a"), Set.copyOf(told.take()));
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    cache.set("c", 1);
                    throw new IllegalStateException("undo");
                }));
        assertEquals(List.of(), told.take());
    }

    @Test
    void whatATransactionRunsIntoIsToldAtItsEndEvenIfItIsRolledBack() throws Exception {
        create(options -> options.sizeLimit(1 << 20).timeout(Duration.ofMillis(30)));
        cache.set("damaged", new byte[40_000]);
        for (var file : valueFiles()) {
            Files.delete(file);
        }
        cache.push(new byte[40_000], "q", Side.BACK, EntryOptions.none());
        for (var file : valueFiles()) {
            Files.delete(file);
        }
        try (Cache other = builder(directory.resolve("other"))
                        .timeout(Duration.ofMillis(30))
                        .open();
                Holder holder = new Holder(open(other.directory()))) {
            listen();
            other.addListener(told);
            Runnable body = () -> {
                assertThrows(EntryTooLargeException.class, () -> cache.set("large", new byte[2 << 20]));
                assertNull(cache.get("damaged"));
                assertThrows(CacheTimeoutException.class, () -> other.set("a", 1));
                assertTrue(cache.pull("q", Side.FRONT, byte[].class).isEmpty());
                assertEquals(List.of(), told.take());
            };
            assertThrows(
                    IllegalStateException.class,
                    () -> cache.transact((Runnable) () -> {
                        body.run();
                        throw new IllegalStateException("undo");
                    }));
            List<String> anyway = List.of("oversize large " + (2 << 20), "repaired FILE_MISSING false", "busy 30");
            assertEquals(anyway, told.take());
            cache.transact(body);
            List<String> committed = told.take();
            assertTrue(committed.containsAll(anyway), committed::toString);
            assertTrue(committed.contains("repaired FILE_MISSING true"), committed::toString);
        }
    }

    @Test
    void whoeverIsToldHoldsNobodyUp() {
        List<String> keys = List.of("a", "b", "c", "d", "e", "f", "g", "h");
        cache.addListener(new CacheListener() {
            @Override
            public void store(Object key) {
                if (keys.contains(key)) {
                    keys.forEach(other -> cache.async()
                            .incr("seen " + other)
                            .orTimeout(20, TimeUnit.SECONDS)
                            .join());
                }
            }
        });
        cache.transact(() -> keys.forEach(key -> cache.set(key, 1)));
        keys.forEach(key -> assertEquals(keys.size(), cache.get("seen " + key, int.class)));
    }

    @Test
    void aCloseThatIsRefusedLeavesWhoeverListens() {
        listen();
        cache.transact(() -> {
            assertThrows(IllegalStateException.class, () -> cache.close());
            cache.set("a", 1);
        });
        assertEquals(List.of("store a"), told.take());
        cache.async().set("b", 1).join();
        assertEquals(List.of("store b"), told.take());
    }

    /** A thread that has the write lock of a patient cache, both until it is closed. */
    private static final class Holder implements AutoCloseable {
        private final CompletableFuture<Boolean> begun = new CompletableFuture<>();
        private final CountDownLatch end = new CountDownLatch(1);
        private final Cache cache;
        private final Thread thread = new Thread(this::hold);

        Holder(Cache cache) {
            this.cache = cache;
            thread.start();
            assertTrue(begun.orTimeout(60, TimeUnit.SECONDS).join());
        }

        private void hold() {
            try {
                cache.transact(() -> {
                    begun.complete(true);
                    end.await();
                    return null;
                });
            } catch (RuntimeException | Error e) {
                begun.completeExceptionally(e);
                throw e;
            }
        }

        @Override
        public void close() throws InterruptedException {
            end.countDown();
            thread.join();
            cache.close();
        }
    }

    @Test
    void aCallThatGivesUpIsBusy() throws InterruptedException {
        create(options -> options.timeout(Duration.ofMillis(30)));
        listen();
        try (Holder holder = new Holder(open(cache.directory()))) {
            assertThrows(CacheTimeoutException.class, () -> cache.set("a", 1));
            assertThrows(CacheTimeoutException.class, () -> cache.delete("a"));
            assertThrows(CacheTimeoutException.class, () -> cache.transact(() -> cache.set("a", 1)));
            assertThrows(CacheTimeoutException.class, () -> cache.alter(Setting.CULL_LIMIT, 5));
        }
        assertEquals(List.of("busy 30", "busy 30", "busy 30", "busy 30"), told.take());
    }

    @Test
    void damageIsTold() throws IOException {
        cache.set("a", new byte[40_000]);
        cache.push(new byte[40_000], "q", Side.BACK, EntryOptions.none());
        for (var file : valueFiles()) {
            Files.delete(file);
        }
        listen();
        assertNull(cache.get("a"));
        assertEquals(List.of("repaired FILE_MISSING false", "miss a"), told.take());
        assertTrue(cache.pull("q", Side.FRONT, byte[].class).isEmpty());
        assertTrue(told.take().contains("repaired FILE_MISSING true"));
        cache.check(false);
        assertEquals(List.of(), told.take());
        cache.check(true);
        assertTrue(told.take().contains("repaired FILE_MISSING true"));
    }

    @Test
    void allCachesOfTheProcessOnTheDirectoryTellUntilTheListenerOrItsCacheGoes() {
        listen();
        try (Cache other = open(cache.directory())) {
            other.set("a", 1);
            assertEquals(List.of("store a"), told.take());
            Recorder second = new Recorder();
            other.addListener(second);
            cache.removeListener(second); // not added there
            cache.set("b", 1);
            assertEquals(List.of("store b"), second.take());
            other.close();
            cache.set("c", 1);
            assertEquals(List.of(), second.take());
        }
        assertEquals(List.of("store b", "store c"), told.take());
        cache.removeListener(told);
        cache.removeListener(told);
        cache.set("d", 1);
        assertEquals(List.of(), told.take());
        assertThrows(NullPointerException.class, () -> cache.addListener(null));
        assertThrows(NullPointerException.class, () -> cache.removeListener(null));
    }

    @Test
    void aListenerThatThrowsHarmsNobodyAndOneMayUseTheCache() {
        Queue<Throwable> uncaught = new ConcurrentLinkedQueue<>();
        Thread.UncaughtExceptionHandler before = Thread.currentThread().getUncaughtExceptionHandler();
        Thread.currentThread().setUncaughtExceptionHandler((thread, t) -> uncaught.add(t));
        try {
            cache.addListener(new CacheListener() {
                @Override
                public void store(Object key) {
                    throw new IllegalStateException("listener");
                }
            });
            cache.addListener(new CacheListener() {
                @Override
                public void delete(Object key) {
                    cache.incr("deleted");
                }
            });
            listen();
            cache.set("a", new byte[40_000]);
            cache.transact(() -> cache.set("a", 1));
            cache.delete("a");
        } finally {
            Thread.currentThread().setUncaughtExceptionHandler(before);
        }
        assertEquals(List.of("store a", "store a", "store deleted", "delete a"), told.take());
        assertEquals(3, uncaught.size());
        assertEquals(1, cache.get("deleted", int.class));
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void whatIsAddedToADequeOrTakenIsTold() {
        Deque<String> deque = new Deque<>(cache, "d", String.class);
        listen();
        deque.addAll(List.of("a", "b", "c"));
        assertEquals("a", deque.poll());
        deque.clear();
        List<String> events = told.take();
        assertEquals(
                3, events.stream().filter(event -> event.startsWith("store d-")).count(), events::toString);
        assertEquals(
                3,
                events.stream().filter(event -> event.startsWith("delete d-")).count(),
                events::toString);
    }
}

package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Ticker;
import dev.latchkey.cache.spi.EntryStore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Which sets are stored together. The tasks of the executor are run when the test says so. */
class PendingSetsTest {
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<List<Object>> batches = new ArrayList<>();
    /** How many tasks had been asked for and not begun when the first of each batch had been taken. */
    private final List<Integer> calledMeanwhile = new ArrayList<>();

    private final Map<Object, Throwable> failures = new HashMap<>();
    private final IllegalStateException closed = new IllegalStateException("closed");

    /** Moves on by so much with every look at it. */
    private static Ticker ticker(long nanosPerRead) {
        return new Ticker() {
            private long now;

            @Override
            public long read() {
                now += nanosPerRead;
                return now;
            }
        };
    }

    private PendingSets sets(EntryStore store, Executor executor, long nanosPerRead) {
        return new PendingSets(store, executor, () -> closed, ticker(nanosPerRead));
    }

    private PendingSets sets(long nanosPerRead) {
        return sets(this::store, tasks::add, nanosPerRead);
    }

    private List<Optional<Throwable>> store(Iterator<EntryStore.Put> puts) {
        List<Object> keys = new ArrayList<>();
        while (puts.hasNext()) {
            keys.add(puts.next().key());
            if (keys.size() == 1) {
                batches.add(keys);
                calledMeanwhile.add(tasks.size());
            }
        }
        return keys.stream().map(key -> Optional.ofNullable(failures.get(key))).toList();
    }

    private static CompletableFuture<Void> add(PendingSets sets, Object key) {
        return sets.add(new EntryStore.Put(key, "value", EntryOptions.none()));
    }

    private static List<CompletableFuture<Void>> addAll(PendingSets sets, int count) {
        List<CompletableFuture<Void>> futures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            futures.add(add(sets, i));
        }
        return futures;
    }

    private void run() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    private List<Integer> batchSizes() {
        return batches.stream().map(List::size).toList();
    }

    private void assertAllStoredInOrder(List<CompletableFuture<Void>> futures) {
        List<Object> expected = new ArrayList<>();
        for (int i = 0; i < futures.size(); i++) {
            assertTrue(futures.get(i).isDone());
            assertNull(futures.get(i).join());
            expected.add(i);
        }
        assertEquals(expected, batches.stream().flatMap(List::stream).toList());
    }

    @Test
    void setsThatWaitGoTogetherAsManyAsMay() {
        List<CompletableFuture<Void>> futures = addAll(sets(0), 200);
        assertEquals(1, tasks.size(), "one thread is called for all of them");
        run();
        assertEquals(List.of(64, 64, 64, 8), batchSizes());
        assertEquals(List.of(1, 0, 0, 0), calledMeanwhile, "as long as nothing is known they may be slow");
        assertAllStoredInOrder(futures);
    }

    @Test
    void setsThatTakeLongToEncodeWaitForFewOthersAndSeveralThreadsAreAtIt() {
        List<CompletableFuture<Void>> futures = addAll(sets(300_000), 200);
        run();
        List<Integer> expected = new ArrayList<>(Collections.nCopies(66, 3));
        expected.add(2);
        assertEquals(expected, batchSizes());
        assertEquals(Collections.nCopies(67, 1), calledMeanwhile);
        assertAllStoredInOrder(futures);
    }

    @Test
    void aThreadIsCalledAgainForWhatComesWhenAllWasTaken() {
        PendingSets sets = sets(0);
        for (int i = 1; i <= 3; i++) {
            CompletableFuture<Void> future = add(sets, i);
            assertEquals(1, tasks.size());
            assertFalse(future.isDone());
            run();
            assertTrue(future.isDone());
        }
        assertEquals(List.of(1, 1, 1), batchSizes());
    }

    @Test
    void whatWasCancelledInTimeIsNotStored() {
        PendingSets sets = sets(0);
        CompletableFuture<Void> first = add(sets, "a");
        CompletableFuture<Void> second = add(sets, "b");
        CompletableFuture<Void> third = add(sets, "c");
        assertTrue(second.cancel(false));
        run();
        assertEquals(List.of(List.of("a", "c")), batches);
        assertNull(first.join());
        assertNull(third.join());
        assertTrue(second.isCancelled());
    }

    @Test
    void theFailureOfOneReachesOnlyItsFuture() {
        Throwable failure = new IllegalArgumentException("no");
        failures.put("b", failure);
        PendingSets sets = sets(0);
        CompletableFuture<Void> first = add(sets, "a");
        CompletableFuture<Void> second = add(sets, "b");
        CompletableFuture<Void> third = add(sets, "c");
        run();
        assertNull(first.join());
        assertSame(failure, AsyncContract.failure(second));
        assertNull(third.join());
    }

    @Test
    void aStoreThatThrowsFailsThoseThatWereTaken() {
        IllegalArgumentException failure = new IllegalArgumentException("no");
        EntryStore store = puts -> {
            EntryStore.Put unused = puts.next();
            throw failure;
        };
        PendingSets sets = sets(store, tasks::add, 0);
        CompletableFuture<Void> first = add(sets, "a");
        CompletableFuture<Void> second = add(sets, "b");
        tasks.remove().run();
        assertSame(failure, AsyncContract.failure(first));
        assertFalse(second.isDone());
        run();
        assertSame(failure, AsyncContract.failure(second));
    }

    @Test
    void anExecutorThatRejectsFailsAllThatWait() {
        AtomicBoolean shut = new AtomicBoolean();
        PendingSets sets = sets(
                this::store,
                task -> {
                    if (shut.get()) {
                        throw new RejectedExecutionException();
                    }
                    tasks.add(task);
                },
                300_000);
        List<CompletableFuture<Void>> futures = addAll(sets, 10);
        shut.set(true);
        run();
        assertEquals(List.of(List.of(0)), batches, "it was taken before another thread was called for the others");
        assertNull(futures.get(0).join());
        futures.subList(1, 10).forEach(future -> assertSame(closed, AsyncContract.failure(future)));
        assertSame(closed, AsyncContract.failure(add(sets, "late")));
    }
}

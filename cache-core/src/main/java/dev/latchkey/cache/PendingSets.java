package dev.latchkey.cache;

import dev.latchkey.cache.spi.EntryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** The asynchronous sets that nobody has begun: whichever thread comes next takes many of them and stores them together. */
final class PendingSets {
    private static final int MOST_TOGETHER = 64;

    private final EntryStore store;
    private final Executor executor;
    private final Supplier<RuntimeException> closed;
    private final Queue<Pending> line = new ConcurrentLinkedQueue<>();
    /** Whether a thread was called that has not looked into the line yet. */
    private final AtomicBoolean called = new AtomicBoolean();

    PendingSets(EntryStore store, Executor executor, Supplier<RuntimeException> closed) {
        this.store = store;
        this.executor = executor;
        this.closed = closed;
    }

    private record Pending(EntryStore.Put put, CompletableFuture<Void> future) {
        void finish(Optional<Throwable> failure) {
            if (failure.isPresent()) {
                future.completeExceptionally(failure.get());
            } else {
                future.complete(null);
            }
        }
    }

    CompletableFuture<Void> add(EntryStore.Put put) {
        CompletableFuture<Void> future = new CompletableFuture<>();
        line.add(new Pending(put, future));
        call();
        return future;
    }

    private void call() {
        if (!called.compareAndSet(false, true)) {
            return;
        }
        try {
            executor.execute(this::storeSome);
        } catch (RejectedExecutionException e) {
            called.set(false);
            for (Pending next = line.poll(); next != null; next = line.poll()) {
                next.finish(Optional.of(closed.get()));
            }
        }
    }

    private void storeSome() {
        called.set(false);
        List<Pending> some = take();
        if (!line.isEmpty()) {
            call();
        }
        try {
            List<Optional<Throwable>> failures =
                    store.setEach(some.stream().map(Pending::put).toList());
            for (int i = 0; i < some.size(); i++) {
                some.get(i).finish(failures.get(i));
            }
        } catch (Throwable t) {
            some.forEach(one -> one.finish(Optional.of(t)));
        }
    }

    /** Without those that were cancelled. */
    private List<Pending> take() {
        List<Pending> some = new ArrayList<>();
        while (some.size() < MOST_TOGETHER) {
            Pending next = line.poll();
            if (next == null) {
                break;
            }
            if (!next.future.isDone()) {
                some.add(next);
            }
        }
        return some;
    }
}

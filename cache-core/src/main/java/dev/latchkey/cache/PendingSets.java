package dev.latchkey.cache;

import com.google.common.base.Ticker;
import com.google.common.collect.AbstractIterator;
import dev.latchkey.cache.spi.EntryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The asynchronous sets that nobody has begun. One thread takes many of them and stores them together; when they take long to
 * encode, each thread takes few, and several are at it.
 */
final class PendingSets {
    private static final int MOST_TOGETHER = 64;
    private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LONG_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

    private final EntryStore store;
    private final Executor executor;
    private final Supplier<RuntimeException> closed;
    private final Ticker ticker;
    private final Queue<Pending> line = new ConcurrentLinkedQueue<>();
    /** Whether a thread was called that has not looked into the line yet. */
    private final AtomicBoolean called = new AtomicBoolean();
    /** Whether the last one took long to encode. */
    private volatile boolean slow = true;

    PendingSets(EntryStore store, Executor executor, Supplier<RuntimeException> closed, Ticker ticker) {
        this.store = store;
        this.executor = executor;
        this.closed = closed;
        this.ticker = ticker;
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
        List<Pending> taken = new ArrayList<>();
        try {
            List<Optional<Throwable>> failures = store.setEach(new Taking(taken));
            for (int i = 0; i < taken.size(); i++) {
                taken.get(i).finish(failures.get(i));
            }
        } catch (Throwable t) {
            taken.forEach(one -> one.finish(Optional.of(t)));
        }
    }

    /** Takes one after the other out of the line, without those that were cancelled, for a moment. */
    private final class Taking extends AbstractIterator<EntryStore.Put> {
        private final List<Pending> taken;
        private final long start = ticker.read();
        private long last = start;

        Taking(List<Pending> taken) {
            this.taken = taken;
        }

        @Override
        protected EntryStore.@Nullable Put computeNext() {
            long now = ticker.read();
            if (!taken.isEmpty()) {
                slow = now - last > LONG_NANOS;
            }
            last = now;
            boolean enough = taken.size() == MOST_TOGETHER || now - start > MOST_NANOS;
            Pending next = enough ? null : poll();
            if ((enough || slow) && !line.isEmpty()) {
                call();
            }
            if (next == null) {
                return endOfData();
            }
            taken.add(next);
            return next.put;
        }

        private @Nullable Pending poll() {
            Pending next = line.poll();
            while (next != null && next.future.isDone()) {
                next = line.poll();
            }
            return next;
        }
    }
}

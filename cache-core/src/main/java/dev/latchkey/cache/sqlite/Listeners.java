package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.StoredKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Who wants to know what this process does to a directory. Costs nothing while there is nobody. */
final class Listeners {
    /** What a thread has to tell when its transaction is over; nothing stands there while it is in none. */
    private static final ThreadLocal<@Nullable List<Runnable>> LATER = new ThreadLocal<>();

    private final List<CacheListener> all = new CopyOnWriteArrayList<>();
    private final Codec codec;

    Listeners(Codec codec) {
        this.codec = codec;
    }

    void add(CacheListener listener) {
        all.add(Objects.requireNonNull(listener, "listener"));
    }

    /** The same one may have been added several times. */
    void remove(CacheListener listener) {
        all.remove(Objects.requireNonNull(listener, "listener"));
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /** What happens to an entry, with the commit. */
    void after(Tx tx, BiConsumer<CacheListener, Object> event, StoredKey key) {
        if (!all.isEmpty()) {
            tx.afterCommit(() -> tell(event, key));
        }
    }

    void tell(BiConsumer<CacheListener, Object> event, StoredKey key) {
        if (!all.isEmpty()) {
            tell(listener -> event.accept(listener, codec.decodeKey(key)));
        }
    }

    void tell(Consumer<CacheListener> event) {
        List<Runnable> later = LATER.get();
        if (later == null) {
            tellNow(event);
        } else if (!all.isEmpty()) {
            later.add(() -> tellNow(event));
        }
    }

    private void tellNow(Consumer<CacheListener> event) {
        for (CacheListener listener : all) {
            try {
                event.accept(listener);
            } catch (Throwable t) {
                Thread thread = Thread.currentThread();
                thread.getUncaughtExceptionHandler().uncaughtException(thread, t);
            }
        }
    }

    /** What is told meanwhile by this thread, of whatever directory, is told when it is over: until then it holds others up. */
    static <T> T tellAfter(Supplier<T> transaction) {
        if (LATER.get() != null) {
            return transaction.get();
        }
        List<Runnable> later = new ArrayList<>();
        LATER.set(later);
        try {
            return transaction.get();
        } finally {
            LATER.remove();
            later.forEach(Runnable::run);
        }
    }
}

package dev.latchkey.cache;

import com.google.common.base.Ticker;
import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.EntryStore;
import java.io.InputStream;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The calls of a {@link Cache}, made by other threads: each method returns a future at once.
 *
 * <pre>{@code
 * AsyncCache async = cache.async();
 * CompletableFuture<Void> stored = async.set("greeting", "hello");
 * CompletableFuture<Integer> length = async.get("name", String.class).thenApply(String::length);
 * }</pre>
 *
 * <p><b>Scope.</b> It is a view of its cache, and closed with it. Calls that have not begun then fail with
 * {@link CacheClosedException}. What is not here, such as {@link Cache#keys()}, does not wait or is lazy anyhow.
 *
 * <p><b>Blocking.</b> No method waits. Calls wait in line for one of a few platform threads (a virtual thread would be pinned to
 * its carrier by the database), so they may be made in another order than they were asked for; chain them with {@code thenCompose}
 * where the order matters. Sets that wait are made together, in one transaction (of each shard), each with an outcome of its own. Functions that are
 * chained to a future without an executor run on these threads: they should not wait, least of all for another future.
 * Cancelling a future keeps its call from being made if it has not begun, and does not undo it otherwise.
 *
 * <p><b>Crashes.</b> What a future has been completed for survives, as what the call has returned from; nothing is known of the
 * others.
 *
 * <p><b>Errors.</b> Whatever the call throws, also for bad arguments, completes the future. Inside {@link Cache#transact} every
 * method is an {@link IllegalStateException}: another thread cannot join the transaction, and would wait for its end.
 */
public final class AsyncCache {
    private final Cache cache;
    private final Executor executor;
    private final @Nullable PendingSets sets;

    private AsyncCache(Cache cache, Executor executor, Ticker ticker) {
        this.cache = Objects.requireNonNull(cache, "cache");
        this.executor = Objects.requireNonNull(executor, "executor");
        this.sets = cache instanceof EntryStore store ? new PendingSets(store, executor, this::closed, ticker) : null;
    }

    /**
     * The asynchronous face of a cache on threads of your own.
     *
     * @param cache the cache
     * @param executor what makes the calls; its threads wait for the database
     * @return a view of the cache
     */
    public static AsyncCache of(Cache cache, Executor executor) {
        return of(cache, executor, Ticker.systemTicker());
    }

    /** The ticker tells when sets take long to encode. */
    static AsyncCache of(Cache cache, Executor executor, Ticker ticker) {
        return new AsyncCache(cache, executor, ticker);
    }

    /**
     * Stores a value, see {@link Cache#set(Object, Object)}.
     *
     * @param key the key
     * @param value the value
     * @return completed when it has been done
     */
    public CompletableFuture<Void> set(Object key, Object value) {
        return set(key, value, EntryOptions.none());
    }

    /**
     * Stores a value with options, see {@link Cache#set(Object, Object, EntryOptions)}.
     *
     * @param key the key
     * @param value the value
     * @param options expiry, tag and whether it may be evicted
     * @return completed when it has been done
     */
    public CompletableFuture<Void> set(Object key, Object value, EntryOptions options) {
        requireNoTransaction();
        return sets == null
                ? run(() -> cache.set(key, value, options))
                : sets.add(new EntryStore.Put(key, value, options));
    }

    /**
     * Stores many values, see {@link Cache#setAll(Map)}.
     *
     * @param values the values by their keys
     * @return completed when it has been done
     */
    public CompletableFuture<Void> setAll(Map<?, ?> values) {
        return run(() -> cache.setAll(values));
    }

    /**
     * Stores many values with options, see {@link Cache#setAll(Map, EntryOptions)}.
     *
     * @param values the values by their keys
     * @param options expiry, tag and whether it may be evicted
     * @return completed when it has been done
     */
    public CompletableFuture<Void> setAll(Map<?, ?> values, EntryOptions options) {
        return run(() -> cache.setAll(values, options));
    }

    /**
     * Stores a value unless there is one, see {@link Cache#add(Object, Object)}.
     *
     * @param key the key
     * @param value the value
     * @return what that call returns
     */
    public CompletableFuture<Boolean> add(Object key, Object value) {
        return call(() -> cache.add(key, value));
    }

    /**
     * Stores a value with options unless there is one, see {@link Cache#add(Object, Object, EntryOptions)}.
     *
     * @param key the key
     * @param value the value
     * @param options expiry, tag and whether it may be evicted
     * @return what that call returns
     */
    public CompletableFuture<Boolean> add(Object key, Object value, EntryOptions options) {
        return call(() -> cache.add(key, value, options));
    }

    /**
     * Adds 1 to a number, see {@link Cache#incr(Object)}.
     *
     * @param key the key
     * @return what that call returns
     */
    public CompletableFuture<Long> incr(Object key) {
        return call(() -> cache.incr(key));
    }

    /**
     * Adds to a number, see {@link Cache#incr(Object, long)}.
     *
     * @param key the key
     * @param delta what to add
     * @return what that call returns
     */
    public CompletableFuture<Long> incr(Object key, long delta) {
        return call(() -> cache.incr(key, delta));
    }

    /**
     * Adds to a number that may be absent, see {@link Cache#incr(Object, long, long)}.
     *
     * @param key the key
     * @param delta what to add
     * @param initial what to add it to if the number is absent
     * @return what that call returns
     */
    public CompletableFuture<Long> incr(Object key, long delta, long initial) {
        return call(() -> cache.incr(key, delta, initial));
    }

    /**
     * Adds to a floating-point number, see {@link Cache#incr(Object, double)}.
     *
     * @param key the key
     * @param delta what to add
     * @return what that call returns
     */
    public CompletableFuture<Double> incr(Object key, double delta) {
        return call(() -> cache.incr(key, delta));
    }

    /**
     * Subtracts 1 from a number, see {@link Cache#decr(Object)}.
     *
     * @param key the key
     * @return what that call returns
     */
    public CompletableFuture<Long> decr(Object key) {
        return call(() -> cache.decr(key));
    }

    /**
     * Subtracts from a number, see {@link Cache#decr(Object, long)}.
     *
     * @param key the key
     * @param delta what to subtract
     * @return what that call returns
     */
    public CompletableFuture<Long> decr(Object key, long delta) {
        return call(() -> cache.decr(key, delta));
    }

    /**
     * Subtracts from a number that may be absent, see {@link Cache#decr(Object, long, long)}.
     *
     * @param key the key
     * @param delta what to subtract
     * @param initial what to subtract it from if the number is absent
     * @return what that call returns
     */
    public CompletableFuture<Long> decr(Object key, long delta, long initial) {
        return call(() -> cache.decr(key, delta, initial));
    }

    /**
     * Gives an entry a new expiry, see {@link Cache#touch(Object, Duration)}.
     *
     * @param key the key
     * @param expireAfter from now on, positive
     * @return what that call returns
     */
    public CompletableFuture<Boolean> touch(Object key, Duration expireAfter) {
        return call(() -> cache.touch(key, expireAfter));
    }

    /**
     * Takes the expiry of an entry away, see {@link Cache#persist(Object)}.
     *
     * @param key the key
     * @return what that call returns
     */
    public CompletableFuture<Boolean> persist(Object key) {
        return call(() -> cache.persist(key));
    }

    /**
     * Removes an entry, see {@link Cache#delete(Object)}.
     *
     * @param key the key
     * @return what that call returns
     */
    public CompletableFuture<Boolean> delete(Object key) {
        return call(() -> cache.delete(key));
    }

    /**
     * Reads and removes a value, see {@link Cache#pop(Object, Class)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<@Nullable V> pop(Object key, Class<V> type) {
        return call(() -> cache.pop(key, type));
    }

    /**
     * Reads and removes a value, see {@link Cache#pop(Object, TypeToken)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<@Nullable V> pop(Object key, TypeToken<V> type) {
        return call(() -> cache.pop(key, type));
    }

    /**
     * Reads and removes an entry, see {@link Cache#popEntry(Object, Class)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Entry<V>>> popEntry(Object key, Class<V> type) {
        return call(() -> cache.popEntry(key, type));
    }

    /**
     * Reads and removes an entry, see {@link Cache#popEntry(Object, TypeToken)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Entry<V>>> popEntry(Object key, TypeToken<V> type) {
        return call(() -> cache.popEntry(key, type));
    }

    /**
     * Stores what a stream holds, see {@link Cache#write(Object, InputStream)}.
     *
     * @param key the key
     * @param value the value
     * @return completed when it has been done
     */
    public CompletableFuture<Void> write(Object key, InputStream value) {
        return run(() -> cache.write(key, value));
    }

    /**
     * Stores what a stream holds, with options, see {@link Cache#write(Object, InputStream, EntryOptions)}.
     *
     * @param key the key
     * @param value the value
     * @param options expiry, tag and whether it may be evicted
     * @return completed when it has been done
     */
    public CompletableFuture<Void> write(Object key, InputStream value, EntryOptions options) {
        return run(() -> cache.write(key, value, options));
    }

    /**
     * Reads a value as a stream, see {@link Cache#read(Object)}.
     *
     * @param key the key
     * @return what that call returns
     */
    public CompletableFuture<@Nullable InputStream> read(Object key) {
        return call(() -> cache.read(key));
    }

    /**
     * Reads a value, see {@link Cache#get(Object, Class)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<@Nullable V> get(Object key, Class<V> type) {
        return call(() -> cache.get(key, type));
    }

    /**
     * Reads a value, see {@link Cache#get(Object, TypeToken)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<@Nullable V> get(Object key, TypeToken<V> type) {
        return call(() -> cache.get(key, type));
    }

    /**
     * Reads a value as it is stored, see {@link Cache#get(Object)}.
     *
     * @param key the key
     * @return what that call returns
     */
    public CompletableFuture<@Nullable Object> get(Object key) {
        return call(() -> cache.get(key));
    }

    /**
     * Reads a value or answers another one, see {@link Cache#getOrDefault(Object, Class, Object)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @param otherwise the answer if it is absent or expired
     * @return what that call returns
     */
    public <V> CompletableFuture<V> getOrDefault(Object key, Class<V> type, V otherwise) {
        return call(() -> cache.getOrDefault(key, type, otherwise));
    }

    /**
     * Reads an entry, see {@link Cache#entry(Object, Class)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Entry<V>>> entry(Object key, Class<V> type) {
        return call(() -> cache.entry(key, type));
    }

    /**
     * Reads an entry, see {@link Cache#entry(Object, TypeToken)}.
     *
     * @param <V> the type of the value
     * @param key the key
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Entry<V>>> entry(Object key, TypeToken<V> type) {
        return call(() -> cache.entry(key, type));
    }

    /**
     * Reads many values, see {@link Cache#getAll(Collection, Class)}.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the value
     * @param keys the keys
     * @param type its type
     * @return what that call returns
     */
    public <K, V> CompletableFuture<Map<K, V>> getAll(Collection<K> keys, Class<V> type) {
        return call(() -> cache.getAll(keys, type));
    }

    /**
     * Reads many values, see {@link Cache#getAll(Collection, TypeToken)}.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the value
     * @param keys the keys
     * @param type its type
     * @return what that call returns
     */
    public <K, V> CompletableFuture<Map<K, V>> getAll(Collection<K> keys, TypeToken<V> type) {
        return call(() -> cache.getAll(keys, type));
    }

    /**
     * Whether there is an entry, see {@link Cache#containsKey(Object)}.
     *
     * @param key the key
     * @return what that call returns
     */
    public CompletableFuture<Boolean> containsKey(Object key) {
        return call(() -> cache.containsKey(key));
    }

    /**
     * Puts an item at the back of the queue of integer keys, see {@link Cache#push(Object)}.
     *
     * @param value the value
     * @return what that call returns
     */
    public CompletableFuture<Object> push(Object value) {
        return call(() -> cache.push(value));
    }

    /**
     * Puts an item at one end of a queue, see {@link Cache#push(Object, String, Side, EntryOptions)}.
     *
     * @param value the value
     * @param prefix the name of the queue; null means integer keys
     * @param side which end
     * @param options expiry, tag and whether it may be evicted
     * @return what that call returns
     */
    public CompletableFuture<Object> push(Object value, @Nullable String prefix, Side side, EntryOptions options) {
        return call(() -> cache.push(value, prefix, side, options));
    }

    /**
     * Puts what a stream holds at one end of a queue, see {@link Cache#push(InputStream, String, Side, EntryOptions)}.
     *
     * @param value the value
     * @param prefix the name of the queue; null means integer keys
     * @param side which end
     * @param options expiry, tag and whether it may be evicted
     * @return what that call returns
     */
    public CompletableFuture<Object> push(InputStream value, @Nullable String prefix, Side side, EntryOptions options) {
        return call(() -> cache.push(value, prefix, side, options));
    }

    /**
     * Takes an item from one end of a queue, see {@link Cache#pull(String, Side, Class)}.
     *
     * @param <V> the type of the value
     * @param prefix the name of the queue; null means integer keys
     * @param side which end
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Item<V>>> pull(@Nullable String prefix, Side side, Class<V> type) {
        return call(() -> cache.pull(prefix, side, type));
    }

    /**
     * Takes an item from one end of a queue, see {@link Cache#pull(String, Side, TypeToken)}.
     *
     * @param <V> the type of the value
     * @param prefix the name of the queue; null means integer keys
     * @param side which end
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Item<V>>> pull(@Nullable String prefix, Side side, TypeToken<V> type) {
        return call(() -> cache.pull(prefix, side, type));
    }

    /**
     * Reads the item at one end of a queue, see {@link Cache#peek(String, Side, Class)}.
     *
     * @param <V> the type of the value
     * @param prefix the name of the queue; null means integer keys
     * @param side which end
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Item<V>>> peek(@Nullable String prefix, Side side, Class<V> type) {
        return call(() -> cache.peek(prefix, side, type));
    }

    /**
     * Reads the item at one end of a queue, see {@link Cache#peek(String, Side, TypeToken)}.
     *
     * @param <V> the type of the value
     * @param prefix the name of the queue; null means integer keys
     * @param side which end
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Item<V>>> peek(@Nullable String prefix, Side side, TypeToken<V> type) {
        return call(() -> cache.peek(prefix, side, type));
    }

    /**
     * Reads the entry that was inserted first or last, see {@link Cache#peekItem(Side, Class)}.
     *
     * @param <V> the type of the value
     * @param side which end
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Item<V>>> peekItem(Side side, Class<V> type) {
        return call(() -> cache.peekItem(side, type));
    }

    /**
     * Reads the entry that was inserted first or last, see {@link Cache#peekItem(Side, TypeToken)}.
     *
     * @param <V> the type of the value
     * @param side which end
     * @param type its type
     * @return what that call returns
     */
    public <V> CompletableFuture<Optional<Cache.Item<V>>> peekItem(Side side, TypeToken<V> type) {
        return call(() -> cache.peekItem(side, type));
    }

    /**
     * Removes what has expired, see {@link Cache#expire()}.
     *
     * @return what that call returns
     */
    public CompletableFuture<Integer> expire() {
        return call(() -> cache.expire());
    }

    /**
     * Removes all entries that have a tag, see {@link Cache#evict(Object)}.
     *
     * @param tag the tag
     * @return what that call returns
     */
    public CompletableFuture<Integer> evict(Object tag) {
        return call(() -> cache.evict(tag));
    }

    /**
     * Removes what has expired and what exceeds the limit, see {@link Cache#cull()}.
     *
     * @return what that call returns
     */
    public CompletableFuture<Integer> cull() {
        return call(() -> cache.cull());
    }

    /**
     * Removes all entries, see {@link Cache#clear()}.
     *
     * @return what that call returns
     */
    public CompletableFuture<Integer> clear() {
        return call(() -> cache.clear());
    }

    /**
     * Looks for damage, see {@link Cache#check(boolean)}.
     *
     * @param repair whether to repair what can be repaired
     * @return what that call returns
     */
    public CompletableFuture<CheckReport> check(boolean repair) {
        return call(() -> cache.check(repair));
    }

    /**
     * How often reads found what they looked for, see {@link Cache#stats()}.
     *
     * @return what that call returns
     */
    public CompletableFuture<Cache.Stats> stats() {
        return call(() -> cache.stats());
    }

    /**
     * Sets the counts of reads back to zero, see {@link Cache#resetStats()}.
     *
     * @return what that call returns
     */
    public CompletableFuture<Cache.Stats> resetStats() {
        return call(() -> cache.resetStats());
    }

    /**
     * The space that the cache takes on the disk, see {@link Cache#volume()}.
     *
     * @return what that call returns
     */
    public CompletableFuture<Long> volume() {
        return call(() -> cache.volume());
    }

    /**
     * How many entries there are, see {@link Cache#size()}.
     *
     * @return what that call returns
     */
    public CompletableFuture<Integer> size() {
        return call(() -> cache.size());
    }

    /**
     * The settings as they are stored now, see {@link Cache#settings()}.
     *
     * @return what that call returns
     */
    public CompletableFuture<Map<Setting, Object>> settings() {
        return call(() -> cache.settings());
    }

    /**
     * Changes a setting, see {@link Cache#alter(Setting, Object)}.
     *
     * @param setting which
     * @param value the value
     * @return completed when it has been done
     */
    public CompletableFuture<Void> alter(Setting setting, Object value) {
        return run(() -> cache.alter(setting, value));
    }

    /**
     * Makes an index of tags, see {@link Cache#createTagIndex()}.
     *
     * @return completed when it has been done
     */
    public CompletableFuture<Void> createTagIndex() {
        return run(() -> cache.createTagIndex());
    }

    /**
     * Drops the index of tags, see {@link Cache#dropTagIndex()}.
     *
     * @return completed when it has been done
     */
    public CompletableFuture<Void> dropTagIndex() {
        return run(() -> cache.dropTagIndex());
    }

    /**
     * Runs code in one transaction, see {@link Cache#transact(Callable)}.
     *
     * @param <T> what the code returns
     * @param body the code
     * @return what that call returns
     */
    public <T> CompletableFuture<T> transact(Callable<T> body) {
        return call(() -> cache.transact(body));
    }

    /**
     * Runs code without a result in one transaction, see {@link Cache#transact(Runnable)}.
     *
     * @param body the code
     * @return completed when it has been done
     */
    public CompletableFuture<Void> transact(Runnable body) {
        return run(() -> cache.transact(body));
    }

    private CompletableFuture<Void> run(Runnable call) {
        return call(() -> {
            call.run();
            return null;
        });
    }

    private <T extends @Nullable Object> CompletableFuture<T> call(Supplier<? extends T> call) {
        requireNoTransaction();
        CompletableFuture<T> future = new CompletableFuture<>();
        try {
            executor.execute(() -> complete(future, call));
        } catch (RejectedExecutionException e) {
            future.completeExceptionally(closed());
        }
        return future;
    }

    private CacheClosedException closed() {
        return new CacheClosedException("this cache on " + cache.directory() + " is closed");
    }

    private void requireNoTransaction() {
        if (isInTransaction()) {
            throw new IllegalStateException(
                    "a call on another thread cannot join this transaction; make it on the cache itself, or afterwards");
        }
    }

    private static <T extends @Nullable Object> void complete(CompletableFuture<T> future, Supplier<? extends T> call) {
        if (future.isDone()) {
            return; // cancelled
        }
        try {
            future.complete(call.get());
        } catch (Throwable t) {
            future.completeExceptionally(t);
        }
    }

    /** A cache without an engine is read alone. */
    private boolean isInTransaction() {
        try {
            return cache.unwrap(CoordinationEngine.class).states().inTransaction();
        } catch (IllegalArgumentException | CacheClosedException e) {
            return false;
        }
    }
}

package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * A map from keys to values in a directory that many processes share; the counterpart of python-diskcache's {@code Cache},
 * which can read and write the same directory.
 *
 * <pre>{@code
 * try (Cache cache = Cache.open(Path.of("/var/cache/app"))) {
 *     cache.set("greeting", "hello", EntryOptions.none().expireAfter(Duration.ofHours(1)));
 *     String greeting = cache.get("greeting", String.class);
 *     long visits = cache.incr("visits");
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> Everything is safe for all threads and all processes of the host. All caches on one directory in one
 * process share one engine; closing the last of them closes it.
 *
 * <p><b>Blocking.</b> Reads do not wait for writers. A write waits for its turn at the database's one write lock, at most for
 * the cache's time-out (60 seconds unless the builder says otherwise), and then throws {@link CacheTimeoutException} with
 * nothing changed. Interrupts do not end the wait; the flag stays set.
 *
 * <p><b>Crashes.</b> Every call is one transaction. What a call has returned from survives a crash of any process; after a
 * power loss the last calls may be undone, as a whole, unless the setting {@code sqlite_synchronous} is 2.
 *
 * <p><b>Keys</b> are String, an integral number, double, float or byte[]; values may be anything that JSON can hold, see
 * {@link Codecs#json()}. A null argument is a {@link NullPointerException}. After {@link #close()} every call throws
 * {@link CacheClosedException}; when the directory was removed or replaced, {@link CacheReplacedException}.
 */
public interface Cache extends AutoCloseable {
    /**
     * Opens the cache in a directory, which is created if it is missing, parents too.
     *
     * @param directory where the cache lies; it must not hold anything else
     * @return the open cache
     * @throws CacheException if there is a file in its place or it cannot be opened
     * @throws CacheCorruptException if what is there is not a cache
     */
    static Cache open(Path directory) {
        return builder(directory).open();
    }

    /**
     * Prepares to open the cache in a directory.
     *
     * @param directory where the cache lies
     * @return a builder with the defaults
     */
    static CacheBuilder builder(Path directory) {
        return new CacheBuilder(directory);
    }

    /**
     * Stores a value; what was there is replaced, together with its expiry and tag.
     *
     * @param key the key
     * @param value the value
     */
    default void set(Object key, Object value) {
        set(key, value, EntryOptions.none());
    }

    /**
     * Stores a value with options.
     *
     * @param key the key
     * @param value the value
     * @param options expiry, tag and whether it may be evicted
     */
    void set(Object key, Object value, EntryOptions options);

    /**
     * Stores a value unless there is one already; an expired one counts as absent.
     *
     * @param key the key
     * @param value the value
     * @return whether it was stored
     */
    default boolean add(Object key, Object value) {
        return add(key, value, EntryOptions.none());
    }

    /**
     * Stores a value with options unless there is one already; an expired one counts as absent.
     *
     * @param key the key
     * @param value the value
     * @param options expiry, tag and whether it may be evicted
     * @return whether it was stored
     */
    boolean add(Object key, Object value, EntryOptions options);

    /**
     * Adds 1 to a number that is 0 if absent.
     *
     * @param key the key
     * @return the sum
     */
    default long incr(Object key) {
        return incr(key, 1);
    }

    /**
     * Adds to a number that is 0 if absent.
     *
     * @param key the key
     * @param delta what to add
     * @return the sum
     */
    default long incr(Object key, long delta) {
        return incr(key, delta, 0);
    }

    /**
     * Adds to a number. Expiry and tag of the entry stay as they are; an entry that this call creates has neither.
     *
     * @param key the key
     * @param delta what to add
     * @param initial what to add it to if the number is absent
     * @return the sum
     * @throws CodecException if the value is not an integral number; nothing is stored
     * @throws ArithmeticException if the sum exceeds 64 bits; nothing is stored
     */
    long incr(Object key, long delta, long initial);

    /**
     * Subtracts 1 from a number that is 0 if absent.
     *
     * @param key the key
     * @return the difference
     */
    default long decr(Object key) {
        return incr(key, -1);
    }

    /**
     * Gives an entry a new expiry.
     *
     * @param key the key
     * @param expireAfter from now on, positive
     * @return whether there was an entry
     */
    boolean touch(Object key, Duration expireAfter);

    /**
     * Removes an entry.
     *
     * @param key the key
     * @return whether there was an entry; an expired one counts as absent
     */
    boolean delete(Object key);

    /**
     * Reads a value.
     *
     * @param <V> its type
     * @param key the key
     * @param type its type; a primitive class means its wrapper
     * @return the value, or null if it is absent or expired
     * @throws CodecException if the stored value is not of that type
     */
    default <V> @Nullable V get(Object key, Class<V> type) {
        return get(key, TypeToken.of(type));
    }

    /**
     * Reads a value of a generic type.
     *
     * @param <V> its type
     * @param key the key
     * @param type its type
     * @return the value, or null if it is absent or expired
     * @throws CodecException if the stored value is not of that type
     */
    <V> @Nullable V get(Object key, TypeToken<V> type);

    /**
     * Reads a value as it is stored.
     *
     * @param key the key
     * @return a String, Long, Double or byte[], or null if it is absent or expired
     */
    @Nullable
    Object get(Object key);

    /**
     * Reads a value or answers another one.
     *
     * @param <V> its type
     * @param key the key
     * @param type its type
     * @param otherwise the answer if the value is absent or expired
     * @return the value
     */
    default <V> V getOrDefault(Object key, Class<V> type, V otherwise) {
        V value = get(key, type);
        return value == null ? otherwise : value;
    }

    /**
     * Reads an entry with all its parts.
     *
     * @param <V> the type of its value
     * @param key the key
     * @param type the type of its value
     * @return the entry, if it is present and has not expired
     */
    <V> Optional<Entry<V>> entry(Object key, Class<V> type);

    /**
     * Whether there is an entry.
     *
     * @param key the key
     * @return true if it is present and has not expired
     */
    boolean containsKey(Object key);

    /**
     * Runs code in one transaction: other processes see all it does or nothing. Every call on this cache, and on coordination
     * objects over it, that this thread makes meanwhile is a part of it; a nested call joins the outer one. An exception rolls
     * back all of it, also when it leaves only a nested call. No other process can write while the code runs, so keep
     * it short; what would have to wait inside it is refused.
     *
     * @param <T> what the code returns
     * @param body the code
     * @return what the code returned, after the commit
     * @throws CacheException if the code threw a checked exception, which is the cause
     */
    <T> T transact(Callable<T> body);

    /**
     * Runs code without a result in one transaction, see {@link #transact(Callable)}.
     *
     * @param body the code
     */
    default void transact(Runnable body) {
        transact(() -> {
            body.run();
            return true;
        });
    }

    /**
     * Where the cache lies.
     *
     * @return the directory, links resolved
     */
    Path directory();

    /**
     * What the engine offers to coordination.
     *
     * @param <T> the type asked for
     * @param type the type asked for
     * @return the engine's object of that type
     * @throws IllegalArgumentException if the engine has none
     */
    <T> T unwrap(Class<T> type);

    /** Closes the cache; the last one on a directory ends this process's session there. A second close does nothing. */
    @Override
    void close();

    /**
     * A value with its parts.
     *
     * @param <V> the type of the value
     * @param value the value, null for Python's None
     * @param tag the tag: String, Long, Double or byte[]
     * @param storeTime when it was stored
     * @param expiry when it expires
     */
    record Entry<V>(@Nullable V value, Optional<Object> tag, Instant storeTime, Optional<Instant> expiry) {}
}

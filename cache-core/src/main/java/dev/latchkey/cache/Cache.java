package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
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
 * power loss the last calls may be undone, as a whole, unless the setting {@code sqlite_synchronous} is 2; a value in a file
 * that was replaced or stored just before it may be absent then.
 *
 * <p><b>Eviction and expiry.</b> An expired entry is absent at once. Writes, and a background task once a second, remove what
 * has expired and, above the {@link Setting#SIZE_LIMIT}, what the {@link EvictionPolicy} names first, no more than needed; never
 * a pinned entry, nor the one just written. Reads never write: when they matter for the policy or for statistics they are
 * remembered and written by the second or after 1,000 different entries, whichever comes first. A process that is killed loses
 * what it had not written; of more than 10,000 different entries that are read faster than they can be written, the first
 * 10,000 count.
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
     * Opens a new cache in a new directory among the temporary ones, which is deleted when the cache is closed.
     *
     * @return the open cache
     * @throws CacheException if it cannot be created
     */
    static Cache temporary() {
        return CacheBuilder.temporary();
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
     * @throws EntryTooLargeException if it is larger than the {@link Setting#SIZE_LIMIT}; nothing is stored, and nothing
     *     evicted
     * @throws CacheFullException if the disk is full; nothing is stored
     */
    void set(Object key, Object value, EntryOptions options);

    /**
     * Stores many values in one transaction, which is several times faster than one call for each.
     *
     * @param values the values by their keys
     */
    default void setAll(Map<?, ?> values) {
        setAll(values, EntryOptions.none());
    }

    /**
     * Stores many values with the same options in one transaction.
     *
     * @param values the values by their keys
     * @param options expiry, tag and whether they may be evicted
     */
    void setAll(Map<?, ?> values, EntryOptions options);

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
     * Subtracts from a number that is 0 if absent.
     *
     * @param key the key
     * @param delta what to subtract
     * @return the difference
     */
    default long decr(Object key, long delta) {
        return decr(key, delta, 0);
    }

    /**
     * Subtracts from a number, see {@link #incr(Object, long, long)}.
     *
     * @param key the key
     * @param delta what to subtract
     * @param initial what to subtract it from if the number is absent
     * @return the difference
     * @throws CodecException if the value is not an integral number; nothing is stored
     * @throws ArithmeticException if the difference exceeds 64 bits, or delta is {@link Long#MIN_VALUE}; nothing is stored
     */
    default long decr(Object key, long delta, long initial) {
        return incr(key, Math.negateExact(delta), initial);
    }

    /**
     * Adds to a number that is 0.0 if absent, and is a floating-point number afterwards.
     *
     * @param key the key
     * @param delta what to add
     * @return the sum
     * @throws IllegalArgumentException if {@code delta} is not a number; nothing is stored
     * @throws CodecException if the value is not a number; nothing is stored
     * @throws ArithmeticException if the sum is not a number; nothing is stored
     */
    double incr(Object key, double delta);

    /**
     * Gives an entry a new expiry.
     *
     * @param key the key
     * @param expireAfter from now on, positive
     * @return whether there was an entry
     */
    boolean touch(Object key, Duration expireAfter);

    /**
     * Takes the expiry of an entry away, so that it never expires.
     *
     * @param key the key
     * @return whether there was an entry
     */
    boolean persist(Object key);

    /**
     * Removes an entry.
     *
     * @param key the key
     * @return whether there was an entry; an expired one counts as absent
     */
    boolean delete(Object key);

    /**
     * Reads and removes an entry in one step: of several callers one gets it.
     *
     * @param <V> the type of its value
     * @param key the key
     * @param type the type of its value
     * @return the value, or null if it was absent or expired
     * @throws CodecException if the stored value is not of that type; the entry stays
     */
    default <V> @Nullable V pop(Object key, Class<V> type) {
        return pop(key, TypeToken.of(type));
    }

    /**
     * Reads and removes an entry whose value is of a generic type, see {@link #pop(Object, Class)}.
     *
     * @param <V> the type of its value
     * @param key the key
     * @param type the type of its value
     * @return the value, or null if it was absent or expired
     * @throws CodecException if the stored value is not of that type; the entry stays
     */
    default <V> @Nullable V pop(Object key, TypeToken<V> type) {
        Optional<Entry<V>> entry = popEntry(key, type);
        return entry.isPresent() ? entry.get().value() : null;
    }

    /**
     * Reads and removes an entry with all its parts in one step.
     *
     * @param <V> the type of its value
     * @param key the key
     * @param type the type of its value
     * @return the entry, if it was present and had not expired
     * @throws CodecException if the stored value is not of that type; the entry stays
     */
    default <V> Optional<Entry<V>> popEntry(Object key, Class<V> type) {
        return popEntry(key, TypeToken.of(type));
    }

    /**
     * Reads and removes an entry whose value is of a generic type, see {@link #popEntry(Object, Class)}.
     *
     * @param <V> the type of its value
     * @param key the key
     * @param type the type of its value
     * @return the entry, if it was present and had not expired
     * @throws CodecException if the stored value is not of that type; the entry stays
     */
    <V> Optional<Entry<V>> popEntry(Object key, TypeToken<V> type);

    /**
     * Stores what a stream holds, without ever having the whole of it in memory. It is read to its end, and not closed, before
     * other processes have to wait for anything; the entry is of the kind that {@code byte[]} is, whatever its length.
     *
     * @param key the key
     * @param value what to store
     * @throws CacheException if the stream throws, which is the cause; nothing is stored
     */
    default void write(Object key, InputStream value) {
        write(key, value, EntryOptions.none());
    }

    /**
     * Stores what a stream holds with options, see {@link #write(Object, InputStream)}.
     *
     * @param key the key
     * @param value what to store
     * @param options expiry, tag and whether it may be evicted
     * @throws CacheException if the stream throws, which is the cause; nothing is stored
     * @throws EntryTooLargeException if it is larger than the {@link Setting#SIZE_LIMIT}; nothing is stored
     */
    void write(Object key, InputStream value, EntryOptions options);

    /**
     * Reads a value as a stream, without ever having the whole of it in memory. The stream shows the value as it was when this
     * was called, even if it is replaced or deleted meanwhile, and must be closed.
     *
     * @param key the key
     * @return the bytes of the value, a string's in UTF-8; null if it is absent or expired
     * @throws CodecException if the value is a number or was pickled by Python
     */
    @Nullable
    InputStream read(Object key);

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
     * @return a String, Long, Double or byte[], what {@link Codec#decode(StoredValue)} makes of a pickle, or null if it
     *     is absent or expired
     * @throws CodecException if the value was pickled by Python, and cannot be read
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
    default <V> Optional<Entry<V>> entry(Object key, Class<V> type) {
        return entry(key, TypeToken.of(type));
    }

    /**
     * Reads an entry whose value is of a generic type, with all its parts.
     *
     * @param <V> the type of its value
     * @param key the key
     * @param type the type of its value
     * @return the entry, if it is present and has not expired
     * @throws CodecException if the stored value is not of that type
     */
    <V> Optional<Entry<V>> entry(Object key, TypeToken<V> type);

    /**
     * Reads many values. Each is read as {@link #get(Object, Class)} would; together they need not be of one moment.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param keys the keys
     * @param type the type of the values
     * @return the values that are there by their keys, in the order of {@code keys}
     * @throws CodecException if one of them is not of that type
     */
    default <K, V> Map<K, V> getAll(Collection<K> keys, Class<V> type) {
        return getAll(keys, TypeToken.of(type));
    }

    /**
     * Reads many values of a generic type, see {@link #getAll(Collection, Class)}.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param keys the keys
     * @param type the type of the values
     * @return the values that are there by their keys, in the order of {@code keys}
     * @throws CodecException if one of them is not of that type
     */
    <K, V> Map<K, V> getAll(Collection<K> keys, TypeToken<V> type);

    /**
     * Whether there is an entry.
     *
     * @param key the key
     * @return true if it is present and has not expired
     */
    boolean containsKey(Object key);

    /**
     * Puts an item at the back of the queue of integer keys.
     *
     * @param value the item
     * @return its key
     */
    default Object push(Object value) {
        return push(value, null, Side.BACK, EntryOptions.none());
    }

    /**
     * Puts an item at one end of a queue. A queue is a range of keys: with a prefix the keys are {@code prefix-} and 15 digits,
     * without one the integers around 500,000,000,000,000. An item is an entry like any other, and pinned, so that it is
     * never evicted.
     *
     * @param value the item
     * @param prefix the name of the queue; null means integer keys
     * @param side where to put it
     * @param options expiry and tag
     * @return its key, a {@code Long} or {@code String}
     */
    Object push(Object value, @Nullable String prefix, Side side, EntryOptions options);

    /**
     * Puts what a stream holds at one end of a queue, see {@link #push(Object, String, Side, EntryOptions)} and
     * {@link #write(Object, InputStream)}.
     *
     * @param value the item
     * @param prefix the name of the queue; null means integer keys
     * @param side where to put it
     * @param options expiry and tag
     * @return its key, a {@code Long} or {@code String}
     * @throws CacheException if the stream throws, which is the cause; nothing is stored
     */
    Object push(InputStream value, @Nullable String prefix, Side side, EntryOptions options);

    /**
     * Takes an item from one end of a queue. It is gone then: if its taker dies, so does the item. Expired items are passed
     * over.
     *
     * @param <V> the type of the item
     * @param prefix the name of the queue; null means integer keys
     * @param side where to take it
     * @param type the type of the item
     * @return the item, or empty if there is none
     * @throws CodecException if the item is not of that type; it stays where it is
     */
    default <V> Optional<Item<V>> pull(@Nullable String prefix, Side side, Class<V> type) {
        return pull(prefix, side, TypeToken.of(type));
    }

    /**
     * Takes an item of a generic type, see {@link #pull(String, Side, Class)}.
     *
     * @param <V> the type of the item
     * @param prefix the name of the queue; null means integer keys
     * @param side where to take it
     * @param type the type of the item
     * @return the item, or empty if there is none
     * @throws CodecException if the item is not of that type; it stays where it is
     */
    <V> Optional<Item<V>> pull(@Nullable String prefix, Side side, TypeToken<V> type);

    /**
     * Reads the item at one end of a queue and leaves it there.
     *
     * @param <V> the type of the item
     * @param prefix the name of the queue; null means integer keys
     * @param side where to look
     * @param type the type of the item
     * @return the item, or empty if there is none
     * @throws CodecException if the item is not of that type
     */
    default <V> Optional<Item<V>> peek(@Nullable String prefix, Side side, Class<V> type) {
        return peek(prefix, side, TypeToken.of(type));
    }

    /**
     * Reads an item of a generic type, see {@link #peek(String, Side, Class)}.
     *
     * @param <V> the type of the item
     * @param prefix the name of the queue; null means integer keys
     * @param side where to look
     * @param type the type of the item
     * @return the item, or empty if there is none
     * @throws CodecException if the item is not of that type
     */
    <V> Optional<Item<V>> peek(@Nullable String prefix, Side side, TypeToken<V> type);

    /**
     * Reads the entry that was inserted first or last, of all entries.
     *
     * @param <V> the type of its value
     * @param side {@link Side#FRONT} for the first
     * @param type the type of its value
     * @return the entry, or empty if there is none
     * @throws CodecException if its value is not of that type
     */
    default <V> Optional<Item<V>> peekItem(Side side, Class<V> type) {
        return peekItem(side, TypeToken.of(type));
    }

    /**
     * Reads the entry that was inserted first or last and is of a generic type, see {@link #peekItem(Side, Class)}.
     *
     * @param <V> the type of its value
     * @param side {@link Side#FRONT} for the first
     * @param type the type of its value
     * @return the entry, or empty if there is none
     * @throws CodecException if its value is not of that type
     */
    <V> Optional<Item<V>> peekItem(Side side, TypeToken<V> type);

    /**
     * The keys in the order in which they were inserted; replacing a value does not change the order, unless it had expired.
     *
     * <p>This stream and those of the other methods read a few hundred keys at a time and hold nothing open in between, so
     * they may be left unfinished, and other calls may be made meanwhile. They show each key that is there all the time
     * exactly once, and none that had expired when it was read.
     *
     * @return a lazy stream of {@code String}, {@code Long}, {@code Double} and {@code byte[]}; a key that Python pickled is a
     *     {@link StoredKey}
     */
    Stream<Object> keys();

    /**
     * The keys in the opposite order of {@link #keys()}.
     *
     * @return a lazy stream, see {@link #keys()}
     */
    Stream<Object> keysReversed();

    /**
     * The keys in the order of the database: numbers by size, then strings by code points, then arrays of bytes.
     *
     * @return a lazy stream, see {@link #keys()}
     */
    Stream<Object> sortedKeys();

    /**
     * The keys in the opposite order of {@link #sortedKeys()}.
     *
     * @return a lazy stream, see {@link #keys()}
     */
    Stream<Object> sortedKeysReversed();

    /**
     * The keys of all entries that have a tag, in the order in which they were inserted. Fast with an index of tags only.
     *
     * @param tag the tag
     * @return a lazy stream, see {@link #keys()}
     */
    Stream<Object> keysByTag(Object tag);

    /**
     * Removes what has expired.
     *
     * @return how many entries
     */
    int expire();

    /**
     * Removes all entries that have a tag. Fast with an index of tags only.
     *
     * @param tag the tag
     * @return how many entries
     */
    int evict(Object tag);

    /**
     * Removes what has expired and then, while the cache is larger than its limit, what the policy names first. Not bound to
     * the {@link Setting#CULL_LIMIT}.
     *
     * @return how many entries
     */
    int cull();

    /**
     * Removes all entries that are there when it is called, pinned ones too. Locks and everything else of coordination stay.
     *
     * @return how many entries
     */
    int clear();

    /**
     * Looks for damage, beside other processes that read and write; takes a while in a large cache, and each step waits for
     * the database as long as any other call. Nothing is said of a value file that nothing names until it is ten
     * minutes old: it may belong to a call that has not ended.
     *
     * @param repair whether to repair what can be repaired: entries whose value is lost are removed, and so are value files
     *     that nothing names. Files that cannot be values are never deleted
     * @return what was found, with the keys of what was lost; of more than 10,000 findings of one kind the others are counted
     * @throws IllegalStateException inside a transaction, which would hold up all others for that long
     */
    CheckReport check(boolean repair);

    /**
     * How often {@code get} and the like found a live entry and how often they did not, in all processes, as far as
     * {@link Setting#STATISTICS} was on.
     *
     * @return the counts
     */
    Stats stats();

    /**
     * Sets both counts back to zero.
     *
     * @return the counts up to then
     */
    Stats resetStats();

    /**
     * The space that the cache takes on the disk: database, log and value files.
     *
     * @return bytes
     */
    long volume();

    /**
     * How many entries there are, expired ones that were not removed yet included.
     *
     * @return the number, at most {@link Integer#MAX_VALUE}
     */
    int size();

    /**
     * The settings as they are stored now.
     *
     * @return each setting with a {@code Long} or {@code String}
     */
    Map<Setting, Object> settings();

    /**
     * Changes a setting for all processes; others obey within a second. A new policy makes its own index and drops that of the
     * old one; {@link Setting#TAG_INDEX} makes or drops the index of tags. Inside a transaction it takes effect with the commit.
     *
     * @param setting which
     * @param value a boolean, a number, a string or an {@link EvictionPolicy}, as the setting demands
     * @throws IllegalArgumentException if the setting does not take the value, or cannot be altered
     */
    void alter(Setting setting, Object value);

    /** Makes an index of tags, so that {@link #evict} and {@link #keysByTag} need not look at every entry. */
    default void createTagIndex() {
        alter(Setting.TAG_INDEX, true);
    }

    /** Drops the index of tags, so that writes are faster. */
    default void dropTagIndex() {
        alter(Setting.TAG_INDEX, false);
    }

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
     * Remembers what functions return, for all processes that use the cache.
     *
     * @param name stands for the function: two functions have two names, and their results other keys than other entries
     * @param options what is remembered, and for how long
     * @return what wraps the functions of this name
     * @throws IllegalArgumentException if the name is empty
     */
    default Memoizer memoize(String name, MemoizeOptions options) {
        return new CacheMemoizer(this, name, options);
    }

    /**
     * The same calls without waiting: each returns a future at once and is made by one of a few threads, see
     * {@link CacheBuilder#asyncThreads(int)}.
     *
     * @return the other face of this cache, closed with it
     */
    AsyncCache async();

    /**
     * Lets somebody know what this process does to the cache, until it is removed or this cache closed.
     *
     * @param listener who is told; as often as it was added
     */
    void addListener(CacheListener listener);

    /**
     * Takes a listener away that was added to this cache. One that was not is passed over.
     *
     * @param listener who is no longer told
     */
    void removeListener(CacheListener listener);

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
     * @param storeTime when it was stored; the end of the year 9999 if it is pinned
     * @param expiry when it expires
     */
    record Entry<V>(@Nullable V value, Optional<Object> tag, Instant storeTime, Optional<Instant> expiry) {}

    /**
     * An item of a queue, or an entry with its key.
     *
     * @param <V> the type of the value
     * @param key the key: String, Long, Double, byte[], or {@link StoredKey} if Python pickled it
     * @param value the value, null for Python's None
     * @param tag the tag: String, Long, Double or byte[]
     * @param expiry when it expires
     */
    record Item<V>(Object key, @Nullable V value, Optional<Object> tag, Optional<Instant> expiry) {}

    /**
     * How often reads found what they looked for.
     *
     * @param hits how often there was a live entry
     * @param misses how often there was none
     */
    record Stats(long hits, long misses) {}
}

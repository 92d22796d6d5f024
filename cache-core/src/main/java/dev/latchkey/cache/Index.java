package dev.latchkey.cache;

import com.google.common.collect.Iterators;
import com.google.common.reflect.TypeToken;
import java.nio.file.Path;
import java.util.AbstractCollection;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A {@link ConcurrentMap} that many processes share, in the order of insertion; it is a whole cache and survives them all.
 *
 * <pre>{@code
 * try (Index<String, Integer> visits = Index.open(Path.of("/var/lib/app/visits"), String.class, Integer.class)) {
 *     visits.merge("home", 1, Integer::sum); // counts right, however many processes do it
 *     visits.forEach((page, count) -> System.out.println(page + " " + count));
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> The entries of the cache are those of the index: all indexes over one directory, in all processes, are one index, and
 * what the cache does is seen here. {@link #open} opens a directory of its own, which python-diskcache's {@code Index} can open too; such an index must
 * be closed, and never loses anything. An index over another cache loses what the cache evicts. Storing a value in the place of another leaves the
 * entry where it is in the order; it takes expiry and tag away.
 *
 * <p><b>Keys</b> are of the types that the codec of the cache takes, so String, Long, Integer, Short, Byte, Double, Float or byte[] unless it is another, or
 * Object for all of them. All integral types are one, so a key that is stored as a number is shown as the {@code K} that holds it exactly. Arrays are equal
 * if their contents are. Entries with a key that cannot be a {@code K}, as {@link #push} makes them, are not shown by the index, but
 * {@link #size} counts them, and {@link #clear} removes them; an index of {@code Object} shows them all. Asking for what is no {@code K} finds nothing.
 *
 * <p><b>Values</b> are stored as {@link Cache#set(Object, Object)} stores them. A null is a {@link NullPointerException}. Python's {@code None} is no value: its key is
 * there, for {@link #containsKey}, {@link #keySet} and {@link #size}, and otherwise it is as absent. A value that is not a {@code V} is a {@link CodecException} for whoever
 * reaches it, and stays; {@link #putAll}, {@link #clear} and the cache can replace and remove it.
 *
 * <p><b>Blocking.</b> Reads do not wait. What writes waits as all calls on the cache do for the database's one write lock, at most for
 * the time-out of the cache.
 *
 * <p><b>Crashes.</b> Every method is one transaction, and what it has returned from survives a crash of any process.
 *
 * <p><b>Transactions.</b> Inside {@code cache.transact} all calls join. A function given to {@link #compute}, {@link #computeIfPresent},
 * {@link #computeIfAbsent} or {@link #merge} runs inside a transaction, once: nobody, in any process, can write meanwhile, so it should be quick, and
 * must not wait for another thread that uses the same directory. If it throws, nothing has changed.
 *
 * <p><b>Thread safety.</b> Any thread and any process may use an index at any time. Every method is atomic across processes, except those that
 * go over all entries: {@link #replaceAll}, {@code removeIf}, {@code removeAll} and {@code retainAll} of a view change entry by entry.
 * {@link #putAll} and {@link #clear}: the one stores all or nothing, the other removes in several steps. Views and their iterators and streams are weakly consistent: they
 * see each entry that is there all the time, and never throw {@link java.util.ConcurrentModificationException}.
 * {@code setValue} of an entry puts the value into the index.
 *
 * <p><b>Costs.</b> Reading an entry is a look-up, putting one is a transaction with a look-up. {@link #containsValue}, {@link #equals} and {@link #hashCode}
 * read everything.
 *
 * <p><b>Source.</b> {@code Index} of python-diskcache, which has no atomic computation, and whose {@code setdefault} tries again and again.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public final class Index<K, V> extends AbstractMap<K, V> implements ConcurrentMap<K, V>, AutoCloseable {
    private static final int CHARACTERISTICS = Spliterator.NONNULL | Spliterator.ORDERED | Spliterator.CONCURRENT;

    private final Cache cache;
    private final IndexKeys<K> keys;
    private final TypeToken<V> type;
    private final boolean ownsCache;

    /**
     * The index that is a cache.
     *
     * @param cache its entries
     * @param keyType the class of the keys
     * @param valueType the class of the values
     */
    public Index(Cache cache, Class<K> keyType, Class<V> valueType) {
        this(cache, TypeToken.of(keyType), TypeToken.of(valueType));
    }

    /**
     * The index that is a cache, with keys or values of a generic type.
     *
     * @param cache its entries
     * @param keyType the type of the keys
     * @param valueType the type of the values
     */
    public Index(Cache cache, TypeToken<K> keyType, TypeToken<V> valueType) {
        this(cache, keyType, valueType, false);
    }

    private Index(Cache cache, TypeToken<K> keyType, TypeToken<V> valueType, boolean ownsCache) {
        this.cache = Objects.requireNonNull(cache, "cache");
        this.keys = new IndexKeys<>(keyType);
        this.type = Objects.requireNonNull(valueType, "valueType");
        this.ownsCache = ownsCache;
    }

    /**
     * Opens the index that is a directory, as python-diskcache's {@code Index(directory)} does; the directory is created if it is missing, and then
     * never evicts anything.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param directory where it lies
     * @param keyType the class of the keys
     * @param valueType the class of the values
     * @return the open index, which must be closed
     * @throws CacheException if it cannot be opened
     */
    public static <K, V> Index<K, V> open(Path directory, Class<K> keyType, Class<V> valueType) {
        return open(directory, TypeToken.of(keyType), TypeToken.of(valueType));
    }

    /**
     * Opens the index that is a directory, with keys or values of a generic type, see {@link #open(Path, Class, Class)}.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param directory where it lies
     * @param keyType the type of the keys
     * @param valueType the type of the values
     * @return the open index, which must be closed
     * @throws CacheException if it cannot be opened
     */
    public static <K, V> Index<K, V> open(Path directory, TypeToken<K> keyType, TypeToken<V> valueType) {
        Objects.requireNonNull(keyType, "keyType");
        Objects.requireNonNull(valueType, "valueType");
        Cache cache =
                Cache.builder(directory).evictionPolicy(EvictionPolicy.NONE).open();
        return new Index<>(cache, keyType, valueType, true);
    }

    /**
     * The entries as a cache.
     *
     * @return the cache, whose {@code transact} makes one step of several calls
     */
    public Cache cache() {
        return cache;
    }

    /** Closes the directory that {@link #open} has opened; an index over a cache that somebody else has opened need not be closed. */
    @Override
    public void close() {
        if (ownsCache) {
            cache.close();
        }
    }

    // One entry

    @Override
    public @Nullable V get(Object key) {
        return keys.isKey(key) ? cache.get(key, type) : null;
    }

    @Override
    public boolean containsKey(Object key) {
        return keys.isKey(key) && cache.containsKey(key);
    }

    @Override
    public @Nullable V put(K key, V value) {
        requireBoth(key, value);
        return cache.transact(() -> store(key, cache.get(key, type), value));
    }

    private @Nullable V store(K key, @Nullable V old, V value) {
        cache.set(key, value);
        return old;
    }

    /**
     * Stores all entries of a map, or none, without reading what was there.
     *
     * @param entries what to store
     */
    @Override
    public void putAll(Map<? extends K, ? extends V> entries) {
        entries.forEach(Index::requireBoth);
        cache.setAll(entries);
    }

    @Override
    public @Nullable V putIfAbsent(K key, V value) {
        requireBoth(key, value);
        V old = cache.get(key, type);
        return old != null ? old : cache.transact(() -> storeIfAbsent(key, value));
    }

    private @Nullable V storeIfAbsent(K key, V value) {
        V old = cache.get(key, type);
        return old != null ? old : store(key, null, value);
    }

    @Override
    public @Nullable V remove(Object key) {
        return keys.isKey(key) ? cache.pop(key, type) : null;
    }

    @Override
    public boolean remove(Object key, @Nullable Object value) {
        return keys.isKey(key) && holds(key, value) && cache.transact(() -> holds(key, value) && cache.delete(key));
    }

    private boolean holds(Object key, @Nullable Object value) {
        V stored = cache.get(key, type);
        return stored != null && Objects.deepEquals(stored, value);
    }

    @Override
    public boolean replace(K key, V old, V value) {
        requireBoth(key, value);
        Objects.requireNonNull(old, "old");
        return cache.transact(() -> {
            boolean same = holds(key, old);
            if (same) {
                cache.set(key, value);
            }
            return same;
        });
    }

    @Override
    public @Nullable V replace(K key, V value) {
        requireBoth(key, value);
        return cache.transact(() -> {
            V old = cache.get(key, type);
            return old == null ? null : store(key, old, value);
        });
    }

    // Computing: the function runs in the transaction

    @Override
    public @Nullable V compute(K key, BiFunction<? super K, ? super @Nullable V, ? extends @Nullable V> function) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(function, "function");
        return cache.transact(() -> keep(key, function.apply(key, cache.get(key, type))));
    }

    private @Nullable V keep(K key, @Nullable V value) {
        if (value == null) {
            boolean unused = cache.delete(key);
        } else {
            cache.set(key, value);
        }
        return value;
    }

    @Override
    public @Nullable V computeIfAbsent(K key, Function<? super K, ? extends @Nullable V> function) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(function, "function");
        V present = cache.get(key, type);
        return present != null
                ? present
                : cache.transact(() -> {
                    V old = cache.get(key, type);
                    V value = old != null ? old : function.apply(key);
                    if (old == null && value != null) {
                        cache.set(key, value);
                    }
                    return value;
                });
    }

    @Override
    public @Nullable V computeIfPresent(K key, BiFunction<? super K, ? super V, ? extends @Nullable V> function) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(function, "function");
        return cache.get(key, type) == null
                ? null
                : cache.transact(() -> {
                    V old = cache.get(key, type);
                    return old == null ? null : keep(key, function.apply(key, old));
                });
    }

    @Override
    public @Nullable V merge(K key, V value, BiFunction<? super V, ? super V, ? extends @Nullable V> function) {
        requireBoth(key, value);
        Objects.requireNonNull(function, "function");
        return cache.transact(() -> {
            V old = cache.get(key, type);
            return keep(key, old == null ? value : function.apply(old, value));
        });
    }

    private static void requireBoth(@Nullable Object key, @Nullable Object value) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(value, "value");
    }

    // The ends, queues and memoized functions

    /**
     * Reads the entry that was inserted last.
     *
     * @return the entry, if there is one
     */
    public Optional<Map.Entry<K, V>> peekItem() {
        return peekItem(Side.BACK);
    }

    /**
     * Reads the entry that was inserted first or last.
     *
     * @param side {@link Side#FRONT} for the first, {@link Side#BACK} for the last
     * @return the entry, if there is one
     */
    public Optional<Map.Entry<K, V>> peekItem(Side side) {
        Objects.requireNonNull(side, "side");
        Iterator<Map.Entry<K, V>> entries = new Entries(side == Side.FRONT ? cache.keys() : cache.keysReversed());
        return entries.hasNext() ? Optional.of(entries.next()) : Optional.empty();
    }

    /**
     * Removes the entry that was inserted last.
     *
     * @return the entry, if there was one
     */
    public Optional<Map.Entry<K, V>> popItem() {
        return popItem(Side.BACK);
    }

    /**
     * Removes the entry that was inserted first or last.
     *
     * @param side {@link Side#FRONT} for the first, {@link Side#BACK} for the last
     * @return the entry, if there was one
     */
    public Optional<Map.Entry<K, V>> popItem(Side side) {
        Objects.requireNonNull(side, "side");
        return cache.transact(() -> {
            Optional<Map.Entry<K, V>> item = peekItem(side);
            item.ifPresent(entry -> cache.delete(entry.getKey()));
            return item;
        });
    }

    /**
     * The keys, the one that was inserted last first.
     *
     * @return a lazy, weakly consistent stream
     */
    public Stream<K> keysReversed() {
        return cache.keysReversed().map(keys::toKey).flatMap(Optional::stream);
    }

    /**
     * Adds a value at a side of a queue, as an entry with a key that this call makes: see {@link Cache#push(Object, String, Side, EntryOptions)}.
     *
     * @param value the value
     * @param prefix names the queue; null for the one with integer keys
     * @param side where
     * @return the key, a Long or a String
     */
    public Object push(V value, @Nullable String prefix, Side side) {
        return cache.push(value, prefix, side, EntryOptions.none());
    }

    /**
     * Removes the first value of a side of a queue.
     *
     * @param prefix names the queue; null for the one with integer keys
     * @param side where
     * @return the value with its key, if there was one
     */
    public Optional<Cache.Item<V>> pull(@Nullable String prefix, Side side) {
        return cache.pull(prefix, side, type);
    }

    /**
     * Remembers what functions return, as entries of this index: see {@link Cache#memoize}.
     *
     * @param name stands for the function
     * @param options what is remembered, and for how long
     * @return the memoizer
     */
    public Memoizer memoize(String name, MemoizeOptions options) {
        return cache.memoize(name, options);
    }

    // Views

    /**
     * Counts the entries of the cache, with those that this index does not show, and with those that have expired and are not removed yet.
     *
     * @return how many there are, at most {@link Integer#MAX_VALUE}
     */
    @Override
    public int size() {
        return cache.size();
    }

    @Override
    public boolean isEmpty() {
        return !new Keys().hasNext();
    }

    @Override
    public void clear() {
        int unused = cache.clear();
    }

    @Override
    public boolean containsValue(@Nullable Object value) {
        Objects.requireNonNull(value, "value");
        return values().contains(value);
    }

    @Override
    public Set<K> keySet() {
        return new KeySet();
    }

    @Override
    public Collection<V> values() {
        return new Values();
    }

    @Override
    public Set<Map.Entry<K, V>> entrySet() {
        return new EntrySet();
    }

    /** The keys in order, a page read at a time. */
    private final class Keys implements Iterator<K> {
        private final Iterator<K> shown =
                cache.keys().map(keys::toKey).flatMap(Optional::stream).iterator();

        private @Nullable K last;

        @Override
        public boolean hasNext() {
            return shown.hasNext();
        }

        @Override
        public K next() {
            K key = shown.next();
            last = key;
            return key;
        }

        @Override
        public void remove() {
            K key = last;
            if (key == null) {
                throw new IllegalStateException("next has not been called, or what it showed was removed");
            }
            last = null;
            boolean unused = cache.delete(key);
        }
    }

    /** The entries in order; a value is read when its entry is about to be shown. */
    private final class Entries implements Iterator<Map.Entry<K, V>> {
        private final Iterator<Object> stored;
        private @Nullable Entry next;
        private @Nullable K last;

        Entries(Stream<Object> stored) {
            this.stored = stored.iterator();
        }

        @Override
        public boolean hasNext() {
            while (next == null && stored.hasNext()) {
                K key = keys.toKey(stored.next()).orElse(null);
                V value = key == null ? null : cache.get(key, type);
                next = key == null || value == null ? null : new Entry(key, value);
            }
            return next != null;
        }

        @Override
        public Map.Entry<K, V> next() {
            Entry shown = hasNext() ? next : null;
            if (shown == null) {
                throw new NoSuchElementException("no entry is left");
            }
            next = null;
            last = shown.getKey();
            return shown;
        }

        @Override
        public void remove() {
            K key = last;
            if (key == null) {
                throw new IllegalStateException("next has not been called, or what it showed was removed");
            }
            last = null;
            boolean unused = cache.delete(key);
        }
    }

    /** An entry as it was read; setting its value puts it into the index. */
    private final class Entry extends SimpleEntry<K, V> {
        private static final long serialVersionUID = 1;

        Entry(K key, V value) {
            super(key, value);
        }

        @Override
        public V setValue(V value) {
            requireBoth(getKey(), value);
            cache.set(getKey(), value);
            return super.setValue(value);
        }
    }

    private final class KeySet extends AbstractSet<K> {
        @Override
        public Iterator<K> iterator() {
            return new Keys();
        }

        @Override
        public Spliterator<K> spliterator() {
            return Spliterators.spliteratorUnknownSize(iterator(), CHARACTERISTICS | Spliterator.DISTINCT);
        }

        @Override
        public int size() {
            return Index.this.size();
        }

        @Override
        public boolean isEmpty() {
            return Index.this.isEmpty();
        }

        @Override
        public boolean contains(Object key) {
            return containsKey(key);
        }

        @Override
        public boolean remove(Object key) {
            return keys.isKey(key) && cache.delete(key);
        }

        @Override
        public void clear() {
            Index.this.clear();
        }
    }

    private final class EntrySet extends AbstractSet<Map.Entry<K, V>> {
        @Override
        public Iterator<Map.Entry<K, V>> iterator() {
            return new Entries(cache.keys());
        }

        @Override
        public Spliterator<Map.Entry<K, V>> spliterator() {
            return Spliterators.spliteratorUnknownSize(iterator(), CHARACTERISTICS | Spliterator.DISTINCT);
        }

        @Override
        public int size() {
            return Index.this.size();
        }

        @Override
        public boolean isEmpty() {
            return Index.this.isEmpty();
        }

        @Override
        public boolean contains(@Nullable Object entry) {
            return entry instanceof Map.Entry<?, ?> wanted
                    && keys.isKey(wanted.getKey())
                    && holds(wanted.getKey(), wanted.getValue());
        }

        @Override
        public boolean remove(@Nullable Object entry) {
            return entry instanceof Map.Entry<?, ?> unwanted
                    && Index.this.remove(unwanted.getKey(), unwanted.getValue());
        }

        @Override
        public void clear() {
            Index.this.clear();
        }
    }

    private final class Values extends AbstractCollection<V> {
        @Override
        public Iterator<V> iterator() {
            return Iterators.transform(new Entries(cache.keys()), Map.Entry::getValue);
        }

        @Override
        public Spliterator<V> spliterator() {
            return Spliterators.spliteratorUnknownSize(iterator(), CHARACTERISTICS);
        }

        @Override
        public int size() {
            return Index.this.size();
        }

        @Override
        public boolean isEmpty() {
            return Index.this.isEmpty();
        }

        @Override
        public boolean contains(@Nullable Object value) {
            return stream().anyMatch(stored -> Objects.deepEquals(stored, value));
        }

        @Override
        public void clear() {
            Index.this.clear();
        }
    }
}

package dev.latchkey.cache.sqlite;

import com.google.common.base.Suppliers;
import com.google.common.collect.Iterators;
import com.google.common.collect.Lists;
import com.google.common.collect.Streams;
import com.google.common.math.LongMath;
import com.google.common.primitives.Ints;
import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.AsyncCache;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.Deque;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.FanoutCache;
import dev.latchkey.cache.Index;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.Side;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.EntryStore;
import dev.latchkey.cache.spi.QueueStore;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A cache over shards; each call goes to the one of its key, or to all of them. */
final class ShardedCache implements FanoutCache, EntryStore {
    private static final Map<Setting, Object> NEVER_EVICTING =
            Map.of(Setting.EVICTION_POLICY, EvictionPolicy.NONE.stored());

    private final FanoutDirectory directory;
    private final OpenOptions options;
    private final Codec codec;
    private final List<ReadableCache> shards;
    /** The same, if they may be written. */
    private final List<SqliteCache> writable;

    private final @Nullable Budget budget;
    private final Supplier<ExecutorService> threads;
    private final Supplier<AsyncCache> async;
    /** For opening and closing. */
    private final ReentrantLock turn = new ReentrantLock();

    private final Map<Path, ReadableCache> inner = new HashMap<>();
    private volatile boolean closed;

    ShardedCache(FanoutDirectory directory, OpenOptions options, List<ReadableCache> shards) {
        this.directory = directory;
        this.options = options;
        this.codec = shards.get(0).codec;
        this.shards = List.copyOf(shards);
        this.threads = Suppliers.memoize(() -> AsyncThreads.pool(options.asyncThreads()));
        this.async = Suppliers.memoize(() -> AsyncCache.of(this, threads.get()));
        this.writable = shards.stream()
                .filter(SqliteCache.class::isInstance)
                .map(SqliteCache.class::cast)
                .toList();
        this.budget = writable.isEmpty() ? null : writable.get(0).engine().budget();
    }

    // Where a key is

    private ReadableCache of(Object key) {
        requireOpen();
        return shards.get(indexOf(codec.encodeKey(key)));
    }

    /** Python's shard for every key, except that an item of a queue is where its queue is. */
    private int indexOf(StoredKey key) {
        int index = ShardKeys.shardOf(key, shards.size());
        if (EntryQueue.isItem(key)) {
            int ofQueue = indexOfQueue(EntryQueue.prefixOf(key));
            return ofQueue != index && shards.get(ofQueue).isLive(key) ? ofQueue : index;
        }
        return index;
    }

    private int indexOfQueue(@Nullable String prefix) {
        return prefix == null ? 0 : ShardKeys.shardOf(codec.encodeKey(prefix), shards.size());
    }

    private ReadableCache ofQueue(@Nullable String prefix) {
        requireOpen();
        return shards.get(indexOfQueue(prefix));
    }

    /** Makes room for what was written, if all shards together exceed their limit. */
    private void makeRoomFor(Supplier<Set<StoredKey>> written) {
        if (budget != null) {
            budget.written(written);
        }
    }

    private void makeRoomFor(Object key) {
        makeRoomFor(() -> Set.of(codec.encodeKey(key)));
    }

    private void makeRoomForItem(Object key) {
        makeRoomFor(() -> Set.of(StoredKey.raw(key)));
    }

    // Storing

    @Override
    public void set(Object key, Object value, EntryOptions options) {
        of(key).set(key, value, options);
        makeRoomFor(key);
    }

    @Override
    public boolean add(Object key, Object value, EntryOptions options) {
        boolean added = of(key).add(key, value, options);
        makeRoomFor(key);
        return added;
    }

    @Override
    public void write(Object key, InputStream value, EntryOptions options) {
        of(key).write(key, value, options);
        makeRoomFor(key);
    }

    @Override
    public long incr(Object key, long delta, long initial) {
        long sum = of(key).incr(key, delta, initial);
        makeRoomFor(key);
        return sum;
    }

    @Override
    public double incr(Object key, double delta) {
        double sum = of(key).incr(key, delta);
        makeRoomFor(key);
        return sum;
    }

    @Override
    public void setAll(Map<?, ?> values, EntryOptions options) {
        requireOpen();
        Objects.requireNonNull(options, "options");
        if (writable.isEmpty()) {
            shards.get(0).setAll(values, options); // which refuses it
        }
        Map<Integer, List<SqliteCache.Prepared>> prepared = new TreeMap<>();
        Set<StoredKey> keys = new HashSet<>();
        try {
            values.forEach((key, value) -> {
                int index = indexOf(codec.encodeKey(key));
                SqliteCache.Prepared one = writable.get(index).prepare(key, value, options);
                prepared.computeIfAbsent(index, absent -> new ArrayList<>()).add(one);
                keys.add(one.key());
            });
            storeAll(prepared);
        } catch (Throwable t) {
            prepared.forEach((index, some) -> writable.get(index).discard(some));
            throw t;
        }
        makeRoomFor(() -> keys);
    }

    @Override
    public List<Optional<Throwable>> setEach(Iterator<Put> puts) {
        List<SqliteCache.SetOne> sets = SqliteCache.setEach(puts, key -> of(key).writable());
        makeRoomFor(
                () -> sets.stream().flatMap(set -> Stream.ofNullable(set.key())).collect(Collectors.toSet()));
        return sets.stream().map(SqliteCache.SetOne::failure).toList();
    }

    /** What was handed to a transaction is for it to keep or to remove, whatever comes of the others. */
    private void storeAll(Map<Integer, List<SqliteCache.Prepared>> prepared) {
        if (prepared.isEmpty()) {
            return;
        }
        Deadline deadline = Deadline.after(options.timeout());
        List<SqliteCache> involved =
                prepared.keySet().stream().map(writable::get).toList();
        Iterator<Map.Entry<Integer, List<SqliteCache.Prepared>>> left =
                prepared.entrySet().iterator();
        boolean unused = transactOver(involved, deadline, () -> {
            double now = involved.get(0).now();
            while (left.hasNext()) {
                Map.Entry<Integer, List<SqliteCache.Prepared>> next = left.next();
                writable.get(next.getKey()).storeAll(next.getValue(), now, deadline);
                left.remove();
            }
            return true;
        });
    }

    @Override
    public boolean touch(Object key, Duration expireAfter) {
        return of(key).touch(key, expireAfter);
    }

    @Override
    public boolean persist(Object key) {
        return of(key).persist(key);
    }

    @Override
    public boolean delete(Object key) {
        return of(key).delete(key);
    }

    @Override
    public <V> Optional<Entry<V>> popEntry(Object key, TypeToken<V> type) {
        return of(key).popEntry(key, type);
    }

    // Reading

    @Override
    public @Nullable InputStream read(Object key) {
        return of(key).read(key);
    }

    @Override
    public <V> @Nullable V get(Object key, TypeToken<V> type) {
        return of(key).get(key, type);
    }

    @Override
    public @Nullable Object get(Object key) {
        return of(key).get(key);
    }

    @Override
    public <V> Optional<Entry<V>> entry(Object key, TypeToken<V> type) {
        return of(key).entry(key, type);
    }

    @Override
    public boolean containsKey(Object key) {
        return of(key).containsKey(key);
    }

    @Override
    public <K, V> Map<K, V> getAll(Collection<K> keys, TypeToken<V> type) {
        requireOpen();
        Objects.requireNonNull(type, "type");
        Map<ReadableCache, List<K>> byShard = new HashMap<>();
        keys.forEach(key ->
                byShard.computeIfAbsent(of(key), absent -> new ArrayList<>()).add(key));
        Map<K, V> found = new HashMap<>();
        byShard.forEach((shard, some) -> found.putAll(shard.getAll(some, type)));
        Map<K, V> inOrder = new LinkedHashMap<>();
        for (K key : keys) {
            V value = found.get(key);
            if (value != null) {
                inOrder.put(key, value);
            }
        }
        return inOrder;
    }

    // Queues

    @Override
    public Object push(Object value, @Nullable String prefix, Side side, EntryOptions options) {
        Object key = ofQueue(prefix).push(value, prefix, side, options);
        makeRoomForItem(key);
        return key;
    }

    @Override
    public Object push(InputStream value, @Nullable String prefix, Side side, EntryOptions options) {
        Object key = ofQueue(prefix).push(value, prefix, side, options);
        makeRoomForItem(key);
        return key;
    }

    @Override
    public <V> Optional<Item<V>> pull(@Nullable String prefix, Side side, TypeToken<V> type) {
        return ofQueue(prefix).pull(prefix, side, type);
    }

    @Override
    public <V> Optional<Item<V>> peek(@Nullable String prefix, Side side, TypeToken<V> type) {
        return ofQueue(prefix).peek(prefix, side, type);
    }

    @Override
    public <V> Optional<Item<V>> peekItem(Side side, TypeToken<V> type) {
        requireOpen();
        Objects.requireNonNull(side, "side");
        List<ReadableCache> inOrder = side == Side.FRONT ? shards : Lists.reverse(shards);
        return inOrder.stream()
                .map(shard -> shard.peekItem(side, type))
                .flatMap(Optional::stream)
                .findFirst();
    }

    // All keys

    @Override
    public Stream<Object> keys() {
        return oneAfterTheOther(shards, ReadableCache::keys);
    }

    @Override
    public Stream<Object> keysReversed() {
        return oneAfterTheOther(Lists.reverse(shards), ReadableCache::keysReversed);
    }

    @Override
    public Stream<Object> keysByTag(Object tag) {
        Object column = ReadableCache.tagColumn(tag);
        return oneAfterTheOther(shards, shard -> shard.keysByTag(column));
    }

    /** Of iterators, since to iterate over a flattened stream is to read all of each part. */
    private Stream<Object> oneAfterTheOther(List<ReadableCache> inOrder, Function<ReadableCache, Stream<Object>> keys) {
        requireOpen();
        return Streams.stream(Iterators.concat(Iterators.transform(
                inOrder.iterator(), shard -> keys.apply(shard).iterator())));
    }

    @Override
    public Stream<Object> sortedKeys() {
        return merged(shard -> KeyPages.sorted(shard::now), ShardKeys.ORDER);
    }

    @Override
    public Stream<Object> sortedKeysReversed() {
        return merged(shard -> KeyPages.sortedReversed(shard::now), ShardKeys.ORDER.reversed());
    }

    private Stream<Object> merged(Function<ReadableCache, KeyPages.Page> page, Comparator<StoredKey> order) {
        requireOpen();
        List<Iterator<StoredKey>> all = shards.stream()
                .map(shard -> shard.storedKeys(page.apply(shard)).iterator())
                .toList();
        return Streams.stream(Iterators.mergeSorted(all, order)).map(codec::decodeKey);
    }

    // Removing many

    @Override
    public int expire() {
        return sum(Cache::expire);
    }

    @Override
    public int evict(Object tag) {
        Object column = ReadableCache.tagColumn(tag);
        return sum(shard -> shard.evict(column));
    }

    @Override
    public int clear() {
        return sum(Cache::clear);
    }

    @Override
    public int cull() {
        int expired = expire();
        return expired + (budget == null ? 0 : budget.evictAll(options.timeout()));
    }

    private int sum(ToIntFunction<Cache> counted) {
        requireOpen();
        return Ints.saturatedCast(shards.stream().mapToLong(counted::applyAsInt).sum());
    }

    private long total(ToLongFunction<Cache> counted) {
        requireOpen();
        return shards.stream().mapToLong(counted).sum();
    }

    // Maintenance

    @Override
    public CheckReport check(boolean repair) {
        requireOpen();
        List<CheckReport.Finding> all = new ArrayList<>();
        for (ReadableCache shard : shards) {
            String name = shard.directory().getFileName() + ": ";
            for (CheckReport.Finding found : shard.check(repair).findings()) {
                all.add(new CheckReport.Finding(found.kind(), name + found.description(), found.repaired()));
            }
        }
        return new CheckReport(all);
    }

    @Override
    public Stats stats() {
        return total(shards.stream().map(Cache::stats));
    }

    @Override
    public Stats resetStats() {
        return total(shards.stream().map(Cache::resetStats));
    }

    private Stats total(Stream<Stats> each) {
        requireOpen();
        return each.reduce(new Stats(0, 0), (a, b) -> new Stats(a.hits() + b.hits(), a.misses() + b.misses()));
    }

    @Override
    public long volume() {
        return total(Cache::volume);
    }

    @Override
    public int size() {
        return sum(Cache::size);
    }

    @Override
    public Map<Setting, Object> settings() {
        requireOpen();
        Map<Setting, Object> all = new EnumMap<>(shards.get(0).settings());
        all.put(Setting.SIZE_LIMIT, sizeLimit());
        return Collections.unmodifiableMap(all);
    }

    private long sizeLimit() {
        return shards.stream()
                .mapToLong(shard -> shard.settings().get(Setting.SIZE_LIMIT) instanceof Long part ? part : 0)
                .reduce(0, LongMath::saturatedAdd);
    }

    @Override
    public void alter(Setting setting, Object value) {
        requireOpen();
        Object stored = setting.toStored(value);
        transact(() -> {
            for (int i = 0; i < shards.size(); i++) {
                boolean parted = setting == Setting.SIZE_LIMIT;
                Object own = parted ? (Object) FanoutOpening.part((Long) stored, i, shards.size()) : stored;
                writable.get(i).alterStored(setting, own);
            }
        });
    }

    // Transactions

    @Override
    public <T> T transact(Callable<T> body) {
        requireOpen();
        Objects.requireNonNull(body, "body");
        return writable.isEmpty()
                ? shards.get(0).transact(body) // which refuses it
                : transactOver(writable, Deadline.after(options.timeout()), body);
    }

    /** Takes the write lock of one after the other, in their order. Nothing is committed if one of them cannot be. */
    private static <T> T transactOver(List<SqliteCache> some, Deadline deadline, Callable<T> body) {
        return Listeners.tellAfter(() -> transactNow(some, deadline, body));
    }

    private static <T> T transactNow(List<SqliteCache> some, Deadline deadline, Callable<T> body) {
        boolean outermost = some.stream().noneMatch(shard -> shard.engine().isInTransaction());
        return nest(some, deadline, () -> {
            T result = body.call();
            if (outermost) {
                some.forEach(shard -> shard.engine().writer().requireNotDoomed());
            }
            return result;
        });
    }

    private static <T> T nest(List<SqliteCache> some, Deadline deadline, Callable<T> body) {
        List<SqliteCache> others = some.subList(1, some.size());
        return some.get(0).transact(others.isEmpty() ? body : () -> nest(others, deadline, body), deadline);
    }

    // Beside the entries

    @Override
    public AsyncCache async() {
        requireOpen();
        return async.get();
    }

    @Override
    public void addListener(CacheListener listener) {
        requireOpen();
        shards.forEach(shard -> shard.addListener(listener));
    }

    @Override
    public void removeListener(CacheListener listener) {
        shards.forEach(shard -> shard.removeListener(listener));
    }

    @Override
    public int shards() {
        return shards.size();
    }

    @Override
    public Cache cache(String name) {
        return inner("cache", name, Map.of());
    }

    @Override
    public <E> Deque<E> deque(String name, TypeToken<E> type) {
        Objects.requireNonNull(type, "type");
        return Deque.builder(inner("deque", name, NEVER_EVICTING), type).build();
    }

    @Override
    public <K, V> Index<K, V> index(String name, TypeToken<K> keyType, TypeToken<V> valueType) {
        Objects.requireNonNull(keyType, "keyType");
        Objects.requireNonNull(valueType, "valueType");
        return new Index<>(inner("index", name, NEVER_EVICTING), keyType, valueType);
    }

    private Cache inner(String kind, String name, Map<Setting, Object> settings) {
        Path folder = directory.inner(kind, name);
        turn.lock();
        try {
            requireOpen();
            ReadableCache open = inner.get(folder);
            if (open == null || open.isClosed()) {
                open = SqliteCaches.open(folder, options.with(settings), null);
                inner.put(folder, open);
            }
            return open;
        } finally {
            turn.unlock();
        }
    }

    @Override
    public Path directory() {
        return directory.root();
    }

    /** Coordination is in the first shard, a queue in that of its prefix. */
    @Override
    public <T> T unwrap(Class<T> type) {
        requireOpen();
        if (type == QueueStore.class && !writable.isEmpty()) {
            QueueStore queues =
                    prefix -> ofQueue(prefix).unwrap(QueueStore.class).queue(prefix);
            return type.cast(queues);
        }
        return shards.get(0).unwrap(type);
    }

    private void requireOpen() {
        if (closed) {
            throw new CacheClosedException("this cache on " + directory.root() + " is closed");
        }
    }

    /** The first shard last: the others use what it has. */
    @Override
    public void close() {
        List<ReadableCache> all;
        turn.lock();
        try {
            if (closed) {
                return;
            }
            all = new ArrayList<>(inner.values());
            all.addAll(Lists.reverse(shards));
            closed = true;
        } finally {
            turn.unlock();
        }
        try {
            ReadableCache.close(all, () -> threads.get().shutdown());
        } catch (IllegalStateException e) {
            closed = false;
            throw e;
        }
        directory.deleteIfTemporary();
    }
}

package dev.latchkey.cache.sqlite;

import com.google.common.base.Suppliers;
import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.AsyncCache;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.Side;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.cache.StoredValue;
import dev.latchkey.cache.spi.Deadline;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Everything of a cache that only reads. */
abstract class ReadableCache implements Cache {
    final Codec codec;
    final Duration timeout;
    private final Engines.Lease lease;
    private final Source source;
    /** Those that were added to this cache, not to another one on the directory. */
    private final List<CacheListener> own = new CopyOnWriteArrayList<>();

    private final Supplier<ExecutorService> threads;
    private final Supplier<AsyncCache> async;
    private volatile boolean closed;

    ReadableCache(Engines.Lease lease, Codec codec, OpenOptions options) {
        this.lease = lease;
        this.source = lease.source();
        this.codec = codec;
        this.timeout = options.timeout();
        this.threads = Suppliers.memoize(() -> AsyncThreads.pool(options.asyncThreads()));
        this.async = Suppliers.memoize(() -> AsyncCache.of(this, threads.get()));
    }

    /** The same, or an error if it was opened for reading alone. */
    abstract SqliteCache writable();

    /** A row with what it holds. */
    record Found(Row row, StoredValue value) {}

    // One entry

    @Override
    public <V> @Nullable V get(Object key, TypeToken<V> type) {
        Objects.requireNonNull(type, "type");
        StoredValue value = value(key, begin());
        return value == null ? null : decode(key, value, type);
    }

    @Override
    public @Nullable Object get(Object key) {
        StoredValue value = value(key, begin());
        try {
            return value == null ? null : codec.decode(value);
        } catch (CodecException e) {
            throw named(key, e);
        }
    }

    @Override
    public <V> Optional<Entry<V>> entry(Object key, TypeToken<V> type) {
        Objects.requireNonNull(type, "type");
        Found found = read(key, begin());
        return found == null ? Optional.empty() : Optional.of(entry(key, found, type));
    }

    <V> Entry<V> entry(Object key, Found found, TypeToken<V> type) {
        Row row = found.row;
        return new Entry<>(decode(key, found.value, type), row.optionalTag(), row.storeInstant(), row.expiryInstant());
    }

    @Override
    public boolean containsKey(Object key) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        return follow(key, () -> findLive(stored, deadline), row -> isWhole(row) ? row : null) != null;
    }

    @Override
    public @Nullable InputStream read(Object key) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        InputStream stream = follow(key, () -> findLive(stored, deadline), row -> {
            InputStream opened = stream(key, row);
            if (opened != null) {
                hit(stored, row);
            }
            return opened;
        });
        if (stream == null) {
            missed(stored);
        }
        return stream;
    }

    private @Nullable InputStream stream(Object key, Row row) {
        if (row.mode() == StoredValue.Mode.PICKLE.code()) {
            throw new CodecException(
                    "key " + quote(key) + ": the value was pickled by Python and has no bytes to stream");
        }
        if (row.filename() != null) {
            return source.files().open(row.filename(), row.size());
        }
        if (row.value() instanceof String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }
        if (row.value() instanceof byte[] bytes) {
            return new ByteArrayInputStream(bytes);
        }
        throw new CodecException("key " + quote(key) + ": a number or null cannot be read as a stream; use get");
    }

    @Override
    public <K, V> Map<K, V> getAll(Collection<K> keys, TypeToken<V> type) {
        Objects.requireNonNull(type, "type");
        Deadline deadline = begin();
        List<StoredKey> stored = keys.stream().map(codec::encodeKey).toList();
        List<@Nullable Row> rows = source.query(
                db -> {
                    List<@Nullable Row> found = new ArrayList<>();
                    stored.forEach(key -> found.add(Entries.find(db, key)));
                    return found;
                },
                deadline);
        Map<K, V> values = new LinkedHashMap<>();
        int index = 0;
        for (K key : keys) {
            Row row = rows.get(index);
            boolean inline = row != null && row.filename() == null && row.isLive(now());
            if (inline) {
                hit(stored.get(index), row);
            }
            Found found = inline ? new Found(row, stored(key, row, row.value())) : read(key, deadline);
            V value = found == null ? null : decode(key, found.value, type);
            if (value != null) {
                values.put(key, value);
            }
            index++;
        }
        return values;
    }

    private void hit(StoredKey key, @Nullable Row row) {
        source.hit(row);
        source.tell(CacheListener::hit, key);
    }

    private void missed(StoredKey key) {
        source.missed();
        source.tell(CacheListener::miss, key);
    }

    private @Nullable StoredValue value(Object key, Deadline deadline) {
        StoredKey stored = codec.encodeKey(key);
        if (!source.remembersHits()) {
            Entries.Plain plain = query(db -> Entries.findPlain(db, stored, now()), deadline);
            if (plain == null) {
                missed(stored);
                return null;
            }
            if (plain.value() != null) {
                hit(stored, null);
                return StoredValue.raw(plain.value());
            }
        }
        Found found = read(key, stored, deadline);
        return found == null ? null : found.value;
    }

    private @Nullable Found read(Object key, Deadline deadline) {
        return read(key, codec.encodeKey(key), deadline);
    }

    private @Nullable Found read(Object key, StoredKey stored, Deadline deadline) {
        Found found = find(key, stored, deadline);
        if (found == null) {
            missed(stored);
        } else {
            hit(stored, found.row);
        }
        return found;
    }

    /** A live entry with its value, without counting as a read. */
    @Nullable
    Found find(Object key, StoredKey stored, Deadline deadline) {
        return follow(key, () -> findLive(stored, deadline), row -> content(key, row));
    }

    /** Whether its value is there: without its file, an entry is absent. */
    boolean isWhole(Row row) {
        return row.filename() == null || source.files().size(row.filename()) == row.size();
    }

    boolean isLive(StoredKey stored) {
        return findLive(stored, begin()) != null;
    }

    private @Nullable Row findLive(StoredKey stored, Deadline deadline) {
        Row row = query(db -> Entries.find(db, stored), deadline);
        return row != null && row.isLive(now()) ? row : null;
    }

    /**
     * Reads a row and its file. A file that is missing or cut short was replaced between the two steps, so the row is read again;
     * if the row still names it, the value is gone.
     */
    private <R> @Nullable R follow(Object key, Supplier<@Nullable Row> find, Function<Row, @Nullable R> content) {
        String missing = null;
        while (true) {
            Row row = find.get();
            R result = row == null ? null : content.apply(row);
            if (row == null || result != null) {
                return result;
            }
            if (Objects.equals(row.filename(), missing)) {
                lost(key, row, false);
                return null;
            }
            missing = row.filename();
        }
    }

    /** The value of an entry or item is gone; perhaps it was removed for that. */
    void lost(Object key, Row row, boolean removed) {
        String what = "key " + quote(key) + ": its value file " + row.filename() + " is missing or cut short"
                + (removed ? "; it was removed" : "");
        CheckReport.Finding finding = new CheckReport.Finding(CheckReport.Kind.FILE_MISSING, what, removed);
        source.listeners().tell(listener -> listener.repaired(finding));
    }

    /** What a row holds, or null if its file is missing or cut short. */
    @Nullable
    Found content(Object key, Row row) {
        String filename = row.filename();
        if (filename == null) {
            return new Found(row, stored(key, row, row.value()));
        }
        byte[] content = source.files().read(filename, row.size());
        return content == null ? null : new Found(row, stored(key, row, content));
    }

    /** What is in the directory may have been written by anybody. */
    private static StoredValue stored(Object key, Row row, @Nullable Object content) {
        try {
            StoredValue.Mode mode = StoredValue.Mode.of(Math.toIntExact(row.mode()));
            return mode == StoredValue.Mode.TEXT && content instanceof byte[] bytes
                    ? StoredValue.text(new String(bytes, StandardCharsets.UTF_8))
                    : new StoredValue(mode, content);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new CodecException("key " + quote(key) + ": the row is damaged: " + e.getMessage(), e);
        }
    }

    <V> @Nullable V decode(Object key, StoredValue value, TypeToken<V> type) {
        try {
            return codec.decode(value, type);
        } catch (CodecException e) {
            throw named(key, e);
        }
    }

    // Queues

    @Override
    public <V> Optional<Item<V>> peek(@Nullable String prefix, Side side, TypeToken<V> type) {
        Objects.requireNonNull(type, "type");
        return firstWhole(new EntryQueue(prefix), side, null, lost -> {}, begin())
                .map(item -> item(item, type));
    }

    /** An item of a queue with its value, or an entry with its key, as it is stored and as it is shown. */
    record FoundItem(StoredKey stored, Object key, Found found) {}

    <V> Item<V> item(FoundItem item, TypeToken<V> type) {
        Row row = item.found.row;
        return new Item<>(item.key, decode(item.key, item.found.value, type), row.optionalTag(), row.expiryInstant());
    }

    /**
     * The item nearest to a side, or behind a key, whose value is there; the others on the way to it are reported.
     */
    Optional<FoundItem> firstWhole(
            EntryQueue queue, Side side, @Nullable Object first, Consumer<EntryQueue.Item> lost, Deadline deadline) {
        Objects.requireNonNull(side, "side");
        Object passed = first;
        String missing = null;
        while (true) {
            Object behind = passed;
            EntryQueue.Item next = query(db -> queue.next(db, side, behind, now()), deadline);
            if (next == null) {
                return Optional.empty();
            }
            Found found = content(next.key(), next.row());
            if (found != null) {
                return Optional.of(new FoundItem(StoredKey.raw(next.key()), next.key(), found));
            }
            if (Objects.equals(next.row().filename(), missing)) {
                lost.accept(next);
                passed = next.key();
            }
            missing = next.row().filename();
        }
    }

    @Override
    public <V> Optional<Item<V>> peekItem(Side side, TypeToken<V> type) {
        Objects.requireNonNull(side, "side");
        Objects.requireNonNull(type, "type");
        Deadline deadline = begin();
        boolean front = side == Side.FRONT;
        long passed = front ? Long.MIN_VALUE : Long.MAX_VALUE;
        String missing = null;
        while (true) {
            long behind = passed;
            KeyedRow next = query(
                    db -> db.one(front ? Sql.FIRST_ENTRY : Sql.LAST_ENTRY, KeyedRow::of, now(), behind), deadline);
            if (next == null) {
                return Optional.empty();
            }
            Object key = codec.decodeKey(next.key);
            Found found = content(key, next.row);
            if (found != null) {
                return Optional.of(item(new FoundItem(next.key, key, found), type));
            }
            if (Objects.equals(next.row.filename(), missing)) {
                passed = next.row.rowid();
            }
            missing = next.row.filename();
        }
    }

    /** A row with the two columns of its key behind it. */
    private record KeyedRow(StoredKey key, Row row) {
        static KeyedRow of(java.sql.ResultSet row) throws java.sql.SQLException {
            return new KeyedRow(Row.key(row, Row.COLUMNS + 1), Row.of(row));
        }
    }

    // All entries

    @Override
    public Stream<Object> keys() {
        return keys(KeyPages.inserted(this::now));
    }

    @Override
    public Stream<Object> keysReversed() {
        return keys(KeyPages.insertedReversed(this::now));
    }

    @Override
    public Stream<Object> sortedKeys() {
        return keys(KeyPages.sorted(this::now));
    }

    @Override
    public Stream<Object> sortedKeysReversed() {
        return keys(KeyPages.sortedReversed(this::now));
    }

    @Override
    public Stream<Object> keysByTag(Object tag) {
        return keys(KeyPages.tagged(tagColumn(tag), this::now));
    }

    static Object tagColumn(Object tag) {
        return EntryOptions.none().tag(tag).tag().orElseThrow();
    }

    private Stream<Object> keys(KeyPages.Page page) {
        return storedKeys(page).map(codec::decodeKey);
    }

    Stream<StoredKey> storedKeys(KeyPages.Page page) {
        requireOpen();
        return KeyPages.stream(read -> query(read, begin()), page);
    }

    @Override
    public Stats stats() {
        return query(db -> new Stats(Counters.read(db, Counters.HITS), Counters.read(db, Counters.MISSES)), begin());
    }

    @Override
    public long volume() {
        return query(Volume::ofFiles, begin()) + source.logBytes();
    }

    @Override
    public int size() {
        long size = query(db -> Counters.read(db, Counters.COUNT), begin());
        return (int) Math.max(0, Math.min(Integer.MAX_VALUE, size));
    }

    @Override
    public Map<Setting, Object> settings() {
        return query(Settings::load, begin()).known();
    }

    CheckReport look() {
        requireOpen();
        return new Inspection(source, timeout, new Grace(source.clock()), Mending.NONE).report();
    }

    // Listeners

    @Override
    public void addListener(CacheListener listener) {
        requireOpen();
        source.listeners().add(listener);
        own.add(listener);
    }

    @Override
    public void removeListener(CacheListener listener) {
        Objects.requireNonNull(listener, "listener");
        if (own.remove(listener)) {
            source.listeners().remove(listener);
        }
    }

    // Calls on other threads

    @Override
    public AsyncCache async() {
        requireOpen();
        return async.get();
    }

    /** Calls that have not begun find the cache closed. */
    private void forgetUsers() {
        own.forEach(this::removeListener);
        threads.get().shutdown();
    }

    // Common to all calls

    <R> R query(Function<Database, R> query, Deadline deadline) {
        return told(() -> source.query(query, deadline));
    }

    /** If the call gives up, whoever listens is told. */
    <R> R told(Supplier<R> call) {
        try {
            return call.get();
        } catch (CacheTimeoutException e) {
            tellBusy();
            throw e;
        }
    }

    void tellBusy() {
        source.listeners().tell(listener -> listener.busy(timeout));
    }

    static CodecException named(Object key, CodecException e) {
        return new CodecException("key " + quote(key) + ": " + e.getMessage(), e);
    }

    static String quote(Object key) {
        return key instanceof byte[] bytes ? "of " + bytes.length + " bytes" : "'" + key + "'";
    }

    double now() {
        return source.clock().wallMillis() / 1000.0;
    }

    Deadline begin() {
        requireOpen();
        return Deadline.after(timeout);
    }

    void requireOpen() {
        if (closed) {
            throw new CacheClosedException("this cache on " + source.root() + " is closed");
        }
        source.requireOpen();
    }

    @Override
    public Path directory() {
        return source.root();
    }

    @Override
    public void close() {
        close(List.of(this), () -> {});
    }

    /**
     * Closes all that are open, in their order; or none, if the calling thread is in a transaction that this would end.
     *
     * @param certain runs when they will be, before the first is closed
     */
    static void close(List<ReadableCache> all, Runnable certain) {
        List<ReadableCache> open =
                all.stream().filter(ReadableCache::markClosed).toList();
        try {
            Engines.release(open.stream().map(cache -> cache.lease).toList(), () -> {
                open.forEach(ReadableCache::forgetUsers);
                certain.run();
            });
        } catch (IllegalStateException e) {
            for (ReadableCache cache : open) {
                cache.closed = false;
            }
            throw e;
        }
        open.forEach(ReadableCache::deleteIfTemporary);
    }

    private synchronized boolean markClosed() {
        boolean first = !closed;
        closed = true;
        return first;
    }

    /** When it is closed. */
    void deleteIfTemporary() {}

    boolean isClosed() {
        return closed;
    }
}

package dev.latchkey.cache.sqlite;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.EntryTooLargeException;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.Side;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.cache.StoredValue;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.EntryStore;
import dev.latchkey.cache.spi.QueueStore;
import dev.latchkey.cache.spi.StoredNull;
import dev.latchkey.cache.spi.StoredQueue;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A cache on the table Cache and the value files. */
final class SqliteCache extends ReadableCache implements EntryStore {
    /** How often an entry is read and then taken if it is still the same, before others are held off meanwhile. */
    private static final int TRIES = 3;

    /** What is said instead of a key of an item that has none yet. */
    private static final String QUEUE = "of a queue";

    private final Engine engine;
    private final Entries entries;
    /** To be deleted when the cache is closed. */
    private final @Nullable Directory temporary;

    SqliteCache(Engines.Lease lease, Engine engine, Codec codec, OpenOptions options, @Nullable Directory temporary) {
        super(lease, codec, options);
        this.temporary = temporary;
        this.engine = engine;
        this.entries = engine.entries();
    }

    Engine engine() {
        return engine;
    }

    @Override
    SqliteCache writable() {
        return this;
    }

    // Storing

    @Override
    public void set(Object key, Object value, EntryOptions options) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        Objects.requireNonNull(options, "options");
        store(stored, columns(key, value), options, deadline);
    }

    private void store(StoredKey key, Columns columns, EntryOptions options, Deadline deadline) {
        boolean mayBeSimple = columns.filename() == null && engine.listeners().isEmpty();
        store(
                List.of(columns),
                tx -> put(tx, key, columns, options),
                mayBeSimple ? db -> putOver(db, key, columns, options) : null,
                deadline);
    }

    /** The same as {@link #put}, but in one statement; null if that does not do. */
    private @Nullable Boolean putOver(Database db, StoredKey key, Columns columns, EntryOptions options) {
        boolean put = engine.eviction().isNotDue(engine.settings()) && entries.tryPut(db, key, columns, options, now());
        if (put) {
            engine.eviction().spend(columns.bytes(), 1);
        }
        return put ? true : null;
    }

    private boolean put(Tx tx, StoredKey key, Columns columns, EntryOptions options) {
        double now = now();
        entries.put(tx, key, columns, options, now);
        engine.eviction().written(tx, List.of(key), columns.bytes(), engine.settings(), now);
        return true;
    }

    @Override
    public boolean add(Object key, Object value, EntryOptions options) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        Objects.requireNonNull(options, "options");
        if (containsKey(key)) {
            encode(key, value);
            return false;
        }
        return add(stored, columns(key, value), options, deadline);
    }

    private boolean add(StoredKey key, Columns columns, EntryOptions options, Deadline deadline) {
        boolean added = store(
                List.of(columns),
                tx -> {
                    Row old = Entries.find(tx.db, key);
                    boolean absent = old == null || !old.isLive(now()) || !isWhole(old);
                    return absent && put(tx, key, old, columns, options);
                },
                deadline);
        if (!added) {
            discard(columns);
        }
        return added;
    }

    /** A value with its key, ready to be written. */
    record Prepared(StoredKey key, Columns columns, EntryOptions options) {}

    @Override
    public void setAll(Map<?, ?> values, EntryOptions options) {
        Deadline deadline = begin();
        Objects.requireNonNull(options, "options");
        List<Prepared> prepared = new ArrayList<>();
        try {
            values.forEach((key, value) -> prepared.add(prepare(key, value, options)));
        } catch (Throwable t) {
            discard(prepared);
            throw t;
        }
        storeAll(prepared, deadline);
    }

    private void storeAll(List<Prepared> prepared, Deadline deadline) {
        if (!prepared.isEmpty()) {
            List<Columns> columns = prepared.stream().map(Prepared::columns).toList();
            store(columns, tx -> putAll(tx, prepared, now()), deadline);
        }
    }

    @Override
    public List<Optional<Throwable>> setEach(Iterator<Put> puts) {
        return setEach(puts, key -> this).stream().map(SetOne::failure).toList();
    }

    /** Sets that have nothing to do with each other: prepared one by one, then stored in one transaction for each cache. */
    static List<SetOne> setEach(Iterator<Put> puts, Function<Object, SqliteCache> whereIs) {
        List<SetOne> sets = new ArrayList<>();
        Map<SqliteCache, List<SetOne>> prepared = new LinkedHashMap<>();
        while (puts.hasNext()) {
            SetOne set = new SetOne(puts.next());
            sets.add(set);
            set.attempt(() -> {
                SqliteCache cache = whereIs.apply(set.put.key());
                set.prepared = cache.prepare(set.put);
                prepared.computeIfAbsent(cache, absent -> new ArrayList<>()).add(set);
            });
        }
        prepared.forEach(SqliteCache::storeEach);
        return sets;
    }

    /** What one of several sets comes to. */
    static final class SetOne {
        private final Put put;
        private @Nullable Prepared prepared;
        private Optional<Throwable> failure = Optional.empty();

        private SetOne(Put put) {
            this.put = put;
        }

        private void attempt(Runnable call) {
            try {
                call.run();
            } catch (Throwable t) {
                failure = Optional.of(t);
            }
        }

        Optional<Throwable> failure() {
            return failure;
        }

        /** Null if it could not even be prepared. */
        @Nullable
        StoredKey key() {
            return prepared == null ? null : prepared.key;
        }
    }

    private Prepared prepare(Put put) {
        requireOpen();
        return prepare(put.key(), put.value(), put.options());
    }

    private void storeEach(List<SetOne> sets) {
        List<Prepared> prepared =
                sets.stream().flatMap(set -> Stream.ofNullable(set.prepared)).toList();
        try {
            storeEach(prepared, Deadline.after(timeout));
        } catch (CacheTimeoutException e) {
            sets.forEach(set -> set.failure = Optional.of(e));
        } catch (RuntimeException e) {
            if (sets.size() == 1) {
                sets.get(0).failure = Optional.of(e);
            } else {
                sets.forEach(set -> set.attempt(() -> set(set.put.key(), set.put.value(), set.put.options())));
            }
        }
    }

    private void storeEach(List<Prepared> prepared, Deadline deadline) {
        if (prepared.size() == 1) {
            Prepared one = prepared.get(0);
            store(one.key, one.columns, one.options, deadline);
        } else {
            storeAll(prepared, deadline);
        }
    }

    /** To be stored, or discarded. */
    Prepared prepare(Object key, Object value, EntryOptions options) {
        StoredKey stored = codec.encodeKey(key);
        Objects.requireNonNull(options, "options");
        return new Prepared(stored, columns(key, value), options);
    }

    void discard(List<Prepared> prepared) {
        prepared.forEach(one -> discard(one.columns));
    }

    /** In the transaction of the calling thread, as of an instant that may be that of other shards too. */
    void storeAll(List<Prepared> prepared, double now, Deadline deadline) {
        boolean unused = engine.writer().grow(tx -> putAll(tx, prepared, now), deadline);
    }

    private boolean putAll(Tx tx, List<Prepared> prepared, double now) {
        long bytes = 0;
        for (Prepared one : prepared) {
            entries.put(tx, one.key, one.columns, one.options, now);
            bytes += one.columns.bytes();
        }
        List<StoredKey> keys = prepared.stream().map(Prepared::key).toList();
        engine.eviction().written(tx, keys, bytes, engine.settings(), now);
        return true;
    }

    boolean put(Tx tx, StoredKey key, @Nullable Row old, Columns columns, EntryOptions options) {
        double now = now();
        entries.put(tx, key, old, columns, options, now);
        engine.eviction().written(tx, List.of(key), columns.bytes(), engine.settings(), now);
        return true;
    }

    /** Runs a write that grows; if it fails, the files of its values go. */
    <R> R store(List<Columns> values, Function<Tx, R> work, Deadline deadline) {
        return store(values, work, null, deadline);
    }

    private <R> R store(
            List<Columns> values,
            Function<Tx, R> work,
            @Nullable Function<Database, @Nullable R> single,
            Deadline deadline) {
        try {
            return told(() -> engine.writer().grow(work, single, deadline));
        } catch (Throwable t) {
            values.forEach(this::discard);
            throw t;
        }
    }

    void discard(Columns columns) {
        String filename = columns.filename();
        if (filename != null) {
            engine.files().remove(filename);
        }
    }

    Columns columns(Object key, Object value) {
        engine.writer().requireSpace();
        Object column = encode(key, value).column();
        Settings settings = engine.settings();
        if (column instanceof String text && isLong(text, settings.minFileSize())) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            requireFit(key, bytes.length, settings);
            return Columns.file(StoredValue.Mode.TEXT, engine.files().write(bytes, settings));
        }
        if (column instanceof byte[] bytes && bytes.length >= settings.minFileSize()) {
            requireFit(key, bytes.length, settings);
            return Columns.file(StoredValue.Mode.BINARY, engine.files().write(bytes, settings));
        }
        Columns columns = Columns.inline(column);
        requireFit(key, columns.bytes(), settings);
        return columns;
    }

    private void requireFit(Object key, long bytes, Settings settings) {
        if (bytes > settings.valueLimit()) {
            engine.listeners().tell(listener -> listener.oversize(key, bytes));
            throw new EntryTooLargeException("the value of key " + quote(key) + " has " + bytes
                    + " bytes, more than the limit of " + settings.valueLimit()
                    + " bytes of this cache; raise its size_limit with alter");
        }
    }

    /** Python counts characters, of which one may be two of Java's. */
    private static boolean isLong(String text, long bound) {
        return text.length() >= bound && text.codePointCount(0, text.length()) >= bound;
    }

    private StoredValue encode(Object key, Object value) {
        if (value instanceof InputStream) {
            throw new IllegalArgumentException("the value of key " + quote(key) + " is a stream; store it with write");
        }
        try {
            return value == StoredNull.NULL ? codec.encodeNull() : codec.encode(value);
        } catch (CodecException e) {
            throw named(key, e);
        }
    }

    @Override
    public void write(Object key, InputStream value, EntryOptions options) {
        Deadline begun = begin();
        StoredKey stored = codec.encodeKey(key);
        Objects.requireNonNull(options, "options");
        Columns columns = receive(key, value);
        Deadline deadline = begun.atLeast(timeout); // a slow stream is not a busy database
        store(stored, columns, options, deadline);
    }

    private Columns receive(Object key, InputStream value) {
        Objects.requireNonNull(value, "value");
        engine.writer().requireSpace();
        Settings settings = engine.settings();
        try {
            return Columns.file(StoredValue.Mode.BINARY, engine.files().write(value, settings));
        } catch (EntryTooLargeException e) {
            engine.listeners().tell(listener -> listener.oversize(key, settings.valueLimit() + 1));
            throw e;
        }
    }

    // Numbers

    @Override
    public long incr(Object key, long delta, long initial) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        return grow(
                tx -> add(tx, stored, initial, old -> {
                    if (!(old instanceof Long number)) {
                        throw notANumber(key, "an integral number", old);
                    }
                    return Math.addExact(number, delta);
                }),
                deadline);
    }

    @Override
    public double incr(Object key, double delta) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        if (Double.isNaN(delta)) {
            throw new IllegalArgumentException("delta must be a number, was NaN");
        }
        return grow(
                tx -> add(tx, stored, 0.0, old -> {
                    if (!(old instanceof Number number)) {
                        throw notANumber(key, "a number", old);
                    }
                    double sum = number.doubleValue() + delta;
                    if (Double.isNaN(sum)) {
                        throw new ArithmeticException(
                                "key " + quote(key) + ": " + old + " and " + delta + " have no sum");
                    }
                    return sum;
                }),
                deadline);
    }

    private <N> N add(Tx tx, StoredKey key, Object initial, Function<@Nullable Object, N> sumOf) {
        Row old = Entries.find(tx.db, key);
        if (old == null || !old.isLive(now())) {
            N sum = sumOf.apply(initial);
            put(tx, key, old, Columns.inline(codec.encode(sum).column()), EntryOptions.none());
            return sum;
        }
        boolean inline = old.mode() == StoredValue.Mode.RAW.code();
        N sum = sumOf.apply(inline ? codec.decode(StoredValue.raw(old.value())) : null);
        long accesses = 1 + engine.accesses().take(tx, old.rowid());
        engine.listeners().after(tx, CacheListener::store, key);
        tx.db.update(Sql.UPDATE_NUMBER, now(), accesses, codec.encode(sum).column(), old.rowid());
        return sum;
    }

    private static CodecException notANumber(Object key, String wanted, @Nullable Object old) {
        return new CodecException("the value of key " + quote(key) + " is not " + wanted
                + " and cannot be incremented; stored is "
                + (old == null ? "no inline value" : old.getClass().getSimpleName()));
    }

    // Expiry

    @Override
    public boolean touch(Object key, Duration expireAfter) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        Duration after =
                EntryOptions.none().expireAfter(expireAfter).expireAfter().orElseThrow();
        return write(tx -> expireAt(tx, stored, Entries.expiry(now(), after)), deadline);
    }

    @Override
    public boolean persist(Object key) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        return write(tx -> expireAt(tx, stored, null), deadline);
    }

    private boolean expireAt(Tx tx, StoredKey key, @Nullable Double time) {
        return tx.db.update(Sql.UPDATE_EXPIRY, time, key.column(), key.raw() ? 1L : 0L, now()) > 0;
    }

    // Removing

    @Override
    public boolean delete(Object key) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        return write(
                tx -> {
                    Row old = Entries.find(tx.db, stored);
                    if (old == null) {
                        return false;
                    }
                    boolean live = old.isLive(now());
                    entries.delete(
                            tx,
                            live ? CacheListener::delete : CacheListener::expire,
                            stored,
                            old.rowid(),
                            old.filename());
                    return live;
                },
                deadline);
    }

    @Override
    public <V> Optional<Entry<V>> popEntry(Object key, TypeToken<V> type) {
        Objects.requireNonNull(type, "type");
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        return take(
                () -> Optional.ofNullable(find(key, stored, deadline)).map(found -> new FoundItem(stored, key, found)),
                item -> entry(key, item.found(), type),
                deadline);
    }

    @Override
    public <V> Optional<Item<V>> pull(@Nullable String prefix, Side side, TypeToken<V> type) {
        Objects.requireNonNull(type, "type");
        return pull(new EntryQueue(prefix), side, false, item -> item(item, type), begin());
    }

    /** Where an item is likely the writer looks for it, since what it has just written others have to read again. */
    <R> Optional<R> pull(
            EntryQueue queue, Side side, boolean likely, Function<FoundItem, R> decode, Deadline deadline) {
        Supplier<Optional<FoundItem>> look =
                () -> firstWhole(queue, side, null, lost -> drop(lost, deadline), deadline);
        Optional<R> pulled =
                take(likely ? () -> firstInline(queue, side, deadline).or(look) : look, decode, deadline);
        pulled.ifPresent(item -> ring(SqliteQueue.roomName(queue)));
        return pulled;
    }

    private Optional<FoundItem> firstInline(EntryQueue queue, Side side, Deadline deadline) {
        Function<Database, Optional<EntryQueue.Item>> first =
                db -> Optional.ofNullable(queue.next(db, side, null, now()));
        return told(() -> engine.writer().write(tx -> first.apply(tx.db), first, deadline))
                .filter(item -> item.row().filename() == null)
                .map(item -> new FoundItem(
                        StoredKey.raw(item.key()),
                        item.key(),
                        Objects.requireNonNull(content(item.key(), item.row()))));
    }

    /** Wakes whoever waits for a name, when the calling thread's transaction is committed if it has one. */
    void ring(String name) {
        engine.states().afterCommit(() -> engine.signal().ring(name));
    }

    /**
     * Reads something, turns it into what the caller wants, which may fail and may take long, and then removes it if it is still
     * the same. After a few races lost the write lock is held meanwhile.
     */
    private <R> Optional<R> take(Supplier<Optional<FoundItem>> find, Function<FoundItem, R> decode, Deadline deadline) {
        for (int i = 0; i < TRIES; i++) {
            Optional<FoundItem> read = find.get();
            if (read.isEmpty()) {
                return Optional.empty();
            }
            R result = decode.apply(read.get());
            if (remove(read.get().stored(), read.get().found().row(), deadline)) {
                return Optional.of(result);
            }
        }
        return transact(
                () -> {
                    Optional<R> result = Optional.empty();
                    Optional<FoundItem> read = find.get();
                    if (read.isPresent()) {
                        result = Optional.of(decode.apply(read.get()));
                        Row row = read.get().found().row();
                        write(
                                tx -> {
                                    entries.delete(
                                            tx,
                                            CacheListener::delete,
                                            read.get().stored(),
                                            row.rowid(),
                                            row.filename());
                                    return true;
                                },
                                deadline);
                    }
                    return result;
                },
                deadline);
    }

    /** An item without its value. */
    private void drop(EntryQueue.Item item, Deadline deadline) {
        if (remove(StoredKey.raw(item.key()), item.row(), deadline)) {
            engine.states().afterCommit(() -> lost(item.key(), item.row(), true));
        }
    }

    boolean remove(StoredKey key, Row row, Deadline deadline) {
        boolean removed = told(() -> engine.writer()
                .write(
                        tx -> entries.deleteIfSame(tx, key, row),
                        row.filename() == null ? db -> Entries.deleteIfSame(db, key, row) : null,
                        deadline));
        if (removed) {
            engine.tell(CacheListener::delete, key);
        }
        return removed;
    }

    // Queues

    @Override
    public Object push(Object value, @Nullable String prefix, Side side, EntryOptions options) {
        Deadline deadline = begin();
        Objects.requireNonNull(side, "side");
        Objects.requireNonNull(options, "options");
        requirePrefix(prefix);
        return push(columns(prefix == null ? QUEUE : prefix, value), prefix, side, options, deadline);
    }

    @Override
    public Object push(InputStream value, @Nullable String prefix, Side side, EntryOptions options) {
        Deadline deadline = begin();
        Objects.requireNonNull(side, "side");
        Objects.requireNonNull(options, "options");
        requirePrefix(prefix);
        return push(receive(prefix == null ? QUEUE : prefix, value), prefix, side, options, deadline.atLeast(timeout));
    }

    private StoredQueue queue(@Nullable String prefix) {
        requirePrefix(prefix);
        return new SqliteQueue(this, engine, new EntryQueue(prefix));
    }

    private void requirePrefix(@Nullable String prefix) {
        if (prefix != null) {
            codec.encodeKey(prefix);
        }
    }

    private Object push(Columns columns, @Nullable String prefix, Side side, EntryOptions options, Deadline deadline) {
        EntryQueue queue = new EntryQueue(prefix);
        Object pushed = store(List.of(columns), tx -> push(tx, queue, columns, side, options), deadline);
        ring(SqliteQueue.itemName(queue));
        return pushed;
    }

    Object push(Tx tx, EntryQueue queue, Columns columns, Side side, EntryOptions options) {
        Object key = queue.newKey(tx.db, side);
        put(tx, StoredKey.raw(key), null, columns, options.pinned());
        return key;
    }

    // Many entries

    @Override
    public int expire() {
        double now = now();
        return pages(
                tx -> entries.deleteMany(tx, CacheListener::expire, Sql.DELETE_EXPIRED, now, (long) Sql.PAGE), begin());
    }

    @Override
    public int evict(Object tag) {
        Object column = tagColumn(tag);
        int evicted = 0;
        List<Long> page = taggedBehind(Long.MIN_VALUE, column);
        while (!page.isEmpty()) {
            List<Long> rowids = page;
            evicted += write(tx -> deleteTagged(tx, rowids, column), Deadline.after(timeout));
            page = taggedBehind(rowids.get(rowids.size() - 1), column);
        }
        return evicted;
    }

    /** Found by reading, since without an index every entry is looked at. */
    private List<Long> taggedBehind(long last, Object tag) {
        return query(db -> db.all(Sql.TAGGED_ROWIDS, row -> row.getLong(1), tag, last, (long) Sql.PAGE), begin());
    }

    private int deleteTagged(Tx tx, List<Long> rowids, Object tag) {
        return rowids.stream()
                .mapToInt(rowid -> entries.deleteMany(tx, CacheListener::delete, Sql.DELETE_IF_TAGGED, rowid, tag))
                .sum();
    }

    @Override
    public int clear() {
        Deadline deadline = begin();
        long last = query(KeyPages::lastRowid, deadline);
        return pages(
                tx -> entries.deleteMany(tx, CacheListener::delete, Sql.DELETE_UP_TO, last, (long) Sql.PAGE), deadline);
    }

    @Override
    public int cull() {
        return expire() + pages(tx -> engine.eviction().evict(tx, Set.of(), Sql.PAGE, engine.settings()), begin());
    }

    /** Runs a step until it has nothing left to do; each is a transaction of its own, and each gets the full time. */
    private int pages(ToIntFunction<Tx> step, Deadline first) {
        int all = 0;
        Deadline deadline = first;
        for (int some = 1; some > 0; all += some) {
            some = write(step::applyAsInt, deadline);
            deadline = Deadline.after(timeout);
        }
        return all;
    }

    @Override
    public CheckReport check(boolean repair) {
        requireOpen();
        if (!repair) {
            return look();
        }
        CheckReport report = told(() -> new Repair(engine, timeout, new Grace(engine.clock())).report());
        report.findings().forEach(finding -> engine.listeners().tell(listener -> listener.repaired(finding)));
        return report;
    }

    // Statistics and settings

    @Override
    public Stats stats() {
        begin();
        engine.flushSoon();
        Stats written = super.stats();
        Stats unwritten = engine.accesses().stats();
        return new Stats(written.hits() + unwritten.hits(), written.misses() + unwritten.misses());
    }

    @Override
    public Stats resetStats() {
        return write(
                tx -> {
                    engine.accesses().write(tx, engine.settings().policy());
                    long hits = Counters.read(tx.db, Counters.HITS);
                    long misses = Counters.read(tx.db, Counters.MISSES);
                    tx.db.update(Sql.ADD_TO_COUNTER, -hits, Counters.HITS);
                    tx.db.update(Sql.ADD_TO_COUNTER, -misses, Counters.MISSES);
                    return new Stats(hits, misses);
                },
                begin());
    }

    @Override
    public void alter(Setting setting, Object value) {
        alterStored(setting, setting.toStored(value));
    }

    void alterStored(Setting setting, Object stored) {
        Deadline deadline = begin();
        told(() -> {
            engine.alter(setting, stored, deadline);
            return true;
        });
    }

    // Transactions

    @Override
    public <T> T transact(Callable<T> body) {
        Objects.requireNonNull(body, "body");
        return transact(body, begin());
    }

    <R> R write(Function<Tx, R> work, Deadline deadline) {
        return told(() -> engine.writer().write(work, deadline));
    }

    <R> R grow(Function<Tx, R> work, Deadline deadline) {
        return told(() -> engine.writer().grow(work, deadline));
    }

    <T> T transact(Callable<T> body, Deadline deadline) {
        return Listeners.tellAfter(() -> transactNow(body, deadline));
    }

    private <T> T transactNow(Callable<T> body, Deadline deadline) {
        boolean[] begun = new boolean[1];
        try {
            return engine.writer()
                    .transact(
                            () -> {
                                begun[0] = true;
                                return body.call();
                            },
                            deadline);
        } catch (CacheTimeoutException e) {
            if (!begun[0]) {
                tellBusy();
            }
            throw e;
        } catch (RuntimeException e) {
            throw e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CacheException("interrupted inside a transaction; it was rolled back", e);
        } catch (Exception e) {
            throw new CacheException("a transaction failed and was rolled back: " + e, e);
        }
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        if (type == QueueStore.class) {
            requireOpen();
            return type.cast((QueueStore) this::queue);
        }
        if (type != CoordinationEngine.class) {
            throw new IllegalArgumentException("a cache in a directory has no " + type.getName());
        }
        requireOpen();
        return type.cast(engine);
    }

    @Override
    void deleteIfTemporary() {
        if (temporary != null) {
            temporary.delete();
        }
    }
}

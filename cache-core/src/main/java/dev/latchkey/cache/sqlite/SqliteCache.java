package dev.latchkey.cache.sqlite;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.cache.StoredValue;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A cache on the table Cache and the value files. */
final class SqliteCache implements Cache {
    /** The year 9999: no policy, Python's included, prefers an entry stored then. */
    private static final double PINNED_TIME = 253_402_300_799.0;

    private static final long PINNED_COUNT = 1L << 62;

    private final Engines.Lease lease;
    private final Engine engine;
    private final Codec codec;
    private final Duration timeout;
    private final AtomicBoolean closed = new AtomicBoolean();

    SqliteCache(Engines.Lease lease, Duration timeout) {
        this.lease = lease;
        this.engine = lease.engine();
        this.codec = engine.codec();
        this.timeout = timeout;
    }

    /** A row as it was read. */
    private record Row(
            long rowid,
            double storeTime,
            @Nullable Double expiry,
            @Nullable Object tag,
            int mode,
            @Nullable String filename,
            @Nullable Object value,
            long size) {
        static Row of(ResultSet row) throws SQLException {
            return new Row(
                    row.getLong(1),
                    row.getDouble(2),
                    (Double) asDouble(Database.column(row, 3)),
                    Database.column(row, 4),
                    row.getInt(5),
                    row.getString(6),
                    Database.column(row, 7),
                    row.getLong(8));
        }

        private static @Nullable Object asDouble(@Nullable Object column) {
            return column instanceof Long number ? Double.valueOf(number) : column;
        }

        boolean isLive(double now) {
            return expiry == null || expiry > now;
        }
    }

    /** A value on its way into a row. */
    private record Columns(
            int mode,
            long size,
            @Nullable String filename,
            @Nullable Object value) {}

    @Override
    public void set(Object key, Object value, EntryOptions options) {
        store(key, value, options, true);
    }

    @Override
    public boolean add(Object key, Object value, EntryOptions options) {
        return store(key, value, options, false);
    }

    private boolean store(Object key, Object value, EntryOptions options, boolean replace) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        Objects.requireNonNull(options, "options");
        if (!replace && containsKey(key)) {
            return false;
        }
        Columns columns = columns(key, value);
        try {
            boolean written = engine.writer().write(tx -> upsert(tx, stored, columns, options, replace), deadline);
            if (!written) {
                discard(columns);
            }
            return written;
        } catch (Throwable t) {
            discard(columns);
            throw t;
        }
    }

    private Columns columns(Object key, Object value) {
        Object column = encode(key, value).column();
        if (column instanceof String text && isLong(text, engine.settings().minFileSize())) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return new Columns(
                    StoredValue.Mode.TEXT.code(), bytes.length, engine.files().write(bytes), null);
        }
        if (column instanceof byte[] bytes && bytes.length >= engine.settings().minFileSize()) {
            return new Columns(
                    StoredValue.Mode.BINARY.code(), bytes.length, engine.files().write(bytes), null);
        }
        return new Columns(StoredValue.Mode.RAW.code(), 0, null, column);
    }

    /** Python counts characters, of which one may be two of Java's. */
    private static boolean isLong(String text, long bound) {
        return text.length() >= bound && text.codePointCount(0, text.length()) >= bound;
    }

    private StoredValue encode(Object key, Object value) {
        try {
            return codec.encode(value);
        } catch (CodecException e) {
            throw named(key, e);
        }
    }

    private void discard(Columns columns) {
        if (columns.filename != null) {
            engine.files().remove(columns.filename);
        }
    }

    private boolean upsert(Tx tx, StoredKey key, Columns columns, EntryOptions options, boolean replace) {
        double now = now();
        Row old = find(tx.db, key);
        if (old != null && !replace && old.isLive(now)) {
            return false;
        }
        Double expiry = options.expireAfter().map(after -> expiry(now, after)).orElse(null);
        double time = options.isPinned() ? PINNED_TIME : now;
        long count = options.isPinned() ? PINNED_COUNT : 0;
        Object tag = options.tag().orElse(null);
        if (old == null) {
            tx.db.update(
                    Sql.INSERT_ENTRY,
                    key.column(),
                    key.raw() ? 1L : 0L,
                    time,
                    expiry,
                    time,
                    count,
                    tag,
                    columns.size,
                    (long) columns.mode,
                    columns.filename,
                    columns.value);
        } else {
            tx.db.update(
                    Sql.UPDATE_ENTRY,
                    time,
                    expiry,
                    time,
                    count,
                    tag,
                    columns.size,
                    (long) columns.mode,
                    columns.filename,
                    columns.value,
                    old.rowid);
            removeAfterCommit(tx, old);
        }
        tx.onRollback(() -> discard(columns));
        return true;
    }

    private void removeAfterCommit(Tx tx, Row old) {
        if (old.filename != null) {
            String filename = old.filename;
            tx.afterCommit(() -> engine.files().remove(filename));
        }
    }

    private static double expiry(double now, Duration after) {
        return now + after.getSeconds() + after.getNano() / 1e9;
    }

    @Override
    public long incr(Object key, long delta, long initial) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        return engine.writer().write(tx -> add(tx, key, stored, delta, initial), deadline);
    }

    private long add(Tx tx, Object key, StoredKey stored, long delta, long initial) {
        double now = now();
        Row old = find(tx.db, stored);
        if (old == null || !old.isLive(now)) {
            long sum = Math.addExact(initial, delta);
            upsert(tx, stored, new Columns(StoredValue.Mode.RAW.code(), 0, null, sum), EntryOptions.none(), true);
            return sum;
        }
        if (old.mode != StoredValue.Mode.RAW.code() || !(old.value instanceof Long number)) {
            throw new CodecException("the value of key " + quote(key) + " is not an integral number and cannot be"
                    + " incremented; stored is " + typeOf(old.value));
        }
        long sum = Math.addExact(number, delta);
        tx.db.update(Sql.UPDATE_NUMBER, old.storeTime >= PINNED_TIME ? old.storeTime : now, sum, old.rowid);
        return sum;
    }

    private static String typeOf(@Nullable Object value) {
        return value == null ? "no inline value" : value.getClass().getSimpleName();
    }

    @Override
    public boolean touch(Object key, Duration expireAfter) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        EntryOptions checked = EntryOptions.none().expireAfter(expireAfter);
        return engine.writer()
                .write(
                        tx -> {
                            double now = now();
                            double expiry = expiry(now, checked.expireAfter().orElseThrow());
                            return tx.db.update(Sql.UPDATE_EXPIRY, expiry, stored.column(), stored.raw() ? 1L : 0L, now)
                                    > 0;
                        },
                        deadline);
    }

    @Override
    public boolean delete(Object key) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        return engine.writer()
                .write(
                        tx -> {
                            Row old = find(tx.db, stored);
                            if (old == null) {
                                return false;
                            }
                            tx.db.update(Sql.DELETE_ENTRY, old.rowid);
                            removeAfterCommit(tx, old);
                            return old.isLive(now());
                        },
                        deadline);
    }

    @Override
    public <V> @Nullable V get(Object key, TypeToken<V> type) {
        Objects.requireNonNull(type, "type");
        Read read = read(key);
        return read == null ? null : decode(key, read.value, type);
    }

    @Override
    public @Nullable Object get(Object key) {
        Read read = read(key);
        try {
            return read == null ? null : codec.decode(read.value);
        } catch (CodecException e) {
            throw named(key, e);
        }
    }

    @Override
    public <V> Optional<Entry<V>> entry(Object key, Class<V> type) {
        Objects.requireNonNull(type, "type");
        Read read = read(key);
        if (read == null) {
            return Optional.empty();
        }
        return Optional.of(new Entry<>(
                decode(key, read.value, TypeToken.of(type)),
                Optional.ofNullable(read.row.tag),
                instant(read.row.storeTime),
                Optional.ofNullable(read.row.expiry).map(SqliteCache::instant)));
    }

    private static Instant instant(double seconds) {
        return Instant.ofEpochMilli(Math.round(seconds * 1000));
    }

    private <V> @Nullable V decode(Object key, StoredValue value, TypeToken<V> type) {
        try {
            return codec.decode(value, type);
        } catch (CodecException e) {
            throw named(key, e);
        }
    }

    private record Read(Row row, StoredValue value) {}

    /**
     * Reads a row and its file. A file that is missing or cut short was replaced between the two steps, so the row is read again; if the
     * row still names it, the value is gone.
     */
    private @Nullable Read read(Object key) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        String missing = null;
        while (true) {
            Row row = query(db -> find(db, stored), deadline);
            if (row == null || !row.isLive(now())) {
                return null;
            }
            if (row.filename == null) {
                return new Read(row, stored(key, row, row.value));
            }
            byte[] content = engine.files().read(row.filename);
            if (content != null && content.length == row.size) {
                return new Read(row, stored(key, row, content));
            }
            if (row.filename.equals(missing)) {
                return null;
            }
            missing = row.filename;
        }
    }

    /** What is in the directory may have been written by anybody. */
    private static StoredValue stored(Object key, Row row, @Nullable Object content) {
        try {
            StoredValue.Mode mode = StoredValue.Mode.of(row.mode);
            return mode == StoredValue.Mode.TEXT && content instanceof byte[] bytes
                    ? StoredValue.text(new String(bytes, StandardCharsets.UTF_8))
                    : new StoredValue(mode, content);
        } catch (IllegalArgumentException e) {
            throw new CodecException("key " + quote(key) + ": the row is damaged: " + e.getMessage(), e);
        }
    }

    @Override
    public boolean containsKey(Object key) {
        Deadline deadline = begin();
        StoredKey stored = codec.encodeKey(key);
        Row row = query(db -> find(db, stored), deadline);
        return row != null && row.isLive(now());
    }

    private <R> R query(Function<Database, R> query, Deadline deadline) {
        Tx joined = engine.writer().current();
        return joined != null ? query.apply(joined.db) : engine.readers().read(query, deadline);
    }

    @SuppressWarnings("NullAway") // null where there is no row
    private static Row find(Database db, StoredKey key) {
        return db.one(Sql.ENTRY, Row::of, key.column(), key.raw() ? 1L : 0L);
    }

    @Override
    public <T> T transact(Callable<T> body) {
        Objects.requireNonNull(body, "body");
        try {
            return engine.writer().transact(body, begin());
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
    public Path directory() {
        return engine.root();
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        if (type != CoordinationEngine.class) {
            throw new IllegalArgumentException("a cache in a directory has no " + type.getName());
        }
        requireOpen();
        return type.cast(engine);
    }

    private static CodecException named(Object key, CodecException e) {
        return new CodecException("key " + quote(key) + ": " + e.getMessage(), e);
    }

    private static String quote(Object key) {
        return key instanceof byte[] bytes ? "of " + bytes.length + " bytes" : "'" + key + "'";
    }

    private double now() {
        return engine.clock().wallMillis() / 1000.0;
    }

    private Deadline begin() {
        requireOpen();
        return Deadline.after(timeout);
    }

    private void requireOpen() {
        if (closed.get()) {
            throw new CacheClosedException("this cache on " + engine.root() + " is closed");
        }
        engine.requireOpen();
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            try {
                Engines.release(lease);
            } catch (IllegalStateException e) {
                closed.set(false);
                throw e;
            }
        }
    }
}

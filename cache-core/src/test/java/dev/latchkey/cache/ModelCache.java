package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a cache ought to be: a map in memory, for one thread, without limits. Time stands still but for {@link #elapse()},
 * after which all that was to expire within a minute has expired.
 */
final class ModelCache implements Cache {
    private static final long FIRST_ITEM = 500_000_000_000_000L;

    private final Codec codec = Codecs.json();
    private Map<StoredKey, Row> rows = new LinkedHashMap<>();
    private @Nullable Throwable doom;
    private int depth;

    /**
     * One entry.
     *
     * @param expired whether it is still there only because nobody has removed it yet
     */
    private record Row(StoredValue value, Optional<Object> tag, Optional<Duration> expiry, boolean expired) {
        <V> Entry<V> entry(@Nullable V decoded) {
            return new Entry<>(decoded, tag, Instant.EPOCH, expiry.map(Instant.EPOCH::plus));
        }

        <V> Item<V> item(Object key, @Nullable V decoded) {
            return new Item<>(key, decoded, tag, expiry.map(Instant.EPOCH::plus));
        }

        Row withValue(StoredValue other) {
            return new Row(other, tag, expiry, false);
        }

        Row withExpiry(Optional<Duration> other) {
            return new Row(value, tag, other, false);
        }
    }

    void elapse() {
        rows.replaceAll((key, row) -> row.expiry.isPresent() && row.expiry.get().toMinutes() == 0
                ? new Row(row.value, row.tag, row.expiry, true)
                : row);
    }

    /** A copy that goes its own way. */
    ModelCache copy() {
        ModelCache copy = new ModelCache();
        copy.rows = new LinkedHashMap<>(rows);
        return copy;
    }

    private @Nullable Row live(Object key) {
        Row row = rows.get(codec.encodeKey(key));
        return row == null || row.expired ? null : row;
    }

    private void put(StoredKey key, StoredValue value, EntryOptions options) {
        Row old = rows.get(key);
        if (old != null && old.expired) {
            rows.remove(key);
        }
        rows.put(key, new Row(value, options.tag(), options.expireAfter(), false));
    }

    private boolean update(Object key, UnaryOperator<Row> change) {
        Row row = live(key);
        if (row != null) {
            rows.put(codec.encodeKey(key), change.apply(row));
        }
        return row != null;
    }

    @Override
    public void set(Object key, Object value, EntryOptions options) {
        put(codec.encodeKey(key), codec.encode(value), options);
    }

    @Override
    public void setAll(Map<?, ?> values, EntryOptions options) {
        values.forEach((key, value) -> set(key, value, options));
    }

    @Override
    public boolean add(Object key, Object value, EntryOptions options) {
        boolean absent = live(key) == null;
        if (absent) {
            set(key, value, options);
        }
        return absent;
    }

    @Override
    public long incr(Object key, long delta, long initial) {
        Row row = live(key);
        if (row == null) {
            long sum = Math.addExact(initial, delta);
            set(key, sum);
            return sum;
        }
        if (!(row.value.column() instanceof Long number)) {
            throw new CodecException("no integer");
        }
        long sum = Math.addExact(number, delta);
        rows.put(codec.encodeKey(key), row.withValue(StoredValue.raw(sum)));
        return sum;
    }

    @Override
    public double incr(Object key, double delta) {
        Row row = live(key);
        if (row != null && !(row.value.column() instanceof Number)) {
            throw new CodecException("no number");
        }
        double sum = (row == null ? 0 : ((Number) Objects.requireNonNull(row.value.column())).doubleValue()) + delta;
        if (Double.isNaN(sum)) {
            throw new ArithmeticException("not a number");
        }
        if (row == null) {
            set(key, sum);
        } else {
            rows.put(codec.encodeKey(key), row.withValue(StoredValue.raw(sum)));
        }
        return sum;
    }

    @Override
    public boolean touch(Object key, Duration expireAfter) {
        return update(key, row -> row.withExpiry(Optional.of(expireAfter)));
    }

    @Override
    public boolean persist(Object key) {
        return update(key, row -> row.withExpiry(Optional.empty()));
    }

    @Override
    public boolean delete(Object key) {
        boolean there = live(key) != null;
        if (there) {
            rows.remove(codec.encodeKey(key));
        }
        return there;
    }

    @Override
    public <V> Optional<Entry<V>> popEntry(Object key, TypeToken<V> type) {
        Optional<Entry<V>> entry = entry(key, type);
        delete(key);
        return entry;
    }

    @Override
    public void write(Object key, InputStream value, EntryOptions options) {
        set(key, bytes(value), options);
    }

    private static byte[] bytes(InputStream stream) {
        try {
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new CacheException("no stream", e);
        }
    }

    @Override
    public @Nullable InputStream read(Object key) {
        Row row = live(key);
        Object column = row == null ? null : row.value.column();
        if (column instanceof Number) {
            throw new CodecException("a number");
        }
        return column == null
                ? null
                : new ByteArrayInputStream(
                        column instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : (byte[]) column);
    }

    @Override
    public <V> @Nullable V get(Object key, TypeToken<V> type) {
        Row row = live(key);
        return row == null ? null : codec.decode(row.value, type);
    }

    @Override
    public @Nullable Object get(Object key) {
        Row row = live(key);
        return row == null ? null : row.value.column();
    }

    @Override
    public <V> Optional<Entry<V>> entry(Object key, TypeToken<V> type) {
        return Optional.ofNullable(live(key)).map(row -> row.entry(codec.decode(row.value, type)));
    }

    @Override
    public <K, V> Map<K, V> getAll(Collection<K> keys, TypeToken<V> type) {
        Map<K, V> all = new LinkedHashMap<>();
        for (K key : keys) {
            V value = get(key, type);
            if (value != null) {
                all.put(key, value);
            }
        }
        return all;
    }

    @Override
    public boolean containsKey(Object key) {
        return live(key) != null;
    }

    // Queues

    /** The keys of the items by their numbers, in order. */
    private List<StoredKey> items(@Nullable String prefix) {
        return rows.keySet().stream()
                .filter(key -> !Objects.requireNonNull(rows.get(key)).expired && isItem(key.column(), prefix))
                .sorted(Comparator.comparingLong(key -> number(key.column())))
                .toList();
    }

    private static boolean isItem(Object key, @Nullable String prefix) {
        return prefix == null
                ? key instanceof Long number && Math.abs(number - FIRST_ITEM) < FIRST_ITEM / 2
                : key instanceof String text
                        && text.startsWith(prefix + "-")
                        && text.substring(prefix.length() + 1).matches("[0-9]{15}");
    }

    private static long number(Object key) {
        return key instanceof Long number ? number : Long.parseLong(((String) key).replaceFirst(".*-", ""));
    }

    @Override
    public Object push(Object value, @Nullable String prefix, Side side, EntryOptions options) {
        List<StoredKey> items = items(prefix);
        long number = items.isEmpty()
                ? FIRST_ITEM
                : side == Side.BACK
                        ? number(items.get(items.size() - 1).column()) + 1
                        : number(items.get(0).column()) - 1;
        Object key = prefix == null ? (Object) number : String.format("%s-%015d", prefix, number);
        set(key, value, options);
        return key;
    }

    @Override
    public Object push(InputStream value, @Nullable String prefix, Side side, EntryOptions options) {
        return push(bytes(value), prefix, side, options);
    }

    @Override
    public <V> Optional<Item<V>> pull(@Nullable String prefix, Side side, TypeToken<V> type) {
        Optional<Item<V>> item = peek(prefix, side, type);
        item.ifPresent(found -> delete(found.key()));
        return item;
    }

    @Override
    public <V> Optional<Item<V>> peek(@Nullable String prefix, Side side, TypeToken<V> type) {
        return end(items(prefix), side, type);
    }

    @Override
    public <V> Optional<Item<V>> peekItem(Side side, TypeToken<V> type) {
        return end(liveKeys(), side, type);
    }

    private <V> Optional<Item<V>> end(List<StoredKey> keys, Side side, TypeToken<V> type) {
        if (keys.isEmpty()) {
            return Optional.empty();
        }
        StoredKey key = keys.get(side == Side.FRONT ? 0 : keys.size() - 1);
        Row row = Objects.requireNonNull(rows.get(key));
        return Optional.of(row.item(key.column(), codec.decode(row.value, type)));
    }

    // Streams of keys

    private List<StoredKey> liveKeys() {
        return rows.keySet().stream()
                .filter(key -> !Objects.requireNonNull(rows.get(key)).expired)
                .toList();
    }

    @Override
    public Stream<Object> keys() {
        return liveKeys().stream().map(StoredKey::column);
    }

    @Override
    public Stream<Object> keysReversed() {
        List<Object> keys = new ArrayList<>(keys().toList());
        Collections.reverse(keys);
        return keys.stream();
    }

    @Override
    public Stream<Object> sortedKeys() {
        return keys().sorted(ModelCache::compare);
    }

    @Override
    public Stream<Object> sortedKeysReversed() {
        return keys().sorted((a, b) -> compare(b, a));
    }

    private static int compare(Object a, Object b) {
        if (a instanceof Number x && b instanceof Number y) {
            return Double.compare(x.doubleValue(), y.doubleValue());
        }
        if (a instanceof String x && b instanceof String y) {
            return Arrays.compareUnsigned(x.getBytes(StandardCharsets.UTF_8), y.getBytes(StandardCharsets.UTF_8));
        }
        return a instanceof byte[] x && b instanceof byte[] y
                ? Arrays.compareUnsigned(x, y)
                : Integer.compare(rank(a), rank(b));
    }

    private static int rank(Object key) {
        return key instanceof Number ? 0 : key instanceof String ? 1 : 2;
    }

    @Override
    public Stream<Object> keysByTag(Object tag) {
        return liveKeys().stream().filter(key -> hasTag(key, tag)).map(StoredKey::column);
    }

    private boolean hasTag(StoredKey key, Object tag) {
        return Objects.deepEquals(Objects.requireNonNull(rows.get(key)).tag.orElse(null), tag);
    }

    // Maintenance

    private int remove(List<StoredKey> keys) {
        keys.forEach(rows::remove);
        return keys.size();
    }

    @Override
    public int expire() {
        return remove(rows.keySet().stream()
                .filter(key -> Objects.requireNonNull(rows.get(key)).expired)
                .toList());
    }

    @Override
    public int evict(Object tag) {
        return remove(rows.keySet().stream().filter(key -> hasTag(key, tag)).toList());
    }

    @Override
    public int cull() {
        return expire();
    }

    @Override
    public int clear() {
        return remove(List.copyOf(rows.keySet()));
    }

    @Override
    public int size() {
        return rows.size();
    }

    @Override
    public <T> T transact(Callable<T> body) {
        Map<StoredKey, Row> before = new LinkedHashMap<>(rows);
        boolean outermost = depth++ == 0;
        try {
            T result = body.call();
            if (outermost && doom != null) {
                throw new CacheException("doomed", doom);
            }
            return result;
        } catch (Exception e) {
            doom = doom == null ? e : doom;
            if (outermost) {
                rows = before;
            }
            throw e instanceof RuntimeException unchecked ? unchecked : new CacheException("failed", e);
        } finally {
            depth--;
            if (outermost) {
                doom = null;
            }
        }
    }

    @Override
    public void close() {}

    // Not a matter of the model

    @Override
    public CheckReport check(boolean repair) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Stats stats() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Stats resetStats() {
        throw new UnsupportedOperationException();
    }

    @Override
    public long volume() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Map<Setting, Object> settings() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void alter(Setting setting, Object value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public AsyncCache async() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void addListener(CacheListener listener) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void removeListener(CacheListener listener) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Path directory() {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        throw new UnsupportedOperationException();
    }
}

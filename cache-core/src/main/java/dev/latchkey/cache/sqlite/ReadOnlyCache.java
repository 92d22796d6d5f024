package dev.latchkey.cache.sqlite;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.CacheReadOnlyException;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.Side;
import java.io.InputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** A cache that was opened for reading alone. */
final class ReadOnlyCache extends ReadableCache {
    ReadOnlyCache(Engines.Lease lease, Codec codec, OpenOptions options) {
        super(lease, codec, options);
    }

    private CacheReadOnlyException refused() {
        requireOpen();
        return new CacheReadOnlyException(
                "the cache in " + directory() + " was opened for reading alone; open it without readOnly to write");
    }

    @Override
    SqliteCache writable() {
        throw refused();
    }

    @Override
    public void set(Object key, Object value, EntryOptions options) {
        throw refused();
    }

    @Override
    public void setAll(Map<?, ?> values, EntryOptions options) {
        throw refused();
    }

    @Override
    public boolean add(Object key, Object value, EntryOptions options) {
        throw refused();
    }

    @Override
    public long incr(Object key, long delta, long initial) {
        throw refused();
    }

    @Override
    public double incr(Object key, double delta) {
        throw refused();
    }

    @Override
    public boolean touch(Object key, Duration expireAfter) {
        throw refused();
    }

    @Override
    public boolean persist(Object key) {
        throw refused();
    }

    @Override
    public boolean delete(Object key) {
        throw refused();
    }

    @Override
    public <V> Optional<Entry<V>> popEntry(Object key, TypeToken<V> type) {
        throw refused();
    }

    @Override
    public void write(Object key, InputStream value, EntryOptions options) {
        throw refused();
    }

    @Override
    public Object push(Object value, @Nullable String prefix, Side side, EntryOptions options) {
        throw refused();
    }

    @Override
    public Object push(InputStream value, @Nullable String prefix, Side side, EntryOptions options) {
        throw refused();
    }

    @Override
    public <V> Optional<Item<V>> pull(@Nullable String prefix, Side side, TypeToken<V> type) {
        throw refused();
    }

    @Override
    public int expire() {
        throw refused();
    }

    @Override
    public int evict(Object tag) {
        throw refused();
    }

    @Override
    public int cull() {
        throw refused();
    }

    @Override
    public int clear() {
        throw refused();
    }

    @Override
    public CheckReport check(boolean repair) {
        if (repair) {
            throw refused();
        }
        return look();
    }

    @Override
    public Stats resetStats() {
        throw refused();
    }

    @Override
    public void alter(Setting setting, Object value) {
        throw refused();
    }

    @Override
    public <T> T transact(Callable<T> body) {
        throw refused();
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        requireOpen();
        throw new IllegalArgumentException("a cache that was opened for reading alone has no " + type.getName());
    }
}

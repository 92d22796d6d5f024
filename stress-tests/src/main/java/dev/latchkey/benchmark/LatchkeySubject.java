package dev.latchkey.benchmark;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Deque;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.sqlite.WriterPragmas;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.MemoizeStampede;
import dev.latchkey.coordination.Throttle;
import dev.latchkey.stress.check.ForeignRead;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** Latchkey as {@code Cache.open} opens it. */
final class LatchkeySubject extends Subject {
    private final Path directory;
    private final Cache cache;
    private final Deque<String> deque;
    private final MemoizeStampede memo;
    private final Map<String, Lock> locks = new ConcurrentHashMap<>();
    private volatile @Nullable Throttle throttle;

    LatchkeySubject(Path directory) {
        this.directory = directory;
        cache = Cache.open(directory);
        deque = new Deque<>(cache, "deque", String.class);
        memo = MemoizeStampede.builder(cache, "memo")
                .expireAfter(Duration.ofHours(1))
                .build();
    }

    @Override
    void set(String key, String value) {
        cache.set(key, value);
    }

    @Override
    @Nullable
    String get(String key) {
        return cache.get(key, String.class);
    }

    @Override
    void setAll(Map<String, String> entries) {
        cache.setAll(entries);
    }

    @Override
    void setBytes(String key, byte[] value) {
        cache.set(key, value);
    }

    @Override
    byte @Nullable [] getBytes(String key) {
        return cache.get(key, byte[].class);
    }

    /** The log counts as space that is taken, but not against the limit. */
    @Override
    void limit() throws IOException {
        cache.alter(Setting.SIZE_LIMIT, cache.volume() - Files.size(directory.resolve("cache.db-wal")));
    }

    @Override
    long count() {
        return cache.size();
    }

    /** Of somebody who looks into the file by other means; no call of ours reads for so long. */
    @Override
    AutoCloseable snapshot() throws IOException {
        return new ForeignRead(directory);
    }

    @Override
    Future<?> setLater(String key, String value) {
        return cache.async().set(key, value);
    }

    private Lock lock(String name) {
        return locks.computeIfAbsent(name, word -> new Lock(cache, word));
    }

    @Override
    @SuppressWarnings("LockNotBeforeTry") // another command releases it
    void acquire(String name) {
        lock(name).lock();
    }

    @Override
    void release(String name) {
        lock(name).unlock();
    }

    @Override
    void offer(String value) {
        deque.addLast(value);
    }

    @Override
    @Nullable
    String poll() {
        return deque.poll();
    }

    @Override
    String take() throws InterruptedException {
        return deque.take();
    }

    @Override
    void pass(int perSecond) throws InterruptedException {
        Throttle limit = throttle;
        if (limit == null) {
            limit = Throttle.builder(cache, "throttle", perSecond, Duration.ofSeconds(1))
                    .burst(1)
                    .build();
            throttle = limit;
        }
        limit.acquire();
    }

    @Override
    String memoized(String key, Callable<String> function) {
        return memo.wrap(String.class, (String word) -> call(function)).apply(key);
    }

    private static String call(Callable<String> function) {
        try {
            return function.call();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    String settings() {
        return WriterPragmas.of(cache) + " (another thread writes the log back)";
    }
}

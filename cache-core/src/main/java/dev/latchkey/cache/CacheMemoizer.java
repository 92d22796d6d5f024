package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.spi.StoredNull;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Remembers results as entries; whoever finds none computes it. */
final class CacheMemoizer extends Memoizer {
    private final Cache cache;

    CacheMemoizer(Cache cache, String name, MemoizeOptions options) {
        super(name, options);
        this.cache = Objects.requireNonNull(cache, "cache");
    }

    @Override
    protected <R> @Nullable R recall(String key, TypeToken<R> type, Callable<? extends @Nullable R> function) {
        Optional<Cache.Entry<R>> remembered = cache.entry(key, type);
        if (remembered.isPresent()) {
            return remembered.get().value();
        }
        R result = compute(function);
        if (options().isCached(result)) {
            cache.set(key, result == null ? StoredNull.NULL : result, options().entryOptions());
        }
        return result;
    }

    @Override
    protected boolean forget(String key) {
        return cache.delete(key);
    }
}

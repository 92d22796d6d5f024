package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which keys of a cache are those of an {@link Index}, and as what they are shown. */
final class IndexKeys<K> {
    private final Class<? super K> type;

    IndexKeys(TypeToken<K> type) {
        this.type = type.wrap().getRawType();
    }

    /** Whether something may be asked for; what is no key is in no index. */
    boolean isKey(@Nullable Object key) {
        return type.isInstance(Objects.requireNonNull(key, "key"));
    }

    /** A key as the cache shows it as what the index promises; empty if it cannot be that. */
    @SuppressWarnings("unchecked") // it is an instance of the type
    Optional<K> toKey(Object stored) {
        Object key = type.isInstance(stored) ? stored : stored instanceof Number number ? convert(number) : null;
        return Optional.ofNullable((K) key);
    }

    /** A Long or a Double as another type that holds it exactly: numbers that are equal are one key. */
    private @Nullable Object convert(Number stored) {
        if (type == Double.class) {
            return exactDouble(stored);
        }
        if (type == Float.class) {
            Double real = exactDouble(stored);
            return real != null && real.floatValue() == real ? real.floatValue() : null;
        }
        long whole = stored.longValue();
        if (stored instanceof Double real && (real != whole || whole == Long.MAX_VALUE)) {
            return null;
        }
        if (type == Long.class) {
            return whole;
        }
        if (type == Integer.class) {
            return whole == (int) whole ? (int) whole : null;
        }
        if (type == Short.class) {
            return whole == (short) whole ? (short) whole : null;
        }
        return type == Byte.class && whole == (byte) whole ? (byte) whole : null;
    }

    /** Casting the greatest long there and back proves nothing. */
    private static @Nullable Double exactDouble(Number stored) {
        double real = stored.doubleValue();
        boolean exact = stored instanceof Double || (long) real == stored.longValue() && real != 0x1p63;
        return exact ? (Double) real : null;
    }
}

package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.math.BigInteger;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Strings, numbers and bytes as SQLite has them, everything else as JSON text. */
final class JsonCodec implements Codec {
    private static final String NAN = "NaN";
    private static final int DOUBLE_PRECISION = 53;
    private static final int FLOAT_PRECISION = 24;

    /** A result that was null and is remembered: Python's None. */
    static final Object NULL = new Object();

    private final Json json = new Json();

    @Override
    public String name() {
        return "json";
    }

    @Override
    public StoredKey encodeKey(Object key) {
        return key instanceof StoredKey pickled && !pickled.raw() ? pickled : StoredKey.raw(Column.of("key", key));
    }

    @Override
    public Object decodeKey(StoredKey stored) {
        return stored.raw() ? stored.column() : stored;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // there is one
    public StoredValue encode(Object value) {
        if (value == NULL) {
            return StoredValue.raw(null);
        }
        Object column = Column.ofNative(value);
        if (column instanceof Double real && real.isNaN()) {
            return StoredValue.raw(NAN); // SQLite would make it NULL, and so does Python
        }
        if (column instanceof String text) {
            requireEncodable(text);
        }
        return StoredValue.raw(column == null ? json.write(value) : column);
    }

    private static void requireEncodable(String text) {
        int index = Column.unpairedSurrogate(text);
        if (index >= 0) {
            throw new CodecException("string value of " + text.length() + " characters has an unpaired surrogate at"
                    + " index " + index + "; UTF-8 cannot hold it, remove it or store a byte[]");
        }
    }

    @Override
    public @Nullable Object decode(StoredValue stored) {
        return stored.mode() == StoredValue.Mode.PICKLE ? unpickle(stored) : stored.column();
    }

    @Override
    @SuppressWarnings("unchecked") // read() answers an instance of the wanted type
    public <V> @Nullable V decode(StoredValue stored, TypeToken<V> type) {
        Objects.requireNonNull(type, "type");
        if (stored.mode() == StoredValue.Mode.PICKLE) {
            Object tree = unpickle(stored);
            return tree == null ? null : (V) readTree(tree, type);
        }
        Object column = stored.column();
        return column == null ? null : (V) read(column, type);
    }

    private static @Nullable Object unpickle(StoredValue stored) {
        if (stored.column() instanceof byte[] pickle) {
            return Pickle.read(pickle);
        }
        throw new CodecException("stored PICKLE cannot be read: it is a BLOB if Python wrote it, but was "
                + Column.typeOf(stored.column()));
    }

    /** A number is read as if it stood in a column, text is not parsed, and the items of a container become what is wanted. */
    private @Nullable Object readTree(Object tree, TypeToken<?> type) {
        boolean container = tree instanceof Collection || tree instanceof Map;
        if (type.wrap().getRawType().isInstance(tree) && (!container || type.getType() instanceof Class)) {
            return tree;
        }
        return tree instanceof Long || tree instanceof Double || tree instanceof byte[]
                ? read(tree, type)
                : json.bind(tree, type);
    }

    private @Nullable Object read(Object column, TypeToken<?> type) {
        Class<?> wanted = type.wrap().getRawType();
        if (wanted.isInstance(column)) {
            return column;
        }
        if (column instanceof String text) {
            return readText(text, wanted, type);
        }
        Object number = column instanceof Long integer
                ? readInteger(integer, wanted)
                : column instanceof Double real ? readReal(real, wanted) : null;
        if (number == null) {
            throw cannotRead(column, type);
        }
        return number;
    }

    private @Nullable Object readText(String text, Class<?> wanted, TypeToken<?> type) {
        if (text.equals(NAN) && wanted == Float.class) {
            return Float.NaN;
        }
        if (text.equals(NAN) && (wanted == Double.class || wanted == Number.class)) {
            return Double.NaN;
        }
        return json.read(text, type);
    }

    private static @Nullable Number readInteger(long value, Class<?> wanted) {
        if (wanted == BigInteger.class) {
            return BigInteger.valueOf(value);
        }
        if (wanted == Integer.class) {
            return value == (int) value ? (int) value : null;
        }
        if (wanted == Short.class) {
            return value == (short) value ? (short) value : null;
        }
        if (wanted == Byte.class) {
            return value == (byte) value ? (byte) value : null;
        }
        if (wanted == Double.class) {
            return significantBits(value) <= DOUBLE_PRECISION ? (double) value : null;
        }
        return wanted == Float.class && significantBits(value) <= FLOAT_PRECISION ? (float) value : null;
    }

    /** Casting to floating point and back proves nothing: Long.MAX_VALUE comes back as itself. */
    private static int significantBits(long value) {
        return Long.SIZE - Long.numberOfLeadingZeros(Math.abs(value)) - Long.numberOfTrailingZeros(value);
    }

    /** A float is rounded, since 0.1 has no exact one, but must not become infinite or zero by it. */
    private static @Nullable Number readReal(double value, Class<?> wanted) {
        float rounded = (float) value;
        boolean inRange = Float.isInfinite(rounded) == Double.isInfinite(value) && (rounded == 0) == (value == 0);
        return wanted == Float.class && inRange ? rounded : null;
    }

    private static CodecException cannotRead(Object column, TypeToken<?> type) {
        String value = column instanceof byte[] bytes ? "of " + bytes.length + " bytes" : column.toString();
        return new CodecException("stored " + Column.typeOf(column) + " " + value + " cannot be read as "
                + type.getType().getTypeName() + ": it is of another type, or out of range; ask for "
                + (column instanceof byte[] ? "byte[]" : column instanceof Long ? "long" : "double"));
    }
}

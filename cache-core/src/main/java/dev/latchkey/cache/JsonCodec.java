package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Strings, numbers and bytes as SQLite has them, everything else as JSON text. */
final class JsonCodec implements Codec {
    private static final String NAN = "NaN";

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
    public StoredValue encode(Object value) {
        Object column = Column.ofNative(value);
        if (column instanceof Double real && real.isNaN()) {
            return StoredValue.raw(NAN); // SQLite would make it NULL, and so does Python
        }
        if (column instanceof String text) {
            Column.requireEncodable(text);
        }
        return StoredValue.raw(column == null ? json.write(value) : column);
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
        return Column.readNumber(column, type);
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
}

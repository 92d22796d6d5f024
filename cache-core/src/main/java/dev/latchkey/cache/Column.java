package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a column without declared affinity can hold: TEXT, INTEGER, REAL, BLOB or NULL, as Java objects. */
final class Column {
    private static final int DOUBLE_PRECISION = 53;
    private static final int FLOAT_PRECISION = 24;
    private static final int SHOWN_BYTES = 32;
    private static final int SHOWN_CHARS = 100;

    private Column() {}

    /**
     * The column for a key or tag.
     *
     * @throws IllegalArgumentException if no column holds the value unchanged
     */
    static Object of(String role, Object value) {
        Object column = ofNative(value);
        if (column == null) {
            throw refusal(
                    role, value, "must be a String, long, double or byte[]", "convert it, as with String.valueOf");
        }
        if (column instanceof Double real && real.isNaN()) {
            throw refusal(role, value, "must not be NaN, which SQLite stores as NULL", "use a String");
        }
        if (column instanceof String text && unpairedSurrogate(text) >= 0) {
            int index = unpairedSurrogate(text);
            throw refusal(role, value, "must not have an unpaired surrogate, as at index " + index, "use a byte[]");
        }
        return column;
    }

    private static IllegalArgumentException refusal(String role, Object value, String rule, String remedy) {
        return new IllegalArgumentException(
                role + " " + rule + ", was " + value.getClass().getTypeName() + " " + describe(value) + "; " + remedy);
    }

    /** The column for a string, a number of up to 64 bits or an array of bytes; null for all else. */
    static @Nullable Object ofNative(Object value) {
        Objects.requireNonNull(value);
        if (isColumn(value)) {
            return value;
        }
        if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return ((Number) value).longValue();
        }
        return value instanceof Float real ? (Object) real.doubleValue() : null;
    }

    static boolean isColumn(Object value) {
        return value instanceof String || value instanceof Long || value instanceof Double || value instanceof byte[];
    }

    /** The index of the first surrogate without its other half, or -1. */
    static int unpairedSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!Character.isSupplementaryCodePoint(text.codePointAt(i))) {
                    return i;
                }
                i++;
            }
        }
        return -1;
    }

    /** SQLite's name of the type of a column. */
    static String typeOf(@Nullable Object column) {
        if (column == null) {
            return "NULL";
        }
        if (column instanceof String) {
            return "TEXT";
        }
        return column instanceof Long ? "INTEGER" : column instanceof Double ? "REAL" : "BLOB";
    }

    /** A short form for messages: text in quotes, bytes in hex. */
    static String describe(@Nullable Object value) {
        if (value instanceof byte[] bytes) {
            String hex = HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, SHOWN_BYTES));
            return "0x" + hex + (bytes.length > SHOWN_BYTES ? "... (" + bytes.length + " bytes)" : "");
        }
        return value instanceof String text ? "'" + shorten(text) + "'" : shorten(String.valueOf(value));
    }

    static String shorten(String text) {
        return text.length() <= SHOWN_CHARS
                ? text
                : text.substring(0, SHOWN_CHARS) + "... (" + text.length() + " characters)";
    }

    static int hash(@Nullable Object column) {
        return column instanceof byte[] bytes ? Arrays.hashCode(bytes) : Objects.hashCode(column);
    }

    /**
     * A number as another type of numbers.
     *
     * @throws CodecException if the type does not hold it, or the column is no number
     */
    static Object readNumber(Object column, TypeToken<?> type) {
        Class<?> wanted = type.wrap().getRawType();
        Object number = column instanceof Long integer
                ? readInteger(integer, wanted)
                : column instanceof Double real ? readReal(real, wanted) : null;
        if (number == null) {
            throw cannotRead(column, type);
        }
        return number;
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

    static CodecException cannotRead(Object column, TypeToken<?> type) {
        String value = column instanceof byte[] bytes ? "of " + bytes.length + " bytes" : column.toString();
        return new CodecException("stored " + typeOf(column) + " " + value + " cannot be read as "
                + type.getType().getTypeName() + ": it is of another type, or out of range; ask for "
                + (column instanceof byte[] ? "byte[]" : column instanceof Long ? "long" : "double"));
    }

    static void requireEncodable(String text) {
        int index = unpairedSurrogate(text);
        if (index >= 0) {
            throw new CodecException("string value of " + text.length() + " characters has an unpaired surrogate at"
                    + " index " + index + "; UTF-8 cannot hold it, remove it or store a byte[]");
        }
    }
}

package dev.latchkey.cache;

import com.fasterxml.jackson.core.io.NumberOutput;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes a key as Python's {@code json.dumps} writes it, character by character: the key of an entry is found by its bytes.
 * Outside ASCII everything is escaped, a comma and a colon are followed by a space, and a number is what {@code repr} makes of it.
 */
final class PythonJson {
    private static final int LEAST_PLAIN_EXPONENT = -4;
    private static final int LEAST_LARGE_EXPONENT = 16;

    private final StringBuilder out = new StringBuilder();

    private PythonJson() {}

    /**
     * The JSON of a key.
     *
     * @throws IllegalArgumentException if it is not of strings, numbers, booleans, lists and maps
     */
    static String write(Object key) {
        PythonJson json = new PythonJson();
        json.append(key, 0);
        return json.out.toString();
    }

    private void append(Object value, int depth) {
        if (depth > Json.MAX_DEPTH) {
            throw new IllegalArgumentException("key must not have more than " + Json.MAX_DEPTH + " levels");
        }
        if (value instanceof String text) {
            quote(text);
        } else if (value instanceof Boolean || value instanceof BigInteger) {
            out.append(value);
        } else if (value instanceof Collection<?> items) {
            appendItems(items, depth);
        } else if (value instanceof Map<?, ?> map) {
            appendMembers(map, depth);
        } else {
            appendNumber(value);
        }
    }

    private void appendItems(Collection<?> items, int depth) {
        out.append('[');
        for (Iterator<?> i = items.iterator(); i.hasNext(); ) {
            append(present(i.next()), depth + 1);
            out.append(i.hasNext() ? ", " : "");
        }
        out.append(']');
    }

    private void appendMembers(Map<?, ?> map, int depth) {
        out.append('{');
        String separator = "";
        for (Map.Entry<?, ?> member : map.entrySet()) {
            if (!(member.getKey() instanceof String name)) {
                throw new IllegalArgumentException(
                        "key must have strings for names, was a map with " + Column.describe(member.getKey()));
            }
            out.append(separator);
            quote(name);
            out.append(": ");
            append(present(member.getValue()), depth + 1);
            separator = ", ";
        }
        out.append('}');
    }

    private static Object present(@Nullable Object value) {
        if (value == null) {
            throw new IllegalArgumentException("key must not contain null");
        }
        return value;
    }

    private void appendNumber(Object value) {
        Object column = value instanceof byte[] ? null : Column.ofNative(value);
        if (column == null || (column instanceof Double real && real.isNaN())) {
            throw new IllegalArgumentException("key must be a String, number, boolean, list or map, was "
                    + value.getClass().getTypeName() + " " + Column.describe(value) + "; convert it");
        }
        out.append(column instanceof Double real ? repr(real) : column);
    }

    /** The fewest digits that tell it from its neighbours; with an exponent if it is very large or very small. */
    private static String repr(double value) {
        if (Double.isInfinite(value) || value == 0) {
            return Double.toString(value);
        }
        BigDecimal exact = shortest(value);
        int exponent = exact.precision() - exact.scale() - 1;
        if (exponent >= LEAST_PLAIN_EXPONENT && exponent < LEAST_LARGE_EXPONENT) {
            String plain = exact.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = exact.unscaledValue().abs().toString();
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        String sign = exact.signum() < 0 ? "-" : "";
        String power = (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
        return sign + digits.charAt(0) + fraction + "e" + power;
    }

    /** Java shows two digits at least, even if one would do. */
    private static BigDecimal shortest(double value) {
        BigDecimal digits = new BigDecimal(NumberOutput.toString(value, true)).stripTrailingZeros();
        BigDecimal digit = digits.round(new MathContext(1, RoundingMode.HALF_EVEN));
        return digit.doubleValue() == value ? digit.stripTrailingZeros() : digits;
    }

    private void quote(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            appendEscaped(text.charAt(i));
        }
        out.append('"');
    }

    private void appendEscaped(char c) {
        switch (c) {
            case '"' -> out.append("\\\"");
            case '\\' -> out.append("\\\\");
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            case '\f' -> out.append("\\f");
            case '\b' -> out.append("\\b");
            default -> {
                if (c >= ' ' && c <= '~') {
                    out.append(c);
                } else {
                    out.append(String.format("\\u%04x", (int) c));
                }
            }
        }
    }
}

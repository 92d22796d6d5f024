package dev.latchkey.cache;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;

/** The bytes of a pickle, read from the front. Every length is compared with what is left before anything is made. */
final class PickleInput {
    /** What 1000 digits need, as bytes of a two's complement. */
    private static final int MAX_INTEGER_BYTES = 416;

    private static final Pattern INTEGER = Pattern.compile("-?(0|[1-9][0-9]*)");
    private static final Pattern REAL = Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?");
    private static final char REPLACEMENT = '\uFFFD';

    private final byte[] pickle;
    private final ByteBuffer bytes;

    PickleInput(byte[] pickle) {
        this.pickle = pickle;
        this.bytes = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
    }

    int length() {
        return pickle.length;
    }

    boolean atEnd() {
        return !bytes.hasRemaining();
    }

    CodecException refused(String why) {
        return new CodecException("stored PICKLE of " + pickle.length + " bytes cannot be read: " + why);
    }

    CodecException malformed(String why) {
        return refused(why + ", at byte " + bytes.position());
    }

    /** Passes over a number of bytes and answers where they begin. */
    private int skip(long count) {
        if (count < 0 || count > bytes.remaining()) {
            throw malformed("it is cut short: " + Long.toUnsignedString(count) + " bytes should follow, but only "
                    + bytes.remaining() + " do");
        }
        int start = bytes.position();
        bytes.position(start + (int) count);
        return start;
    }

    int u1() {
        return pickle[skip(1)] & 0xFF;
    }

    int u2() {
        return Short.toUnsignedInt(bytes.getShort(skip(2)));
    }

    int i4() {
        return bytes.getInt(skip(4));
    }

    long u4() {
        return Integer.toUnsignedLong(i4());
    }

    /** Negative if it is 2^63 or more. */
    long u8() {
        return bytes.getLong(skip(8));
    }

    double real() {
        return Double.longBitsToDouble(Long.reverseBytes(u8()));
    }

    byte[] bytes(long count) {
        int start = skip(count);
        return Arrays.copyOfRange(pickle, start, bytes.position());
    }

    void frame() {
        long length = u8();
        if (length < 0 || length > bytes.remaining()) {
            throw malformed("a frame of " + Long.toUnsignedString(length) + " bytes ends after the pickle");
        }
    }

    Number integer(int count) {
        if (count < 0 || count > MAX_INTEGER_BYTES) {
            throw malformed("an integer of " + Integer.toUnsignedString(count) + " bytes; " + MAX_INTEGER_BYTES
                    + " are allowed");
        }
        byte[] digits = bytes(count);
        for (int i = 0, j = count - 1; i < j; i++, j--) {
            byte low = digits[i];
            digits[i] = digits[j];
            digits[j] = low;
        }
        return count == 0 ? (Number) 0L : narrow(new BigInteger(digits));
    }

    Number integer(String text) {
        if (text.length() > Json.MAX_NUMBER_LENGTH + 1) {
            throw malformed("an integer of " + text.length() + " digits; " + Json.MAX_NUMBER_LENGTH + " are allowed");
        }
        if (!INTEGER.matcher(text).matches()) {
            throw malformed("no integer: " + Column.describe(text));
        }
        return narrow(new BigInteger(text));
    }

    private static Number narrow(BigInteger value) {
        return value.bitLength() < Long.SIZE ? (Number) value.longValue() : value;
    }

    double real(String text) {
        return switch (text) {
            case "nan" -> Double.NaN;
            case "inf" -> Double.POSITIVE_INFINITY;
            case "-inf" -> Double.NEGATIVE_INFINITY;
            default -> {
                if (text.length() > Json.MAX_NUMBER_LENGTH
                        || !REAL.matcher(text).matches()) {
                    throw malformed("no float: " + Column.describe(text));
                }
                yield Double.parseDouble(text);
            }
        };
    }

    /** The bytes up to the next line feed, each as one character. */
    String line() {
        int start = bytes.position();
        int end = start;
        while (end < pickle.length && pickle[end] != '\n') {
            end++;
        }
        if (end == pickle.length) {
            throw malformed("it is cut short: a line does not end");
        }
        bytes.position(end + 1);
        return new String(pickle, start, end - start, StandardCharsets.ISO_8859_1);
    }

    /** A line with {@code \}{@code uXXXX} and {@code \UXXXXXXXX}; any other backslash is meant, and so is what follows. */
    String escapedLine() {
        String line = line();
        if (line.indexOf('\\') < 0) {
            return line;
        }
        StringBuilder text = new StringBuilder(line.length());
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            char kind = c == '\\' && i + 1 < line.length() ? line.charAt(i + 1) : 0;
            if (kind == 'u' || kind == 'U') {
                int digits = kind == 'u' ? 4 : 8;
                text.appendCodePoint(escaped(line, i + 2, digits));
                i += 1 + digits;
            } else if (kind != 0) {
                text.append(c).append(kind);
                i++;
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }

    private int escaped(String line, int start, int digits) {
        int codePoint = 0;
        for (int i = start; i < start + digits; i++) {
            int digit = i < line.length() && line.charAt(i) < 0x80 ? Character.digit(line.charAt(i), 16) : -1;
            if (digit < 0 || codePoint > Character.MAX_CODE_POINT >> 4) {
                throw malformed("no character: " + Column.describe(line.substring(start - 2)));
            }
            codePoint = codePoint << 4 | digit;
        }
        if (!Character.isValidCodePoint(codePoint)) {
            throw malformed("no character: " + Column.describe(line.substring(start - 2)));
        }
        return codePoint;
    }

    String utf8(long count) {
        int start = skip(count);
        if (count == 0) {
            return "";
        }
        String text = new String(pickle, start, (int) count, StandardCharsets.UTF_8);
        return text.indexOf(REPLACEMENT) < 0 ? text : withSurrogates(start, bytes.position());
    }

    /** Python lets a string have half a surrogate pair, and writes it as if it were a character. */
    private String withSurrogates(int start, int end) {
        StringBuilder text = new StringBuilder(end - start);
        int from = start;
        for (int i = start; i + 2 < end; i++) {
            if (pickle[i] == (byte) 0xED && (pickle[i + 1] & 0xE0) == 0xA0 && (pickle[i + 2] & 0xC0) == 0x80) {
                text.append(strict(from, i))
                        .append((char) (0xD000 | (pickle[i + 1] & 0x3F) << 6 | (pickle[i + 2] & 0x3F)));
                i += 2;
                from = i + 1;
            }
        }
        return text.append(strict(from, end)).toString();
    }

    private CharSequence strict(int start, int end) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(pickle, start, end - start));
        } catch (CharacterCodingException e) {
            throw malformed("a string that is not UTF-8");
        }
    }
}

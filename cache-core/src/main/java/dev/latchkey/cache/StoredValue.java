package dev.latchkey.cache;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A value as the columns {@code mode} and {@code value}, or a value file, hold it. Two are equal if mode, type and
 * content are, arrays compared by content. An array is not copied; do not change it.
 *
 * @param mode where and how the value is stored
 * @param column a {@code String}, {@code Long}, {@code Double} or {@code byte[]}; null, which is Python's
 *     {@code None}, only for {@link Mode#RAW}
 */
public record StoredValue(Mode mode, @Nullable Object column) {
    /** The column {@code mode}. */
    public enum Mode {
        /** Inline, in the type of the column. */
        RAW(1),
        /** The bytes of a file. */
        BINARY(2),
        /** The text of a file, in UTF-8. */
        TEXT(3),
        /** Pickled by Python, inline or in a file. */
        PICKLE(4);

        private final int code;

        Mode(int code) {
            this.code = code;
        }

        /**
         * The number in the column {@code mode}.
         *
         * @return 1 to 4
         */
        public int code() {
            return code;
        }

        /**
         * The mode with a number.
         *
         * @param code the number in that column
         * @return the mode
         * @throws IllegalArgumentException if no mode has the number
         */
        public static Mode of(int code) {
            return switch (code) {
                case 1 -> RAW;
                case 2 -> BINARY;
                case 3 -> TEXT;
                case 4 -> PICKLE;
                default -> throw new IllegalArgumentException("mode must be 1 to 4, was " + code);
            };
        }
    }

    /**
     * Checks the type of the column.
     *
     * @param mode where and how the value is stored
     * @param column a {@code String}, {@code Long}, {@code Double}, {@code byte[]} or, for {@link Mode#RAW}, null
     * @throws IllegalArgumentException if the column is of another type, or is null and the mode is not RAW
     */
    public StoredValue {
        Objects.requireNonNull(mode, "mode");
        if (column == null ? mode != Mode.RAW : !Column.isColumn(column)) {
            throw new IllegalArgumentException("column of mode " + mode + " must be a String, Long, Double or byte[],"
                    + " was " + (column == null ? "null" : column.getClass().getTypeName()));
        }
    }

    /**
     * A value that stands inline.
     *
     * @param column a {@code String}, {@code Long}, {@code Double}, {@code byte[]} or null
     * @return the value with mode {@link Mode#RAW}
     */
    public static StoredValue raw(@Nullable Object column) {
        return new StoredValue(Mode.RAW, column);
    }

    /**
     * The text of a file.
     *
     * @param text the content
     * @return the value with mode {@link Mode#TEXT}
     */
    public static StoredValue text(String text) {
        return new StoredValue(Mode.TEXT, text);
    }

    /**
     * The bytes of a file.
     *
     * @param bytes the content, not copied
     * @return the value with mode {@link Mode#BINARY}
     */
    public static StoredValue binary(byte[] bytes) {
        return new StoredValue(Mode.BINARY, bytes);
    }

    /**
     * A value that Python pickled.
     *
     * @param pickle the pickle, not copied
     * @return the value with mode {@link Mode#PICKLE}
     */
    public static StoredValue pickle(byte[] pickle) {
        return new StoredValue(Mode.PICKLE, pickle);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof StoredValue that && mode == that.mode && Objects.deepEquals(column, that.column);
    }

    @Override
    public int hashCode() {
        return 31 * Column.hash(column) + mode.hashCode();
    }

    @Override
    public String toString() {
        return "StoredValue[mode=" + mode + ", column=" + Column.describe(column) + "]";
    }
}

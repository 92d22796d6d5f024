package dev.latchkey.cache;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A key as the columns {@code key} and {@code raw} hold it. Two are equal if type and content are, arrays compared by
 * content. The database is coarser: to SQLite, as to Python, 1 and 1.0 are one key, and so are 0.0 and -0.0.
 *
 * <p>A key that is not raw was pickled by Python. Latchkey does not look into it: it is shown to callers as this
 * object, and may be given back to name the same entry. An array is not copied; do not change it.
 *
 * @param column a {@code String}, {@code Long}, {@code Double} or {@code byte[]}
 * @param raw false if the column is the pickle of a key
 */
public record StoredKey(Object column, boolean raw) {
    /**
     * Checks the type of the column.
     *
     * @param column a {@code String}, {@code Long}, {@code Double} or {@code byte[]}
     * @param raw false if the column is the pickle of a key
     * @throws IllegalArgumentException if the column is of another type
     */
    public StoredKey {
        Objects.requireNonNull(column, "column");
        if (!Column.isColumn(column)) {
            throw new IllegalArgumentException("column must be a String, Long, Double or byte[], was "
                    + column.getClass().getTypeName());
        }
    }

    /**
     * A key that is stored as it is.
     *
     * @param column a {@code String}, {@code Long}, {@code Double} or {@code byte[]}
     * @return the key with {@code raw} true
     */
    public static StoredKey raw(Object column) {
        return new StoredKey(column, true);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof StoredKey that && raw == that.raw && Objects.deepEquals(column, that.column);
    }

    @Override
    public int hashCode() {
        return 31 * Column.hash(column) + Boolean.hashCode(raw);
    }

    @Override
    public String toString() {
        return "StoredKey[column=" + Column.describe(column) + ", raw=" + raw + "]";
    }
}

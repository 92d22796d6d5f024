package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.StoredKey;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A row of the table Cache as it was read; in the order of {@link Sql#ROW}. Anybody may have written it. */
record Row(
        long rowid,
        double storeTime,
        @Nullable Double expiry,
        @Nullable Object tag,
        long mode,
        @Nullable String filename,
        @Nullable Object value,
        long size) {
    /** How many columns a row takes of a result; a key may stand behind them. */
    static final int COLUMNS = 8;

    static Row of(ResultSet row) throws SQLException {
        return new Row(
                row.getLong(1),
                row.getDouble(2),
                seconds(Database.column(row, 3)),
                Database.column(row, 4),
                row.getLong(5),
                row.getString(6),
                Database.column(row, 7),
                row.getLong(8));
    }

    /** The key in two columns of a result, of which the first has this number. */
    static StoredKey key(ResultSet row, int column) throws SQLException {
        return new StoredKey(Objects.requireNonNullElse(Database.column(row, column), ""), row.getBoolean(column + 1));
    }

    /** What is not a number sorts behind all numbers, for SQLite as for Python: it never expires. */
    private static @Nullable Double seconds(@Nullable Object column) {
        return column instanceof Number number ? (Double) number.doubleValue() : null;
    }

    boolean isLive(double now) {
        return expiry == null || expiry > now;
    }

    boolean isPinned() {
        return storeTime >= Entries.PINNED_TIME;
    }

    Optional<Object> optionalTag() {
        return Optional.ofNullable(tag);
    }

    Instant storeInstant() {
        return instant(storeTime);
    }

    Optional<Instant> expiryInstant() {
        return expiry == null ? Optional.empty() : Optional.of(instant(expiry));
    }

    private static Instant instant(double seconds) {
        return Instant.ofEpochMilli(Math.round(seconds * 1000));
    }
}

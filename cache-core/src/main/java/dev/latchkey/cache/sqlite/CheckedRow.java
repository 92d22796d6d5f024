package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CheckReport;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A row of the table Cache as somebody sees it who looks for damage: what may be of any length is left out. Types are those of
 * SQLite's {@code typeof}.
 */
record CheckedRow(
        long rowid,
        String keyType,
        @Nullable Object raw,
        String modeType,
        long mode,
        String filenameType,
        long filenameBytes,
        @Nullable String startOfFilename,
        String valueType,
        long size) {
    private static final String NULL = "null";
    private static final String BLOB = "blob";
    private static final int INLINE = 1;
    private static final int PICKLE = 4;

    static CheckedRow of(ResultSet row) throws SQLException {
        return new CheckedRow(
                row.getLong(1),
                row.getString(2),
                Database.column(row, 3) instanceof Long raw ? raw : null,
                row.getString(4),
                row.getLong(5),
                row.getString(6),
                row.getLong(7),
                row.getString(8),
                row.getString(9),
                row.getLong(10));
    }

    static @Nullable CheckedRow find(Database db, long rowid) {
        return db.one(Sql.CHECKED_ROW, CheckedRow::of, rowid);
    }

    /** What is wrong with a row. */
    record Damage(CheckReport.Kind kind, String what, boolean isCertain) {}

    /** The value file; null if the row names none, or nothing that could be one. */
    @Nullable
    String file() {
        String start = startOfFilename;
        boolean whole = start != null && filenameBytes == start.length() && filenameType.equals("text");
        return whole && ValueFiles.NAME.matcher(start).matches() ? start : null;
    }

    @Nullable
    Damage damage(ValueFiles files) {
        String fault = fault();
        if (fault != null) {
            return new Damage(CheckReport.Kind.ROW, fault, true);
        }
        String file = file();
        return file == null ? null : damageOf(file, files);
    }

    private @Nullable Damage damageOf(String file, ValueFiles files) {
        try {
            long found = files.sizeForCertain(file);
            if (found < 0) {
                return new Damage(CheckReport.Kind.FILE_MISSING, "its value file " + file + " does not exist", true);
            }
            String sizes = "its value file " + file + " has " + found + " bytes, not " + size;
            return found == size ? null : new Damage(CheckReport.Kind.FILE_SIZE, sizes, true);
        } catch (IOException e) {
            String unknown = "whether its value file " + file + " exists cannot be found out: " + e;
            return new Damage(CheckReport.Kind.FILE_MISSING, unknown, false);
        }
    }

    private @Nullable String fault() {
        if (keyType.equals(NULL)) {
            return "it has no key";
        }
        if (!Long.valueOf(1).equals(raw) && !Long.valueOf(0).equals(raw)) {
            return "its column raw is neither 0 nor 1";
        }
        if (Long.valueOf(0).equals(raw) && !keyType.equals(BLOB)) {
            return "its key should be a pickle, but is of type " + keyType;
        }
        if (!modeType.equals("integer") || mode < INLINE || mode > PICKLE) {
            return "its mode is " + (modeType.equals("integer") ? mode : "of type " + modeType) + ", not 1 to 4";
        }
        return faultOfValue();
    }

    private @Nullable String faultOfValue() {
        boolean inFile = !filenameType.equals(NULL);
        if (inFile && file() == null) {
            return "its file name '" + Findings.printable(startOfFilename) + "' is not that of a value file";
        }
        if (inFile && mode == INLINE) {
            return "its mode is 1, a value in the row, but it names the file " + file();
        }
        if (inFile && !valueType.equals(NULL)) {
            return "it has a value of its own, but names the file " + file();
        }
        if (!inFile && mode > INLINE && mode < PICKLE) {
            return "its mode is " + mode + ", a value in a file, but it names none";
        }
        if (!inFile && mode == PICKLE && !valueType.equals(BLOB)) {
            return "its value should be a pickle, but is of type " + valueType;
        }
        return null;
    }

    /** The key of a row, for people; null if the row is gone. */
    static @Nullable String key(Database db, long rowid) {
        return db.one(Sql.START_OF_KEY, CheckedRow::key, rowid);
    }

    private static String key(ResultSet row) throws SQLException {
        Object start = Database.column(row, 3);
        long bytes = row.getLong(2);
        if (start instanceof byte[] blob) {
            return (row.getLong(1) == 0 ? "a pickled key of " : "a key of ") + bytes + " bytes that starts with x'"
                    + HexFormat.of().formatHex(blob) + "'";
        }
        String type = row.getString(4);
        if (start instanceof String text && type.equals("text")) {
            String more = text.length() < 60 ? "" : "..., of " + bytes + " bytes";
            return "key '" + Findings.printable(text) + "'" + more;
        }
        return start == null ? "no key" : "key " + start;
    }
}

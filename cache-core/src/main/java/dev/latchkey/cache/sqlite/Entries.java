package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.StoredKey;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads and writes rows of the table Cache and sees to the files that they name; without a state of its own. */
final class Entries {
    /** The year 9999: no policy, Python's included, prefers an entry stored then. */
    static final double PINNED_TIME = 253_402_300_799.0;

    static final long PINNED_COUNT = 1L << 62;

    private final ValueFiles files;

    Entries(ValueFiles files) {
        this.files = files;
    }

    static double expiry(double now, Duration after) {
        return now + after.getSeconds() + after.getNano() / 1e9;
    }

    static @Nullable Row find(Database db, StoredKey key) {
        return db.one(Sql.ENTRY, Row::of, key.column(), key.raw() ? 1L : 0L);
    }

    /**
     * Writes a row; answers its number. What has expired is absent: its place in the order must not depend on whether somebody
     * has removed it already.
     */
    long put(Tx tx, StoredKey key, @Nullable Row old, Columns columns, EntryOptions options, double now) {
        Double expiry = options.expireAfter().map(after -> expiry(now, after)).orElse(null);
        double time = options.isPinned() ? PINNED_TIME : now;
        long count = options.isPinned() ? PINNED_COUNT : 0;
        Object tag = options.tag().orElse(null);
        publish(tx, columns);
        if (old != null && !old.isLive(now)) {
            delete(tx, old.rowid(), old.filename());
        } else if (old != null) {
            tx.db.update(
                    Sql.UPDATE_ENTRY,
                    time,
                    expiry,
                    time,
                    count,
                    tag,
                    columns.size(),
                    columns.mode(),
                    columns.filename(),
                    columns.value(),
                    old.rowid());
            removeFileAfterCommit(tx, old.filename());
            return old.rowid();
        }
        return Objects.requireNonNull(tx.db.one(
                Sql.INSERT_ENTRY,
                row -> row.getLong(1),
                key.column(),
                key.raw() ? 1L : 0L,
                time,
                expiry,
                time,
                count,
                tag,
                columns.size(),
                columns.mode(),
                columns.filename(),
                columns.value()));
    }

    private void publish(Tx tx, Columns columns) {
        String filename = columns.filename();
        if (filename != null) {
            tx.onAbort(() -> files.withdraw(filename));
            tx.onRollback(() -> files.remove(filename));
            files.publish(filename);
        }
    }

    void delete(Tx tx, long rowid, @Nullable String filename) {
        tx.db.update(Sql.DELETE_ENTRY, rowid);
        removeFileAfterCommit(tx, filename);
    }

    /**
     * Deletes a row that was read before this transaction, unless anything of it has changed since. The number of a row that was
     * deleted may belong to another entry by now, and pinned entries of the same value differ by their keys alone.
     */
    boolean deleteIfSame(Tx tx, StoredKey key, Row row) {
        boolean deleted = deleteIfSame(tx.db, key, row);
        if (deleted) {
            removeFileAfterCommit(tx, row.filename());
        }
        return deleted;
    }

    /** The same in one statement, for a row that has no file. */
    static boolean deleteIfSame(Database db, StoredKey key, Row row) {
        return db.update(
                        Sql.DELETE_SAME_ENTRY,
                        row.rowid(),
                        key.column(),
                        key.raw() ? 1L : 0L,
                        row.storeTime(),
                        row.expiry(),
                        row.tag(),
                        row.mode(),
                        row.filename(),
                        row.value())
                > 0;
    }

    /** Deletes a row that was read before this transaction, unless it was stored or read since; answers how many. */
    int deleteIfUnchanged(Tx tx, Eviction.Candidate candidate) {
        return deleteMany(
                tx,
                Sql.DELETE_CANDIDATE,
                candidate.rowid(),
                candidate.storeTime(),
                candidate.accessTime(),
                candidate.accessCount());
    }

    /** Runs a statement that deletes rows and answers their files; the number of rows. */
    int deleteMany(Tx tx, String sql, @Nullable Object... arguments) {
        List<String> filenames = tx.db.all(sql, row -> String.valueOf(row.getString(1)), arguments);
        filenames.forEach(filename -> removeFileAfterCommit(tx, filename));
        return filenames.size();
    }

    private void removeFileAfterCommit(Tx tx, @Nullable String filename) {
        if (filename != null && ValueFiles.NAME.matcher(filename).matches()) {
            tx.afterCommit(() -> files.remove(filename));
        }
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.StoredKey;
import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Reads and writes rows of the table Cache and sees to the files that they name; without a state of its own. */
final class Entries {
    /** The year 9999: no policy, Python's included, prefers an entry stored then. */
    static final double PINNED_TIME = 253_402_300_799.0;

    static final long PINNED_COUNT = 1L << 62;

    private final ValueFiles files;
    private final Listeners listeners;

    Entries(ValueFiles files, Listeners listeners) {
        this.files = files;
        this.listeners = listeners;
    }

    static double expiry(double now, Duration after) {
        return now + after.getSeconds() + after.getNano() / 1e9;
    }

    static @Nullable Row find(Database db, StoredKey key) {
        return db.one(Sql.ENTRY, Row::of, key.column(), key.raw() ? 1L : 0L);
    }

    /** The value of an entry, as its column has it; null if that takes a look at the whole row. */
    record Plain(@Nullable Object value) {}

    static @Nullable Plain findPlain(Database db, StoredKey key, double now) {
        return db.one(
                Sql.PLAIN_VALUE, row -> new Plain(Database.column(row, 1)), now, key.column(), key.raw() ? 1L : 0L);
    }

    /** Writes a row, whatever stands there. */
    void put(Tx tx, StoredKey key, Columns columns, EntryOptions options, double now) {
        if (columns.filename() == null && tryPut(tx.db, key, columns, options, now)) {
            listeners.after(tx, CacheListener::store, key);
        } else {
            put(tx, key, find(tx.db, key), columns, options, now);
        }
    }

    /** In one statement, if nothing is to be done for what stands there. */
    boolean tryPut(Database db, StoredKey key, Columns columns, EntryOptions options, double now) {
        return put(db, key, columns, options, now, false);
    }

    private static boolean put(
            Database db, StoredKey key, Columns columns, EntryOptions options, double now, boolean overAnything) {
        return db.update(
                        Sql.PUT_ENTRY,
                        key.column(),
                        key.raw() ? 1L : 0L,
                        options.isPinned() ? PINNED_TIME : now,
                        options.expireAfter().map(after -> expiry(now, after)).orElse(null),
                        options.isPinned() ? PINNED_COUNT : 0,
                        options.tag().orElse(null),
                        columns.size(),
                        columns.mode(),
                        columns.filename(),
                        columns.value(),
                        now,
                        overAnything ? 1L : 0L)
                > 0;
    }

    /**
     * Writes over a row that was read in this transaction. What has expired is absent: its place in the order must not depend on
     * whether somebody has removed it already.
     */
    void put(Tx tx, StoredKey key, @Nullable Row old, Columns columns, EntryOptions options, double now) {
        publish(tx, columns);
        listeners.after(tx, CacheListener::store, key);
        if (old != null && old.isLive(now)) {
            removeFileAfterCommit(tx, old.filename());
        } else if (old != null) {
            delete(tx, CacheListener::expire, key, old.rowid(), old.filename());
        }
        boolean unused = put(tx.db, key, columns, options, now, true);
    }

    private void publish(Tx tx, Columns columns) {
        String filename = columns.filename();
        if (filename != null) {
            tx.onAbort(() -> files.withdraw(filename));
            tx.onRollback(() -> files.remove(filename));
            files.publish(filename);
        }
    }

    /** Removes a row; whoever listens is told why. */
    void delete(Tx tx, BiConsumer<CacheListener, Object> why, StoredKey key, long rowid, @Nullable String filename) {
        tx.db.update(Sql.DELETE_ENTRY, rowid);
        listeners.after(tx, why, key);
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
                CacheListener::evict,
                Sql.DELETE_CANDIDATE,
                candidate.rowid(),
                candidate.storeTime(),
                candidate.accessTime(),
                candidate.accessCount());
    }

    /** What a statement that deletes rows answers of each. */
    private record Deleted(@Nullable String filename, StoredKey key) {}

    /** Runs a statement that deletes rows; answers how many, and whoever listens is told why. */
    int deleteMany(Tx tx, BiConsumer<CacheListener, Object> why, String sql, @Nullable Object... arguments) {
        List<Deleted> all = tx.db.all(sql, row -> new Deleted(row.getString(1), Row.key(row, 2)), arguments);
        for (Deleted one : all) {
            listeners.after(tx, why, one.key);
            removeFileAfterCommit(tx, one.filename);
        }
        return all.size();
    }

    private void removeFileAfterCommit(Tx tx, @Nullable String filename) {
        if (filename != null && ValueFiles.NAME.matcher(filename).matches()) {
            tx.afterCommit(() -> files.remove(filename));
        }
    }
}

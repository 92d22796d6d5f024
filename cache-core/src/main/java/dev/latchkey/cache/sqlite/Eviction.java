package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.StoredKey;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/*
 * Each write would have to ask for the volume, which costs as much as the write. So after it was asked for, a quarter of the
 * room that was left may be written before it is asked for again; other processes may have been writing too, so it is asked for
 * once a second in any case. Above the limit every write asks, and evicts as much as exceeds it, but no more than cull_limit
 * entries; what is left to evict is for the next write, or the reaper.
 *
 * All of it is done by whoever leads the writer, one thread at a time.
 */
/** Keeps a cache below its limit. */
final class Eviction {
    /** About what a row takes beside key and value. */
    private static final long ROW_BYTES = 64;

    private final Entries entries;
    private final Accesses accesses;
    /** What keeps the limit in a shard, which cannot do it by itself. */
    private final @Nullable Budget budget;

    private long credit;
    private long nextLookNanos = System.nanoTime();
    private long seenLimit;

    Eviction(Entries entries, Accesses accesses, @Nullable Budget budget) {
        this.entries = entries;
        this.accesses = accesses;
        this.budget = budget;
    }

    /** A row that could go, about how many bytes would go with it, and what says when. */
    record Candidate(
            long rowid,
            @Nullable String filename,
            long bytes,
            StoredKey key,
            double storeTime,
            double accessTime,
            long accessCount) {
        static Candidate of(ResultSet row) throws SQLException {
            return new Candidate(
                    row.getLong(1),
                    row.getString(2),
                    row.getLong(3) + ROW_BYTES,
                    Row.key(row, 4),
                    row.getDouble(6),
                    row.getDouble(7),
                    row.getLong(8));
        }

        /** The lower, the sooner it goes. */
        double rank(EvictionPolicy policy) {
            return switch (policy) {
                case LEAST_RECENTLY_STORED, NONE -> storeTime;
                case LEAST_RECENTLY_USED -> accessTime;
                case LEAST_FREQUENTLY_USED -> accessCount;
            };
        }
    }

    /** Whether the next write can do without a look at the limit. */
    boolean isNotDue(Settings settings) {
        return budget != null
                || (credit > 0 && settings.sizeLimit() == seenLimit && System.nanoTime() - nextLookNanos < 0);
    }

    /** Counts what was written without a look. */
    void spend(long bytes, int entries) {
        long written = bytes + ROW_BYTES * entries;
        if (budget != null) {
            budget.spend(written);
        } else {
            credit -= written;
        }
    }

    /** To be called by every write in its transaction; never removes a row that was just written. */
    void written(Tx tx, List<StoredKey> keys, long bytes, Settings settings, double now) {
        spend(bytes, keys.size());
        if (isNotDue(settings)) {
            return;
        }
        seenLimit = settings.sizeLimit();
        nextLookNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
        int most = settings.cullLimit();
        if (most > 0) {
            most -= entries.deleteMany(tx, CacheListener::expire, Sql.DELETE_EXPIRED, now, (long) most);
        }
        long room = settings.policy() == EvictionPolicy.NONE ? Long.MAX_VALUE : room(tx, settings);
        credit = room / 4;
        if (room < 0) {
            evict(tx, rowids(tx.db, keys), most, settings, -room);
        }
    }

    private static Set<Long> rowids(Database db, List<StoredKey> keys) {
        return keys.stream()
                .map(key -> Entries.find(db, key))
                .filter(Objects::nonNull)
                .map(Row::rowid)
                .collect(Collectors.toSet());
    }

    /** Removes what exceeds the limit, but at most so many entries; answers how many. */
    int evict(Tx tx, Set<Long> spared, int most, Settings settings) {
        boolean keepsNoLimit = budget != null || settings.policy() == EvictionPolicy.NONE;
        return keepsNoLimit ? 0 : evict(tx, spared, most, settings, -room(tx, settings));
    }

    /** How much may be added; less than 0 if there is too much. */
    private static long room(Tx tx, Settings settings) {
        return settings.sizeLimit() - Volume.ofEntries(tx.db);
    }

    private int evict(Tx tx, Set<Long> spared, int most, Settings settings, long tooMuch) {
        long excess = tooMuch;
        if (excess <= 0 || most <= 0) {
            return 0;
        }
        accesses.write(tx, settings.policy());
        int evicted = 0;
        for (Candidate candidate : candidates(tx.db, settings.policy(), most + spared.size())) {
            if (excess <= 0 || evicted == most) {
                break;
            }
            if (!spared.contains(candidate.rowid)) {
                entries.delete(tx, CacheListener::evict, candidate.key, candidate.rowid, candidate.filename);
                excess -= candidate.bytes;
                evicted++;
            }
        }
        return evicted;
    }

    /** Those that go first. */
    static List<Candidate> candidates(Database db, EvictionPolicy policy, int most) {
        String sql =
                switch (policy) {
                    case LEAST_RECENTLY_STORED, NONE -> Sql.STORED_FIRST;
                    case LEAST_RECENTLY_USED -> Sql.USED_FIRST;
                    case LEAST_FREQUENTLY_USED -> Sql.RARELY_USED_FIRST;
                };
        return db.all(sql, Candidate::of, Entries.PINNED_TIME, Entries.PINNED_COUNT, (long) most);
    }
}

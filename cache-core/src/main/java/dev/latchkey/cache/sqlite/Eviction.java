package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.StoredKey;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/*
 * Each write would have to ask for the volume, which costs as much as the write. So after it was asked for, a quarter of the
 * room that was left may be written before it is asked for again; other processes may have been writing too, so it is asked for
 * once a second in any case. Above the limit every write asks, and evicts as much as exceeds it, but no more than cull_limit
 * entries; what is left to evict is for the next write, or the reaper.
 *
 * All of it runs inside write transactions, by whoever leads the writer: one thread at a time.
 */
/** Keeps a cache below its limit. */
final class Eviction {
    /** About what a row takes beside key and value. */
    private static final long ROW_BYTES = 64;

    private final Entries entries;
    private final Accesses accesses;
    private long credit;
    private long nextLookNanos = System.nanoTime();
    private long seenLimit;

    Eviction(Entries entries, Accesses accesses) {
        this.entries = entries;
        this.accesses = accesses;
    }

    /** A row that could go, and about how many bytes would go with it. */
    private record Candidate(long rowid, @Nullable String filename, StoredKey key, long bytes) {}

    /** To be called by every write in its transaction; never removes a row that was just written. */
    void written(Tx tx, Set<Long> rowids, long bytes, Settings settings, double now) {
        credit -= bytes + ROW_BYTES * rowids.size();
        if (credit > 0 && settings.sizeLimit() == seenLimit && System.nanoTime() - nextLookNanos < 0) {
            return;
        }
        seenLimit = settings.sizeLimit();
        nextLookNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
        int most = settings.cullLimit();
        if (most > 0) {
            most -= entries.deleteMany(tx, CacheListener::expire, Sql.DELETE_EXPIRED, now, (long) most);
        }
        credit = settings.policy() == EvictionPolicy.NONE
                ? Long.MAX_VALUE
                : (settings.sizeLimit() - Volume.ofEntries(tx.db)) / 4;
        if (credit < 0) {
            evict(tx, rowids, most, settings);
        }
    }

    /** Removes what exceeds the limit, but at most so many entries; answers how many. */
    int evict(Tx tx, Set<Long> spared, int most, Settings settings) {
        String candidates = candidates(settings.policy());
        long excess = Volume.ofEntries(tx.db) - settings.sizeLimit();
        if (candidates == null || excess <= 0 || most <= 0) {
            return 0;
        }
        accesses.write(tx, settings.policy());
        long limit = (long) most + spared.size();
        List<Candidate> found = tx.db.all(
                candidates,
                row -> new Candidate(row.getLong(1), row.getString(2), Row.key(row, 3), row.getLong(5) + ROW_BYTES),
                Entries.PINNED_TIME,
                Entries.PINNED_COUNT,
                limit);
        int evicted = 0;
        for (Candidate candidate : found) {
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

    private static @Nullable String candidates(EvictionPolicy policy) {
        return switch (policy) {
            case LEAST_RECENTLY_STORED -> Sql.STORED_FIRST;
            case LEAST_RECENTLY_USED -> Sql.USED_FIRST;
            case LEAST_FREQUENTLY_USED -> Sql.RARELY_USED_FIRST;
            case NONE -> null;
        };
    }
}

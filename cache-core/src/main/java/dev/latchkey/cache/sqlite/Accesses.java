package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EvictionPolicy;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/*
 * A read must not write: it would wait for the write lock and make others wait. What a policy or the statistics need to know of
 * it is gathered here and written once a second, when MOST_ENTRIES different ones have come together, before anything is
 * evicted, and at close. That is what a process loses that is killed. No more than ROOM entries are remembered: who reads more
 * of them than can be written meanwhile reads them all about once, and any of them is as good for eviction as another.
 *
 * An access is forgotten if its row was overwritten or deleted since, which its store time tells.
 */
/** Reads that were not written down yet. */
final class Accesses {
    /** A batch: as many different entries are written at the latest. */
    static final int MOST_ENTRIES = 1000;

    static final int ROOM = 10 * MOST_ENTRIES;

    private final ConcurrentHashMap<Long, Access> byRowid = new ConcurrentHashMap<>();
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final AtomicBoolean planned = new AtomicBoolean();
    private final Runnable flush;

    /** The argument plans a flush, soon and on another thread. */
    Accesses(Runnable flush) {
        this.flush = flush;
    }

    private record Access(long times, double last) {
        Access plus(Access other) {
            return new Access(times + other.times, Math.max(last, other.last));
        }
    }

    /** What was gathered up to a moment. */
    private record Batch(Map<Long, Access> byRowid, long hits, long misses) {}

    /** Whether a policy looks at when, or how often, an entry was read. */
    static boolean matterTo(EvictionPolicy policy) {
        return policy == EvictionPolicy.LEAST_RECENTLY_USED || policy == EvictionPolicy.LEAST_FREQUENTLY_USED;
    }

    void hit(@Nullable Row row, double now, Settings settings) {
        if (settings.statistics()) {
            hits.increment();
        }
        if (row != null && matterTo(settings.policy()) && !row.isPinned()) {
            int size = byRowid.size();
            if (size < ROOM) {
                byRowid.merge(row.rowid(), new Access(1, now), Access::plus);
            }
            if (size >= MOST_ENTRIES && planned.compareAndSet(false, true)) {
                flush.run();
            }
        }
    }

    void miss(Settings settings) {
        if (settings.statistics()) {
            misses.increment();
        }
    }

    Cache.Stats stats() {
        return new Cache.Stats(hits.sum(), misses.sum());
    }

    boolean isEmpty() {
        return byRowid.isEmpty() && hits.sum() == 0 && misses.sum() == 0;
    }

    /** How often a row was read; it is forgotten, because the caller writes that down, unless that is undone. */
    long take(Tx tx, long rowid) {
        Access access = byRowid.remove(rowid);
        if (access == null) {
            return 0;
        }
        tx.onAbort(() -> byRowid.merge(rowid, access, Access::plus));
        return access.times;
    }

    /** Writes down what was gathered, in a transaction; if that is undone it is gathered again. */
    void write(Tx tx, EvictionPolicy policy) {
        writeSome(tx, policy, Integer.MAX_VALUE);
    }

    /** The same for so many entries at most. */
    void writeSome(Tx tx, EvictionPolicy policy, int most) {
        planned.set(false);
        Batch batch = drain(most);
        tx.onAbort(() -> gather(batch));
        batch.byRowid.forEach((rowid, access) -> {
            if (policy == EvictionPolicy.LEAST_FREQUENTLY_USED) {
                tx.db.update(Sql.ACCESSED_TIMES, access.times, rowid, access.last);
            } else {
                tx.db.update(Sql.ACCESSED_AT, access.last, rowid, access.last);
            }
        });
        count(tx, Counters.HITS, batch.hits);
        count(tx, Counters.MISSES, batch.misses);
    }

    private static void count(Tx tx, String counter, long more) {
        if (more > 0) {
            tx.db.update(Sql.ADD_TO_COUNTER, more, counter);
        }
    }

    private Batch drain(int most) {
        Map<Long, Access> taken = new HashMap<>();
        for (Long rowid : byRowid.keySet()) {
            if (taken.size() == most) {
                break;
            }
            Access access = byRowid.remove(rowid);
            if (access != null) {
                taken.put(rowid, access);
            }
        }
        return new Batch(taken, hits.sumThenReset(), misses.sumThenReset());
    }

    private void gather(Batch batch) {
        batch.byRowid.forEach((rowid, access) -> byRowid.merge(rowid, access, Access::plus));
        hits.add(batch.hits);
        misses.add(batch.misses);
    }
}

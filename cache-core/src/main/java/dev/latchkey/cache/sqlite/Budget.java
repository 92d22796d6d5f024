package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/*
 * A shard cannot tell from its own size whether all of them together exceed the limit, and while it writes it cannot remove
 * anything from another one: transactions take their locks in the order of the shards. So a write only counts what it adds, and
 * whoever wrote looks afterwards: once a second, and when a quarter of the room that was left has been used up. Then the sizes
 * are added up, and above the limit what goes first is merged from all shards and deleted in one transaction for each shard,
 * unless it has changed meanwhile. As that costs many times what a write does, a little more is removed than is needed.
 *
 * Several processes that look at the same time choose the same entries, and only one of them finds each.
 */
/** Keeps the shards of a directory together below their one limit. */
final class Budget {
    private static final Duration PATIENCE = Duration.ofMillis(200);
    private static final Duration PATIENCE_OF_A_WRITER = Duration.ofMillis(20);
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LOOK_AFTER_FAILURE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    /** So small a part of the limit is removed beyond it. */
    private static final int BEYOND = 256;

    private final Family family;
    private final AtomicLong credit = new AtomicLong();
    private final ReentrantLock turn = new ReentrantLock();
    private volatile long nextLookNanos = System.nanoTime();
    private volatile long seenLimit;

    Budget(Family family) {
        this.family = family;
    }

    /** An entry that could go, and where it is. */
    private record Placed(Engine engine, Eviction.Candidate candidate) {}

    /** To be called by every write in its transaction. */
    void spend(long bytes) {
        credit.addAndGet(-bytes);
    }

    /** To be called after every write; never removes what was just written. What cannot be done now is left for later. */
    void written(Supplier<Set<StoredKey>> keys) {
        Settings settings = family.first().settings();
        if (credit.get() > 0 && settings.sizeLimit() == seenLimit && System.nanoTime() - nextLookNanos < 0) {
            return;
        }
        nextLookNanos = System.nanoTime() + LOOK_NANOS;
        try {
            int most = settings.cullLimit();
            evict(keys.get(), most - removeExpired(most, PATIENCE_OF_A_WRITER), PATIENCE_OF_A_WRITER);
        } catch (CacheException e) {
            credit.set(Long.MAX_VALUE); // somebody keeps a shard
            nextLookNanos = System.nanoTime() + LOOK_AFTER_FAILURE_NANOS;
        }
    }

    private int removeExpired(int most, Duration patience) {
        int removed = 0;
        for (Engine engine : family.members()) {
            double now = engine.clock().wallMillis() / 1000.0;
            if (removed < most
                    && engine.query(
                            db -> db.one(Sql.HAS_EXPIRED, row -> true, now) != null, Deadline.after(patience))) {
                long left = (long) most - removed;
                removed += engine.writer()
                        .write(
                                tx -> engine.entries()
                                        .deleteMany(tx, CacheListener::expire, Sql.DELETE_EXPIRED, now, left),
                                Deadline.after(patience));
            }
        }
        return removed;
    }

    /** What exceeds the limit, a little at a time; while nobody writes. */
    void reap(long endNanos) {
        int some = 1;
        while (some > 0 && family.first().settings().cullLimit() > 0 && System.nanoTime() - endNanos < 0) {
            some = evict(Set.of(), Sql.PAGE, PATIENCE);
        }
    }

    /** Removes all that exceeds the limit; answers how many. */
    int evictAll(Duration timeout) {
        Deadline deadline = Deadline.after(timeout);
        while (!turn.tryLock()) { // another thread's turn is short, unless somebody keeps a shard
            if (deadline.hasPassed()) {
                throw Busy.timeout(deadline, family.first().root().toString(), null);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        try {
            int all = 0;
            for (int some = 1; some > 0; all += some) {
                some = evict(Set.of(), Sql.PAGE, timeout);
            }
            return all;
        } finally {
            turn.unlock();
        }
    }

    /**
     * Removes what exceeds the limit, but at most so many entries; answers how many. One thread does it for all, and
     * each of its steps gets the full time.
     */
    private int evict(Set<StoredKey> spared, int most, Duration patience) {
        if (family.members().isEmpty() || !turn.tryLock()) {
            return 0;
        }
        try {
            Settings settings = family.first().settings();
            seenLimit = settings.sizeLimit();
            if (settings.policy() == EvictionPolicy.NONE) {
                credit.set(Long.MAX_VALUE);
                return 0;
            }
            long room = seenLimit - volume(patience);
            credit.set(room / 4);
            return room >= 0 || most <= 0 ? 0 : evict(spared, most, seenLimit / BEYOND - room, settings, patience);
        } finally {
            turn.unlock();
        }
    }

    private long volume(Duration patience) {
        return family.members().stream()
                .mapToLong(engine -> engine.query(Volume::ofEntries, Deadline.after(patience)))
                .sum();
    }

    private int evict(Set<StoredKey> spared, int most, long excess, Settings settings, Duration patience) {
        List<Placed> going = new ArrayList<>();
        long left = excess;
        for (Placed placed : candidates(most + spared.size(), settings, patience)) {
            if (left <= 0 || going.size() == most) {
                break;
            }
            if (!spared.contains(placed.candidate.key())) {
                going.add(placed);
                left -= placed.candidate.bytes();
            }
        }
        credit.addAndGet((excess - left) / 4);
        return family.members().stream()
                .mapToInt(engine -> delete(engine, going, patience))
                .sum();
    }

    /** Those that go first, from all shards. */
    private List<Placed> candidates(int most, Settings settings, Duration patience) {
        List<Placed> all = new ArrayList<>();
        for (Engine engine : family.members()) {
            engine.flushAccesses(Deadline.after(patience));
            engine.query(db -> Eviction.candidates(db, settings.policy(), most), Deadline.after(patience))
                    .forEach(candidate -> all.add(new Placed(engine, candidate)));
        }
        all.sort(Comparator.comparingDouble(placed -> placed.candidate.rank(settings.policy())));
        return all;
    }

    private static int delete(Engine engine, List<Placed> going, Duration patience) {
        List<Eviction.Candidate> here = going.stream()
                .filter(placed -> placed.engine.equals(engine))
                .map(Placed::candidate)
                .toList();
        return here.isEmpty()
                ? 0
                : engine.writer()
                        .write(
                                tx -> here.stream()
                                        .mapToInt(candidate -> engine.entries().deleteIfUnchanged(tx, candidate))
                                        .sum(),
                                Deadline.after(patience));
    }
}

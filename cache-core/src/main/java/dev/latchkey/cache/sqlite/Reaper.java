package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.spi.Deadline;
import java.nio.channels.FileLock;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Removes what has expired, what exceeds the limit while nobody writes, and the files that the dead have left, a little at a
 * time so that writers hardly notice. One process at a time: whoever has the reaper's byte.
 */
final class Reaper {
    private static final Duration PATIENCE = Duration.ofMillis(200);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int PAGE = 100;

    private final Engine engine;
    private final LockFile locks;
    private final Sweep sweep;

    Reaper(Engine engine, LockFile locks) {
        this.engine = engine;
        this.locks = locks;
        this.sweep = new Sweep(engine, new Grace(engine.clock()));
    }

    /** Once a second. */
    void look() {
        if (engine.settings().reaper()) {
            FileLock lock = locks.tryTake(LockFile.REAPER);
            if (lock != null) {
                try {
                    reap(System.nanoTime() + LOOK_NANOS);
                    engine.reapShards(System.nanoTime() + LOOK_NANOS);
                    sweep.look(System.nanoTime() + LOOK_NANOS);
                } finally {
                    LockFile.release(lock);
                }
            }
        }
    }

    private void reap(long end) {
        double now = engine.clock().wallMillis() / 1000.0;
        boolean more = hasExpired(now) || isTooLarge();
        while (more && System.nanoTime() - end < 0) {
            more = engine.writer().write(tx -> removeSome(tx, now), Deadline.after(PATIENCE)) > 0;
        }
    }

    private int removeSome(Tx tx, double now) {
        int expired = engine.entries().deleteMany(tx, CacheListener::expire, Sql.DELETE_EXPIRED, now, (long) PAGE);
        Settings settings = engine.settings();
        boolean evict = expired == 0 && settings.cullLimit() > 0;
        return expired + (evict ? engine.eviction().evict(tx, Set.of(), PAGE, settings) : 0);
    }

    private boolean hasExpired(double now) {
        return engine.query(db -> db.one(Sql.HAS_EXPIRED, row -> true, now) != null, Deadline.after(PATIENCE));
    }

    private boolean isTooLarge() {
        Settings settings = engine.settings();
        return settings.cullLimit() > 0
                && settings.valueLimit() < Long.MAX_VALUE
                && engine.query(Volume::ofEntries, Deadline.after(PATIENCE)) > settings.sizeLimit();
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.FanoutCache;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * Shard 000 is opened first. Whoever makes it stores in the same transaction how many shards there are to be, so all who come at
 * the same time agree; then each makes what is missing of the others, one after the other, each under its own creation lock;
 * then it is stored that all were made. From then on a missing shard is one that was lost.
 *
 * Where Python made shard 000 no number is stored. Then folders are counted, but not while one was made less than a second ago:
 * Python may still be at it.
 */
/** Opens the shards of a directory, and makes them when they are missing. */
final class FanoutOpening {
    private static final long QUIET_MILLIS = 1000;

    private final FanoutDirectory directory;
    private final OpenOptions options;
    private final @Nullable Integer wanted;
    private final List<ReadableCache> shards = new ArrayList<>();

    private FanoutOpening(FanoutDirectory directory, OpenOptions options, @Nullable Integer wanted) {
        this.directory = directory;
        this.options = options;
        this.wanted = wanted;
    }

    static FanoutCache open(FanoutDirectory directory, OpenOptions options, @Nullable Integer wanted) {
        FanoutOpening opening = new FanoutOpening(directory, options, wanted);
        try {
            return opening.open();
        } catch (Throwable t) {
            opening.closeAll();
            directory.deleteIfTemporary();
            throw t;
        }
    }

    private FanoutCache open() {
        int inNew = wanted == null ? FanoutCache.DEFAULT_SHARDS : wanted;
        ReadableCache first = openShard(0, inNew, options.readOnly() ? null : new Family(inNew));
        int count = countShards(first);
        if (wanted != null && wanted != count) {
            throw new IllegalArgumentException("the FanoutCache in " + directory.root() + " has " + count
                    + " shards and cannot be opened with " + wanted
                    + "; open it without a number, or copy its entries to a new one");
        }
        Family family = first instanceof SqliteCache cache ? cache.engine().family() : null;
        boolean whole = number(first, Schema.WHOLE) != null;
        for (int i = 1; i < count; i++) {
            if (whole) {
                directory.requireShard(i);
            }
            openShard(i, count, family);
        }
        if (family != null) {
            if (!whole) {
                store(first, Schema.WHOLE, 1);
            }
            family.unite(
                    shards.stream().map(shard -> ((SqliteCache) shard).engine()).toList());
        }
        return new ShardedCache(directory, options, shards);
    }

    private ReadableCache openShard(int number, int count, @Nullable Family family) {
        Map<Setting, Object> settings = new EnumMap<>(Setting.class);
        settings.putAll(options.settings());
        settings.compute(
                Setting.SIZE_LIMIT,
                (setting, limit) -> part((Long) (limit == null ? setting.byDefault() : limit), number, count));
        ReadableCache shard = SqliteCaches.open(directory.shard(number), options.with(settings), family);
        shards.add(shard);
        return shard;
    }

    /** What a shard stores of the limit of all, so that the parts add up to it. */
    static long part(long limit, int number, int count) {
        return limit / count + (number < limit % count ? 1 : 0);
    }

    private int countShards(ReadableCache first) {
        Long stored = number(first, Schema.SHARDS);
        if (stored != null) {
            return Math.toIntExact(stored);
        }
        if (!(first instanceof SqliteCache)) {
            return directory.countShards();
        }
        awaitQuiet();
        int counted = directory.countShards();
        return Math.toIntExact(store(first, Schema.SHARDS, counted));
    }

    private void awaitQuiet() {
        Deadline deadline = Deadline.after(options.timeout()).atLeast(Duration.ofMillis(2 * QUIET_MILLIS));
        while (Math.abs(System.currentTimeMillis() - directory.changedMillis()) < QUIET_MILLIS) {
            if (deadline.hasPassed()) {
                throw new CacheTimeoutException("somebody has been making folders in " + directory.root() + " for "
                        + TimeUnit.NANOSECONDS.toMillis(deadline.totalNanos()) + " ms");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    private static @Nullable Long number(ReadableCache first, String key) {
        return first.query(db -> Schema.ownNumber(db, key), first.begin());
    }

    /** Answers what was stored there before, if anything was. */
    private static long store(ReadableCache first, String key, long value) {
        ((SqliteCache) first)
                .engine()
                .writer()
                .write(tx -> tx.db.update(Sql.ADD_OWN_SETTING, key, value), first.begin());
        Long stored = number(first, key);
        return stored == null ? value : stored;
    }

    private void closeAll() {
        for (int i = shards.size() - 1; i >= 0; i--) {
            shards.get(i).close();
        }
    }
}

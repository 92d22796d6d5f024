package dev.latchkey.cache;

import java.time.Duration;

/**
 * Is told what this process does to a cache, as for counters of a monitoring system; each method does nothing unless it is
 * overridden.
 *
 * <pre>{@code
 * cache.addListener(new CacheListener() {
 *     @Override
 *     public void evict(Object key) {
 *         evictions.increment();
 *     }
 * });
 * }</pre>
 *
 * <p><b>Scope.</b> All caches that this process has open on the directory, and the house-keeping of this process; not what other
 * processes do. Of a {@link FanoutCache} all shards, of a cache opened for reading alone the reads.
 *
 * <p><b>Threads.</b> A method is called by the thread whose call it was, after the call has taken effect: after the commit, for
 * calls inside {@link Cache#transact} after the end of the outermost one, when the thread holds nobody up any more. What was
 * rolled back is not told; {@link #oversize}, {@link #busy} and {@link #repaired} are, since they are true all the same.
 * House-keeping has threads of its own. So methods must be safe for several threads, and whoever waits in one holds up its caller.
 * They may use the cache. What they throw goes to the thread's handler of uncaught exceptions and changes nothing else.
 *
 * <p><b>Keys</b> are shown as {@link Cache#keys()} shows them.
 *
 * <p><b>Crashes.</b> A process that is killed between a commit and the call tells nobody.
 */
public interface CacheListener {
    /**
     * A read found a live entry: {@code get} and the like, {@code getAll} for each, {@code entry} and {@code read}.
     *
     * @param key the key
     */
    default void hit(Object key) {}

    /**
     * A read found none.
     *
     * @param key the key
     */
    default void miss(Object key) {}

    /**
     * An entry was stored, new or in place of another: by {@code set} and the like, {@code incr} or {@code push}.
     *
     * @param key the key
     */
    default void store(Object key) {}

    /**
     * An entry was removed by a call: {@code delete}, {@code pop}, {@code pull}, {@code evict} of a tag, or {@code clear}.
     *
     * @param key the key
     */
    default void delete(Object key) {}

    /**
     * An entry was removed because it had expired, which may be long after it has.
     *
     * @param key the key
     */
    default void expire(Object key) {}

    /**
     * An entry was removed because the cache was larger than its limit.
     *
     * @param key the key
     */
    default void evict(Object key) {}

    /**
     * A value was refused because it is larger than the limit of the cache.
     *
     * @param key the key; of an item of a queue its prefix
     * @param bytes how large it is; of a stream, how much of it was read
     */
    default void oversize(Object key, long bytes) {}

    /**
     * A call gave up because the database was busy all the time that it may take, and threw {@link CacheTimeoutException}.
     *
     * @param waited that time
     */
    default void busy(Duration waited) {}

    /**
     * Damage was found by {@link Cache#check} with repair, or by a read whose value is lost; the finding says whether it was
     * repaired.
     *
     * @param finding what was found
     */
    default void repaired(CheckReport.Finding finding) {}
}

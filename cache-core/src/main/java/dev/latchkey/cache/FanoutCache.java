package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.nio.file.Path;

/**
 * A {@link Cache} that is spread over several databases, so that writers of different keys need not wait for each other; the
 * counterpart of python-diskcache's {@code FanoutCache}, which can read and write the same directory.
 *
 * <pre>{@code
 * try (FanoutCache cache = FanoutCache.open(Path.of("/var/cache/app"))) {
 *     cache.set("greeting", "hello");
 *     Lock lock = new Lock(cache, "report");
 *     Cache thumbnails = cache.cache("thumbnails"); // a cache of its own, closed together with this one
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> Each shard is a folder {@code 000}, {@code 001}, ... and holds the keys whose hash says so, which is
 * Python's: Adler-32 of the UTF-8 of a string, of an array of bytes and of the eight bytes of a floating-point number; an
 * integral number modulo 4,294,967,295. So 1 and 1.0, one key in a {@link Cache}, may be two here. The number of shards is
 * stored when the directory is created, and cannot be changed. A directory that Python made has as many as there are folders.
 * Everything is safe for all threads and all processes of the host. While a process has a directory open like this, it cannot
 * open a shard of it as a {@link Cache}, nor the other way round.
 *
 * <p><b>Order.</b> {@link #keys()} and the like go through one shard after the other, in the order of insertion within each;
 * {@link #peekItem} shows the first or the last of that. {@link #sortedKeys()} is the order of all keys. A queue lives in the
 * shard of its prefix, the one without a prefix in shard 000; its items are found by their keys all the same.
 *
 * <p><b>Transactions.</b> {@link #transact} takes the write locks of all shards, one after the other and always in the same
 * order, and an exception rolls all of them back; so does {@link #setAll} with the shards that its keys are in. A write that
 * does not get its locks in time throws {@link CacheTimeoutException}, and nothing is changed. The shards are committed one
 * after the other, shard 000 last: whoever reads meanwhile, without a transaction, may see some shards before and some after
 * the commit.
 *
 * <p><b>Crashes.</b> Each commit of a shard survives the death of any process. A process that dies in the midst of the commits of one
 * transaction, or finds the disk full there, may leave some shards committed and others not. Calls on a single key change one
 * shard and have no such moment. On a disk that is full, nothing is stored in any shard while one of them lacks the space that
 * it keeps for deletes.
 *
 * <p><b>Locks</b> and all other coordination over this cache, its one session and its wake-ups live in shard 000. What joins a
 * {@link #transact} is committed with shard 000, so after everything else.
 *
 * <p><b>Size limit.</b> {@link Setting#SIZE_LIMIT} is one budget for all shards together: a shard may hold more than its part
 * while others hold less, and an entry may be as large as the whole. Each shard stores its part, which is what Python obeys.
 * What all shards take is added up once a second, and when a quarter of the room that was left has been written. Above the limit
 * each write removes, after its own commit, what has expired and then what the {@link EvictionPolicy} names first in all shards
 * together, at most as many entries as {@link Setting#CULL_LIMIT} says; the background task and {@link #cull()} do
 * so until the limit holds. To have to look less often, up to a 256th of the limit more than needed is removed. So the limit may be
 * exceeded for a moment, by what is written in one second by other processes, or while somebody keeps a shard locked.
 */
public interface FanoutCache extends Cache {
    /** The number of shards of a new directory, if the builder names no other. */
    int DEFAULT_SHARDS = 8;

    /** There are no more shards than this. */
    int MOST_SHARDS = 1000;

    /**
     * Opens the cache in a directory with as many shards as it has; one that is missing is created, parents too, with
     * {@value #DEFAULT_SHARDS}.
     *
     * @param directory where the cache lies; it must not hold anything else
     * @return the open cache
     * @throws CacheException if there is a file in its place or it cannot be opened
     * @throws CacheCorruptException if a shard is missing, or what is there is not a cache
     */
    static FanoutCache open(Path directory) {
        return builder(directory).open();
    }

    /**
     * Opens the cache in a directory that has, or will have, a number of shards.
     *
     * @param directory where the cache lies; it must not hold anything else
     * @param shards from 1 to {@value #MOST_SHARDS}
     * @return the open cache
     * @throws IllegalArgumentException if the directory has another number of shards
     * @throws CacheException if there is a file in its place or it cannot be opened
     * @throws CacheCorruptException if a shard is missing, or what is there is not a cache
     */
    static FanoutCache open(Path directory, int shards) {
        return builder(directory).shards(shards).open();
    }

    /**
     * Opens a new cache in a new directory among the temporary ones, which is deleted when the cache is closed.
     *
     * @return the open cache
     * @throws CacheException if it cannot be created
     */
    static FanoutCache temporary() {
        return FanoutCacheBuilder.temporary();
    }

    /**
     * Prepares to open the cache in a directory.
     *
     * @param directory where the cache lies
     * @return a builder with the defaults
     */
    static FanoutCacheBuilder builder(Path directory) {
        return new FanoutCacheBuilder(directory);
    }

    /**
     * The number of shards.
     *
     * @return from 1 to {@value #MOST_SHARDS}
     */
    int shards();

    /**
     * A cache of its own in the folder {@code cache/<name>}, with the codec and time-out of this one and the settings of any new
     * cache; not a part of this one's entries, transactions or size limit. It is closed together with this one.
     *
     * @param name what it is called; parts between slashes are folders. Two caches cannot lie in each other
     * @return the open cache; the same object for the same name, until it is closed
     * @throws IllegalArgumentException if the name is empty, or would lead elsewhere
     */
    Cache cache(String name);

    /**
     * A deque of its own in the folder {@code deque/<name>}, see {@link Deque#open(Path, Class)}; closed together with this cache.
     *
     * @param <E> the type of the elements
     * @param name what it is called, see {@link #cache}; two objects of one name are the same deque
     * @param type the class of the elements
     * @return the deque
     * @throws IllegalArgumentException if the name is empty or would lead elsewhere, or this cache is for reading alone
     */
    default <E> Deque<E> deque(String name, Class<E> type) {
        return deque(name, TypeToken.of(type));
    }

    /**
     * A deque of its own with elements of a generic type, see {@link #deque(String, Class)}.
     *
     * @param <E> the type of the elements
     * @param name what it is called
     * @param type the type of the elements
     * @return the deque
     * @throws IllegalArgumentException if the name is empty or would lead elsewhere, or this cache is for reading alone
     */
    <E> Deque<E> deque(String name, TypeToken<E> type);

    /**
     * An index of its own in the folder {@code index/<name>}, see {@link Index#open(Path, Class, Class)}; closed together with this
     * cache.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param name what it is called, see {@link #cache}; two objects of one name are the same index
     * @param keyType the class of the keys
     * @param valueType the class of the values
     * @return the index
     * @throws IllegalArgumentException if the name is empty or would lead elsewhere
     */
    default <K, V> Index<K, V> index(String name, Class<K> keyType, Class<V> valueType) {
        return index(name, TypeToken.of(keyType), TypeToken.of(valueType));
    }

    /**
     * An index of its own with keys or values of a generic type, see {@link #index(String, Class, Class)}.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param name what it is called
     * @param keyType the type of the keys
     * @param valueType the type of the values
     * @return the index
     * @throws IllegalArgumentException if the name is empty or would lead elsewhere
     */
    <K, V> Index<K, V> index(String name, TypeToken<K> keyType, TypeToken<V> valueType);
}

package dev.latchkey.cache;

import dev.latchkey.cache.sqlite.OpenOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * The options with which a cache is opened, in one directory or in shards.
 *
 * <p>The options that are a {@link Setting} are stored when the directory is created, and hold for all who open it later; in
 * a directory that exists already they change nothing, which only {@link Cache#alter} does.
 *
 * @param <B> the type of the builder itself
 */
public abstract class AbstractCacheBuilder<B extends AbstractCacheBuilder<B>> {
    final Path directory;
    private final Map<Setting, Object> settings = new EnumMap<>(Setting.class);
    private Duration timeout = Duration.ofSeconds(60);
    private Codec codec = Codecs.json();
    private boolean readOnly;
    private boolean networkFileSystem;
    private int asyncThreads = 8;

    AbstractCacheBuilder(Path directory) {
        this.directory = Objects.requireNonNull(directory, "directory");
    }

    abstract B self();

    final OpenOptions options() {
        return new OpenOptions(Map.copyOf(settings), timeout, codec, readOnly, networkFileSystem, asyncThreads);
    }

    private B with(Setting setting, Object value) {
        settings.put(setting, setting.toStored(value));
        return self();
    }

    /**
     * How long a call waits for the database.
     *
     * @param timeout zero or more; 60 seconds if not set
     * @return this builder
     * @throws IllegalArgumentException if it is negative
     */
    public final B timeout(Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("timeout must be >= 0, was " + timeout);
        }
        this.timeout = timeout;
        return self();
    }

    /**
     * How many bytes the cache may take before entries are evicted, see {@link Setting#SIZE_LIMIT}.
     *
     * @param bytes more than 0; 1 GiB if not set
     * @return this builder
     * @throws IllegalArgumentException if it is zero or negative
     */
    public final B sizeLimit(long bytes) {
        return with(Setting.SIZE_LIMIT, bytes);
    }

    /**
     * Which entries go first, see {@link Setting#EVICTION_POLICY}.
     *
     * @param policy least recently stored if not set
     * @return this builder
     */
    public final B evictionPolicy(EvictionPolicy policy) {
        return with(Setting.EVICTION_POLICY, policy);
    }

    /**
     * How many entries one write may evict, see {@link Setting#CULL_LIMIT}.
     *
     * @param entries 0 or more; 10 if not set
     * @return this builder
     * @throws IllegalArgumentException if it is negative
     */
    public final B cullLimit(int entries) {
        return with(Setting.CULL_LIMIT, entries);
    }

    /**
     * Whether there is an index of tags, see {@link Setting#TAG_INDEX}.
     *
     * @param indexed false if not set
     * @return this builder
     */
    public final B tagIndex(boolean indexed) {
        return with(Setting.TAG_INDEX, indexed);
    }

    /**
     * Whether hits and misses are counted, see {@link Setting#STATISTICS}.
     *
     * @param counted false if not set
     * @return this builder
     */
    public final B statistics(boolean counted) {
        return with(Setting.STATISTICS, counted);
    }

    /**
     * From which length on a value goes into a file, see {@link Setting#MIN_FILE_SIZE}.
     *
     * @param length characters of a string, bytes of an array; 32,768 if not set
     * @return this builder
     * @throws IllegalArgumentException if it is negative
     */
    public final B minFileSize(long length) {
        return with(Setting.MIN_FILE_SIZE, length);
    }

    /**
     * Whether processes remove what has expired or exceeds the limit while nobody writes, see {@link Setting#REAPER}.
     *
     * @param active true if not set
     * @return this builder
     */
    public final B reaper(boolean active) {
        return with(Setting.REAPER, active);
    }

    /**
     * How keys and values are stored. The name of the codec is stored in the directory.
     *
     * @param codec {@link Codecs#json()} if not set
     * @return this builder
     */
    public final B codec(Codec codec) {
        this.codec = Objects.requireNonNull(codec, "codec");
        return self();
    }

    /**
     * Whether to open a directory that exists for reading alone. Nothing is stored there then, not even a lock file, so it
     * works without the right to write; with that right, SQLite may leave an empty {@code cache.db-wal} and a
     * {@code cache.db-shm}, as after any reader. Every writing call throws {@link CacheReadOnlyException}, and locks and the like
     * cannot be made over such a cache.
     *
     * @param readOnly false if not set
     * @return this builder
     */
    public final B readOnly(boolean readOnly) {
        this.readOnly = readOnly;
        return self();
    }

    /**
     * Whether the directory may be on a network file system. SQLite's log needs memory and locks that all processes share,
     * which network file systems do not have: if several hosts open the directory, data will be lost.
     *
     * @param allowed false if not set
     * @return this builder
     */
    public final B allowNetworkFileSystem(boolean allowed) {
        this.networkFileSystem = allowed;
        return self();
    }

    /**
     * How many threads make the calls of {@link Cache#async()}. They are started when they are needed, and end when they were not for
     * ten seconds.
     *
     * @param threads at least 1; 8 if not set
     * @return this builder
     * @throws IllegalArgumentException if it is less than 1
     */
    public final B asyncThreads(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("asyncThreads must be >= 1, was " + threads);
        }
        this.asyncThreads = threads;
        return self();
    }

    /**
     * Opens the cache.
     *
     * @return the open cache
     * @throws CacheException if there is a file in its place, it cannot be opened, it is on a network file system, or it is
     *     missing and was to be opened for reading alone
     * @throws CacheCorruptException if what is there is not a cache
     * @throws IllegalArgumentException if the directory was created with another codec
     */
    public abstract Cache open();
}

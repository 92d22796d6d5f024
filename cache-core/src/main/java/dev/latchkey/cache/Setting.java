package dev.latchkey.cache;

import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A setting that is stored in the directory and holds for every process that opens it. Opening a directory never changes
 * what is stored there; {@link Cache#alter} does.
 *
 * <p>Those that begin with {@code SQLITE_} or {@code DISK_} and are marked so are obeyed by Python only.
 */
@SuppressWarnings("ImmutableEnumChecker") // the fields are pure functions, longs and strings
public enum Setting {
    /** Whether hits and misses are counted: a boolean, false by default. */
    STATISTICS("statistics", Setting::flag, 0L),
    /** Whether there is an index of tags: a boolean, false by default. */
    TAG_INDEX("tag_index", Setting::flag, 0L),
    /** An {@link EvictionPolicy} or its stored name. */
    EVICTION_POLICY("eviction_policy", Setting::policy, EvictionPolicy.LEAST_RECENTLY_STORED.stored()),
    /** How many bytes the cache may take before entries are evicted: more than 0, by default 1 GiB. */
    SIZE_LIMIT("size_limit", value -> number(value, 1, Long.MAX_VALUE), 1L << 30),
    /** How many entries one write may evict: 10 by default; 0 means that nothing is evicted unless asked for. */
    CULL_LIMIT("cull_limit", value -> number(value, 0, Integer.MAX_VALUE), 10L),
    /** From how many characters or bytes on a value goes into a file: 32,768 by default. */
    MIN_FILE_SIZE("disk_min_file_size", value -> number(value, 0, Long.MAX_VALUE), 32_768L),
    /**
     * How SQLite writes to the disk: 1 by default, which survives a crash of every process; 2 survives a loss of power as
     * well and costs a wait for the disk with each commit; 0 is unsafe and refused.
     */
    SQLITE_SYNCHRONOUS("sqlite_synchronous", value -> number(value, 1, 3), 1L),
    /** Whether the database file shrinks, for Python; fixed when the directory is created. */
    SQLITE_AUTO_VACUUM("sqlite_auto_vacuum", null, 1L),
    /** Pages of memory for each connection of Python. */
    SQLITE_CACHE_SIZE("sqlite_cache_size", value -> number(value, Integer.MIN_VALUE, Integer.MAX_VALUE), 8192L),
    /** Always {@code wal}. */
    SQLITE_JOURNAL_MODE("sqlite_journal_mode", null, "wal"),
    /** Bytes that Python maps into memory: 0 by default, since a mapped file crashes its readers when the disk fails. */
    SQLITE_MMAP_SIZE("sqlite_mmap_size", value -> number(value, 0, Long.MAX_VALUE), 0L),
    /** After how many pages of log Python writes it back. */
    SQLITE_WAL_AUTOCHECKPOINT("sqlite_wal_autocheckpoint", value -> number(value, 1, Integer.MAX_VALUE), 10_000L),
    /** The version of the format in which Python stores objects. */
    DISK_PICKLE_PROTOCOL("disk_pickle_protocol", value -> number(value, 0, 5), 5L),
    /**
     * Whether processes remove what has expired or exceeds the limit while nobody writes: a boolean, true by default. Not
     * known to Python.
     */
    REAPER("reaper", Setting::flag, 1L);

    private final String stored;
    private final @Nullable Function<Object, Object> check;
    private final Object byDefault;

    Setting(String stored, @Nullable Function<Object, Object> check, Object byDefault) {
        this.stored = stored;
        this.check = check;
        this.byDefault = byDefault;
    }

    /**
     * The name in the table of settings, which is python-diskcache's except for {@link #REAPER}.
     *
     * @return for example {@code size_limit}
     */
    public String stored() {
        return stored;
    }

    /**
     * The value in a directory that Latchkey creates, if the builder names no other.
     *
     * @return a {@code Long} or {@code String}, as it is stored
     */
    public Object byDefault() {
        return byDefault;
    }

    /**
     * The stored form of a value.
     *
     * @param value a boolean, a number, a string or an {@link EvictionPolicy}, as the setting demands
     * @return a {@code Long} or {@code String}
     * @throws IllegalArgumentException if the setting does not take the value, or cannot be altered
     */
    public Object toStored(Object value) {
        Objects.requireNonNull(value, "value");
        if (check == null) {
            throw new IllegalArgumentException(
                    "setting " + stored + " is fixed when the directory is created and cannot be set to " + value);
        }
        try {
            return check.apply(value);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("setting " + stored + ": " + e.getMessage(), e);
        }
    }

    /**
     * The setting of a stored name.
     *
     * @param stored for example {@code size_limit}
     * @return the setting, or empty if Latchkey has none of that name
     */
    public static Optional<Setting> of(String stored) {
        return Arrays.stream(values())
                .filter(setting -> setting.stored.equals(stored))
                .findFirst();
    }

    private static Object flag(Object value) {
        return value instanceof Boolean flag ? (Object) (flag ? 1L : 0L) : number(value, 0, 1);
    }

    private static Object policy(Object value) {
        return value instanceof EvictionPolicy policy
                ? policy.stored()
                : EvictionPolicy.of(value.toString()).stored();
    }

    private static Object number(Object value, long least, long most) {
        if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            long number = ((Number) value).longValue();
            if (number >= least && number <= most) {
                return number;
            }
        }
        throw new IllegalArgumentException("must be an integer from " + least + " to " + most + ", was " + value);
    }
}

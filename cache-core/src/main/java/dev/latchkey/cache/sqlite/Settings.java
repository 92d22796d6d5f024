package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.Setting;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The settings as they were stored when they were last read. Anybody may have written them: what makes no sense counts as the
 * default, and unknown ones are passed over.
 */
record Settings(
        EvictionPolicy policy,
        boolean statistics,
        boolean tagIndex,
        boolean reaper,
        long sizeLimit,
        int cullLimit,
        long minFileSize,
        long synchronous,
        @Nullable String codec,
        Map<String, Object> disk,
        Map<Setting, Object> known) {
    private static final String DISK = "disk_";

    /** A directory that only Python has used has no table of our own. */
    static Settings load(Database db) {
        Map<String, Object> stored = read(db, Sql.ALL_SETTINGS);
        Map<String, Object> own = db.all(Sql.TABLES, row -> row.getString(1)).contains("Latchkey")
                ? read(db, Sql.ALL_OWN_SETTINGS)
                : Map.of();
        stored.put(Setting.REAPER.stored(), own.getOrDefault(Setting.REAPER.stored(), Setting.REAPER.byDefault()));
        Object codec = own.get("codec");
        return of(stored, codec == null ? null : codec.toString());
    }

    private static Map<String, Object> read(Database db, String sql) {
        Map<String, Object> all = new HashMap<>();
        db.all(sql, row -> {
            Object value = Database.column(row, 2);
            if (value != null) {
                all.put(String.valueOf(row.getString(1)), value);
            }
            return true;
        });
        return all;
    }

    private static Settings of(Map<String, Object> stored, @Nullable String codec) {
        Map<Setting, Object> known = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            known.put(setting, whole(setting, stored.getOrDefault(setting.stored(), setting.byDefault())));
        }
        return new Settings(
                policy(known.get(Setting.EVICTION_POLICY)),
                number(known, Setting.STATISTICS) != 0,
                number(known, Setting.TAG_INDEX) != 0,
                number(known, Setting.REAPER) != 0,
                within(known, Setting.SIZE_LIMIT, 1, Long.MAX_VALUE),
                (int) within(known, Setting.CULL_LIMIT, 0, Integer.MAX_VALUE),
                number(known, Setting.MIN_FILE_SIZE),
                number(known, Setting.SQLITE_SYNCHRONOUS),
                codec,
                disk(stored),
                Collections.unmodifiableMap(known));
    }

    /** What is Python's Disk's own. */
    private static Map<String, Object> disk(Map<String, Object> stored) {
        Map<String, Object> disk = new HashMap<>();
        stored.forEach((name, value) -> {
            if (name.startsWith(DISK)) {
                disk.put(
                        name,
                        value instanceof Double real && real == Math.rint(real) ? (Object) real.longValue() : value);
            }
        });
        return Collections.unmodifiableMap(disk);
    }

    private static EvictionPolicy policy(@Nullable Object stored) {
        try {
            return EvictionPolicy.of(String.valueOf(stored));
        } catch (IllegalArgumentException e) {
            return EvictionPolicy.NONE;
        }
    }

    /** Python may have stored a whole number as a floating-point one, and as the limit of a shard what a division left. */
    private static Object whole(Setting setting, Object value) {
        return value instanceof Double real && (setting == Setting.SIZE_LIMIT || real == Math.rint(real))
                ? (Object) real.longValue()
                : value;
    }

    /** To Python a limit below 1 means that there is never room. */
    private static long within(Map<Setting, Object> known, Setting setting, long least, long most) {
        return known.get(setting) instanceof Long number
                ? Math.max(least, Math.min(most, number))
                : number(known, setting);
    }

    private static long number(Map<Setting, Object> known, Setting setting) {
        Object value = known.getOrDefault(setting, setting.byDefault());
        try {
            return (Long) setting.toStored(value);
        } catch (IllegalArgumentException e) {
            return (Long) setting.byDefault();
        }
    }

    /** The same with the limit of all shards instead of the part of one. */
    Settings withSizeLimit(long limit) {
        return new Settings(
                policy, statistics, tagIndex, reaper, limit, cullLimit, minFileSize, synchronous, codec, disk, known);
    }

    /** The most that a single value may take. */
    long valueLimit() {
        return policy == EvictionPolicy.NONE ? Long.MAX_VALUE : sizeLimit;
    }
}

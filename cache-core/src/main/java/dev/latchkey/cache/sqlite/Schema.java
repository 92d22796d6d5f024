package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.Codecs;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.spi.Deadline;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * The tables.
 *
 * Settings and Cache, their indexes and triggers are python-diskcache's, to the letter. Ours stand beside them:
 *
 * Latchkey          key         | value
 *                   format      | 1                   version of the tables below
 *                   token_floor | 1763797000000000    no token of this directory is at or below it from now on
 *                   codec       | json
 *                   shards      | 8                   only in shard 000 of a FanoutCache
 *                   whole       | 1                   there too: all shards were made; one that is missing was lost
 *
 * LatchkeySession   id                  | dead | boot_id  | label | pid  | host | started
 *                   5188146770730811392 | 0    | 6f1c-... | main  | 4711 | db1  | 1763797000123
 *                   Liveness is the kernel lock on byte `id` of the file `locks`; this row is for people, except for
 *                   `dead`, which once set never changes: a session so marked, or without a row, is granted nothing.
 *
 * LatchkeyState     name   | kind | version | token | line        | detail | holds | session | grant_id | hold_token | ...
 *                   report | lock | 42      | 17642 | 7311 9002   |        | 1     | 5188... | 7        | 17642      | ...
 *                   One row per name. The line is in the order of arrival; its notation, like that of `detail`, belongs to
 *                   the primitive. `holds` says how many hold it; the first of them stands here (with units, owner,
 *                   since, lease), so that a lock is one row, and the others stand in LatchkeyHold. With a rowid, because a
 *                   table without one keeps 488 bytes of a row in its page of 2,048, a line of seven; each change of a longer
 *                   one would write four pages.
 *
 * LatchkeyHold      name  | token | session | grant_id | units | owner | since         | lease
 *                   seats | 17653 | 7311... | 3        | 2     | main  | 1763797003000 | 0
 *                   What is held beside the first: permits, read locks. units: how many; lease: when it is over, on the
 *                   host clock, 0 for never.
 *
 * LatchkeyItem      id | name | status | priority | due | attempt | session | token   | owner | since   | dedup_key | ...
 *                   17 | jobs | 1      | 0        | 0   | 1       | 5188... | 1763... | main  | 1763... |           | ...
 *                   Then `reason`, why it was given back last, and `value`. status: 0 ready, 1 claimed, 2 dead letter,
 *                   3 not before `due`. Only a claimed one has a session, only one that is delayed is due. since:
 *                   when it was claimed or given up. AUTOINCREMENT, so that an id is never used again.
 */
/** Creates the tables of a directory and checks those it finds. */
final class Schema {
    static final long FORMAT = 1;
    /** How many there are. */
    static final String SHARDS = "shards";
    /** Whether all of them were made. */
    static final String WHOLE = "whole";

    private static final String JSON_DISK = "disk_compress_level";
    private static final List<String> COUNTERS = List.of(Counters.COUNT, Counters.SIZE, Counters.HITS, Counters.MISSES);

    private static final List<String> SHARED = List.of(
            "CREATE TABLE IF NOT EXISTS Settings (key TEXT NOT NULL UNIQUE, value)",
            """
            CREATE TABLE IF NOT EXISTS Cache (rowid INTEGER PRIMARY KEY, key BLOB, raw INTEGER, store_time REAL,
                expire_time REAL, access_time REAL, access_count INTEGER DEFAULT 0, tag BLOB,
                size INTEGER DEFAULT 0, mode INTEGER DEFAULT 0, filename TEXT, value BLOB)""",
            "CREATE UNIQUE INDEX IF NOT EXISTS Cache_key_raw ON Cache (key, raw)",
            """
            CREATE INDEX IF NOT EXISTS Cache_expire_time ON Cache (expire_time)
            WHERE expire_time IS NOT NULL""",
            """
            CREATE TRIGGER IF NOT EXISTS Settings_count_insert AFTER INSERT ON Cache FOR EACH ROW BEGIN
            UPDATE Settings SET value = value + 1 WHERE key = 'count'; END""",
            """
            CREATE TRIGGER IF NOT EXISTS Settings_count_delete AFTER DELETE ON Cache FOR EACH ROW BEGIN
            UPDATE Settings SET value = value - 1 WHERE key = 'count'; END""",
            """
            CREATE TRIGGER IF NOT EXISTS Settings_size_insert AFTER INSERT ON Cache FOR EACH ROW BEGIN
            UPDATE Settings SET value = value + NEW.size WHERE key = 'size'; END""",
            """
            CREATE TRIGGER IF NOT EXISTS Settings_size_update AFTER UPDATE ON Cache FOR EACH ROW
            WHEN NEW.size <> OLD.size BEGIN
            UPDATE Settings SET value = value + NEW.size - OLD.size WHERE key = 'size'; END""",
            """
            CREATE TRIGGER IF NOT EXISTS Settings_size_delete AFTER DELETE ON Cache FOR EACH ROW BEGIN
            UPDATE Settings SET value = value - OLD.size WHERE key = 'size'; END""");

    private static final Map<EvictionPolicy, String> POLICY_INDEX = Map.of(
            EvictionPolicy.LEAST_RECENTLY_STORED, "Cache_store_time",
            EvictionPolicy.LEAST_RECENTLY_USED, "Cache_access_time",
            EvictionPolicy.LEAST_FREQUENTLY_USED, "Cache_access_count");

    private static final List<String> OWN = List.of(
            "CREATE TABLE IF NOT EXISTS Latchkey (key TEXT NOT NULL UNIQUE, value)", """
            CREATE TABLE IF NOT EXISTS LatchkeySession (id INTEGER PRIMARY KEY, dead INTEGER NOT NULL DEFAULT 0,
                boot_id TEXT, label TEXT, pid INTEGER, host TEXT, started INTEGER)""", """
            CREATE TABLE IF NOT EXISTS LatchkeyState (name TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL,
                version INTEGER NOT NULL, token INTEGER NOT NULL, line TEXT NOT NULL, detail TEXT NOT NULL,
                holds INTEGER NOT NULL, session INTEGER NOT NULL, grant_id INTEGER NOT NULL,
                hold_token INTEGER NOT NULL, units INTEGER NOT NULL, owner TEXT NOT NULL, since INTEGER NOT NULL,
                lease INTEGER NOT NULL)""", """
            CREATE TABLE IF NOT EXISTS LatchkeyHold (name TEXT NOT NULL, token INTEGER NOT NULL,
                session INTEGER NOT NULL, grant_id INTEGER NOT NULL, units INTEGER NOT NULL, owner TEXT NOT NULL,
                since INTEGER NOT NULL, lease INTEGER NOT NULL, PRIMARY KEY (name, token)) WITHOUT ROWID""", """
            CREATE TABLE IF NOT EXISTS LatchkeyItem (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
                status INTEGER NOT NULL, priority INTEGER NOT NULL, due INTEGER NOT NULL,
                attempt INTEGER NOT NULL, session INTEGER NOT NULL, token INTEGER NOT NULL, owner TEXT NOT NULL,
                since INTEGER NOT NULL, dedup_key TEXT, reason TEXT, value)""", """
            CREATE INDEX IF NOT EXISTS LatchkeyItem_ready ON LatchkeyItem (name, priority DESC, id)
            WHERE status = 0""", """
            CREATE INDEX IF NOT EXISTS LatchkeyItem_other ON LatchkeyItem (name, status, session, due, id)
            WHERE status <> 0""", """
            CREATE UNIQUE INDEX IF NOT EXISTS LatchkeyItem_dedup ON LatchkeyItem (name, dedup_key)
            WHERE dedup_key IS NOT NULL AND status <> 2""");

    private static final String TAG_INDEX = "Cache_tag_rowid";
    private static final String CREATE_TAG_INDEX =
            "CREATE INDEX IF NOT EXISTS Cache_tag_rowid ON Cache (tag, rowid) WHERE tag IS NOT NULL";

    private Schema() {}

    /** A database of some other program is not ours to write to. */
    static void requireOwn(Database db) {
        Long application = db.one(Sql.APPLICATION_ID, row -> row.getLong(1));
        if (application == null || application != 0) {
            throw new CacheCorruptException(db.file() + " belongs to another application (application_id " + application
                    + "); a cache needs a directory of its own");
        }
    }

    /** A database that has no table of a cache is not one. */
    static void requireShared(Database db) {
        if (!db.all(Sql.TABLES, row -> row.getString(1)).containsAll(List.of("Settings", "Cache"))) {
            throw new CacheCorruptException(db.file() + " holds no cache; was it created by something else?");
        }
    }

    /** Whether the tables and indexes are all there, so that opening need not write. */
    static boolean isCurrent(Database db, Deadline deadline) {
        return Busy.retry(deadline, db::describe, () -> {
            List<String> names = db.all(Sql.TABLES, row -> row.getString(1));
            if (!names.contains("Latchkey") || !names.contains("Cache")) {
                return false;
            }
            Long format = db.one(Sql.OWN_SETTING, row -> row.getLong(1), "format");
            requireKnownFormat(format, db.file());
            return format != null && names.containsAll(indexes(Settings.load(db)));
        });
    }

    private static List<String> indexes(Settings settings) {
        return Stream.of(POLICY_INDEX.get(settings.policy()), settings.tagIndex() ? TAG_INDEX : null)
                .filter(Objects::nonNull)
                .toList();
    }

    /**
     * Creates what is missing, under the creation lock. Every step may be the last before a crash: the next opener
     * goes through all of them again. page_size and auto_vacuum must come before the first page is written.
     */
    static void create(Database db, OpenOptions options, @Nullable Family family, Deadline deadline) {
        Busy.run(deadline, db::describe, () -> db.execute(Sql.PAGE_SIZE_OF_NEW));
        Busy.run(deadline, db::describe, () -> db.execute(Sql.AUTO_VACUUM));
        Busy.run(deadline, db::describe, () -> db.execute(Sql.JOURNAL_WAL));
        Busy.run(deadline, db::describe, () -> db.update(Sql.BEGIN));
        try {
            createTables(db, options, family);
            db.update(Sql.COMMIT);
        } catch (Throwable t) {
            db.rollback();
            throw t;
        }
    }

    private static void createTables(Database db, OpenOptions options, @Nullable Family family) {
        boolean foreign = db.all(Sql.TABLES, row -> row.getString(1)).contains("Settings");
        SHARED.forEach(db::execute);
        if (foreign) {
            requireCodec(Settings.load(db), options.codec(), db.file());
        }
        OWN.forEach(db::execute);
        for (Setting setting : Setting.values()) {
            boolean own = setting == Setting.REAPER;
            if (own || !foreign || setting != Setting.SQLITE_WAL_AUTOCHECKPOINT) {
                db.update(
                        own ? Sql.ADD_OWN_SETTING : Sql.ADD_SETTING,
                        setting.stored(),
                        options.settings().getOrDefault(setting, setting.byDefault()));
            }
        }
        if (!foreign) {
            options.codec().diskSettings().forEach((name, value) -> db.update(Sql.ADD_SETTING, name, value));
        }
        COUNTERS.forEach(counter -> db.update(Sql.ADD_SETTING, counter, 0L));
        createIndexes(db);
        db.update(Sql.ADD_OWN_SETTING, "token_floor", 0L);
        db.update(Sql.ADD_OWN_SETTING, "codec", options.codec().name());
        db.update(Sql.ADD_OWN_SETTING, "format", FORMAT);
        if (!foreign && family != null && family.isNew()) {
            db.update(Sql.ADD_OWN_SETTING, SHARDS, (long) family.wanted());
        }
    }

    /** A number among our own settings; null if it is not stored, or the directory has none of our own. */
    static @Nullable Long ownNumber(Database db, String key) {
        boolean has = db.all(Sql.TABLES, row -> row.getString(1)).contains("Latchkey");
        return has ? db.one(Sql.OWN_SETTING, row -> row.getLong(1), key) : null;
    }

    /** Makes the indexes that the stored settings ask for, and drops the others. */
    private static void createIndexes(Database db) {
        Settings settings = Settings.load(db);
        POLICY_INDEX.forEach((policy, index) -> {
            if (policy == settings.policy()) {
                String column = index.substring("Cache_".length());
                db.execute("CREATE INDEX IF NOT EXISTS " + index + " ON Cache (" + column + ")");
            } else {
                db.execute("DROP INDEX IF EXISTS " + index);
            }
        });
        db.execute(settings.tagIndex() ? CREATE_TAG_INDEX : "DROP INDEX IF EXISTS " + TAG_INDEX);
    }

    /** Changes a stored setting, inside a transaction. */
    static void alter(Database db, Setting setting, Object value) {
        db.update(setting == Setting.REAPER ? Sql.SET_OWN_SETTING : Sql.SET_SETTING, setting.stored(), value);
        if (setting == Setting.EVICTION_POLICY || setting == Setting.TAG_INDEX) {
            createIndexes(db);
        }
    }

    /** What was stored with one codec cannot be read with another. What only Python has used has no name of one. */
    static void requireCodec(Settings settings, Codec codec, Object where) {
        if (settings.disk().containsKey(JSON_DISK) && !codec.diskSettings().containsKey(JSON_DISK)) {
            throw new IllegalArgumentException(
                    where + " was made by python-diskcache's JSONDisk; it must be opened with the codec '"
                            + Codecs.jsonZip().name() + "', not '" + codec.name() + "'");
        }
        String stored = settings.codec();
        if (stored != null && !stored.equals(codec.name())) {
            throw new IllegalArgumentException(where + " was created with the codec '" + stored
                    + "' and cannot be opened with the codec '" + codec.name() + "'");
        }
    }

    private static void requireKnownFormat(@Nullable Long format, Path file) {
        if (format != null && format > FORMAT) {
            throw new CacheCorruptException(
                    file + " has format " + format + ", this version knows up to " + FORMAT + "; use a newer version");
        }
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.spi.Deadline;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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
 *
 * LatchkeySession   id                  | dead | boot_id  | label | pid  | host | started
 *                   5188146770730811392 | 0    | 6f1c-... | main  | 4711 | db1  | 1763797000123
 *                   Liveness is the kernel lock on byte `id` of the file `locks`; this row is for people, except for
 *                   `dead`, which once set never changes: a session so marked, or without a row, is granted nothing.
 *
 * LatchkeyState     name   | kind | version | session | grant_id | token            | owner | since         | line
 *                   report | lock | 42      | 5188... | 7        | 1763797000000042 | main  | 1763797003000 | 7311... 9002...
 *                   One row per name. session 0: nobody holds it. The line is in the order of arrival; its notation,
 *                   like that of `detail`, belongs to the primitive.
 *
 * LatchkeyItem      id | name | status | priority | due | attempt | session | token | dedup_key | reason | value
 *                   17 | jobs | 1      | 0        | 0   | 1       | 5188... | 3     |           |        | a.txt
 *                   status: 0 ready, 1 claimed, 2 dead letter. AUTOINCREMENT, so that an id is never used again.
 */
/** Creates the tables of a directory and checks those it finds. */
final class Schema {
    static final long FORMAT = 1;

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

    private static final Map<String, String> POLICY_INDEX = Map.of(
            "least-recently-stored", "CREATE INDEX IF NOT EXISTS Cache_store_time ON Cache (store_time)",
            "least-recently-used", "CREATE INDEX IF NOT EXISTS Cache_access_time ON Cache (access_time)",
            "least-frequently-used", "CREATE INDEX IF NOT EXISTS Cache_access_count ON Cache (access_count)");

    private static final List<String> OWN = List.of(
            "CREATE TABLE IF NOT EXISTS Latchkey (key TEXT NOT NULL UNIQUE, value)", """
            CREATE TABLE IF NOT EXISTS LatchkeySession (id INTEGER PRIMARY KEY, dead INTEGER NOT NULL DEFAULT 0,
                boot_id TEXT, label TEXT, pid INTEGER, host TEXT, started INTEGER)""", """
            CREATE TABLE IF NOT EXISTS LatchkeyState (name TEXT PRIMARY KEY, kind TEXT NOT NULL,
                version INTEGER NOT NULL, session INTEGER NOT NULL, grant_id INTEGER NOT NULL,
                token INTEGER NOT NULL, owner TEXT NOT NULL, since INTEGER NOT NULL, line TEXT NOT NULL,
                detail TEXT NOT NULL) WITHOUT ROWID""", """
            CREATE TABLE IF NOT EXISTS LatchkeyItem (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
                status INTEGER NOT NULL, priority INTEGER NOT NULL, due INTEGER NOT NULL,
                attempt INTEGER NOT NULL, session INTEGER NOT NULL, token INTEGER NOT NULL, dedup_key TEXT,
                reason TEXT, value)""", """
            CREATE INDEX IF NOT EXISTS LatchkeyItem_order ON LatchkeyItem (name, status, priority DESC, id)""", """
            CREATE INDEX IF NOT EXISTS LatchkeyItem_claimed ON LatchkeyItem (name, session)
            WHERE status = 1""", """
            CREATE UNIQUE INDEX IF NOT EXISTS LatchkeyItem_dedup ON LatchkeyItem (name, dedup_key)
            WHERE dedup_key IS NOT NULL AND status <> 2""");

    private static final Map<String, Object> DEFAULTS = new TreeMap<>(Map.ofEntries(
            Map.entry("statistics", 0L),
            Map.entry("tag_index", 0L),
            Map.entry("eviction_policy", "least-recently-stored"),
            Map.entry("size_limit", 1L << 30),
            Map.entry("cull_limit", 10L),
            Map.entry("sqlite_auto_vacuum", 1L),
            Map.entry("sqlite_cache_size", 8192L),
            Map.entry("sqlite_journal_mode", "wal"),
            Map.entry("sqlite_mmap_size", 0L),
            Map.entry("sqlite_synchronous", 1L),
            Map.entry("sqlite_wal_autocheckpoint", 10_000L),
            Map.entry("disk_min_file_size", 32_768L),
            Map.entry("disk_pickle_protocol", 5L),
            Map.entry("count", 0L),
            Map.entry("size", 0L),
            Map.entry("hits", 0L),
            Map.entry("misses", 0L)));

    private Schema() {}

    /** A database of some other program is not ours to write to. */
    static void requireOwn(Database db) {
        Long application = db.one(Sql.APPLICATION_ID, row -> row.getLong(1));
        if (application == null || application != 0) {
            throw new CacheCorruptException(db.file() + " belongs to another application (application_id " + application
                    + "); a cache needs a directory of its own");
        }
    }

    /** Whether the tables are all there, so that opening need not write. */
    static boolean isCurrent(Database db, Deadline deadline) {
        return Busy.retry(deadline, db::describe, () -> {
            List<String> tables = db.all(Sql.TABLES, row -> row.getString(1));
            if (!tables.contains("Latchkey") || !tables.contains("Cache")) {
                return false;
            }
            Long format = db.one(Sql.OWN_SETTING, row -> row.getLong(1), "format");
            requireKnownFormat(format, db.file());
            return format != null;
        });
    }

    /**
     * Creates what is missing, under the creation lock. Every step may be the last before a crash: the next opener
     * goes through all of them again. auto_vacuum must come before the first page is written.
     */
    static void create(Database db, Deadline deadline) {
        Busy.run(deadline, db::describe, () -> db.execute(Sql.AUTO_VACUUM));
        Busy.run(deadline, db::describe, () -> db.execute(Sql.JOURNAL_WAL));
        Busy.run(deadline, db::describe, () -> db.update(Sql.BEGIN));
        try {
            createTables(db);
            db.update(Sql.COMMIT);
        } catch (Throwable t) {
            db.rollback();
            throw t;
        }
    }

    private static void createTables(Database db) {
        boolean foreign = db.all(Sql.TABLES, row -> row.getString(1)).contains("Settings");
        SHARED.forEach(db::execute);
        OWN.forEach(db::execute);
        DEFAULTS.forEach((key, value) -> {
            if (!foreign || !key.startsWith("sqlite_wal")) {
                db.update(Sql.ADD_SETTING, key, value);
            }
        });
        String index = POLICY_INDEX.get(Settings.load(db).evictionPolicy());
        if (index != null) {
            db.execute(index);
        }
        db.update(Sql.ADD_OWN_SETTING, "token_floor", 0L);
        db.update(Sql.ADD_OWN_SETTING, "codec", "json");
        db.update(Sql.ADD_OWN_SETTING, "format", FORMAT);
    }

    private static void requireKnownFormat(@Nullable Long format, Path file) {
        if (format != null && format > FORMAT) {
            throw new CacheCorruptException(
                    file + " has format " + format + ", this version knows up to " + FORMAT + "; use a newer version");
        }
    }
}

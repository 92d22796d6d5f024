package dev.latchkey.cache.sqlite;

/** Every SQL statement of the engine. */
final class Sql {
    private Sql() {}

    static final String VERSION = "SELECT sqlite_version()";
    static final String BEGIN = "BEGIN IMMEDIATE";
    static final String BEGIN_READ = "BEGIN";
    static final String COMMIT = "COMMIT";
    static final String ROLLBACK = "ROLLBACK";
    static final String CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)";
    static final String CHECKPOINT_RESTART = "PRAGMA wal_checkpoint(RESTART)";
    static final String CHECKPOINT_TRUNCATE = "PRAGMA wal_checkpoint(TRUNCATE)";

    // Opening

    static final String APPLICATION_ID = "PRAGMA application_id";
    /** Of a new database. Each page that a commit changes is written as a whole: half of SQLite's 4,096 bytes makes small writes faster. */
    static final String PAGE_SIZE_OF_NEW = "PRAGMA page_size = 2048";

    static final String AUTO_VACUUM = "PRAGMA auto_vacuum = 1";
    static final String JOURNAL_WAL = "PRAGMA journal_mode = wal";
    static final String TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'index')";
    static final String ADD_SETTING = "INSERT OR IGNORE INTO Settings (key, value) VALUES (?, ?)";
    static final String SET_SETTING = "INSERT OR REPLACE INTO Settings (key, value) VALUES (?, ?)";
    static final String OWN_SETTING = "SELECT value FROM Latchkey WHERE key = ?";
    static final String ADD_OWN_SETTING = "INSERT OR IGNORE INTO Latchkey (key, value) VALUES (?, ?)";

    // Settings

    static final String ALL_SETTINGS = "SELECT key, value FROM Settings";
    static final String ALL_OWN_SETTINGS = "SELECT key, value FROM Latchkey";
    static final String COUNTER = "SELECT CAST(value AS INTEGER) FROM Settings WHERE key = ?";
    static final String ADD_TO_COUNTER = "UPDATE Settings SET value = value + ? WHERE key = ?";
    static final String DELETE_OWN_SETTING = "DELETE FROM Latchkey WHERE key = ?";
    static final String SET_OWN_SETTING = "INSERT OR REPLACE INTO Latchkey (key, value) VALUES (?, ?)";

    // Cache

    /** The columns of {@link Row}. */
    static final String ROW = "rowid, store_time, expire_time, tag, mode, filename, value, size";

    static final String LIVE = " (expire_time IS NULL OR expire_time > ?) ";
    static final String UNPINNED = " store_time < ?1 AND access_time < ?1 AND access_count < ?2 ";

    static final String ENTRY = "SELECT " + ROW + " FROM Cache WHERE key = ? AND raw = ?";
    /** One column, because the driver asks for the name of each; null if there is more to a value than what stands in its column. */
    static final String PLAIN_VALUE = "SELECT CASE WHEN mode = 1 AND filename IS NULL AND" + LIVE
            + "THEN value END FROM Cache WHERE key = ? AND raw = ?";
    /** The last argument says whether to write over whatever stands there, or only over what is live and has no file. */
    static final String PUT_ENTRY = """
            INSERT INTO Cache (key, raw, store_time, expire_time, access_time, access_count, tag, size, mode,
                filename, value)
            VALUES (?1, ?2, ?3, ?4, ?3, ?5, ?6, ?7, ?8, ?9, ?10)
            ON CONFLICT (key, raw) DO UPDATE SET store_time = excluded.store_time,
                expire_time = excluded.expire_time, access_time = excluded.access_time,
                access_count = excluded.access_count, tag = excluded.tag, size = excluded.size,
                mode = excluded.mode, filename = excluded.filename, value = excluded.value
            WHERE ?12 OR (filename IS NULL AND (expire_time IS NULL OR expire_time > ?11))""";

    static final String UPDATE_NUMBER = """
            UPDATE Cache SET store_time = max(store_time, ?1), access_time = max(access_time, ?1),
                access_count = access_count + ?2, value = ?3
            WHERE rowid = ?4""";
    static final String UPDATE_EXPIRY = "UPDATE Cache SET expire_time = ? WHERE key = ? AND raw = ? AND" + LIVE;
    static final String DELETE_ENTRY = "DELETE FROM Cache WHERE rowid = ?";
    static final String DELETE_SAME_ENTRY = """
            DELETE FROM Cache WHERE rowid = ? AND key = ? AND raw = ? AND store_time IS ? AND expire_time IS ?
                AND tag IS ? AND mode IS ? AND filename IS ? AND value IS ?""";

    /** At most this many rows are read or deleted at a time. */
    static final int PAGE = 256;

    private static final String DELETED = "filename, key, raw";
    static final String DELETE_EXPIRED = "DELETE FROM Cache WHERE rowid IN (SELECT rowid FROM Cache"
            + " WHERE expire_time <= ? ORDER BY expire_time LIMIT ?) RETURNING " + DELETED;
    static final String TAGGED_ROWIDS = "SELECT rowid FROM Cache WHERE tag = ? AND rowid > ? ORDER BY rowid LIMIT ?";
    static final String DELETE_IF_TAGGED = "DELETE FROM Cache WHERE rowid = ? AND tag = ? RETURNING " + DELETED;
    static final String DELETE_UP_TO = "DELETE FROM Cache WHERE rowid IN (SELECT rowid FROM Cache"
            + " WHERE rowid <= ? ORDER BY rowid LIMIT ?) RETURNING " + DELETED;
    static final String HAS_EXPIRED = "SELECT 1 FROM Cache WHERE expire_time <= ? LIMIT 1";
    static final String LAST_ROWID = "SELECT coalesce(max(rowid), 0) FROM Cache";

    // Iteration: each page continues behind the last key of the page before

    private static final String KEYS = "SELECT key, raw, rowid FROM Cache WHERE" + LIVE + "AND ";
    private static final String LIMIT = " LIMIT " + PAGE;
    static final String KEYS_UP = KEYS + "rowid > ? AND rowid <= ? ORDER BY rowid" + LIMIT;
    static final String KEYS_DOWN = KEYS + "rowid < ? ORDER BY rowid DESC" + LIMIT;
    static final String KEYS_TAGGED = KEYS + "tag = ? AND rowid > ? AND rowid <= ? ORDER BY rowid" + LIMIT;
    static final String KEYS_SORTED_FIRST = KEYS + "key IS NOT NULL ORDER BY key, raw" + LIMIT;
    static final String KEYS_SORTED = KEYS + "(key, raw) > (?, ?) ORDER BY key, raw" + LIMIT;
    static final String KEYS_SORTED_DOWN_FIRST = KEYS + "key IS NOT NULL ORDER BY key DESC, raw DESC" + LIMIT;
    static final String KEYS_SORTED_DOWN = KEYS + "(key, raw) < (?, ?) ORDER BY key DESC, raw DESC" + LIMIT;

    // Queues: a range of keys, without those in it that no push has made

    private static final String ITEM_ROW =
            "SELECT " + ROW + ", key FROM Cache WHERE raw = 1 AND key > ? AND key < ? AND";
    private static final String NUMBERED = " typeof(key) = 'integer' ";
    private static final String PREFIXED =
            " octet_length(key) = ? AND substr(CAST(key AS BLOB), -15) NOT GLOB '*[^0-9]*' ";
    static final String QUEUE_FIRST_NUMBER = ITEM_ROW + LIVE + "AND" + NUMBERED + "ORDER BY key LIMIT 1";
    static final String QUEUE_LAST_NUMBER = ITEM_ROW + LIVE + "AND" + NUMBERED + "ORDER BY key DESC LIMIT 1";
    static final String QUEUE_FIRST_PREFIXED = ITEM_ROW + LIVE + "AND" + PREFIXED + "ORDER BY key LIMIT 1";
    static final String QUEUE_LAST_PREFIXED = ITEM_ROW + LIVE + "AND" + PREFIXED + "ORDER BY key DESC LIMIT 1";
    private static final String END = "SELECT key FROM Cache WHERE raw = 1 AND key > ? AND key < ? AND";
    static final String QUEUE_LEAST_NUMBER = END + NUMBERED + "ORDER BY key LIMIT 1";
    static final String QUEUE_GREATEST_NUMBER = END + NUMBERED + "ORDER BY key DESC LIMIT 1";
    static final String QUEUE_LEAST_PREFIXED = END + PREFIXED + "ORDER BY key LIMIT 1";
    static final String QUEUE_GREATEST_PREFIXED = END + PREFIXED + "ORDER BY key DESC LIMIT 1";
    /** The same as {@link #PREFIXED}, and faster where many keys are looked at: the key is what its number makes. */
    private static final String MADE_BY_PUSH =
            " key = ? || printf('%015d', CAST(substr(CAST(key AS BLOB), ?) AS INTEGER)) ";

    static final String QUEUE_NUMBER_AT = ITEM_ROW + LIVE + "AND" + NUMBERED + "ORDER BY key LIMIT 1 OFFSET ?";
    static final String QUEUE_PREFIXED_AT = ITEM_ROW + LIVE + "AND" + MADE_BY_PUSH + "ORDER BY key LIMIT 1 OFFSET ?";
    /** The index of the keys has all that counting needs; what has expired is found by an index of its own, and subtracted. */
    private static final String COUNT_ITEMS = "SELECT count(*) FROM Cache WHERE raw = 1 AND key > ? AND key < ? AND";

    private static final String COUNT_EXPIRED_ITEMS =
            "SELECT count(*) FROM Cache WHERE +raw = 1 AND +key > ? AND +key < ? AND expire_time <= ? AND";
    static final String QUEUE_COUNT_NUMBERS = COUNT_ITEMS + NUMBERED;
    static final String QUEUE_COUNT_PREFIXED = COUNT_ITEMS + MADE_BY_PUSH;
    static final String QUEUE_COUNT_EXPIRED_NUMBERS = COUNT_EXPIRED_ITEMS + NUMBERED;
    static final String QUEUE_COUNT_EXPIRED_PREFIXED = COUNT_EXPIRED_ITEMS + MADE_BY_PUSH;
    private static final String DELETE_ITEMS_OF_QUEUE = "DELETE FROM Cache WHERE raw = 1 AND key > ? AND key < ? AND";
    static final String QUEUE_DELETE_NUMBERS = DELETE_ITEMS_OF_QUEUE + NUMBERED + "RETURNING " + DELETED;
    static final String QUEUE_DELETE_PREFIXED = DELETE_ITEMS_OF_QUEUE + MADE_BY_PUSH + "RETURNING " + DELETED;
    static final String MOVE_ENTRY = "UPDATE Cache SET key = ? WHERE rowid = ?";
    private static final String ANY_ITEM = "SELECT " + ROW + ", key, raw FROM Cache WHERE" + LIVE;
    static final String FIRST_ENTRY = ANY_ITEM + "AND rowid > ? ORDER BY rowid LIMIT 1";
    static final String LAST_ENTRY = ANY_ITEM + "AND rowid < ? ORDER BY rowid DESC LIMIT 1";

    // Size and eviction

    static final String PAGE_COUNT = "PRAGMA page_count";
    static final String FREE_PAGES = "PRAGMA freelist_count";
    static final String PAGE_SIZE = "PRAGMA page_size";
    private static final String CANDIDATES =
            "SELECT rowid, filename, size + coalesce(octet_length(value), 0) + octet_length(key), key, raw, store_time,"
                    + " access_time, access_count FROM Cache WHERE" + UNPINNED;
    static final String STORED_FIRST = CANDIDATES + "ORDER BY store_time LIMIT ?3";
    static final String USED_FIRST = CANDIDATES + "ORDER BY access_time LIMIT ?3";
    static final String RARELY_USED_FIRST = CANDIDATES + "ORDER BY access_count LIMIT ?3";
    static final String DELETE_CANDIDATE = "DELETE FROM Cache WHERE rowid = ? AND store_time = ? AND access_time = ?"
            + " AND access_count = ? RETURNING " + DELETED;
    static final String ACCESSED_AT =
            "UPDATE Cache SET access_time = max(access_time, ?) WHERE rowid = ? AND store_time <= ?";
    static final String ACCESSED_TIMES =
            "UPDATE Cache SET access_count = access_count + ? WHERE rowid = ? AND store_time <= ?";

    // Damage

    static final String INTEGRITY = "PRAGMA integrity_check";
    static final String REINDEX = "REINDEX";
    /** The columns of {@link CheckedRow}: never a whole key, value or file name, for they may be of any length. */
    private static final String CHECKED = "SELECT rowid, typeof(key), raw, typeof(mode), mode, typeof(filename),"
            + " octet_length(filename), substr(filename, 1, 64), typeof(value), size FROM Cache WHERE";

    static final String CHECKED_ROWS = CHECKED + " rowid > ? AND rowid <= ? ORDER BY rowid LIMIT " + PAGE;
    static final String CHECKED_ROW = CHECKED + " rowid = ?";
    static final String START_OF_KEY =
            "SELECT raw, octet_length(key), substr(key, 1, 60), typeof(key) FROM Cache WHERE rowid = ?";
    private static final String COUNT_OF_ROWS = "SELECT count(*) FROM Cache";
    private static final String SUM_OF_SIZES = "SELECT CAST(total(size) AS INTEGER) FROM Cache";
    /** Stored and true; one statement, so that all are of one moment. */
    static final String COUNTERS = "SELECT (SELECT value FROM Settings WHERE key = 'count'), (" + COUNT_OF_ROWS
            + "), (SELECT value FROM Settings WHERE key = 'size'), (" + SUM_OF_SIZES + ")";

    static final String CORRECT_COUNTERS = "INSERT OR REPLACE INTO Settings (key, value) VALUES ('count', ("
            + COUNT_OF_ROWS + ")), ('size', (" + SUM_OF_SIZES + "))";

    // Sessions

    static final String RAISE_FLOOR =
            "UPDATE Latchkey SET value = max(CAST(value AS INTEGER), ?) WHERE key = 'token_floor' RETURNING value";
    static final String INSERT_SESSION = """
            INSERT INTO LatchkeySession (id, dead, boot_id, label, pid, host, started)
            VALUES (?, 0, ?, ?, ?, ?, ?)""";
    static final String SESSION_DEAD = "SELECT dead FROM LatchkeySession WHERE id = ?";
    static final String SESSION = "SELECT id, pid, host, label, started FROM LatchkeySession WHERE id = ?";
    static final String SESSIONS = "SELECT id, pid, host, label, started FROM LatchkeySession ORDER BY started, id";
    static final String SESSION_IDS = "SELECT id FROM LatchkeySession";
    static final String BURY = "UPDATE LatchkeySession SET dead = 1 WHERE id = ?";
    static final String DELETE_SESSION = "DELETE FROM LatchkeySession WHERE id = ?";

    // States

    static final String STATE_COLUMNS =
            " kind, name, version, token, line, detail, holds, session, grant_id, hold_token, units, owner, since,"
                    + " lease FROM LatchkeyState ";
    static final String STATE = "SELECT" + STATE_COLUMNS + "WHERE name = ?";
    static final String STATE_VERSION = "SELECT version FROM LatchkeyState WHERE name = ?";
    static final String STATES_OF_KIND = "SELECT" + STATE_COLUMNS + "WHERE kind = ? ORDER BY name";
    static final String ALL_STATES = "SELECT" + STATE_COLUMNS + "ORDER BY name";
    static final String FLOOR = "SELECT CAST(value AS INTEGER) FROM Latchkey WHERE key = 'token_floor'";
    static final String INSERT_STATE = """
            INSERT INTO LatchkeyState (token, line, detail, holds, session, grant_id, hold_token, units, owner, since,
                lease, version, name, kind)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""";
    static final String UPDATE_STATE = """
            UPDATE LatchkeyState
            SET token = ?, line = ?, detail = ?, holds = ?, session = ?, grant_id = ?, hold_token = ?, units = ?,
                owner = ?, since = ?, lease = ?, version = ?
            WHERE name = ? AND kind = ? AND version = ?""";
    static final String DELETE_STATE = "DELETE FROM LatchkeyState WHERE name = ? AND version = ?";
    static final String HOLDS =
            "SELECT session, grant_id, token, units, owner, since, lease FROM LatchkeyHold WHERE name = ? ORDER BY token";
    static final String PUT_HOLD = """
            INSERT OR REPLACE INTO LatchkeyHold (name, session, grant_id, token, units, owner, since, lease)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""";
    static final String DELETE_HOLD = "DELETE FROM LatchkeyHold WHERE name = ? AND token = ?";
    /** The grant of a lock that is as this process remembers it: one statement, one commit. */
    static final String UPDATE_STATE_FOR_LIVING =
            UPDATE_STATE + " AND EXISTS (SELECT 1 FROM LatchkeySession WHERE id = ? AND dead = 0)";

    // Items: each says of its status what an index has as its condition, and of the columns before the order what they
    // hold then

    private static final String ITEM_COLUMNS =
            " id, name, status, priority, due, attempt, session, token, owner, since, dedup_key, reason";
    private static final String ITEM = "SELECT" + ITEM_COLUMNS + ", value FROM LatchkeyItem ";
    private static final String ITEM_WITHOUT_VALUE = "SELECT" + ITEM_COLUMNS + ", NULL FROM LatchkeyItem ";
    static final String READY_ITEMS = ITEM + "WHERE name = ? AND status = 0 ORDER BY priority DESC, id LIMIT ?";
    static final String MAKE_ITEMS_READY = """
            UPDATE LatchkeyItem SET status = 0 WHERE id IN (
                SELECT id FROM LatchkeyItem WHERE name = ? AND status = 3 AND status <> 0 AND session = 0 AND due <= ? ORDER BY due LIMIT ?)""";
    /** One step through the index for each session, not for each claim. */
    private static final String WITH_CLAIMANT = """
            WITH RECURSIVE claimant (id) AS (
                SELECT min(session) FROM LatchkeyItem WHERE name = ?1 AND status = 1 AND status <> 0
                UNION ALL
                SELECT (SELECT min(session) FROM LatchkeyItem WHERE name = ?1 AND status = 1 AND status <> 0 AND session > claimant.id)
                FROM claimant WHERE claimant.id IS NOT NULL)
            """;

    static final String ITEM_CLAIMANTS = WITH_CLAIMANT + "SELECT id FROM claimant WHERE id IS NOT NULL";
    /** 0 if one is ready, 1 and when the next is due, 2 and who has claims. */
    static final String ITEM_OUTLOOK = WITH_CLAIMANT + """
            SELECT * FROM (SELECT 0, 0 FROM LatchkeyItem WHERE name = ?1 AND status = 0 LIMIT 1)
            UNION ALL
            SELECT * FROM (SELECT 1, due FROM LatchkeyItem WHERE name = ?1 AND status = 3 AND status <> 0 AND session = 0 ORDER BY due LIMIT 1)
            UNION ALL
            SELECT 2, id FROM claimant WHERE id IS NOT NULL""";

    static final String ITEMS_OF_CLAIMANT =
            ITEM_WITHOUT_VALUE + "WHERE name = ? AND status = 1 AND status <> 0 AND session = ? ORDER BY due, id";
    /** One step through the index for each queue. */
    static final String CLAIMED_ITEMS = """
            WITH RECURSIVE queue (title) AS (
                SELECT min(name) FROM LatchkeyItem WHERE status <> 0
                UNION ALL
                SELECT (SELECT min(name) FROM LatchkeyItem WHERE status <> 0 AND name > queue.title)
                FROM queue WHERE queue.title IS NOT NULL)
            """ + ITEM_WITHOUT_VALUE
            + "WHERE name IN (SELECT title FROM queue) AND status = 1 AND status <> 0 ORDER BY name, id";

    static final String DEAD_ITEMS = ITEM
            + "WHERE name = ? AND status = 2 AND status <> 0 AND session = 0 AND due = 0 AND id > ? ORDER BY id LIMIT ?";
    static final String COUNT_READY_ITEMS = "SELECT count(*) FROM LatchkeyItem WHERE name = ? AND status = 0";
    static final String COUNT_CLAIMED_ITEMS =
            "SELECT count(*) FROM LatchkeyItem WHERE name = ? AND status = 1 AND status <> 0";
    static final String COUNT_DEAD_ITEMS =
            "SELECT count(*) FROM LatchkeyItem WHERE name = ? AND status = 2 AND status <> 0 AND session = 0 AND due = 0";
    static final String COUNT_DELAYED_ITEMS =
            "SELECT count(*) FROM LatchkeyItem WHERE name = ? AND status = 3 AND status <> 0 AND session = 0";
    static final String COUNT_ITEMS_NOT_DUE = COUNT_DELAYED_ITEMS + " AND due > ?";
    static final String INSERT_ITEM = """
            INSERT INTO LatchkeyItem (name, status, priority, due, attempt, session, token, owner, since, dedup_key,
                reason, value)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id""";
    private static final String UNCHANGED_ITEM =
            " WHERE id = ? AND status = ? AND session = ? AND token = ? AND since = ?";
    static final String UPDATE_ITEM = """
            UPDATE OR IGNORE LatchkeyItem SET status = ?, due = ?, attempt = ?, session = ?, token = ?, owner = ?,
                since = ?, reason = ?""" + UNCHANGED_ITEM;
    static final String DELETE_ITEM = "DELETE FROM LatchkeyItem" + UNCHANGED_ITEM;
    private static final String DELETE_ITEMS = "DELETE FROM LatchkeyItem WHERE id IN (SELECT id FROM LatchkeyItem";
    static final String DELETE_READY_ITEMS = DELETE_ITEMS + " WHERE name = ? AND status = 0 LIMIT ?)";
    static final String DELETE_CLAIMED_ITEMS = DELETE_ITEMS + " WHERE name = ? AND status = 1 AND status <> 0 LIMIT ?)";
    static final String DELETE_DEAD_ITEMS =
            DELETE_ITEMS + " WHERE name = ? AND status = 2 AND status <> 0 AND session = 0 AND due = 0 LIMIT ?)";
    static final String DELETE_DELAYED_ITEMS =
            DELETE_ITEMS + " WHERE name = ? AND status = 3 AND status <> 0 AND session = 0 LIMIT ?)";
}

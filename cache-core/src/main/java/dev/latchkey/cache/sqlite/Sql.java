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

    // Opening

    static final String APPLICATION_ID = "PRAGMA application_id";
    static final String AUTO_VACUUM = "PRAGMA auto_vacuum = 1";
    static final String JOURNAL_WAL = "PRAGMA journal_mode = wal";
    static final String TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'";
    static final String SETTINGS = "SELECT key, value FROM Settings";
    static final String ADD_SETTING = "INSERT OR IGNORE INTO Settings (key, value) VALUES (?, ?)";
    static final String SET_SETTING = "INSERT OR REPLACE INTO Settings (key, value) VALUES (?, ?)";
    static final String OWN_SETTING = "SELECT value FROM Latchkey WHERE key = ?";
    static final String ADD_OWN_SETTING = "INSERT OR IGNORE INTO Latchkey (key, value) VALUES (?, ?)";

    // Cache

    static final String ENTRY = "SELECT rowid, store_time, expire_time, tag, mode, filename, value, size FROM Cache"
            + " WHERE key = ? AND raw = ?";
    static final String INSERT_ENTRY = """
            INSERT INTO Cache (key, raw, store_time, expire_time, access_time, access_count, tag, size, mode,
                filename, value)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""";
    static final String UPDATE_ENTRY = """
            UPDATE Cache SET store_time = ?, expire_time = ?, access_time = ?, access_count = ?, tag = ?, size = ?,
                mode = ?, filename = ?, value = ?
            WHERE rowid = ?""";
    static final String UPDATE_NUMBER = "UPDATE Cache SET store_time = ?, value = ? WHERE rowid = ?";
    static final String UPDATE_EXPIRY = """
            UPDATE Cache SET expire_time = ?
            WHERE key = ? AND raw = ? AND (expire_time IS NULL OR expire_time > ?)""";
    static final String DELETE_ENTRY = "DELETE FROM Cache WHERE rowid = ?";

    // Sessions

    static final String RAISE_FLOOR =
            "UPDATE Latchkey SET value = max(CAST(value AS INTEGER), ?) WHERE key = 'token_floor' RETURNING value";
    static final String INSERT_SESSION = """
            INSERT INTO LatchkeySession (id, dead, boot_id, label, pid, host, started)
            VALUES (?, 0, ?, ?, ?, ?, ?)""";
    static final String SESSION_DEAD = "SELECT dead FROM LatchkeySession WHERE id = ?";
    static final String SESSION = "SELECT id, pid, host, label, started FROM LatchkeySession WHERE id = ?";
    static final String SESSION_IDS = "SELECT id FROM LatchkeySession";
    static final String BURY = "UPDATE LatchkeySession SET dead = 1 WHERE id = ?";
    static final String DELETE_SESSION = "DELETE FROM LatchkeySession WHERE id = ?";

    // States

    static final String STATE_COLUMNS =
            " kind, name, version, session, grant_id, token, owner, since, line, detail FROM LatchkeyState ";
    static final String STATE = "SELECT" + STATE_COLUMNS + "WHERE name = ?";
    static final String STATE_VERSION = "SELECT version FROM LatchkeyState WHERE name = ?";
    static final String STATES_OF_KIND = "SELECT" + STATE_COLUMNS + "WHERE kind = ? ORDER BY name";
    static final String FLOOR = "SELECT CAST(value AS INTEGER) FROM Latchkey WHERE key = 'token_floor'";
    static final String INSERT_STATE = """
            INSERT INTO LatchkeyState (session, grant_id, token, owner, since, line, detail, version, name, kind)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""";
    static final String UPDATE_STATE = """
            UPDATE LatchkeyState
            SET session = ?, grant_id = ?, token = ?, owner = ?, since = ?, line = ?, detail = ?, version = ?
            WHERE name = ? AND kind = ? AND version = ?""";
    /** The grant of a lock that is as this process remembers it: one statement, one commit. */
    static final String UPDATE_STATE_FOR_LIVING =
            UPDATE_STATE + " AND EXISTS (SELECT 1 FROM LatchkeySession WHERE id = ? AND dead = 0)";

    // Items

    static final String ITEM_COLUMNS =
            " id, name, status, priority, due, attempt, session, token, dedup_key, reason, value"
                    + " FROM LatchkeyItem ";
    static final String ITEM = "SELECT" + ITEM_COLUMNS + "WHERE id = ?";
    static final String ITEM_FIRST_READY =
            "SELECT" + ITEM_COLUMNS + "WHERE name = ? AND status = 0 AND due <= ? ORDER BY priority DESC, id LIMIT 1";
    static final String ITEM_NEXT_DUE =
            "SELECT due FROM LatchkeyItem WHERE name = ? AND status = 0 AND due > ? ORDER BY due LIMIT 1";
    static final String ITEM_CLAIMANTS = "SELECT DISTINCT session FROM LatchkeyItem WHERE name = ? AND status = 1";
    static final String ITEMS_OF_CLAIMANT =
            "SELECT" + ITEM_COLUMNS + "WHERE name = ? AND status = 1 AND session = ? ORDER BY id";
    static final String ITEMS_IN_STATUS =
            "SELECT" + ITEM_COLUMNS + "WHERE name = ? AND status = ? ORDER BY priority DESC, id";
    static final String ITEM_COUNT = "SELECT count(*) FROM LatchkeyItem WHERE name = ? AND status = ?";
    static final String ITEM_COUNT_DELAYED =
            "SELECT count(*) FROM LatchkeyItem WHERE name = ? AND status = 0 AND due > ?";
    static final String INSERT_ITEM = """
            INSERT INTO LatchkeyItem (name, status, priority, due, attempt, session, token, dedup_key, reason, value)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id""";
    static final String UPDATE_ITEM = """
            UPDATE LatchkeyItem SET status = ?, priority = ?, due = ?, attempt = ?, session = ?, token = ?,
                dedup_key = ?, reason = ?, value = ?
            WHERE id = ?""";
    static final String DELETE_ITEM = "DELETE FROM LatchkeyItem WHERE id = ?";
}

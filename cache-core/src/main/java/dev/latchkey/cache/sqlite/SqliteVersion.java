package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;

/**
 * Refuses a SQLite whose checkpoints can lose commits: the WAL-reset bug, in every version from 3.7.0 on, mended in 3.51.3,
 * 3.50.7 and 3.44.6.
 */
final class SqliteVersion {
    private SqliteVersion() {}

    static void require(Database database) {
        String version = database.one(Sql.VERSION, row -> row.getString(1));
        if (version == null || !isSafe(version)) {
            throw new CacheException("SQLite " + version + " can lose commits of other processes (WAL-reset bug);"
                    + " put sqlite-jdbc 3.51.3.0 or later on the class path");
        }
    }

    static boolean isSafe(String version) {
        String[] parts = version.split("\\.");
        int major = Integer.parseInt(parts[0]);
        int minor = Integer.parseInt(parts[1]);
        int patch = parts.length > 2 ? Integer.parseInt(parts[2]) : 0;
        if (major != 3) {
            return major > 3;
        }
        return switch (minor) {
            case 44 -> patch >= 6;
            case 50 -> patch >= 7;
            case 51 -> patch >= 3;
            default -> minor > 51;
        };
    }
}

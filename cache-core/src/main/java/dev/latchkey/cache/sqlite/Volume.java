package dev.latchkey.cache.sqlite;

import org.jspecify.annotations.Nullable;

/** How much space a cache takes. */
final class Volume {
    private Volume() {}

    /** Database file and value files. */
    static long ofFiles(Database db) {
        return number(db, Sql.PAGE_COUNT) * pageBytes(db) + Counters.read(db, Counters.SIZE);
    }

    /** What entries take, without pages that are free to be used again: what eviction makes smaller, and the limit bounds. */
    static long ofEntries(Database db) {
        return (number(db, Sql.PAGE_COUNT) - number(db, Sql.FREE_PAGES)) * pageBytes(db)
                + Counters.read(db, Counters.SIZE);
    }

    static long pageBytes(Database db) {
        return number(db, Sql.PAGE_SIZE);
    }

    private static long number(Database db, String pragma) {
        @Nullable Long number = db.one(pragma, row -> row.getLong(1));
        return number == null ? 0 : number;
    }
}

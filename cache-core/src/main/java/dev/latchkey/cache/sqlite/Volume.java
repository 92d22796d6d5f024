package dev.latchkey.cache.sqlite;

import org.jspecify.annotations.Nullable;

/** How much space a cache takes. */
final class Volume {
    private Volume() {}

    /** Database file and value files. */
    static long ofFiles(Database db) {
        return pages(db, Sql.PAGE_COUNT) * pages(db, Sql.PAGE_SIZE) + Counters.read(db, Counters.SIZE);
    }

    /** What entries take, without pages that are free to be used again: what eviction makes smaller, and the limit bounds. */
    static long ofEntries(Database db) {
        return (pages(db, Sql.PAGE_COUNT) - pages(db, Sql.FREE_PAGES)) * pages(db, Sql.PAGE_SIZE)
                + Counters.read(db, Counters.SIZE);
    }

    private static long pages(Database db, String pragma) {
        @Nullable Long pages = db.one(pragma, row -> row.getLong(1));
        return pages == null ? 0 : pages;
    }
}

package dev.latchkey.cache.sqlite;

/** The counters in the table Settings; triggers keep the first two. */
final class Counters {
    static final String COUNT = "count";
    static final String SIZE = "size";
    static final String HITS = "hits";
    static final String MISSES = "misses";

    private Counters() {}

    static long read(Database db, String name) {
        Long value = db.one(Sql.COUNTER, row -> row.getLong(1), name);
        return value == null ? 0 : value;
    }
}

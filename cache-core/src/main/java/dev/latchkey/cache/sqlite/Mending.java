package dev.latchkey.cache.sqlite;

import java.util.List;
import java.util.Set;

/** What an {@link Inspection} may do about what it has found; the answers say what was mended. */
interface Mending {
    /** For those who only look. */
    Mending NONE = new Mending() {};

    /** Returns when every transaction that runs now is over. */
    default void awaitRunningTransactions() {}

    /** Builds the indexes anew; false if that failed. */
    default boolean reindex() {
        return false;
    }

    /** Removes rows that are still damaged; answers which. */
    default Set<Long> remove(List<CheckedRow> damaged) {
        return Set.of();
    }

    default boolean removeFile(String name) {
        return false;
    }

    default boolean removeIncoming(String path) {
        return false;
    }

    default boolean removeEmptyFolder(String path) {
        return false;
    }

    default boolean correctCounters() {
        return false;
    }
}

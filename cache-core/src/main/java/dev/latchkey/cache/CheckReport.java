package dev.latchkey.cache;

import java.util.List;

/**
 * What {@link Cache#check} found.
 *
 * <pre>{@code
 * CheckReport report = cache.check(false);
 * if (!report.isClean()) {
 *     System.err.println(report); // one finding per line
 * }
 * }</pre>
 *
 * @param findings what is wrong or was wrong before it was repaired, in the order in which it was found
 */
public record CheckReport(List<Finding> findings) {
    /** What kind of damage a finding is. */
    public enum Kind {
        /** A complaint of SQLite about the database file. */
        DATABASE,
        /** A row whose parts contradict each other or cannot be read. */
        ROW,
        /** A row whose value file does not exist: the value is lost. */
        FILE_MISSING,
        /** A row whose value file has another length than the row says: the value is lost. */
        FILE_SIZE,
        /** A value file that no row names, left by a process that died. */
        UNKNOWN_FILE,
        /** A file that is none of the cache's and is left alone. */
        FOREIGN_FILE,
        /** An empty folder that held value files. */
        EMPTY_FOLDER,
        /** A stored count of entries or sum of sizes that is not the true one. */
        COUNTER
    }

    /**
     * One thing that is wrong.
     *
     * @param kind what kind of damage
     * @param description what was found where, for people
     * @param repaired whether it has been repaired; the description says what was lost by it
     */
    public record Finding(Kind kind, String description, boolean repaired) {
        @Override
        public String toString() {
            return kind + ": " + description + (repaired ? " (repaired)" : "");
        }
    }

    /**
     * Copies the list.
     *
     * @param findings what was found
     */
    public CheckReport {
        findings = List.copyOf(findings);
    }

    /**
     * Whether nothing was wrong.
     *
     * @return true if there are no findings
     */
    public boolean isClean() {
        return findings.isEmpty();
    }

    @Override
    public String toString() {
        return isClean()
                ? "no damage found"
                : String.join("\n", findings.stream().map(Finding::toString).toList());
    }
}

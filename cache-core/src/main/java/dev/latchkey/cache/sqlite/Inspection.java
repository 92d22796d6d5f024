package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.CheckReport.Kind;
import dev.latchkey.cache.spi.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * Others write meanwhile, so no connection is held for long and every suspicion is looked at twice:
 *
 * - A row is read, then its file is looked at, then the row is read again. If both times it names the same file, the file was
 *   missing while it was named: names are random and never used again.
 * - The names of all value files are collected first (1). A repair then waits until every transaction that ran at that time is
 *   over (2). Then the rows are read (3). A file that was there at 1 had got its name in a transaction that was over at 2, so
 *   if a row names it, that row is seen at 3; what no row names by then never will be named. Python alone writes a file long
 *   before its transaction begins, so nothing is said of a file until it is ten minutes old.
 * - Whoever removes a value removes the file after its transaction, and whoever stores one makes its folder just before. So a
 *   file counts only if it is still there a second later, and an empty folder only if nothing has happened in it.
 */
/** Looks for damage, a little at a time, beside other processes that read and write. */
final class Inspection {
    private static final int MOST_FINDINGS = 10_000;
    private static final int MOST_FILES = 1_000;
    private static final long MOMENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Source source;
    private final Duration timeout;
    private final Grace grace;
    private final Mending mending;
    private final FileTree tree;
    private final NameSet names = new NameSet();
    private final Findings findings = new Findings(MOST_FINDINGS);
    private final Map<String, FileTree.Look> emptyFolders = new TreeMap<>();
    private boolean sound = true;

    /** Each step gets the full time. */
    Inspection(Source source, Duration timeout, Grace grace, Mending mending) {
        this.source = source;
        this.timeout = timeout;
        this.grace = grace;
        this.mending = mending;
        this.tree = source.files().tree();
    }

    CheckReport report() {
        if (source.isInTransaction()) {
            throw new IllegalStateException("a check takes long and must not hold up all others: it cannot run inside a"
                    + " transaction on " + source.root() + "; call it after transact");
        }
        part(this::database);
        collectFiles();
        mending.awaitRunningTransactions();
        part(this::rows);
        long end = System.nanoTime();
        unknownFiles(end + MOMENT_NANOS);
        emptyFolders(end + MOMENT_NANOS);
        part(this::counters);
        requireInPlace();
        return findings.report();
    }

    /** What cannot be read at all is a finding, too. */
    private void part(Runnable part) {
        try {
            part.run();
        } catch (CacheCorruptException e) {
            sound = false;
            found(Kind.DATABASE, String.valueOf(e.getMessage()), false);
        }
    }

    private void found(Kind kind, String description, boolean repaired) {
        findings.add(kind, description, repaired);
    }

    private Deadline deadline() {
        return Deadline.after(timeout);
    }

    /** Where a directory was removed all files are missing, and that is no damage. */
    private void requireInPlace() {
        source.requireOpen();
        if (!source.isInPlace()) {
            throw new CacheReplacedException("the cache directory " + source.root()
                    + " was removed or replaced while it was checked; close it and open it anew");
        }
    }

    // The database file

    private void database() {
        List<String> before = integrity();
        boolean ofIndexes = before.stream().anyMatch(complaint -> complaint.contains("index"));
        List<String> after = ofIndexes && mending.reindex() ? integrity() : before;
        before.forEach(complaint -> found(Kind.DATABASE, complaint, !after.contains(complaint)));
        after.stream()
                .filter(complaint -> !before.contains(complaint))
                .forEach(complaint -> found(Kind.DATABASE, complaint, false));
        sound = after.isEmpty();
    }

    private List<String> integrity() {
        List<String> complaints =
                source.query(db -> db.all(Sql.INTEGRITY, row -> String.valueOf(row.getString(1))), deadline());
        return complaints.equals(List.of("ok")) ? List.of() : complaints;
    }

    // Files

    private void collectFiles() {
        Visitor visitor = new Visitor();
        tree.top(visitor).forEach(folder -> tree.folder(folder, visitor));
        names.sort();
    }

    private final class Visitor implements FileTree.Visitor {
        @Override
        public void valueFile(String name) {
            names.add(name);
        }

        @Override
        public void incoming(String path) {
            FileTree.Look look = tree.look(path);
            if (look != null && !look.isFile()) {
                foreign(path);
            } else if (look != null && grace.isOverForIncoming(look)) {
                found(
                        Kind.UNKNOWN_FILE,
                        "the file " + path + " of " + look.size() + " bytes is a value that was never stored",
                        mending.removeIncoming(path));
            }
        }

        @Override
        public void emptyFolder(String path) {
            FileTree.Look look = tree.look(path);
            if (look != null) {
                emptyFolders.put(path, look);
            }
        }

        @Override
        public void foreign(String path) {
            FileTree.Look look = tree.look(path);
            if (look != null) {
                String what = look.isLink()
                        ? " is a symbolic link, which is never followed; it is left alone"
                        : " is none of the cache's and is left alone";
                found(Kind.FOREIGN_FILE, Findings.printable(path) + what, false);
            }
        }

        @Override
        public void unreadable(String path, IOException reason) {
            found(Kind.FOREIGN_FILE, Findings.printable(path) + " cannot be read: " + reason, false);
        }
    }

    /** Answers the length of a value file that no row names and nobody is about to use. */
    private @Nullable Long unknownBytes(String name) {
        FileTree.Look look = tree.look(name);
        return look != null && look.isFile() && grace.isOver(look) ? (Long) look.size() : null;
    }

    private void emptyFolders(long later) {
        dropFoldersInUse();
        if (!emptyFolders.isEmpty()) {
            awaitUntil(later);
            dropFoldersInUse();
        }
        for (String path : emptyFolders.keySet()) {
            found(Kind.EMPTY_FOLDER, "the folder " + path + " is empty", mending.removeEmptyFolder(path));
        }
    }

    private void dropFoldersInUse() {
        emptyFolders.entrySet().removeIf(folder -> !tree.isStillEmpty(folder.getKey(), folder.getValue()));
    }

    private void unknownFiles(long later) {
        if (!sound) {
            return; // rows that name them may be lost
        }
        List<String> some = new ArrayList<>();
        for (Iterator<String> folders = names.foldersOfUnknown(); folders.hasNext(); ) {
            tree.files(folders.next(), new Unknown(some));
            if (some.size() >= MOST_FILES || !folders.hasNext()) {
                report(some, later);
                some.clear();
            }
        }
    }

    /** Picks the files that no row names. */
    private final class Unknown implements FileTree.Visitor {
        private final List<String> unknown;

        Unknown(List<String> unknown) {
            this.unknown = unknown;
        }

        @Override
        public void valueFile(String name) {
            if (names.isReleased(name) && names.isUnknown(name)) {
                mending.removeFile(name);
            } else if (names.isUnknown(name)) {
                suspect(name);
            }
        }

        private void suspect(String name) {
            FileTree.Look look = tree.look(name);
            if (look != null && !look.isFile()) {
                new Visitor().foreign(name);
            } else if (look != null && grace.isOver(look)) {
                unknown.add(name);
            }
        }

        @Override
        public void incoming(String path) {}

        @Override
        public void emptyFolder(String path) {}

        @Override
        public void foreign(String path) {}

        @Override
        public void unreadable(String path, IOException reason) {}
    }

    private void report(List<String> unknown, long later) {
        if (!unknown.isEmpty()) {
            awaitUntil(later);
            requireInPlace();
        }
        for (String name : unknown) {
            Long bytes = unknownBytes(name);
            if (bytes != null) {
                found(
                        Kind.UNKNOWN_FILE,
                        "the file " + name + " of " + bytes + " bytes is named by no row",
                        mending.removeFile(name));
            }
        }
    }

    private static void awaitUntil(long nanos) {
        boolean interrupted = false;
        for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
            LockSupport.parkNanos(left);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // Rows

    private void rows() {
        long bound = source.query(KeyPages::lastRowid, deadline());
        long last = Long.MIN_VALUE;
        for (boolean more = true; more; ) {
            long behind = last;
            List<CheckedRow> page =
                    source.query(db -> db.all(Sql.CHECKED_ROWS, CheckedRow::of, behind, bound), deadline());
            check(page);
            more = page.size() == Sql.PAGE;
            last = page.isEmpty() ? last : page.get(page.size() - 1).rowid();
        }
    }

    /** A row that was damaged both times, and its key. */
    private record Confirmed(
            CheckedRow row,
            CheckedRow.Damage damage,
            @Nullable String key) {}

    private void check(List<CheckedRow> page) {
        List<Confirmed> confirmed = new ArrayList<>();
        for (CheckedRow row : page) {
            CheckedRow.Damage damage = row.damage(source.files());
            Confirmed found = damage == null ? null : confirm(row, damage);
            if (found == null) {
                name(row);
            } else {
                confirmed.add(found);
            }
        }
        if (!confirmed.isEmpty()) {
            requireInPlace();
            report(confirmed);
        }
    }

    private @Nullable Confirmed confirm(CheckedRow row, CheckedRow.Damage damage) {
        return source.query(
                db -> row.equals(CheckedRow.find(db, row.rowid()))
                        ? new Confirmed(row, damage, CheckedRow.key(db, row.rowid()))
                        : null,
                deadline());
    }

    private void name(CheckedRow row) {
        String file = row.file();
        if (file != null) {
            names.name(file);
        }
    }

    private void report(List<Confirmed> confirmed) {
        Set<Long> removed = mending.remove(confirmed.stream()
                .filter(one -> one.damage.isCertain())
                .map(Confirmed::row)
                .toList());
        for (Confirmed one : confirmed) {
            boolean repaired = removed.contains(one.row.rowid());
            String lost = repaired ? "; the entry is lost and was removed" : "";
            found(
                    one.damage.kind(),
                    "row " + one.row.rowid() + ", " + one.key + ": " + one.damage.what() + lost,
                    repaired);
            if (repaired && one.row.file() != null) {
                names.release(Objects.requireNonNull(one.row.file()));
            } else {
                name(one.row);
            }
        }
    }

    // Counters

    /** What is stored, and what is true. */
    private record Count(
            String name, @Nullable Object stored, @Nullable Object counted) {
        boolean isTrue() {
            return Objects.equals(stored, counted);
        }
    }

    private void counters() {
        List<Count> counts = Objects.requireNonNull(source.query(
                db -> db.one(
                        Sql.COUNTERS,
                        row -> List.of(
                                new Count(Counters.COUNT, Database.column(row, 1), Database.column(row, 2)),
                                new Count(Counters.SIZE, Database.column(row, 3), Database.column(row, 4)))),
                deadline()));
        List<Count> wrong = counts.stream().filter(count -> !count.isTrue()).toList();
        boolean repaired = !wrong.isEmpty() && mending.correctCounters();
        for (Count count : wrong) {
            String is =
                    count.name + " is " + (count.stored == null ? "missing" : Findings.printable("" + count.stored));
            found(Kind.COUNTER, "the counter " + is + ", the true one is " + count.counted, repaired);
        }
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** Mends what can be mended, beside other processes that read and write: a little at a time, each in a transaction of its own. */
final class Repair implements Mending {
    private final Engine engine;
    private final Duration timeout;
    private final Grace grace;
    private final FileTree tree;

    Repair(Engine engine, Duration timeout, Grace grace) {
        this.engine = engine;
        this.timeout = timeout;
        this.grace = grace;
        this.tree = engine.files().tree();
    }

    CheckReport report() {
        return new Inspection(engine, timeout, grace, this).report();
    }

    private <R> R write(Function<Tx, R> work) {
        return engine.writer().write(work, Deadline.after(timeout));
    }

    @Override
    public void awaitRunningTransactions() {
        write(tx -> true);
    }

    @Override
    public boolean reindex() {
        try {
            return write(tx -> {
                tx.db.execute(Sql.REINDEX);
                return true;
            });
        } catch (CacheTimeoutException e) {
            throw e;
        } catch (CacheException e) {
            return false; // two rows with one key, or damage that is not of the indexes
        }
    }

    /** Only the rows: another row may name the same file, so a file goes when it has turned out that none does. */
    @Override
    public Set<Long> remove(List<CheckedRow> damaged) {
        return damaged.isEmpty()
                ? Set.of()
                : write(tx -> {
                    Set<Long> removed = new HashSet<>();
                    for (CheckedRow row : damaged) {
                        if (row.equals(CheckedRow.find(tx.db, row.rowid())) && isStillDamaged(row)) {
                            tx.db.update(Sql.DELETE_ENTRY, row.rowid());
                            removed.add(row.rowid());
                        }
                    }
                    return removed;
                });
    }

    private boolean isStillDamaged(CheckedRow row) {
        CheckedRow.Damage damage = row.damage(engine.files());
        return damage != null && damage.isCertain();
    }

    @Override
    public boolean removeFile(String name) {
        engine.files().remove(name);
        return tree.look(name) == null;
    }

    @Override
    public boolean removeIncoming(String path) {
        return tree.removeIncoming(path);
    }

    @Override
    public boolean removeEmptyFolder(String path) {
        return tree.removeEmptyFolder(path);
    }

    @Override
    public boolean correctCounters() {
        return write(tx -> tx.db.update(Sql.CORRECT_COUNTERS) > 0);
    }
}

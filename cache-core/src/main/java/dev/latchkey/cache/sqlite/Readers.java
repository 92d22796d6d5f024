package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.Deadline;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A few reading connections, lent for one statement or snapshot at a time and opened when first needed. Whoever has a permit
 * uses the connection that was used last, or opens one.
 */
final class Readers implements AutoCloseable {
    private final int most;
    private final Supplier<Database> opener;
    private final String where;
    private final Semaphore permits;
    private final ConcurrentLinkedDeque<Database> idle = new ConcurrentLinkedDeque<>();
    private volatile boolean closed;

    Readers(int most, Supplier<Database> opener, String where) {
        this.most = most;
        this.permits = new Semaphore(most);
        this.opener = opener;
        this.where = where;
    }

    /** Runs one statement; results are copied out before user code sees them. */
    <R> R read(Function<Database, R> work, Deadline deadline) {
        requireOpen();
        if (!permits.tryAcquire()) {
            awaitPermit(deadline);
        }
        try {
            requireOpen();
            return readWithPermit(work, deadline);
        } finally {
            permits.release();
        }
    }

    /** Runs several statements that see one moment. */
    <R> R snapshot(Function<Database, R> work, Deadline deadline) {
        return read(
                db -> {
                    db.update(Sql.BEGIN_READ);
                    try {
                        return work.apply(db);
                    } finally {
                        db.rollback();
                    }
                },
                deadline);
    }

    private <R> R readWithPermit(Function<Database, R> work, Deadline deadline) {
        Database last = idle.pollFirst();
        Database db = last == null ? Busy.retry(deadline, () -> where, opener) : last;
        try {
            return Busy.retry(deadline, () -> where, () -> work.apply(db));
        } finally {
            keep(db);
        }
    }

    /** One that is still in a transaction would hold on to the log for ever. */
    private void keep(Database db) {
        if (!db.isStuck()) {
            idle.addFirst(db);
            return;
        }
        try {
            db.close();
        } catch (CacheException e) {
            // the next read opens another one
        }
    }

    /** Reads take microseconds, so an interrupt waits for its caller's next look. */
    private void awaitPermit(Deadline deadline) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    long nanos = Math.min(deadline.remainingNanos(), TimeUnit.MILLISECONDS.toNanos(50));
                    if (permits.tryAcquire(nanos, TimeUnit.NANOSECONDS)) {
                        return;
                    }
                    requireOpen();
                    if (deadline.hasPassed()) {
                        throw Busy.timeout(deadline, where, null);
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Those that are idle are closed; the next read opens the file anew. */
    void dropThoseThatSeeNoChanges() {
        for (Database db = idle.peek(); db != null && db.seesNoChanges(); db = idle.peek()) {
            if (idle.remove(db)) {
                db.close();
            }
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new CacheClosedException("the cache on " + where + " is closed");
        }
    }

    /** Waits for the reads under way and closes all connections. */
    @Override
    public void close() {
        closed = true;
        permits.acquireUninterruptibly(most);
        for (Database db = idle.poll(); db != null; db = idle.poll()) {
            db.close();
        }
        permits.release(most);
    }
}

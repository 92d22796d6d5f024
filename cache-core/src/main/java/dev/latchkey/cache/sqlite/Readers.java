package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.spi.Deadline;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A few reading connections, lent for one statement or snapshot at a time and opened when first needed. */
final class Readers implements AutoCloseable {
    private static final int MOST = 2;

    private final Supplier<Database> opener;
    private final String where;
    private final LinkedBlockingQueue<Database> idle = new LinkedBlockingQueue<>();
    private final AtomicInteger opened = new AtomicInteger();
    private volatile boolean closed;

    Readers(Supplier<Database> opener, String where) {
        this.opener = opener;
        this.where = where;
    }

    /** Runs one statement; results are copied out before user code sees them. */
    <R> R read(Function<Database, R> work, Deadline deadline) {
        Database db = borrow(deadline);
        try {
            return Busy.retry(deadline, db::describe, () -> work.apply(db));
        } finally {
            idle.add(db);
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

    private Database borrow(Deadline deadline) {
        requireOpen();
        Database db = idle.poll();
        if (db == null) {
            db = openAnother(deadline);
        }
        return db == null ? await(deadline) : db;
    }

    /** Counts itself first: {@link #close} waits for whoever it lets through. */
    private @Nullable Database openAnother(Deadline deadline) {
        if (opened.incrementAndGet() > MOST) {
            opened.decrementAndGet();
            return null;
        }
        try {
            requireOpen();
            return Busy.retry(deadline, () -> where, opener);
        } catch (Throwable t) {
            opened.decrementAndGet();
            throw t;
        }
    }

    /** Reads take microseconds, so an interrupt waits for its caller's next look. */
    private Database await(Deadline deadline) {
        boolean interrupted = false;
        try {
            while (true) {
                requireOpen();
                try {
                    Database db = idle.poll(
                            Math.min(deadline.remainingNanos(), TimeUnit.MILLISECONDS.toNanos(50)),
                            TimeUnit.NANOSECONDS);
                    if (db == null) {
                        db = openAnother(deadline); // another thread's attempt may have failed
                    }
                    if (db != null) {
                        return db;
                    }
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

    private void requireOpen() {
        if (closed) {
            throw new CacheClosedException("the cache on " + where + " is closed");
        }
    }

    /** Waits for the reads under way and closes all connections. */
    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        while (opened.get() > 0) {
            try {
                Database db = idle.poll(1, TimeUnit.SECONDS);
                if (db != null) {
                    opened.decrementAndGet();
                    db.close();
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

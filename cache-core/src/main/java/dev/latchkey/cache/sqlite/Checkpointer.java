package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import java.io.IOException;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes the log back into the database file, on the engine's own thread, so that no commit pays for the disk. One process at
 * a time: whoever has the checkpoint byte.
 */
final class Checkpointer implements AutoCloseable {
    private static final int COMMITS_BETWEEN = 200;
    /** Beyond this many pages (16 MiB) writers are made to wait a moment, so that the log starts again. */
    private static final long LONG_LOG = 4096;

    private static final long PAGE_BYTES = 4096;

    private final Supplier<Database> opener;
    private final LockFile locks;
    private final Path log;
    private final Executor executor;
    private final AtomicInteger commits = new AtomicInteger();
    private final AtomicBoolean planned = new AtomicBoolean();
    private @Nullable Database db;
    private boolean closed;

    Checkpointer(Supplier<Database> opener, LockFile locks, Path log, Executor executor) {
        this.opener = opener;
        this.locks = locks;
        this.log = log;
        this.executor = executor;
    }

    void committed() {
        if (commits.incrementAndGet() >= COMMITS_BETWEEN && planned.compareAndSet(false, true)) {
            executor.execute(this::run);
        }
    }

    private synchronized void run() {
        commits.set(0);
        planned.set(false);
        FileLock lock = closed ? null : locks.tryTake(LockFile.CHECKPOINT);
        if (lock != null) {
            try {
                checkpoint();
            } catch (CacheException e) {
                // busy, full or failing disk: commits go on, and the next round tries again
            } finally {
                LockFile.release(lock);
            }
        }
    }

    private void checkpoint() {
        if (db == null) {
            db = opener.get();
            db.execute("PRAGMA busy_timeout = 10");
        }
        Long pages = db.one(Sql.CHECKPOINT, row -> row.getLong(2));
        if (pages != null && pages > LONG_LOG) {
            db.one(Sql.CHECKPOINT_RESTART, row -> row.getLong(2));
        }
    }

    /** By its length, which never shrinks while anybody has the database open: the file itself must not be opened here. */
    private boolean hasLongLog() {
        try {
            return Files.size(log) > LONG_LOG * PAGE_BYTES;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Leaves no commits to a long log: of many processes that live briefly none would ever count enough commits to write it
     * back, and it would grow for ever as long as another has the directory open.
     */
    @Override
    public synchronized void close() {
        if (commits.get() > 0 && hasLongLog()) {
            run();
        }
        closed = true;
        if (db != null) {
            db.close();
        }
    }
}

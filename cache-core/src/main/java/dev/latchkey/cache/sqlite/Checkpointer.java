package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.spi.Failpoint;
import java.io.IOException;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes the log back into the database file, on the engine's own thread, so that no commit pays for the disk; and makes room
 * when the disk is full. One process at a time: whoever has the checkpoint byte.
 */
final class Checkpointer implements Writer.Upkeep, AutoCloseable {
    private static final int COMMITS_BETWEEN = 200;
    /** While space is scarce, whoever commits keeps the log short. */
    private static final int COMMITS_WHEN_SCARCE = 16;
    /** Beyond it writers are made to wait a moment, so that the log starts again; once a second only while a reader is in the way. */
    private static final long LONG_LOG = 16L << 20;
    /** A longer file is cut when nobody writes. */
    private static final long LONG_FILE = 4L << 20;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Supplier<Database> opener;
    private final Supplier<Settings> settings;
    private final LockFile locks;
    private final Directory directory;
    private final Ballast ballast;
    private final Executor executor;
    private final boolean staysConnected;
    private final AtomicInteger commits = new AtomicInteger();
    private final AtomicBoolean planned = new AtomicBoolean();
    private @Nullable Database db;
    /** Of a page, while it is connected. */
    private long pageBytes;

    private boolean closed;
    private volatile boolean scarce;
    /** As the last checkpoint left it. */
    private Log seen = Log.EMPTY;
    /** As the last tick left it. */
    private Log before = Log.EMPTY;

    Checkpointer(
            Supplier<Database> opener,
            Supplier<Settings> settings,
            LockFile locks,
            Directory directory,
            Ballast ballast,
            Executor executor,
            boolean staysConnected) {
        this.opener = opener;
        this.settings = settings;
        this.locks = locks;
        this.directory = directory;
        this.ballast = ballast;
        this.executor = executor;
        this.staysConnected = staysConnected;
        this.scarce = ballast.isSpaceScarce();
    }

    /** What a checkpoint found and left: bytes of pages in the log, and how many of them are written back. */
    private record Log(long bytes, long written) {
        static final Log EMPTY = new Log(0, 0);

        long unwrittenBytes() {
            return Math.max(0, bytes - written);
        }

        /** A reader keeps what stood here earlier from being written back; 0 if it is only what came since. */
        long stuckBytes(Log earlier) {
            boolean stuck = bytes >= earlier.bytes && written < earlier.bytes;
            return stuck ? unwrittenBytes() : 0;
        }
    }

    @Override
    public void committed() {
        if (commits.incrementAndGet() < (scarce ? COMMITS_WHEN_SCARCE : COMMITS_BETWEEN)
                || !planned.compareAndSet(false, true)) {
            return;
        }
        if (scarce) {
            run(this::keepShort);
        } else {
            executor.execute(() -> run(() -> writeBack(false)));
        }
    }

    @Override
    public long synchronous() {
        return settings.get().synchronous();
    }

    @Override
    public void requireSpace() {
        ballast.requireSpace();
    }

    @Override
    public void full() {
        ballast.look();
    }

    /**
     * The database file must be able to grow by what the log holds, and on a disk that is almost full the ballast may be all
     * there is for it. What a reader keeps from being written back is covered at once.
     */
    private void keepShort() {
        ballast.cover(restartOnce());
        before = seen; // or the next tick would take what is left over for new
        if (ballast.isShort()) {
            ballast.restore();
        }
    }

    /** What is left over counts as a commit, so that the next tick sees to it. */
    private synchronized void run(Runnable writing) {
        commits.set(0);
        planned.set(false);
        if (!alone(writing) || seen.unwrittenBytes() > 0) {
            commits.incrementAndGet();
        }
    }

    /**
     * Once a second. Commits that are too few to count are written back as well, and a long file is cut when nobody has
     * written for a second; else what those leave behind who are killed after a few commits would stay for ever.
     */
    synchronized void tick() {
        scarce = ballast.isSpaceScarce();
        if (commits.get() > 0) {
            run(this::writeBackAndCover);
        } else if (fileLength() > LONG_FILE) {
            alone(this::cutWhenIdle);
        }
        ballast.look();
        if (ballast.isShort()) {
            alone(ballast::restore);
        }
    }

    private void writeBackAndCover() {
        writeBack(true);
        ballast.cover(seen.stuckBytes(before));
        before = seen;
    }

    private void cutWhenIdle() {
        Log earlier = before;
        writeBackAndCover();
        if (seen.equals(earlier) && !ballast.isMissing()) { // on a full disk its blocks are all it has
            checkpoint(Sql.CHECKPOINT_TRUNCATE);
        }
    }

    private void writeBack(boolean evenIfStuck) {
        Log earlier = seen;
        Log log = checkpoint(Sql.CHECKPOINT);
        if (log.bytes > LONG_LOG && (evenIfStuck || log.stuckBytes(earlier) == 0)) {
            checkpoint(Sql.CHECKPOINT_RESTART);
        }
    }

    private Log checkpoint(String how) {
        if (db == null) {
            db = opener.get();
            db.execute("PRAGMA busy_timeout = 10");
            pageBytes = Volume.pageBytes(db);
        }
        Failpoint.reached("before-checkpoint");
        try {
            Log log = db.one(how, row -> new Log(row.getLong(2) * pageBytes, row.getLong(3) * pageBytes));
            seen = log == null ? Log.EMPTY : log;
            ballast.logFits(true);
            return seen;
        } catch (CacheFullException e) {
            ballast.logFits(false);
            throw e;
        } finally {
            Failpoint.reached("after-checkpoint");
        }
    }

    /** Does it if no other process is at it; answers whether it was done. */
    private boolean alone(Runnable work) {
        FileLock lock = closed ? null : locks.tryTake(LockFile.CHECKPOINT);
        if (lock == null) {
            return false;
        }
        try {
            work.run();
            return true;
        } catch (CacheException e) {
            return false; // busy, full or failing disk: commits go on, and the next round tries again
        } finally {
            leave(lock);
        }
    }

    private void leave(FileLock lock) {
        if (!staysConnected) {
            disconnect();
        }
        LockFile.release(lock);
    }

    private void disconnect() {
        Database used = db;
        db = null;
        try {
            if (used != null) {
                used.close();
            }
        } catch (CacheException e) {
            // it had nothing to commit
        }
    }

    /**
     * Writing back comes first: it is what deletes cannot do without. The ballast goes then, or before if even that needs
     * it; what of the log a reader still keeps from being written back stays covered.
     */
    @Override
    public synchronized boolean makeRoom() {
        FileLock lock = awaitTurn();
        if (lock == null) {
            return !closed; // somebody else is at it, for long
        }
        try {
            ballast.giveUp(restart());
            before = seen;
            return true;
        } catch (CacheException e) {
            return false;
        } finally {
            leave(lock);
        }
    }

    /** Starts the log again if no reader prevents it, and answers how much of it could not be written back. */
    private long restart() {
        try {
            return restartOnce();
        } catch (CacheFullException e) {
            ballast.giveUp(0);
            return restartOnce();
        }
    }

    private long restartOnce() {
        checkpoint(Sql.CHECKPOINT);
        return checkpoint(Sql.CHECKPOINT_RESTART).unwrittenBytes();
    }

    private @Nullable FileLock awaitTurn() {
        long start = System.nanoTime();
        FileLock lock = null;
        while (!closed && lock == null && System.nanoTime() - start < PATIENCE_NANOS) {
            lock = locks.tryTake(LockFile.CHECKPOINT);
            if (lock == null) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
        }
        return lock;
    }

    /** It never shrinks while anybody writes; asked for by name, because the file itself must not be opened here. */
    private long fileLength() {
        try {
            return Files.size(directory.log());
        } catch (IOException e) {
            return 0;
        }
    }

    /** Leaves no commits to a long log, for as long as another process has the directory open. */
    @Override
    public synchronized void close() {
        if (commits.get() > 0 && fileLength() > LONG_LOG) {
            run(() -> writeBack(true));
        }
        closed = true;
        disconnect();
    }
}

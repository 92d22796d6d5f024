package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CodecException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One write transaction, or one operation's part of it: the connection, and what is to follow outside the database. */
final class Tx {
    final Database db;
    private final List<Runnable> afterCommit = new ArrayList<>();
    private final List<Runnable> onRollback = new ArrayList<>();
    private final List<Runnable> onAbort = new ArrayList<>();
    private @Nullable Throwable doom;
    private boolean grows;

    Tx(Database db) {
        this.db = db;
    }

    /** Runs after COMMIT, on the caller's thread. */
    void afterCommit(Runnable effect) {
        afterCommit.add(effect);
    }

    void onRollback(Runnable effect) {
        onRollback.add(effect);
    }

    /** Runs when what was done is undone, even if it is done anew, while nobody else can write; may run on any thread. */
    void onAbort(Runnable effect) {
        onAbort.add(effect);
    }

    /** From now on it can only be rolled back. */
    void doom(Throwable cause) {
        if (doom == null) {
            doom = cause;
        }
    }

    @Nullable
    Throwable doom() {
        return doom;
    }

    /** A part of it grows, so no room is made for it when the disk is full. */
    void grows() {
        grows = true;
    }

    boolean isGrowing() {
        return grows;
    }

    /**
     * Runs one operation as a part of this transaction. What the database refuses may have stopped it half-way, so the
     * whole can no longer be committed, even if the caller swallows the exception; bad input is found before a write.
     */
    <R> R join(Function<Tx, R> work) {
        try {
            return work.apply(this);
        } catch (CodecException e) {
            throw e;
        } catch (CacheException | Error e) {
            doom(e);
            throw e;
        }
    }

    void committed() {
        afterCommit.forEach(Runnable::run);
    }

    void aborted() {
        onAbort.forEach(Runnable::run);
        onAbort.clear();
    }

    void rolledBack() {
        aborted();
        onRollback.forEach(Runnable::run);
    }
}

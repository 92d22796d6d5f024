package dev.latchkey.coordination;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A grant of a lock in the hand of whoever has this object: any thread may use and close it.
 *
 * <pre>{@code
 * try (LockHandle handle = lock.acquire()) {
 *     store.write(data, handle.fencingToken());
 * }
 * }</pre>
 *
 * <p>Closing releases the lock, never frees a successor's, and never fails because the database is busy or full. A second close
 * does nothing.
 */
public final class LockHandle implements AutoCloseable {
    private final FencedLock lock;
    private final Grant grant;
    private final AtomicBoolean closed = new AtomicBoolean();

    LockHandle(FencedLock lock, Grant grant) {
        this.lock = lock;
        this.grant = grant;
    }

    /**
     * The token of this grant: greater than that of every earlier grant of the name.
     *
     * @return the fencing token, to be checked by whatever the lock protects
     */
    public long fencingToken() {
        return grant.token;
    }

    /**
     * Whether the lock is held, as far as this process knows, without asking the database.
     *
     * @return false once it is closed or known to be lost, which may be known a second late
     */
    public boolean isValid() {
        return !closed.get() && lock.isHeld(grant);
    }

    /**
     * Asks the database whether the lock is held.
     *
     * @throws LockLostException if it was lost
     * @throws IllegalMonitorStateException if the handle is closed
     */
    public void verify() {
        requireNotClosed();
        lock.verify(grant);
    }

    /**
     * Gives the lease another end, counted from now.
     *
     * @param lease how long the lock is to be held from now on; positive
     * @throws LockLostException if the lease was over, or the lock was lost otherwise
     * @throws IllegalMonitorStateException if the handle is closed
     * @throws IllegalStateException if the lock is held without a lease
     * @throws IllegalArgumentException if the lease is zero or negative
     */
    public void renew(Duration lease) {
        requireNotClosed();
        lock.renew(grant, lease);
    }

    /**
     * Asks to be told, once and on an engine thread that does nothing else, if the lock is lost before it is closed: because its lease is over, it was
     * forced open, the session was taken for dead, or the cache was closed.
     *
     * @param listener what to call
     */
    public void onLost(Consumer<LockLostException> listener) {
        lock.onLost(grant, java.util.Objects.requireNonNull(listener, "listener"));
    }

    /**
     * Runs code in a transaction that is committed only if the lock is still held.
     *
     * @param <T> what the code returns
     * @param body the code; its writes to the cache are a part of the transaction
     * @return what the code returned
     * @throws LockLostException if the lock was lost; nothing was written
     * @throws IllegalMonitorStateException if the handle is closed
     * @throws dev.latchkey.cache.CacheException if the code threw a checked exception, which is the cause
     */
    public <T> T runFenced(Callable<T> body) {
        requireNotClosed();
        return lock.runFenced(grant, body);
    }

    /**
     * Runs code without a result in a transaction that is committed only if the lock is still held, see {@link
     * #runFenced(Callable)}.
     *
     * @param body the code; its writes to the cache are a part of the transaction
     */
    public void runFenced(Runnable body) {
        runFenced(Executors.callable(body));
    }

    private void requireNotClosed() {
        if (closed.get()) {
            throw new IllegalMonitorStateException(
                    "the handle with token " + grant.token + " of " + lock + " is closed");
        }
    }

    /** Releases the lock. */
    @Override
    public void close() {
        lock.close(grant, closed);
    }

    @Override
    public String toString() {
        return "LockHandle[token " + grant.token + " of " + lock + (closed.get() ? ", closed]" : "]");
    }
}

package dev.latchkey.coordination;

import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * One or more permits of a {@link BoundedSemaphore} in the hand of whoever has this object: any thread may use and close it.
 *
 * <pre>{@code
 * try (Permit permit = semaphore.acquirePermit()) {
 *     download(url);
 * }
 * }</pre>
 *
 * <p>Closing releases all its permits, never frees another's, and never fails because the database is busy or full. A second
 * close does nothing. A {@code release} of the semaphore does not touch what a Permit holds.
 */
public final class Permit implements AutoCloseable {
    private final BoundedSemaphore semaphore;
    private final Grant grant;
    private final int permits;
    private final AtomicBoolean closed = new AtomicBoolean();

    Permit(BoundedSemaphore semaphore, Grant grant) {
        this.semaphore = semaphore;
        this.grant = grant;
        this.permits = Math.toIntExact(grant.units());
    }

    /**
     * How many permits it is.
     *
     * @return the number that was acquired
     */
    public int permits() {
        return permits;
    }

    /**
     * The token of this grant: greater than that of every earlier grant of the name, though others may be held beside it.
     *
     * @return the fencing token
     */
    public long fencingToken() {
        return grant.token;
    }

    /**
     * Whether the permits are held, as far as this process knows, without asking the database.
     *
     * @return false once it is closed or known to be lost, which may be known a second late
     */
    public boolean isValid() {
        return !closed.get() && semaphore.isHeld(grant);
    }

    /**
     * Asks the database whether the permits are held.
     *
     * @throws LockLostException if they were lost
     * @throws IllegalMonitorStateException if it is closed
     */
    public void verify() {
        requireNotClosed();
        semaphore.verify(grant);
    }

    /**
     * Asks to be told, once and on an engine thread that does nothing else, if the permits are lost before they are given back: because they were
     * forced free, the session was taken for dead, or the cache was closed.
     *
     * @param listener what to call
     */
    public void onLost(Consumer<LockLostException> listener) {
        semaphore.onLost(grant, Objects.requireNonNull(listener, "listener"));
    }

    /**
     * Runs code in a transaction that is committed only if the permits are still held.
     *
     * @param <T> what the code returns
     * @param body the code; its writes to the cache are a part of the transaction
     * @return what the code returned
     * @throws LockLostException if the permits were lost; nothing was written
     * @throws IllegalMonitorStateException if it is closed
     * @throws dev.latchkey.cache.CacheException if the code threw a checked exception, which is the cause
     */
    public <T> T runFenced(Callable<T> body) {
        requireNotClosed();
        return semaphore.runFenced(grant, body);
    }

    /**
     * Runs code without a result in a transaction that is committed only if the permits are still held, see {@link
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
                    "the permit with token " + grant.token + " of " + semaphore + " is closed");
        }
    }

    /** Gives the permits back. */
    @Override
    public void close() {
        semaphore.close(grant, closed);
    }

    @Override
    public String toString() {
        return "Permit[token " + grant.token + " of " + semaphore + (closed.get() ? ", closed]" : "]");
    }
}

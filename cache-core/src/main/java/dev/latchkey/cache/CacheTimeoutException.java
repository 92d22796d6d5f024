package dev.latchkey.cache;

/**
 * The database stayed busy for longer than the time-out: another process held a write transaction. Nothing was
 * changed; the call may be repeated.
 */
public final class CacheTimeoutException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public CacheTimeoutException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public CacheTimeoutException(String message, Throwable cause) {
        super(message, cause);
    }
}

package dev.latchkey.cache;

/**
 * The cache was used after it had been closed.
 */
public final class CacheClosedException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public CacheClosedException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public CacheClosedException(String message, Throwable cause) {
        super(message, cause);
    }
}

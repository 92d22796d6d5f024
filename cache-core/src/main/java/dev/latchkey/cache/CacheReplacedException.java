package dev.latchkey.cache;

/**
 * The directory was removed or replaced while the cache was open. The cache has to be closed and opened again.
 */
public final class CacheReplacedException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public CacheReplacedException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public CacheReplacedException(String message, Throwable cause) {
        super(message, cause);
    }
}

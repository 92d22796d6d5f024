package dev.latchkey.cache;

/**
 * A write was attempted on a cache that was opened for reading only.
 */
public final class CacheReadOnlyException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public CacheReadOnlyException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public CacheReadOnlyException(String message, Throwable cause) {
        super(message, cause);
    }
}

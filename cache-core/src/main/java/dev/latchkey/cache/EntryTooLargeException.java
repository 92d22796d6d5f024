package dev.latchkey.cache;

/**
 * An entry is larger than the cache, or the database, can hold. Nothing was stored.
 */
public final class EntryTooLargeException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public EntryTooLargeException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public EntryTooLargeException(String message, Throwable cause) {
        super(message, cause);
    }
}

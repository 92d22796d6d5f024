package dev.latchkey.cache;

/**
 * The database, or a file that belongs to it, is damaged or is not what it should be.
 */
public final class CacheCorruptException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public CacheCorruptException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public CacheCorruptException(String message, Throwable cause) {
        super(message, cause);
    }
}

package dev.latchkey.cache;

/**
 * A write that needs space was refused because the disk is full. Reads, deletes and releases still work.
 */
public final class CacheFullException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public CacheFullException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public CacheFullException(String message, Throwable cause) {
        super(message, cause);
    }
}

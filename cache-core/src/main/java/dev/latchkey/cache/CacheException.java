package dev.latchkey.cache;

/**
 * A cache call that could not be carried out, like {@link java.io.UncheckedIOException} for a cache. The
 * subclasses name the conditions that a caller may want to tell apart.
 */
public class CacheException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public CacheException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public CacheException(String message, Throwable cause) {
        super(message, cause);
    }
}

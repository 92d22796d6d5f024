package dev.latchkey.cache;

/**
 * A value that cannot be stored, or a stored value that cannot be read as the wanted type. The message names the
 * stored form and the wanted type.
 */
public final class CodecException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception without a cause.
     *
     * @param message what failed, on what, and what to do
     */
    public CodecException(String message) {
        super(message);
    }

    /**
     * Makes an exception with a cause.
     *
     * @param message what failed, on what, and what to do
     * @param cause what made it fail
     */
    public CodecException(String message, Throwable cause) {
        super(message, cause);
    }
}

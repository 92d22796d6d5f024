package dev.latchkey.coordination;

/** The root of what coordination throws, except where {@code java.util.concurrent} prescribes another exception. */
public class CoordinationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * An exception with a message.
     *
     * @param message what, value, identity, what to do
     */
    public CoordinationException(String message) {
        super(message);
    }

    /**
     * An exception with a message and a cause.
     *
     * @param message what, value, identity, what to do
     * @param cause what it came from
     */
    public CoordinationException(String message, Throwable cause) {
        super(message, cause);
    }
}

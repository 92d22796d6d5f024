package dev.latchkey.cache.spi;

import dev.latchkey.cache.CacheException;

/** The asking session is marked dead: others may have taken what it held. The next call starts a new session. */
public final class SessionLostException extends CacheException {
    private static final long serialVersionUID = 1L;

    /**
     * A refused session.
     *
     * @param session its number
     */
    public SessionLostException(long session) {
        super("session " + session + " is marked dead although its process lives; it lost what it held");
    }
}

package dev.latchkey.cache.spi;

import dev.latchkey.cache.CacheException;

/** A name is in use as something else. */
public final class WrongKindException extends CacheException {
    private static final long serialVersionUID = 1L;

    /** What the name is in use as. */
    private final String storedKind;

    /**
     * A clash.
     *
     * @param name the name
     * @param storedKind what it is in use as
     * @param wantedKind what it was asked for as
     */
    public WrongKindException(String name, String storedKind, String wantedKind) {
        super("name '" + name + "' is in use as a " + storedKind + " and cannot be used as a " + wantedKind);
        this.storedKind = storedKind;
    }

    /**
     * What the name is in use as.
     *
     * @return the stored kind
     */
    public String storedKind() {
        return storedKind;
    }
}

package dev.latchkey.cache.spi;

/**
 * Marks the instants at which a crash is most telling. Does nothing; a test build puts another class of this name first on
 * its class path, so that a real process dies at a real place.
 */
public final class Failpoint {
    private Failpoint() {}

    /**
     * Marks an instant.
     *
     * @param point its name
     */
    public static void reached(String point) {}
}

package dev.latchkey.cache.spi;

/**
 * Wakes waiters in every process. A hint, never the truth: rings may be lost or come for another name, so whoever
 * waits reads the truth again, also when nobody rang.
 */
public interface Signal {
    /**
     * What to pass to {@link #await}; to be read before the truth is.
     *
     * @param name the name
     * @return the word of the name
     */
    int seen(String name);

    /**
     * Sleeps until the name is rung after {@code seen} was read, the time is over, or for no reason at all. An interrupt
     * is left for the caller to notice, which it can at the end of each wait.
     *
     * @param name the name
     * @param seen what {@link #seen} returned
     * @param nanos the longest sleep
     */
    void await(String name, int seen, long nanos);

    /**
     * Wakes everybody who waits for the name, in all processes.
     *
     * @param name the name
     */
    void ring(String name);
}

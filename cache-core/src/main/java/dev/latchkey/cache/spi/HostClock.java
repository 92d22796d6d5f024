package dev.latchkey.cache.spi;

/** The two clocks. Injected, so that time is a parameter of every rule. */
public interface HostClock {
    /**
     * Nanoseconds since the host was booted: the same instant in every process, no step ever.
     *
     * @return the host clock
     */
    long nanos();

    /**
     * Milliseconds since the epoch, for what must outlive a reboot or agree with Python, and for display.
     *
     * @return the wall clock
     */
    long wallMillis();

    /**
     * Names the boot that {@link #nanos} counts from, the same in every process until the next one.
     *
     * @return the boot; empty where the system does not say
     */
    default String bootId() {
        return "";
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.HostClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The clocks of the machine. */
final class SystemHostClock implements HostClock {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private final String bootId;

    /**
     * Asks the machine which boot this is.
     *
     * @throws CacheException if it does not answer now; a process without an answer would not know the time since
     *     boot that others have stored
     */
    SystemHostClock() {
        this(BOOT_ID);
    }

    SystemHostClock(Path file) {
        bootId = read(file);
    }

    /** {@code System.nanoTime} is CLOCK_MONOTONIC on Linux: since boot, the same in every process. */
    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public long wallMillis() {
        return System.currentTimeMillis();
    }

    @Override
    public String bootId() {
        return bootId;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            if (Files.notExists(file)) {
                return ""; // a system that does not say
            }
            throw new CacheException("cannot read which boot of the machine this is: " + e, e);
        }
    }
}

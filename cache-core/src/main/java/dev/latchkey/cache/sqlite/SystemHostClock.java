package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.HostClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The clocks of the machine. */
final class SystemHostClock implements HostClock {
    /** {@code System.nanoTime} is CLOCK_MONOTONIC on Linux: since boot, the same in every process. */
    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public long wallMillis() {
        return System.currentTimeMillis();
    }

    /** Names the boot that {@link #nanos} counts from; empty where the system does not say. */
    static String bootId() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        } catch (IOException e) {
            return "";
        }
    }
}

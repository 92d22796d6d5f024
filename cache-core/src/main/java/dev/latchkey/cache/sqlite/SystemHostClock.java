package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.HostClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The clocks of the machine. */
final class SystemHostClock implements HostClock {
    private static final String BOOT_ID = readBootId();

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
        return BOOT_ID;
    }

    private static String readBootId() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        } catch (IOException e) {
            return "";
        }
    }
}

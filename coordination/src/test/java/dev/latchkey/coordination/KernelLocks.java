package dev.latchkey.coordination;

import dev.latchkey.testing.JavaProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What the kernel says of a process that has bytes of a file locked: {@code 1: POSIX ADVISORY WRITE pid device:inode first last}. */
record KernelLocks(JavaProcess process, Object inode) {
    private static final Path LOCKS = Path.of("/proc/locks");
    /** Where SQLite keeps the lock of the one who writes, in the index of the log. */
    private static final long WRITER = 120;

    static KernelLocks of(JavaProcess process, Path file) {
        try {
            return new KernelLocks(process, Files.getAttribute(file, "unix:ino"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether it lives, as all others see it. */
    static KernelLocks ofSession(JavaProcess process, Path cache) {
        return of(process, cache.resolve("cache.db-latchkey/locks"));
    }

    /** Whether it is in a write transaction. */
    static boolean isWriting(JavaProcess process, Path cache) {
        return of(process, cache.resolve("cache.db-shm"))
                .any(range -> Long.parseLong(range[0]) <= WRITER && WRITER <= Long.parseLong(range[1]));
    }

    boolean any() {
        return any(range -> true);
    }

    private boolean any(Predicate<String[]> range) {
        String owner = " WRITE " + process.pid() + " ";
        String file = ":" + inode + " ";
        try (Stream<String> locks = Files.lines(LOCKS)) {
            return locks.filter(line -> line.contains(owner) && line.contains(file))
                    .map(line ->
                            line.substring(line.indexOf(file) + file.length()).split(" ", -1))
                    .anyMatch(range);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

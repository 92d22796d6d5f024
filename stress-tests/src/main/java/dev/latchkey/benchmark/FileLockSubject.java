package dev.latchkey.benchmark;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The lock of the JDK between processes: no order, no token, no threads. */
final class FileLockSubject extends Subject {
    private final FileChannel channel;
    private @Nullable FileLock held;

    FileLockSubject(Path directory) throws IOException {
        channel = FileChannel.open(directory.resolve("file.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    @Override
    void set(String key, String value) {
        throw new UnsupportedOperationException("a lock stores nothing");
    }

    @Override
    String get(String key) {
        throw new UnsupportedOperationException("a lock stores nothing");
    }

    @Override
    void acquire(String name) throws IOException {
        held = channel.lock(name.hashCode() & Integer.MAX_VALUE, 1, false); // a byte for each name
    }

    @Override
    void release(String name) throws IOException {
        Objects.requireNonNull(held).release();
        held = null;
    }
}

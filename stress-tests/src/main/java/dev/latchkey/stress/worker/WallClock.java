package dev.latchkey.stress.worker;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A wall clock that can be stepped for all processes of a run at the same instant, as that of a host is: by how much it is wrong stands
 * in a file that all have mapped. The workers' engine reads it in place of the system's.
 */
public final class WallClock {
    /** The system property of a worker that names the file. */
    public static final String FILE = "latchkey.stress.clock";

    private static final class Shared {
        static final WallClock CLOCK = at(Path.of(System.getProperty(FILE)));
    }

    private final ByteBuffer offset;

    private WallClock(ByteBuffer offset) {
        this.offset = offset;
    }

    /** That of a file, which is made if it is not there. */
    public static WallClock at(Path file) {
        try (RandomAccessFile random = new RandomAccessFile(file.toFile(), "rw")) {
            return new WallClock(random.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sets by how much it is wrong. */
    public void set(Duration wrong) {
        offset.putLong(0, wrong.toMillis());
    }

    /** What it shows to this process; the right time in one that was told of no file. */
    public static long millis() {
        boolean right = System.getProperty(FILE) == null;
        return System.currentTimeMillis() + (right ? 0 : Shared.CLOCK.offset.getLong(0));
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.Failpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/*
 * DANGER. Linux drops every POSIX record lock of a process on a file when the process closes any descriptor of it. So this
 * channel is the only one the process ever opens on `locks`, it lives as long as the engine, and callers' threads do nothing
 * on it but tryLock and release: an interrupt during lock, size, read or write would close it, and with it end the session.
 * Nothing ever waits for a byte, because the kernel answers two sessions that wait for each other with an error.
 */
/** The file {@code locks}: bytes that are locked as long as their owner lives. The kernel unlocks them when it dies. */
final class LockFile implements AutoCloseable {
    /** Held while the files and tables of a directory are created. */
    static final long CREATION = 0;
    /** Held by the one process that writes the log back, or the ballast. */
    static final long CHECKPOINT = 1;
    /** Held by the one process that removes what has expired or exceeds the limit. */
    static final long REAPER = 2;
    /** Session n holds byte n; n starts here. */
    static final long FIRST_SESSION = 1L << 32;

    private static final long BYTES_OF_A_SHARD = 3;

    private final FileChannel channel;
    /** Where the bytes begin. */
    private final long first;

    private final ReentrantLock probing = new ReentrantLock();

    private LockFile(FileChannel channel, long first) {
        this.channel = channel;
        this.first = first;
    }

    static LockFile open(Path file) throws IOException {
        Directory.createFile(file);
        return new LockFile(
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                0);
    }

    /** The bytes of another shard, in the file of the first one, which stays open longer. Sessions are of the first one. */
    LockFile ofShard(int number, Path unused) throws IOException {
        Directory.createFile(unused); // Python takes empty folders away
        return new LockFile(channel, number * BYTES_OF_A_SHARD);
    }

    /** Takes a byte, or answers null if somebody else has it. */
    @Nullable
    FileLock tryTake(long position) {
        try {
            return channel.tryLock(first + position, 1, false);
        } catch (OverlappingFileLockException e) {
            return null;
        } catch (IOException e) {
            throw new CacheException("cannot lock a byte of the file 'locks': " + e, e);
        }
    }

    static void release(FileLock lock) {
        try {
            lock.release();
        } catch (IOException e) {
            // the channel is closed, and the lock with it
        }
    }

    /**
     * Whether the kernel has taken the owner of a byte down. A shared lock, so that processes that ask at the same time
     * do not see each other; whatever goes wrong counts as alive.
     */
    boolean isFree(long position) {
        probing.lock();
        try {
            FileLock lock = channel.tryLock(first + position, 1, true);
            if (lock == null) {
                return false;
            }
            Failpoint.reached("probing");
            lock.release();
            return true;
        } catch (IOException | OverlappingFileLockException e) {
            return false;
        } finally {
            probing.unlock();
        }
    }

    /** Marks the file as in use, for cleaners of temporary directories; on the engine's own thread only. */
    void touch() {
        try {
            channel.write(ByteBuffer.allocate(1), 0);
        } catch (IOException e) {
            // full or failing disk: the next time will do
        }
    }

    @Override
    public void close() throws IOException {
        if (first == 0) {
            channel.close();
        }
    }
}

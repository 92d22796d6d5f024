package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.Signal;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * The file `hints`: words in memory that all processes have mapped. A word belongs to the names that hash to it, and is
 * counted up when one of them is rung. Nothing is ever decided by it. Any process may zero it, delete it or map it anew;
 * the worst that follows is a wake-up that comes with the next poll instead. It is written in full before it gets its name,
 * so that no page of it can be missing on a full disk, and it is never truncated, which would crash whoever has it mapped.
 */
/** Wake-ups between processes through shared memory. */
final class Hints implements Signal, AutoCloseable {
    private static final int WORDS = 1 << 14;
    private static final int SIZE = WORDS * Integer.BYTES;
    private static final VarHandle WORD = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
    private static final long SHORTEST_PARK_NANOS = TimeUnit.MICROSECONDS.toNanos(50);
    private static final long LONGEST_PARK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private final Path file;
    private final PlatformWait platformWait = new PlatformWait();
    private volatile Mapping mapping;
    /** Loading the native library takes long compared with a wait, so the first waits do without. */
    private volatile boolean futexLoaded;

    /** One file that is mapped; the descriptor is kept to touch the file by. */
    private record Mapping(
            MappedByteBuffer memory,
            FileChannel channel,
            @Nullable Object key) {}

    /** Maps the file, which must be there: see {@link #create}. */
    Hints(Path file) throws IOException {
        this.file = file;
        this.mapping = map();
        Thread loader = new Thread(() -> futexLoaded = Futex.isAvailable(), "latchkey-loader");
        loader.setDaemon(true);
        loader.start();
    }

    @Override
    public int seen(String name) {
        return (int) WORD.getVolatile(mapping.memory, offset(name));
    }

    @Override
    public void ring(String name) {
        MappedByteBuffer memory = mapping.memory;
        int offset = offset(name);
        WORD.getAndAdd(memory, offset, 1);
        if (Futex.isAvailable()) {
            Futex.wakeAll(memory, offset);
        }
    }

    @Override
    public void await(String name, int seen, long nanos) {
        MappedByteBuffer memory = mapping.memory;
        int offset = offset(name);
        if (nanos <= 0 || Thread.currentThread().isInterrupted()) {
            return;
        }
        if (futexLoaded) {
            platformWait.run(() -> Futex.await(memory, offset, seen, nanos));
        } else {
            park(memory, offset, seen, nanos);
        }
    }

    /** Without futex: looks at the word ever more rarely. */
    private static void park(ByteBuffer memory, int offset, int seen, long nanos) {
        long start = System.nanoTime();
        long park = SHORTEST_PARK_NANOS;
        while ((int) WORD.getVolatile(memory, offset) == seen
                && !Thread.currentThread().isInterrupted()) {
            long left = nanos - (System.nanoTime() - start);
            if (left <= 0) {
                return;
            }
            LockSupport.parkNanos(Math.min(left, park));
            park = Math.min(LONGEST_PARK_NANOS, park + park / 4);
        }
    }

    private static int offset(String name) {
        int hash = name.hashCode() * 0x9E3779B9;
        return (hash >>> 18) % WORDS * Integer.BYTES;
    }

    /** Maps the file anew if another one has its name, and makes one if none has; on the engine's own thread. */
    void look(LockFile locks) throws IOException {
        Mapping old = mapping;
        Object key = Directory.key(file);
        if (key == null) {
            createAlone(locks);
            key = Directory.key(file);
        }
        if (key != null && !key.equals(old.key)) {
            mapping = map();
            closeQuietly(old.channel);
        }
    }

    private void createAlone(LockFile locks) throws IOException {
        FileLock creation = locks.tryTake(LockFile.CREATION);
        if (creation != null) {
            try {
                create(file);
            } finally {
                LockFile.release(creation);
            }
        }
    }

    /** Marks the file as in use, for cleaners of temporary directories. */
    void touch() {
        try {
            mapping.channel.write(ByteBuffer.allocate(1), SIZE); // the byte behind the words
        } catch (IOException e) {
            // full or failing disk: the next time will do
        }
    }

    private Mapping map() throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        try {
            if (channel.size() < SIZE) {
                Files.deleteIfExists(file); // nobody has it mapped: whole from the first, and never truncated
                throw new NoSuchFileException(file.toString(), null, "was too short and is made anew");
            }
            return new Mapping(channel.map(FileChannel.MapMode.READ_WRITE, 0, SIZE), channel, Directory.key(file));
        } catch (Throwable t) {
            closeQuietly(channel);
            throw t;
        }
    }

    /** Makes the file unless there is one; under the creation lock. */
    static void create(Path file) throws IOException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) > SIZE) {
            return;
        }
        Path fresh = file.resolveSibling("hints.new");
        Files.deleteIfExists(fresh);
        Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (FileChannel channel = FileChannel.open(fresh, options, Directory.permissions("rw-------"))) {
            ByteBuffer zeros = ByteBuffer.allocate(SIZE + 1);
            while (zeros.hasRemaining()) {
                channel.write(zeros);
            }
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // nothing was written through it that matters
        }
    }

    @Override
    public void close() {
        platformWait.close();
        closeQuietly(mapping.channel);
    }
}

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
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * The file `hints`: words in memory that all processes have mapped. A word belongs to the names that hash to it, and is
 * counted up when one of them is rung; behind them stand the gates of those who write. Nothing is ever decided by it. Any process may zero it, delete it or map it anew;
 * the worst that follows is a wake-up that comes with the next poll instead. It is written in full before it gets its name,
 * so that no page of it can be missing on a full disk, and it is never truncated, which would crash whoever has it mapped.
 */
/** Wake-ups between processes through shared memory. */
final class Hints implements Signal, AutoCloseable {
    private static final int WORDS = 1 << 14;
    private static final int GATES = 64;
    private static final int SIZE = (WORDS + GATES * Gate.WORDS) * Integer.BYTES;
    private static final VarHandle WORD = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
    private static final long SHORTEST_PARK_NANOS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final long LONGEST_PARK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long GATE_PARK_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

    /** How sleepers are woken: by the kernel, or because they look. */
    private enum Waking {
        LOADING,
        FUTEX,
        PARK
    }

    private final Path file;
    private final PlatformWait platformWait = new PlatformWait();
    private volatile Mapping mapping;
    /**
     * Loading the native library takes long compared with a wait, and JNA runs a program meanwhile and swallows the interrupt
     * that comes while it waits for its end. So a thread of our own does it, and until then waits do without.
     */
    private volatile Waking waking = Waking.LOADING;

    /** Words that were rung before that; whoever sleeps on them in another process is woken late. */
    private final Queue<Integer> rungBefore = new ConcurrentLinkedQueue<>();

    /** One file that is mapped. */
    private static final class Mapping {
        final MappedByteBuffer memory;
        final @Nullable Object key;
        private volatile long address;

        Mapping(MappedByteBuffer memory, @Nullable Object key) {
            this.memory = memory;
            this.key = key;
        }

        int read(int offset) {
            return (int) WORD.getVolatile(memory, offset);
        }

        /** Where a word lies, for the kernel. */
        long address(int offset) {
            if (address == 0) {
                address = Futex.address(memory);
            }
            return address + offset;
        }
    }

    /** Maps the file, which must be there: see {@link #create}. */
    Hints(Path file) throws IOException {
        this.file = file;
        this.mapping = map();
        Thread loader = new Thread(this::loadFutex, "latchkey-loader");
        loader.setDaemon(true);
        loader.start();
    }

    private void loadFutex() {
        boolean available = Futex.isAvailable();
        waking = available ? Waking.FUTEX : Waking.PARK;
        if (available) {
            wakeRungBefore();
        }
    }

    private void wakeRungBefore() {
        for (Integer offset = rungBefore.poll(); offset != null; offset = rungBefore.poll()) {
            Futex.wakeAll(mapping.address(offset));
        }
    }

    @Override
    public int seen(String name) {
        return mapping.read(offset(name));
    }

    @Override
    public void ring(String name) {
        Mapping mapped = mapping;
        int offset = offset(name);
        WORD.getAndAdd(mapped.memory, offset, 1);
        if (waking == Waking.LOADING) {
            rungBefore.add(offset);
        }
        if (waking == Waking.FUTEX) {
            Futex.wakeAll(mapped.address(offset));
        }
    }

    @Override
    public void await(String name, int seen, long nanos) {
        Mapping mapped = mapping;
        int offset = offset(name);
        if (nanos <= 0 || Thread.currentThread().isInterrupted()) {
            return;
        }
        if (waking == Waking.FUTEX) {
            platformWait.run(() -> Futex.await(mapped.address(offset), seen, nanos));
        } else {
            park(mapped, offset, seen, nanos);
        }
    }

    /** Without futex: looks at the word ever more rarely. */
    private static void park(Mapping mapped, int offset, int seen, long nanos) {
        long start = System.nanoTime();
        long park = SHORTEST_PARK_NANOS;
        while (mapped.read(offset) == seen && !Thread.currentThread().isInterrupted()) {
            long left = nanos - (System.nanoTime() - start);
            if (left <= 0) {
                return;
            }
            LockSupport.parkNanos(Math.min(left, park));
            park = Math.min(LONGEST_PARK_NANOS, park + park / 2);
        }
    }

    private static int offset(String name) {
        int hash = name.hashCode() * 0x9E3779B9;
        return (hash >>> 18) % WORDS * Integer.BYTES;
    }

    // The words of gates, by their number in the file.

    /** The gate of a shard; more shards than there are gates share some of them. */
    Gate gate(int shard) {
        return new Gate(this, WORDS + shard % GATES * Gate.WORDS, System::nanoTime);
    }

    int read(int word) {
        return mapping.read(word * Integer.BYTES);
    }

    void put(int word, int value) {
        WORD.setVolatile(mapping.memory, word * Integer.BYTES, value);
    }

    boolean compareAndSet(int word, int expected, int value) {
        return WORD.compareAndSet(mapping.memory, word * Integer.BYTES, expected, value);
    }

    int getAndIncrement(int word) {
        return (int) WORD.getAndAdd(mapping.memory, word * Integer.BYTES, 1);
    }

    /** Until the word changes, or for a moment: without futex nobody is woken. */
    void sleep(int word, int expected, long nanos) {
        if (waking == Waking.FUTEX) {
            Mapping mapped = mapping;
            platformWait.run(() -> Futex.await(mapped.address(word * Integer.BYTES), expected, nanos));
        } else if (read(word) == expected) {
            LockSupport.parkNanos(Math.min(nanos, GATE_PARK_NANOS));
        }
    }

    void wake(int word) {
        if (waking == Waking.FUTEX) {
            Futex.wakeAll(mapping.address(word * Integer.BYTES));
        }
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
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            channel.write(ByteBuffer.allocate(1), SIZE); // the byte behind the words
        } catch (IOException e) {
            // full or failing disk: the next time will do
        }
    }

    private Mapping map() throws IOException {
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            if (channel.size() < SIZE) {
                Files.deleteIfExists(file); // nobody has it mapped: whole from the first, and never truncated
                throw new NoSuchFileException(file.toString(), null, "was too short and is made anew");
            }
            return new Mapping(channel.map(FileChannel.MapMode.READ_WRITE, 0, SIZE), Directory.key(file));
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

    @Override
    public void close() {
        platformWait.close();
    }
}

package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.Deadline;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/**
 * A lock that many may hold to read or one to write: what {@link java.util.concurrent.locks.ReentrantReadWriteLock} is within one
 * process, between the threads of all processes that open one directory.
 *
 * <pre>{@code
 * ReadWriteLock lock = new ReadWriteLock(cache, "catalogue");
 * try (LockHandle reading = lock.readLock().acquire()) {
 *     show(catalogue);
 * }
 * try (LockHandle writing = lock.writeLock().acquire()) {
 *     writing.runFenced(() -> cache.set("catalogue", edited));
 * }
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> All objects of one name on one directory are one lock. Both sides are reentrant for the thread that
 * holds them. A thread that writes may acquire the read lock too and keep it when it releases the write lock (downgrade). A thread
 * that reads cannot acquire the write lock: it would wait for itself, so that throws {@link IllegalMonitorStateException} at once,
 * and {@code tryLock} answers false. A {@link LockHandle} is nobody's: it is neither reentrant nor a reason to be let in, and a
 * thread that holds one side itself cannot acquire a handle of either.
 *
 * <p><b>Blocking.</b> First come, first served between processes and between the threads of one, readers and writers alike: a reader
 * waits behind a writer that came before, so writers do not starve; readers that stand next to each other read together. Waiting,
 * interruption and time-outs are as in {@link Lock}.
 *
 * <p><b>Crashes.</b> Read and write locks of a process that died are free within 50 milliseconds of the kernel having taken it down.
 * Each read lock has a fencing token of its own, so that one can be forced open without the others.
 *
 * <p><b>Errors and durability.</b> As {@link Lock}. Conditions belong to the write lock.
 *
 * <p><b>Source.</b> The rules of the JDK's fair read-write lock. python-diskcache has none.
 */
public final class ReadWriteLock implements java.util.concurrent.locks.ReadWriteLock {
    private static final long ONE_OF_MANY = 1;
    private static final long ALL = Integer.MAX_VALUE;

    private final ReadLock read;
    private final WriteLock write;

    /**
     * The lock of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public ReadWriteLock(Cache cache, String name) {
        this.read = new ReadLock(cache, name);
        this.write = new WriteLock(cache, name);
    }

    @Override
    public ReadLock readLock() {
        return read;
    }

    @Override
    public WriteLock writeLock() {
        return write;
    }

    @Override
    public String toString() {
        return "ReadWriteLock[" + read.name() + "]";
    }

    /** The side that many may hold, see {@link ReadWriteLock}. */
    public static final class ReadLock extends FencedLock {
        private ReadLock(Cache cache, String name) {
            super(cache, Kind.READ_WRITE, name, ONE_OF_MANY, LockOptions.NONE);
        }

        @Override
        @Nullable
        Grant ofOwner(Deadline deadline) {
            Grant reading = heldByCurrentThread();
            if (reading != null && !reading.releasing) {
                return again(cohort(), reading);
            }
            Grant writing = cohort().local.heldByCurrentThread(ALL);
            return writing == null ? null : downgrade(writing, deadline);
        }

        /**
         * Not supported: a reader has nothing to wait for that it could change.
         *
         * @throws UnsupportedOperationException always, as in the JDK
         */
        @Override
        public Condition newCondition() {
            throw new UnsupportedOperationException("read locks have no conditions");
        }

        /**
         * Not supported, as {@link #newCondition()}.
         *
         * @throws UnsupportedOperationException always, as in the JDK
         */
        @Override
        public Condition newCondition(String condition) {
            throw new UnsupportedOperationException("read locks have no conditions");
        }

        /**
         * How often this thread holds the read lock.
         *
         * @return 0 if it does not
         */
        public int getHoldCount() {
            requireOpen();
            Grant grant = heldByCurrentThread();
            return grant == null ? 0 : grant.count;
        }
    }

    /** The side that one holds alone, see {@link ReadWriteLock}. */
    public static final class WriteLock extends FencedLock {
        private WriteLock(Cache cache, String name) {
            super(cache, Kind.READ_WRITE, name, ALL, LockOptions.NONE);
        }

        @Override
        @Nullable
        Grant ofOwner(Deadline deadline) {
            Grant writing = heldByCurrentThread();
            if (writing != null && !writing.releasing) {
                return again(cohort(), writing);
            }
            if (isHeldInVain()) {
                throw new IllegalMonitorStateException(
                        "the read lock of '" + name()
                                + "' is held by this thread, which would wait for itself to get the write lock; release it first");
            }
            return null;
        }

        @Override
        boolean isHeldInVain() {
            return heldByCurrentThread() == null && cohort().local.heldByCurrentThread(ONE_OF_MANY) != null;
        }

        /**
         * How often this thread holds the write lock.
         *
         * @return 0 if it does not
         */
        public int getHoldCount() {
            requireOpen();
            Grant grant = heldByCurrentThread();
            return grant == null ? 0 : grant.count;
        }
    }
}

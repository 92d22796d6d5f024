package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Whatever a process can hold and others wait for, so that what is promised of all of them is shown with each. */
enum Holdable {
    LOCK,
    /** A lock that belongs to a handle, for which no thread need wait. */
    ASYNC,
    RLOCK,
    READ,
    WRITE,
    MULTILOCK,
    /** All permits of a semaphore. */
    PERMITS,
    /** The same as one object. */
    PERMIT;

    static final int PERMITS_OF_ALL = 3;

    /** What somebody holds; a token of 0 if there is none that could be asked for. */
    record Held(long token, Runnable giving) {
        void giveBack() {
            giving.run();
        }
    }

    /** What others hold meanwhile if this is to be waited for, and wait for while this is held. */
    Holdable opponent() {
        return switch (this) {
            case READ -> WRITE;
            case WRITE -> READ;
            default -> this;
        };
    }

    Kind kind() {
        return switch (this) {
            case LOCK, ASYNC, MULTILOCK -> Kind.LOCK;
            case RLOCK -> Kind.RLOCK;
            case READ, WRITE -> Kind.READ_WRITE;
            case PERMITS, PERMIT -> Kind.SEMAPHORE;
        };
    }

    /** Whether whoever waits for it has a place in the line of its name. */
    boolean waitsInLine() {
        return this != MULTILOCK;
    }

    /** Waits for it without end. */
    Held acquire(Cache cache, String name) throws Exception {
        return switch (this) {
            case LOCK, RLOCK, READ, WRITE -> {
                FencedLock lock = fenced(cache, name);
                lock.lock();
                yield new Held(lock.fencingToken(), lock::unlock);
            }
            case MULTILOCK -> {
                MultiLock lock = multi(cache, name);
                lock.lock();
                yield new Held(lock.fencingToken(name), lock::unlock);
            }
            case ASYNC -> ofHandle(fenced(cache, name).acquireAsync().get());
            case PERMITS -> {
                BoundedSemaphore semaphore = semaphore(cache, name);
                semaphore.acquire(PERMITS_OF_ALL);
                yield new Held(0, () -> semaphore.release(PERMITS_OF_ALL));
            }
            case PERMIT -> ofPermit(semaphore(cache, name).acquirePermit(PERMITS_OF_ALL));
        };
    }

    /** Waits for it for a limited time; null if it was in vain. */
    @Nullable
    Held tryAcquire(Cache cache, String name, Duration patience) throws Exception {
        return switch (this) {
            case LOCK, RLOCK, READ, WRITE -> {
                FencedLock lock = fenced(cache, name);
                yield lock.tryLock(patience) ? new Held(lock.fencingToken(), lock::unlock) : null;
            }
            case MULTILOCK -> {
                MultiLock lock = multi(cache, name);
                yield lock.tryLock(patience) ? new Held(lock.fencingToken(name), lock::unlock) : null;
            }
            case ASYNC -> {
                CompletableFuture<LockHandle> future = fenced(cache, name).acquireAsync();
                try {
                    yield ofHandle(future.get(patience.toNanos(), TimeUnit.NANOSECONDS));
                } catch (TimeoutException e) {
                    yield future.cancel(false) ? null : ofHandle(future.get());
                }
            }
            case PERMITS -> {
                BoundedSemaphore semaphore = semaphore(cache, name);
                yield semaphore.tryAcquire(PERMITS_OF_ALL, patience)
                        ? new Held(0, () -> semaphore.release(PERMITS_OF_ALL))
                        : null;
            }
            case PERMIT ->
                semaphore(cache, name)
                        .tryAcquirePermit(PERMITS_OF_ALL, patience)
                        .map(Holdable::ofPermit)
                        .orElse(null);
        };
    }

    /** Gives it back without having it. */
    void giveBackOfOthers(Cache cache, String name) {
        switch (this) {
            case MULTILOCK -> multi(cache, name).unlock();
            case PERMITS, PERMIT -> semaphore(cache, name).release(PERMITS_OF_ALL);
            default -> fenced(cache, name).unlock();
        }
    }

    private static Held ofHandle(LockHandle handle) {
        return new Held(handle.fencingToken(), handle::close);
    }

    private static Held ofPermit(Permit permit) {
        return new Held(permit.fencingToken(), permit::close);
    }

    private FencedLock fenced(Cache cache, String name) {
        return switch (this) {
            case LOCK, ASYNC -> new Lock(cache, name);
            case RLOCK -> new RLock(cache, name);
            case READ -> new ReadWriteLock(cache, name).readLock();
            case WRITE -> new ReadWriteLock(cache, name).writeLock();
            case MULTILOCK, PERMITS, PERMIT -> throw new IllegalStateException(this + " has no such lock");
        };
    }

    private static MultiLock multi(Cache cache, String name) {
        return new MultiLock(cache, List.of(name, name + " and more"));
    }

    private static BoundedSemaphore semaphore(Cache cache, String name) {
        return new BoundedSemaphore(cache, name, PERMITS_OF_ALL);
    }
}

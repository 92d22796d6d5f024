package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/*
 *   absent -> OPENING -> OPEN(users) -> CLOSING -> absent
 *
 * The first user opens and the last one closes, both outside the lock; whoever comes meanwhile waits for the outcome. A new
 * engine must not be opened before the old one is closed: the old one's close would drop the new one's kernel locks.
 *
 * Two copies of SQLite in one process on one file corrupt it, so a second class loader is refused. It is found out without
 * opening a file, because closing it again would drop the first one's locks: by a system property, which all class loaders
 * of a process share.
 */
/** The engines of this process: one per directory. */
final class Engines {
    private static final String OWNER = "dev.latchkey.engine.";
    private static final String SELF = self();
    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final Map<Key, Slot> SLOTS = new HashMap<>();

    private Engines() {}

    /** The states above. */
    static final class Slot {
        final CompletableFuture<Source> opened = new CompletableFuture<>();
        final CompletableFuture<Void> closed = new CompletableFuture<>();
        int users = 1;
        boolean closing;

        /** The number of a directory that was removed may belong to a new one by now. */
        boolean isOfRemovedDirectory() {
            boolean open = !closing && opened.isDone() && !opened.isCompletedExceptionally();
            return open && !opened.join().isInPlace();
        }
    }

    /** One user's hold on an engine. */
    record Lease(Key key, Slot slot, Source source) {}

    /** Reading alone is another matter: it has connections of its own. */
    record Key(Object inode, boolean readOnly) {}

    /** The family is that of a shard; null for a directory of its own. */
    static Lease acquire(Directory directory, OpenOptions options, @Nullable Family family, Deadline deadline) {
        Key key = new Key(inode(directory), options.readOnly());
        while (true) {
            Slot mine = null;
            Slot found;
            LOCK.lock();
            try {
                found = SLOTS.get(key);
                if (found != null && found.isOfRemovedDirectory()) {
                    requireNotMoved(found.opened.join(), directory);
                    SLOTS.remove(key);
                    found = null;
                }
                if (found == null) {
                    mine = new Slot();
                    SLOTS.put(key, mine);
                } else if (!found.closing) {
                    found.users++;
                }
            } finally {
                LOCK.unlock();
            }
            if (mine != null) {
                return new Lease(key, mine, openFirst(key, mine, directory, options, family, deadline));
            }
            if (found != null && !found.closing) {
                Source engine = joinOpened(key, found, directory, deadline);
                if (engine != null) {
                    return new Lease(key, found, engine);
                }
            } else if (found != null) {
                await(found.closed, directory, deadline);
            }
        }
    }

    /** A second engine on the same files would take the first one's kernel locks away when one of them is closed. */
    private static void requireNotMoved(Source open, Directory directory) {
        if (open.wasMovedTo(directory)) {
            throw new CacheReplacedException("the cache in " + directory.root() + " was moved there from " + open.root()
                    + " while this process had it open; close it first");
        }
    }

    private static Object inode(Directory directory) {
        Object inode = Directory.key(directory.root());
        return inode == null ? directory.root() : inode;
    }

    private static Source openFirst(
            Key key, Slot slot, Directory directory, OpenOptions options, @Nullable Family family, Deadline deadline) {
        try {
            claim(key, directory);
            Source engine = options.readOnly()
                    ? ReadOnlyStore.open(directory, options.codec(), deadline)
                    : Engine.open(directory, options, family, deadline);
            slot.opened.complete(engine);
            return engine;
        } catch (Throwable t) {
            forget(key, slot);
            slot.opened.completeExceptionally(t);
            throw t;
        }
    }

    /** The engine, or null if its opener failed: then it is for this thread to try, and to see the reason. */
    private static @Nullable Source joinOpened(Key key, Slot slot, Directory directory, Deadline deadline) {
        try {
            return await(slot.opened, directory, deadline);
        } catch (CacheTimeoutException e) {
            CompletableFuture<Void> unused =
                    slot.opened.thenAccept(engine -> release(List.of(new Lease(key, slot, engine)), () -> {}));
            throw e;
        }
    }

    private static void claim(Key key, Directory directory) {
        Object owner = System.getProperties().putIfAbsent(OWNER + key.inode, SELF);
        if (owner != null && !owner.equals(SELF)) {
            throw new CacheException("the cache in " + directory.root() + " is already open in this process through the"
                    + " class loader " + owner + "; two copies of SQLite in one process corrupt a database: load"
                    + " Latchkey and sqlite-jdbc once, in a common parent");
        }
    }

    private static String self() {
        ClassLoader loader = Engines.class.getClassLoader();
        return loader + " (" + Integer.toHexString(System.identityHashCode(loader)) + ")";
    }

    /**
     * Lets go of all of them, in their order; or of none, if the calling thread is in a transaction that this would end.
     *
     * @param certain runs when they will be, before the first engine closes
     */
    static void release(List<Lease> leases, Runnable certain) {
        List<Lease> last = new ArrayList<>();
        LOCK.lock();
        try {
            leases.forEach(Engines::requireNotInTransaction);
            for (Lease lease : leases) {
                if (--lease.slot.users == 0) {
                    lease.slot.closing = true;
                    last.add(lease);
                }
            }
        } finally {
            LOCK.unlock();
        }
        certain.run();
        last.forEach(Engines::close);
    }

    private static void requireNotInTransaction(Lease lease) {
        if (lease.slot.users == 1 && lease.source.isInTransaction()) {
            throw new IllegalStateException("the last cache on " + lease.source.root()
                    + " cannot be closed inside a transaction on it; close it after transact");
        }
    }

    private static void close(Lease lease) {
        try {
            lease.source.close();
        } finally {
            forget(lease.key, lease.slot);
            lease.slot.closed.complete(null);
        }
    }

    private static void forget(Key key, Slot slot) {
        LOCK.lock();
        try {
            boolean last = SLOTS.remove(key, slot) && !SLOTS.containsKey(new Key(key.inode, !key.readOnly));
            if (last) {
                System.getProperties().remove(OWNER + key.inode, SELF);
            }
        } finally {
            LOCK.unlock();
        }
    }

    private static <T> @Nullable T await(CompletableFuture<T> future, Directory directory, Deadline deadline) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            return null;
        } catch (TimeoutException e) {
            throw new CacheTimeoutException("another thread has been opening or closing the cache in "
                    + directory.root() + " for " + TimeUnit.NANOSECONDS.toMillis(deadline.totalNanos()) + " ms");
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.LockHandle;
import dev.latchkey.coordination.ReadWriteLock;
import java.nio.file.Path;

/** Many read together, in any process, and whoever writes is alone. */
public final class ReadWriteLockMain {
    private ReadWriteLockMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            ReadWriteLock lock = new ReadWriteLock(cache, "catalogue");

            // two readers, and a writer that does not get in
            try (LockHandle first = lock.readLock().acquire();
                    LockHandle second = lock.readLock().acquire()) {
                System.out.println("reading twice: " + (first.isValid() && second.isValid()) + ", writing: "
                        + lock.writeLock().tryLock());
            }

            // write, and keep reading what was written
            lock.writeLock().lock();
            try {
                lock.writeLock().runFenced(() -> {
                    cache.set("catalogue", "edition " + cache.incr("edition"));
                });
                lock.readLock().lock();
            } finally {
                lock.writeLock().unlock();
            }
            try {
                System.out.println("written: " + cache.get("catalogue", String.class));
            } finally {
                lock.readLock().unlock();
            }
        }
    }
}

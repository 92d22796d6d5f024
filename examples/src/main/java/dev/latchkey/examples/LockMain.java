package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.LockHandle;
import java.nio.file.Path;
import java.time.Duration;

/** Takes turns with other processes; run it in two terminals, and kill one of them while it holds the lock. */
public final class LockMain {
    private LockMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and perhaps for how many seconds to hold the lock
     * @throws InterruptedException if the thread is interrupted while it waits or works
     */
    public static void main(String[] args) throws InterruptedException {
        Duration work = Duration.ofSeconds(args.length > 1 ? Long.parseLong(args[1]) : 0);
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            Lock lock = new Lock(cache, "report");
            lock.holder().ifPresent(holder -> System.out.println("waiting for " + holder));

            // as any other lock of java.util.concurrent
            lock.lock();
            try {
                System.out.println("holding: " + lock.holder().orElseThrow());
                Thread.sleep(work.toMillis());
            } finally {
                lock.unlock();
            }

            // as a handle, with a time limit
            try (LockHandle handle = lock.tryAcquire(Duration.ofSeconds(5)).orElse(null)) {
                if (handle != null) {
                    long reports = handle.runFenced(() -> cache.incr("reports")); // written only while the lock is held
                    System.out.println("token " + handle.fencingToken() + ", reports: " + reports);
                }
            }
        }
    }
}

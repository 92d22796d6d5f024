package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.BoundedSemaphore;
import dev.latchkey.coordination.Permit;
import java.nio.file.Path;
import java.time.Duration;

/** Lets two at a time in, of all processes; run it in three terminals, and kill one of those that are inside. */
public final class SemaphoreMain {
    private SemaphoreMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and perhaps for how many seconds to stay inside
     * @throws InterruptedException if the thread is interrupted while it waits or works
     */
    public static void main(String[] args) throws InterruptedException {
        Duration work = Duration.ofSeconds(args.length > 1 ? Long.parseLong(args[1]) : 0);
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            BoundedSemaphore downloads = new BoundedSemaphore(cache, "downloads", 2);
            downloads.holders().forEach(holder -> System.out.println("inside: " + holder));

            // as an object that any thread may close
            try (Permit permit = downloads.acquirePermit()) {
                System.out.println("got a permit, free: " + downloads.availablePermits());
                Thread.sleep(work.toMillis());
                permit.runFenced(() -> cache.incr("downloads")); // written only while the permit is held
            }

            // as java.util.concurrent.Semaphore, with a time limit, both permits at once
            if (downloads.tryAcquire(2, Duration.ofSeconds(5))) {
                try {
                    System.out.println("alone, downloads: " + cache.get("downloads", Long.class));
                } finally {
                    downloads.release(2);
                }
            }
        }
    }
}

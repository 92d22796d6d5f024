package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.LockHandle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Waits for many locks without a thread for any of them, and holds one no longer than its lease. */
public final class AsyncLockMain {
    private AsyncLockMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            List<CompletableFuture<Void>> reports = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                Lock lock = new Lock(cache, "report " + i % 5);
                reports.add(lock.acquireAsync().thenAccept(handle -> {
                    try (handle) {
                        handle.runFenced(() -> cache.incr("reports"));
                    }
                }));
            }
            CompletableFuture.allOf(reports.toArray(new CompletableFuture<?>[0]))
                    .join();
            System.out.println("reports: " + cache.get("reports", Integer.class));

            CompletableFuture<Long> lost = new CompletableFuture<>();
            Lock lease = Lock.builder(cache, "lease")
                    .lease(Duration.ofMillis(200))
                    .onLost(loss -> lost.complete(loss.token()))
                    .build();
            LockHandle handle = lease.acquire(); // and works for too long
            System.out.println("lost in time: " + (lost.join() == handle.fencingToken()));
        }
    }
}

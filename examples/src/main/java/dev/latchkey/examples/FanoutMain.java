package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.FanoutCache;
import dev.latchkey.cache.Side;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.LockHandle;
import java.nio.file.Path;
import java.util.Map;

/** Spreads a cache over shards, so that writers of different keys do not wait for each other. */
public final class FanoutMain {
    private FanoutMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if somebody interrupts it
     */
    public static void main(String[] args) throws InterruptedException {
        Path directory = Path.of(args[0]);
        try (FanoutCache cache = FanoutCache.builder(directory)
                .shards(4)
                .sizeLimit(100L << 20) // of all shards together
                .open()) {
            cache.setAll(Map.of("a", 1, "b", 2, "c", 3)); // all or nothing, in whatever shards
            cache.push("first job", "jobs", Side.BACK, EntryOptions.none());
            System.out.println("sorted: " + cache.sortedKeys().toList());

            try {
                cache.transact(() -> {
                    cache.incr("a");
                    cache.incr("b");
                    throw new IllegalStateException("changed my mind");
                });
            } catch (IllegalStateException e) {
                System.out.println(e.getMessage() + ": a is still " + cache.get("a"));
            }

            Lock lock = new Lock(cache, "report"); // all locks are in the first shard
            try (LockHandle handle = lock.acquire()) {
                handle.runFenced(() -> cache.set("report", "done"));
            }

            Cache thumbnails = cache.cache("thumbnails"); // one of its own, closed together with the other
            thumbnails.set("a", new byte[100]);
            System.out.println("thumbnails: " + thumbnails.size());
        }

        try (FanoutCache cache = FanoutCache.open(directory)) { // the number of shards is stored
            System.out.println(cache.shards() + " shards, report: " + cache.get("report"));
        }
        try (FanoutCache cache = FanoutCache.open(directory, 8)) {
            System.out.println("not reached: " + cache);
        } catch (IllegalArgumentException e) {
            System.out.println("refused");
        }
    }
}

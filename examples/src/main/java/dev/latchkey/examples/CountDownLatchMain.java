package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.CountDownLatch;
import java.nio.file.Path;

/**
 * Waits until three shards are loaded; run it without a shard in one terminal, and with {@code a}, {@code b} and {@code c} in others.
 * Whoever loads a shard may be killed and started again: it is counted once.
 */
public final class CountDownLatchMain {
    private CountDownLatchMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and perhaps the shard to load
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            CountDownLatch loaded = new CountDownLatch(cache, "shards loaded", 3);
            if (args.length == 1) {
                System.out.println("waiting for " + loaded.getCount() + " shards");
                loaded.await();
                System.out.println("all shards are loaded");
            } else {
                String shard = args[1];
                boolean counted = cache.transact(
                        () -> { // both or none, whenever this process is killed
                            cache.set(shard, "data of " + shard);
                            return loaded.countDown(shard);
                        });
                System.out.println("loaded " + shard + ", counted: " + counted + ", to go: " + loaded.getCount());
            }
        }
    }
}

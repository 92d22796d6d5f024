package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.EntryOptions;
import java.nio.file.Path;
import java.time.Duration;

/** Prints what a program does to its cache, and what is removed in the background. */
public final class ListenerMain {
    private ListenerMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if it is interrupted
     */
    public static void main(String[] args) throws InterruptedException {
        java.util.concurrent.CountDownLatch expired = new java.util.concurrent.CountDownLatch(1);
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            cache.addListener(new CacheListener() {
                @Override
                public void hit(Object key) {
                    System.out.println("found " + key);
                }

                @Override
                public void miss(Object key) {
                    System.out.println("missed " + key);
                }

                @Override
                public void store(Object key) {
                    System.out.println("stored " + key);
                }

                @Override
                public void expire(Object key) {
                    System.out.println("expired " + key);
                    expired.countDown();
                }
            });
            cache.get("greeting", String.class);
            cache.set("greeting", "hello", EntryOptions.none().expireAfter(Duration.ofSeconds(3)));
            cache.get("greeting", String.class);
            expired.await();
        }
    }
}

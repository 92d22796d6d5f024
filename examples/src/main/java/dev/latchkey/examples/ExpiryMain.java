package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import java.nio.file.Path;
import java.time.Duration;

/** Lets entries expire, later, or never. */
public final class ExpiryMain {
    private ExpiryMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.builder(Path.of(args[0])).reaper(false).open()) {
            EntryOptions hour = EntryOptions.none().expireAfter(Duration.ofHours(1));
            cache.set("login", "alice", hour);
            cache.set("draft", "Dear Bob", hour);
            cache.touch("login", Duration.ofDays(1)); // from now on
            cache.persist("draft");
            System.out.println("login expires: " + expires(cache, "login"));
            System.out.println("draft expires: " + expires(cache, "draft"));

            cache.set("code", 4711, EntryOptions.none().expireAfter(Duration.ofMillis(100)));
            Thread.sleep(200);
            System.out.println("code: " + cache.get("code", Integer.class)); // absent from the moment on

            // its row goes with one of the next writes, or within a second if the reaper is on, or now
            System.out.println("removed: " + cache.expire());
        }
    }

    private static boolean expires(Cache cache, String key) {
        return cache.entry(key, String.class).orElseThrow().expiry().isPresent();
    }
}

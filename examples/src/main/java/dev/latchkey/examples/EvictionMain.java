package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.EntryTooLargeException;
import dev.latchkey.cache.EvictionPolicy;
import java.nio.file.Path;

/** A cache that stays below a limit, and what it gives up for that. */
public final class EvictionMain {
    private static final int KILOBYTE = 1024;

    private EvictionMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.builder(Path.of(args[0]))
                .sizeLimit(1000 * KILOBYTE)
                .evictionPolicy(EvictionPolicy.LEAST_RECENTLY_USED)
                .open()) {
            cache.set("pinned", new byte[50 * KILOBYTE], EntryOptions.none().pinned());
            cache.set("popular", new byte[50 * KILOBYTE]);
            for (int i = 0; i < 100; i++) {
                cache.set(i, new byte[50 * KILOBYTE]);
                cache.get("popular", byte[].class);
            }
            System.out.println("pinned: " + cache.containsKey("pinned"));
            System.out.println("popular: " + cache.containsKey("popular"));
            System.out.println("oldest: " + cache.containsKey(0));
            System.out.println("newest: " + cache.containsKey(99));
            System.out.println("kept more than ten: " + (cache.size() > 10));

            // what can never fit is refused, and nothing is evicted for it
            try {
                cache.set("huge", new byte[2000 * KILOBYTE]);
            } catch (EntryTooLargeException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}

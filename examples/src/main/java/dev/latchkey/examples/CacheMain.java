package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Stores values in a directory; run it twice, or in two terminals, and they are still there. */
public final class CacheMain {
    private CacheMain() {}

    /** A value of one's own: stored as JSON. */
    record City(String name, List<String> rivers) {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            cache.set("city", new City("Dresden", List.of("Elbe", "Weißeritz")));
            System.out.println(cache.get("city", City.class));

            cache.set("greeting", "hello", EntryOptions.none().expireAfter(Duration.ofHours(1)));
            System.out.println(cache.get("greeting", String.class));
            cache.entry("greeting", String.class).ifPresent(System.out::println);

            System.out.println("added again: " + cache.add("greeting", "good morning"));
            System.out.println("runs so far: " + cache.incr("runs"));

            // both or none, whatever happens in between
            cache.transact(() -> {
                cache.decr("stock");
                cache.incr("sold");
            });
            System.out.println("sold: " + cache.get("sold", long.class));
        }
    }
}

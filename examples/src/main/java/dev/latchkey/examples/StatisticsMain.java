package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Setting;
import java.nio.file.Path;

/** How much a cache is used, how large it is, and how to change its settings. */
public final class StatisticsMain {
    private StatisticsMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        Path directory = Path.of(args[0]);
        try (Cache cache = Cache.builder(directory).sizeLimit(100_000_000).open()) {
            // stored in the directory, and obeyed by every process within a second
            cache.alter(Setting.STATISTICS, true);
            cache.alter(Setting.SIZE_LIMIT, 200_000_000);

            cache.set("answer", 42);
            cache.get("answer");
            cache.get("question");
            System.out.println(cache.stats()); // of all processes
            System.out.println("entries: " + cache.size());
            System.out.println("is on the disk: " + (cache.volume() > 0));
            cache.resetStats();
        }
        // to open it with another limit changes nothing: what is stored holds
        try (Cache cache = Cache.builder(directory).sizeLimit(1).open()) {
            System.out.println("limit: " + cache.settings().get(Setting.SIZE_LIMIT));
            System.out.println(cache.stats());
        }
    }
}

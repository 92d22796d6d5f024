package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes, reads and walks over many entries at once. */
public final class BatchMain {
    private BatchMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            // one transaction: other processes see none of them or all, and it is faster than a thousand
            Map<Integer, String> squares = new TreeMap<>();
            for (int i = 1; i <= 1000; i++) {
                squares.put(i, i + " times " + i + " is " + i * i);
            }
            cache.setAll(squares);

            // what is absent is left out
            System.out.println(cache.getAll(List.of(12, 0, 7), String.class));

            // the streams of keys are lazy, and may be left unfinished
            cache.set(0, "the last to come");
            System.out.println("first: " + cache.keys().limit(3).toList());
            System.out.println("last: " + cache.keysReversed().limit(3).toList());
            System.out.println("sorted: " + cache.sortedKeys().limit(3).toList());

            // writing while walking is allowed
            cache.keys().filter(key -> (long) key % 2 == 1).forEach(cache::delete);
            System.out.println("left: " + cache.size());
        }
    }
}

package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A process that adds every third number below 1200 to the average {@code a}, with two threads: {@code DIRECTORY FIRST}. */
final class AveragerChild {
    private AveragerChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        try (Cache cache = Cache.open(Path.of(arguments[0]))) {
            int first = Integer.parseInt(arguments[1]);
            Averager averager = new Averager(cache, "a");
            Child.ready();
            List<Thread> threads = new ArrayList<>();
            for (int half = 0; half < 2; half++) {
                int from = first + 3 * half;
                Thread thread = new Thread(() -> {
                    for (int number = from; number < 1200; number += 6) {
                        averager.add(number);
                    }
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            Child.say("ADDED");
            Child.hear();
        }
    }
}

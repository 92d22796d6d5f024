package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Averager;
import java.nio.file.Path;

/** Averages numbers that all processes add; run it with different numbers from several terminals. */
public final class AveragerMain {
    private AveragerMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and numbers to add; without numbers the average is taken and begun anew
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            Averager latency = new Averager(cache, "latency");
            for (int i = 1; i < args.length; i++) {
                latency.add(Double.parseDouble(args[i]));
            }
            if (args.length == 1) {
                System.out.println("taken: " + latency.pop());
            }
            System.out.println("average: " + latency.get());
        }
    }
}

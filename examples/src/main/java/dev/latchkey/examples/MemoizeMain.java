package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.MemoizeOptions;
import dev.latchkey.cache.Memoizer;
import java.nio.file.Path;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** Remembers what a function returned, for all processes and for the next run. */
public final class MemoizeMain {
    private MemoizeMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            Memoizer memoizer = cache.memoize("power", MemoizeOptions.none().tag("powers"));
            BiFunction<Integer, Integer, @Nullable Double> power = memoizer.wrap(Double.class, (base, exponent) -> {
                System.out.println("computing " + base + "^" + exponent);
                return Math.pow(base, exponent);
            });
            System.out.println(power.apply(2, 10));
            System.out.println(power.apply(2, 10));
            System.out.println("stored as " + memoizer.keyOf(2, 10));
            System.out.println("forgotten: " + cache.evict("powers"));
        }
    }
}

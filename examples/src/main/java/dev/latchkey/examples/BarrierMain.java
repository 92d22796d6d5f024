package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Barrier;
import dev.latchkey.coordination.BoundedSemaphore;
import dev.latchkey.coordination.Lock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;

/** Runs a function in one process at a time, and another in two; run it in several terminals, and kill one that is building. */
public final class BarrierMain {
    private BarrierMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and perhaps for how many seconds to build
     * @throws Exception if one of the functions fails or is interrupted
     */
    public static void main(String[] args) throws Exception {
        Duration work = Duration.ofSeconds(args.length > 1 ? Long.parseLong(args[1]) : 0);
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            BoundedSemaphore places = new BoundedSemaphore(cache, "fetch", 2);
            Callable<String> fetch = Barrier.wrap(places, () -> "fetched, places left: " + places.availablePermits());
            Callable<String> build = Barrier.wrap(cache, Lock::new, "build", () -> {
                System.out.println("building alone");
                Thread.sleep(work.toMillis());
                return "built edition " + cache.incr("edition");
            });
            System.out.println(fetch.call());
            System.out.println(build.call());
        }
    }
}

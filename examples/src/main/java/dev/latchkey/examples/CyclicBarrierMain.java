package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.CyclicBarrier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeoutException;

/** Works in steps that three processes take together; run it in three terminals, or in two and kill one of them while it waits. */
public final class CyclicBarrierMain {
    private CyclicBarrierMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            CyclicBarrier step = new CyclicBarrier(
                    cache,
                    "step",
                    3,
                    () -> { // run by the last to come
                        Long merged = cache.pop("parts", Long.class);
                        System.out.println("step " + cache.incr("steps") + ": merged " + merged + " parts");
                    });
            try {
                for (int i = 1; i <= 3; i++) {
                    cache.incr("parts");
                    System.out.println("waiting for the others");
                    step.await(Duration.ofSeconds(60));
                }
                System.out.println("through");
            } catch (BrokenBarrierException | TimeoutException e) {
                System.out.println("one of the others has died, or did not come: " + e.getMessage());
                cache.delete("parts");
                step.reset(); // all may begin anew
            }
        }
    }
}

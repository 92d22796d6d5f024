package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Claim;
import dev.latchkey.coordination.DeadLetter;
import dev.latchkey.coordination.WorkQueue;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Puts work into a queue and does it; run it in several terminals, and whoever is killed loses no item. */
public final class WorkQueueMain {
    private WorkQueueMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            WorkQueue<String> queue = WorkQueue.withMaxAttempts(cache, "pages", String.class, 2);
            queue.put("https://example.org/");
            queue.put("https://example.org/broken");

            Optional<Claim<String>> next = queue.claim(Duration.ofSeconds(1));
            while (next.isPresent()) {
                try (Claim<String> claim = next.get()) {
                    fetch(cache, claim);
                }
                next = queue.claim(Duration.ZERO);
            }
            for (DeadLetter<String> letter : queue.deadLetters()) {
                System.out.println("given up: " + letter.value() + ", " + letter.reason());
            }
        }
    }

    private static void fetch(Cache cache, Claim<String> claim) {
        System.out.println("attempt " + claim.attempt() + " at " + claim.value());
        if (claim.value().endsWith("broken")) {
            claim.nack("no such page");
            return;
        }
        // the result and the acknowledgement, both or none
        cache.transact(() -> {
            cache.set(claim.value(), "<html>");
            claim.ack();
        });
    }
}

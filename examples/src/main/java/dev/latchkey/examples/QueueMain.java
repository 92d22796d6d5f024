package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Queues of plain entries, as python-diskcache has them: what is pulled is gone, even if its taker dies. See
 * {@link WorkQueueMain} for one that loses nothing.
 */
public final class QueueMain {
    private QueueMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            // each prefix is a queue of its own; null is the one whose keys are integers
            EntryOptions none = EntryOptions.none();
            System.out.println("key: " + cache.push("write", "jobs", Side.BACK, none));
            System.out.println("key: " + cache.push("test", "jobs", Side.BACK, none));
            System.out.println("key: " + cache.push("think", "jobs", Side.FRONT, none));
            System.out.println("key: " + cache.push("of the queue without a name"));

            cache.peek("jobs", Side.BACK, String.class).ifPresent(item -> System.out.println("last: " + item.value()));

            Optional<Cache.Item<String>> next = cache.pull("jobs", Side.FRONT, String.class);
            while (next.isPresent()) {
                System.out.println("next: " + next.get().value());
                next = cache.pull("jobs", Side.FRONT, String.class);
            }
            System.out.println("left: "
                    + cache.pull(null, Side.FRONT, String.class).orElseThrow().value());
        }
    }
}

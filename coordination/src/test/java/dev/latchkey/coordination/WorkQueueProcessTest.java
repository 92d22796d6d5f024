package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the work queue promises between processes, shown with processes. */
@Tag("process")
class WorkQueueProcessTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int ITEMS = 5000;
    private static final int KILLS = 20;

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private JavaProcess worker(Path path) {
        JavaProcess child = processes.start(JavaCommand.of(CoordinationChild.class, path.toString()));
        child.await("OPEN", SOON);
        child.send("work jobs");
        return child;
    }

    @Test
    void everyItemIsAcknowledgedExactlyOnceAlthoughWorkersAreKilled() {
        long seed = Long.getLong("latchkey.seed", System.nanoTime());
        Random random = new Random(seed);
        Path path = directory.resolve("cache");
        try (Cache cache = Cache.open(path)) {
            WorkQueue<String> queue = new WorkQueue<>(cache, "jobs", String.class);
            cache.transact(() -> {
                for (int i = 0; i < ITEMS; i++) {
                    queue.put("item-" + i);
                }
            });
            List<JavaProcess> workers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                workers.add(worker(path));
            }
            for (int i = 0; i < KILLS; i++) {
                int pause = random.nextInt(60);
                ProcessFixture.letRun(Duration.ofMillis(pause), workers);
                int victim = random.nextInt(workers.size());
                workers.get(victim).kill();
                workers.set(victim, worker(path));
            }
            for (JavaProcess worker : workers) {
                worker.await("WORKED", Duration.ofSeconds(60));
            }
            assertEquals(0, queue.size(), "seed " + seed);
            assertEquals(0, queue.inFlight(), "seed " + seed);
            assertTrue(queue.deadLetters().isEmpty(), "seed " + seed);
            for (int i = 0; i < ITEMS; i++) {
                assertEquals(1L, cache.get("done item-" + i, Long.class), "item " + i + ", seed " + seed);
            }
        }
    }
}

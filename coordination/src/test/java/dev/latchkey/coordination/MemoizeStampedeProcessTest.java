package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What memoization promises between processes, shown with processes. */
@Tag("process")
@Timeout(120)
class MemoizeStampedeProcessTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Path cache() {
        return directory.resolve("cache");
    }

    private JavaProcess child() {
        JavaProcess child = processes.start(JavaCommand.of(MemoizeChild.class, cache().toString()));
        child.await("OPEN", SOON);
        return child;
    }

    private static void ask(JavaProcess child, String key, int threads, long millis, long start) {
        child.send("ask " + key + " " + threads + " " + millis + " " + start);
    }

    private static List<Object> flights(Cache cache) {
        return List.copyOf(cache.unwrap(CoordinationEngine.class).states().list("flight", Deadline.never()));
    }

    @Test
    void ofFourProcessesWithEightThreadsOneComputesAColdKey() {
        List<JavaProcess> children = List.of(child(), child(), child(), child());
        try (Cache cache = Cache.open(cache())) {
            Set<String> computers = new HashSet<>();
            for (int i = 0; i < 100; i++) {
                String key = "cold" + i;
                long start = System.nanoTime() + 5_000_000;
                int cost = i % 3;
                children.forEach(child -> ask(child, key, 8, cost, start));
                Set<String> results = new HashSet<>();
                for (JavaProcess child : children) {
                    results.add(child.await("ASKED", SOON).split(" ", 3)[2]);
                }
                assertEquals(1, results.size(), key + ": " + results);
                assertEquals(1L, cache.get("computed " + key, Long.class), key);
                computers.addAll(results);
            }
            assertTrue(computers.size() > 1, "they did not compete: " + computers);
            assertEquals(List.of(), flights(cache));
        }
    }

    /** How soon is for {@link ObstacleProcessTest} to show. */
    @Test
    void aKilledComputerIsFollowedByExactlyOneOther() {
        JavaProcess heir = child();
        JavaProcess other = child();
        try (Cache cache = Cache.open(cache())) {
            for (int i = 0; i < 10; i++) {
                String key = "killed" + i;
                JavaProcess victim = child();
                ask(victim, key, 1, 60_000, 0);
                victim.await("COMPUTING", SOON);
                ask(heir, key, 4, 20, 0);
                ask(other, key, 4, 20, 0);
                await().during(Duration.ofMillis(150))
                        .atMost(SOON)
                        .until(() -> cache.get("computed " + key, Long.class) == 1);
                victim.kill();
                heir.await("ASKED", SOON);
                other.await("ASKED", SOON);
                assertEquals(2L, cache.get("computed " + key, Long.class), key);
            }
            assertEquals(List.of(), flights(cache));
        }
    }

    @Test
    void aStoppedComputerIsWaitedFor() {
        JavaProcess computer = child();
        JavaProcess waiter = child();
        try (Cache cache = Cache.open(cache())) {
            ask(computer, "a", 1, 300, 0);
            computer.await("COMPUTING", SOON);
            computer.stop();
            ask(waiter, "a", 2, 0, 0);
            await().during(Duration.ofSeconds(1)).atMost(SOON).until(() -> cache.get("computed a", Long.class) == 1);
            computer.cont();
            assertTrue(waiter.await("ASKED", SOON).contains("[" + computer.pid() + "]"));
            assertEquals(1L, cache.get("computed a", Long.class));
        }
    }
}

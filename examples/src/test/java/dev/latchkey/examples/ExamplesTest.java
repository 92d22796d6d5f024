package dev.latchkey.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@Tag("process")
final class ExamplesTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @Test
    void cacheMainFindsWhatItsFirstRunHasStored() {
        run(CacheMain.class);
        List<String> second = run(CacheMain.class);
        assertTrue(
                second.containsAll(List.of("hello", "runs so far: 2", "sold: 2", "added again: false")),
                second::toString);
    }

    @Test
    void lockMainHoldsTheLockAndWritesUnderIt() {
        List<String> output = run(LockMain.class);
        assertTrue(output.stream().anyMatch(line -> line.startsWith("holding: pid ")), output::toString);
        assertTrue(output.stream().anyMatch(line -> line.endsWith("reports: 1")), output::toString);
    }

    @Test
    void lockMainTakesOverFromOneThatIsKilled() {
        JavaProcess holder =
                processes.start(LockMain.class, directory.resolve("shared").toString(), "60");
        holder.await("holding", LIMIT);
        JavaProcess waiter =
                processes.start(LockMain.class, directory.resolve("shared").toString());
        waiter.await("waiting for pid " + holder.pid(), LIMIT);
        holder.kill();
        assertEquals(0, waiter.exitCode(LIMIT));
    }

    @Test
    void workQueueMainDoesAllItemsAndGivesUpTheBrokenOne() {
        List<String> output = run(WorkQueueMain.class);
        assertTrue(
                output.containsAll(List.of(
                        "attempt 1 at https://example.org/",
                        "attempt 1 at https://example.org/broken",
                        "attempt 2 at https://example.org/broken")),
                output::toString);
        assertTrue(output.get(output.size() - 1).contains("no such page"), output::toString);
    }

    private List<String> run(Class<?> main) {
        JavaProcess process = processes.start(main, directory.resolve("shared").toString());
        assertEquals(0, process.exitCode(LIMIT), () -> process.output().toString());
        return process.output();
    }
}

package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.latchkey.coordination.ProcessFixture;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import java.io.File;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Resilience4j is an optional dependency. */
class WithoutResilience4jTest extends ProcessFixture {
    @Test
    void coordinationWorksWithoutResilience4jOnTheClassPath() {
        String without = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("resilience4j-"))
                .collect(Collectors.joining(File.pathSeparator));
        JavaProcess child = processes.start(
                JavaCommand.of(WithoutResilience4jChild.class, cachePath().toString())
                        .classPath(without));
        child.await("ABSENT", SOON);
        child.await("LOCKED 1", SOON);
        child.await("DONE f of x", SOON);
        assertEquals(0, child.exitCode(SOON));
    }
}

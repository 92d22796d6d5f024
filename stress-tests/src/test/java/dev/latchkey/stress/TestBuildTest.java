package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.worker.WarmUp;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TestBuildTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /** Where a process that is started from a build has loaded a class from. */
    private String source(Optional<BrokenRule> broken, String type) throws IOException {
        Path log = directory.resolve("classes.log");
        try (JavaProcess process = TestBuild.of(broken)
                .command(WarmUp.class)
                .options("-Xlog:class+load:file=" + log)
                .start()) {
            assertEquals(0, process.exitCode(Duration.ofSeconds(60)));
        }
        List<String> lines = Files.readAllLines(log).stream()
                .filter(line -> line.contains(" " + type + " source: "))
                .toList();
        assertEquals(1, lines.size(), lines::toString);
        return lines.get(0);
    }

    @Tag("process")
    @Test
    void whatAWorkerLoadsFirstComesFromTheArchive() throws IOException {
        for (String type : List.of(
                "dev.latchkey.cache.spi.Failpoint", "dev.latchkey.coordination.Lock", "org.sqlite.core.NativeDB")) {
            String source = source(Optional.empty(), type);
            assertTrue(source.endsWith("shared objects file (top)"), source);
        }
    }

    @Tag("process")
    @Test
    void aBrokenClassComesFromTheArchiveOfItsOwnBuild() throws IOException {
        String source = source(Optional.of(BrokenRule.NO_TOKEN_BUMP), "dev.latchkey.coordination.Turns");
        assertTrue(source.endsWith("shared objects file (top)"), source);
    }
}

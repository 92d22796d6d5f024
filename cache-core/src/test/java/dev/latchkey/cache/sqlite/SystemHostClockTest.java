package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.CacheException;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SystemHostClockTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @Test
    void theBootIsTheOneThatTheMachineNames() {
        Path file = directory.resolve("boot");
        assertEquals("", new SystemHostClock(file).bootId(), "this machine names none");
        assertEquals("c0ffee", new SystemHostClock(written(file)).bootId());
    }

    /** Once a process that had no descriptor left at the wrong moment believed for good that it ran in another boot than all others. */
    @Test
    void aBootThatCannotBeReadNowIsAskedForAgain() throws IOException {
        Path file = Files.createDirectory(directory.resolve("boot"));
        assertThrows(CacheException.class, () -> new SystemHostClock(file));
        Files.delete(file);
        assertEquals("c0ffee", new SystemHostClock(written(file)).bootId());
    }

    @Test
    void anInterruptDoesNotHinderIt() {
        Path file = written(directory.resolve("boot"));
        Thread.currentThread().interrupt();
        assertEquals("c0ffee", new SystemHostClock(file).bootId());
        assertTrue(Thread.interrupted());
    }

    private static Path written(Path file) {
        try {
            return Files.writeString(file, "c0ffee\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

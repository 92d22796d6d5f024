package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.spi.Signal;
import dev.latchkey.testing.DirectoryTree;
import dev.latchkey.testing.SmallDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two processes that look at one ballast. */
class BallastTest {
    private static final int MEBIBYTE = 1 << 20;

    @RegisterExtension
    final SmallDisk disk = new SmallDisk(24);

    private final AtomicInteger rings = new AtomicInteger();
    private final Signal signal = new Signal() {
        @Override
        public int seen(String name) {
            return rings.get();
        }

        @Override
        public void await(String name, int seen, long nanos) {}

        @Override
        public void ring(String name) {
            rings.incrementAndGet();
        }
    };

    private Path store(String name, int mebibytes) throws IOException {
        return Files.write(disk.resolve(name), new byte[mebibytes * MEBIBYTE]);
    }

    /** Else what was freed for deletes would be stored away by whoever saw plenty of space just after. */
    @Test
    void nothingThatGrowsIsLetInWhileWhatWasGivenUpIsMissingAndSpaceRunsOut() throws IOException {
        Cache.open(disk.resolve("cache")).close();
        Directory directory = Directory.open(disk.resolve("cache"), false);
        directory.remember();
        Ballast giver = new Ballast(directory, signal, null);
        giver.restore();
        Ballast other = new Ballast(directory, signal, null);
        Path first = store("first", 10);
        giver.giveUp(0);
        assertDoesNotThrow(other::requireSpace);
        store("second", 7);
        assertThrows(CacheFullException.class, other::requireSpace);
        Files.delete(first);
        assertThrows(CacheFullException.class, other::requireSpace);
        giver.restore();
        assertDoesNotThrow(other::requireSpace);
    }

    @Test
    void aDirectoryThatWasRemovedIsNotAFullDisk() throws IOException {
        Path path = disk.resolve("cache");
        Cache.open(path).close();
        Directory directory = Directory.open(path, false);
        directory.remember();
        Ballast ballast = new Ballast(directory, signal, null);
        assertEquals(List.of(), DirectoryTree.delete(path));
        ballast.look();
        assertThrows(CacheReplacedException.class, ballast::requireSpace);
    }
}

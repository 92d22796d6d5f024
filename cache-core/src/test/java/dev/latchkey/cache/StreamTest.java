package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Listing;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Streams in and out cost neither memory nor, when they end early, descriptors or space. */
@Tag("process")
@Tag("everyJdk")
final class StreamTest {
    private static final long MEGABYTE = 1 << 20;
    private static final long HUGE = 2048 * MEGABYTE + 12_345; // more than an int or an array can hold
    private static final Duration LIMIT = Duration.ofSeconds(100);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    /** So many bytes, each of them known; what is shifted or swapped by a power of two differs. */
    private static class Noise extends InputStream {
        private static final byte[] PERIOD = new byte[1_000_003];

        static {
            new Random(1).nextBytes(PERIOD);
        }

        private final long size;
        private long position;

        Noise(long size) {
            this.size = size;
        }

        long position() {
            return position;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (position == size) {
                return -1;
            }
            int from = (int) (position % PERIOD.length);
            int count = (int) Math.min(Math.min(length, size - position), PERIOD.length - from);
            System.arraycopy(PERIOD, from, buffer, offset, count);
            position += count;
            return count;
        }

        /** Reads a stream to its end; answers how many bytes it had before it differed from noise. */
        static long measure(InputStream stream) throws IOException {
            Noise expected = new Noise(Long.MAX_VALUE);
            byte[] found = new byte[1 << 16];
            byte[] noise = new byte[1 << 16];
            while (true) {
                int count = stream.read(found);
                if (count < 0) {
                    return expected.position();
                }
                expected.readNBytes(noise, 0, count);
                int difference = Arrays.mismatch(found, 0, count, noise, 0, count);
                if (difference >= 0) {
                    return expected.position() - count + difference;
                }
            }
        }
    }

    /** Stores a value that is many times its heap, and reads it. */
    static final class SmallHeap {
        public static void main(String[] args) throws IOException {
            Child.start();
            try (Cache cache =
                    Cache.builder(Path.of(args[0])).sizeLimit(4096 * MEGABYTE).open()) {
                long start = System.nanoTime();
                cache.write("huge", new Noise(HUGE));
                long written = System.nanoTime();
                try (InputStream in = Objects.requireNonNull(cache.read("huge"))) {
                    Child.say("READ " + Noise.measure(in));
                }
                long read = System.nanoTime();
                Child.say("TIME written in " + (written - start) / 1_000_000 + " ms, read in "
                        + (read - written) / 1_000_000 + " ms, heap of "
                        + Runtime.getRuntime().maxMemory() / MEGABYTE + " MiB");
                Child.say("CLEAN " + cache.check(false).isClean());
            }
        }
    }

    @Test
    void twoGibibytesPassThroughAHeapOf64Mebibytes() throws IOException {
        Assumptions.assumeTrue(
                Files.getFileStore(directory.path()).getUsableSpace() > 2 * HUGE, "there is too little space for it");
        JavaProcess child = processes.start(
                JavaCommand.of(SmallHeap.class, directory.path().toString()).options("-Xmx64m"));
        assertEquals("READ " + HUGE, child.await("READ ", LIMIT));
        System.out.println("2 GiB stream: " + child.await("TIME ", LIMIT));
        assertEquals("CLEAN true", child.await("CLEAN ", LIMIT));
        assertEquals(0, child.exitCode(LIMIT), () -> child.output().toString());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aReaderWhoStopsHalfWayLeavesNoDescriptor() throws IOException {
        try (Cache cache = Cache.open(directory.path())) {
            cache.write("a", new Noise(10 * MEGABYTE));
            assertEquals(List.of(), openValues());
            for (int i = 0; i < 100; i++) {
                try (InputStream in = Objects.requireNonNull(cache.read("a"))) {
                    assertEquals(MEGABYTE, in.readNBytes((int) MEGABYTE).length);
                    assertEquals(1, openValues().size());
                }
                assertEquals(List.of(), openValues());
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aReaderWhoseEntryIsDeletedHalfWayGoesOnAndLeavesNoDescriptor() throws IOException {
        try (Cache cache = Cache.open(directory.path())) {
            cache.write("a", new Noise(10 * MEGABYTE));
            try (InputStream in = Objects.requireNonNull(cache.read("a"))) {
                byte[] half = in.readNBytes((int) (5 * MEGABYTE));
                assertTrue(cache.delete("a"));
                assertEquals(List.of(), values());
                assertEquals(1, openValues().size());
                assertArrayEquals(new Noise(10 * MEGABYTE).readAllBytes(), joined(half, in.readAllBytes()));
            }
            assertEquals(List.of(), openValues());
        }
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] joined = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }

    /** Fails in the middle, when a part of it has been stored already. */
    private final class Broken extends Noise {
        private final IOException cause = new IOException("the network is down");
        private int seen;

        Broken() {
            super(Long.MAX_VALUE);
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (position() > 5 * MEGABYTE) {
                seen = values().size();
                throw cause;
            }
            return super.read(buffer, offset, length);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aStreamThatThrowsHalfWayLeavesNoFileAndNoDescriptor() throws IOException {
        try (Cache cache = Cache.open(directory.path())) {
            Broken broken = new Broken();
            CacheException thrown = assertThrows(CacheException.class, () -> cache.write("a", broken));
            assertSame(broken.cause, thrown.getCause());
            assertEquals(1, broken.seen, "it was being written");
            assertEquals(List.of(), values());
            assertEquals(List.of(), openValues());
            assertFalse(cache.containsKey("a"));
        }
    }

    @Test
    void whatIsLargerThanTheLimitIsRefusedBeforeItFillsTheDisk() throws IOException {
        try (Cache cache =
                Cache.builder(directory.path()).sizeLimit(4 * MEGABYTE).open()) {
            cache.write("a", new Noise(MEGABYTE));
            Noise endless = new Noise(Long.MAX_VALUE);
            assertThrows(EntryTooLargeException.class, () -> cache.write("b", endless));
            assertTrue(endless.position() <= 5 * MEGABYTE, () -> "it read " + endless.position() + " bytes");
            assertFalse(cache.containsKey("b"));
            try (InputStream in = cache.read("a")) {
                assertNotNull(in, "nothing is evicted for what is refused");
                assertEquals(MEGABYTE, Noise.measure(in));
            }
            assertEquals(1, values().size());
        }
    }

    /** The value files, those that wait for their transaction included. */
    private List<Path> values() {
        return Listing.of(directory.path()).stream()
                .filter(file -> file.toString().endsWith(".val"))
                .toList();
    }

    /** The value files that this process has open, deleted ones included. */
    private List<String> openValues() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors
                    .map(StreamTest::target)
                    .filter(file -> file.startsWith(directory.path().toString()) && file.contains(".val"))
                    .toList();
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed meanwhile
        }
    }
}

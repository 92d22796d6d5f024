package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every {@link Cache} does with values that are streams. */
@SuppressWarnings("InputStreamSlowMultibyteRead") // streams that come byte by byte
abstract class StreamContract extends CacheFixture {
    private static final int BOUND = 32_768;

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private void write(Object key, byte[] content) {
        cache.write(key, new ByteArrayInputStream(content));
    }

    private byte[] read(Object key) {
        try (InputStream in = Objects.requireNonNull(cache.read(key), "absent: " + key)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Hands out some bytes and then throws. */
    static InputStream broken(int length, IOException thrown) {
        return new InputStream() {
            private int left = length;

            @Override
            public int read() throws IOException {
                if (left-- > 0) {
                    return 'x';
                }
                throw thrown;
            }
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100, BOUND - 1, BOUND, BOUND + 1, 1 << 20, 10_000_019})
    void whatIsWrittenComesBackAsStreamAndAsArray(int length) throws IOException {
        byte[] content = bytes(length);
        write("a", content);
        assertArrayEquals(content, read("a"));
        assertArrayEquals(content, cache.get("a", byte[].class));
        assertArrayEquals(content, (byte[]) cache.get("a"));
        assertThrows(CodecException.class, () -> cache.get("a", String.class));
    }

    @Test
    void aStreamThatComesInDribsIsReadToItsEndAndNotClosed() {
        byte[] content = bytes(100_000);
        boolean[] closed = {false};
        InputStream dribs = new FilterInputStream(new ByteArrayInputStream(content)) {
            @Override
            public int read(byte[] b, int off, int len) throws IOException {
                return super.read(b, off, Math.min(len, 1 + len / 7));
            }

            @Override
            public int available() {
                return 0;
            }

            @Override
            public void close() {
                closed[0] = true;
            }
        };
        cache.write("a", dribs);
        assertArrayEquals(content, read("a"));
        assertFalse(closed[0]);
    }

    @Test
    void writeTakesOptionsAndReplacesWhatIsThere() {
        cache.set("a", "x".repeat(BOUND), EntryOptions.none().tag("old"));
        cache.write("a", new ByteArrayInputStream(bytes(5)), FOR_AN_HOUR.tag("new"));
        Cache.Entry<byte[]> entry = cache.entry("a", byte[].class).orElseThrow();
        assertArrayEquals(bytes(5), entry.value());
        assertEquals(Optional.of("new"), entry.tag());
        assertTrue(entry.expiry().isPresent());
        assertTrue(valueFiles().size() <= 1);
        cache.set("a", 1);
        assertEquals(List.of(), valueFiles());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 10, 100_000})
    void aStreamThatThrowsLeavesWhatWasThere(int length) {
        cache.set("a", "old");
        IOException thrown = new IOException("no");
        for (Object key : List.of("a", "b")) {
            CacheException e = assertThrows(CacheException.class, () -> cache.write(key, broken(length, thrown)));
            assertSame(thrown, e.getCause());
        }
        assertEquals("old", cache.get("a"));
        assertFalse(cache.containsKey("b"));
        assertEquals(List.of(), valueFiles());
        assertEquals(0, valueFolders());
    }

    @Test
    void aTimeOutForEverIsOneForStreamsToo() {
        create(options -> options.timeout(ChronoUnit.FOREVER.getDuration()));
        write("a", new byte[] {1});
        cache.push(new ByteArrayInputStream(new byte[] {2}), null, Side.BACK, EntryOptions.none());
        assertArrayEquals(new byte[] {1}, cache.get("a", byte[].class));
        assertEquals(2, cache.size());
    }

    @Test
    void aStreamThatThrowsUncheckedLeavesNothing() {
        IllegalStateException thrown = new IllegalStateException("no");
        InputStream in = new InputStream() {
            @Override
            public int read() {
                throw thrown;
            }
        };
        RuntimeException e = assertThrows(RuntimeException.class, () -> cache.write("a", in));
        assertSame(thrown, e instanceof CacheException ? e.getCause() : e);
        assertFalse(cache.containsKey("a"));
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void aStreamThatThrowsInATransactionRollsItBack() {
        cache.set("a", "x".repeat(BOUND));
        List<Path> before = valueFiles();
        IOException thrown = new IOException("no");
        Runnable body = () -> {
            cache.delete("a");
            cache.write("b", new ByteArrayInputStream(bytes(BOUND)));
            cache.write("c", broken(BOUND, thrown));
        };
        assertThrows(CacheException.class, () -> cache.transact(body));
        assertEquals(before, valueFiles());
        assertTrue(cache.containsKey("a"));
        assertFalse(cache.containsKey("b") || cache.containsKey("c"));
    }

    @Test
    void streamsOfARolledBackTransactionAreGoneAndTheOldOnesIntact() {
        write("a", bytes(BOUND));
        List<Path> before = valueFiles();
        Runnable body = () -> {
            write("a", bytes(5));
            assertArrayEquals(bytes(5), read("a"));
            write("b", bytes(BOUND));
            assertArrayEquals(bytes(BOUND), read("b"));
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        assertArrayEquals(bytes(BOUND), read("a"));
        assertNull(cache.read("b"));
        assertEquals(before, valueFiles());
    }

    /** If the stream were read inside the transaction, its own call would wait for itself or join. */
    @Test
    void othersNeedNotWaitForTheEndOfAStream() {
        InputStream slow = new InputStream() {
            private int left = 3;

            @Override
            public int read() {
                if (left == 0) {
                    return -1;
                }
                left--;
                Thread other = new Thread(() -> cache.incr("other"));
                other.start();
                try {
                    other.join(20_000);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return other.isAlive() ? -1 : 'x';
            }
        };
        cache.write("a", slow);
        assertArrayEquals("xxx".getBytes(StandardCharsets.UTF_8), cache.get("a", byte[].class));
        assertEquals(3L, cache.get("other"));
    }

    @Test
    void textIsReadAsUtf8AndBytesAsTheyAre() {
        String text = "häßlich \uD83D\uDE00";
        cache.set("text", text);
        cache.set("large", text.repeat(10_000));
        cache.set("empty", "");
        cache.set("bytes", bytes(10));
        cache.set("file", bytes(BOUND));
        cache.set("list", List.of("ü"));
        assertEquals(text, new String(read("text"), StandardCharsets.UTF_8));
        assertEquals(text.repeat(10_000), new String(read("large"), StandardCharsets.UTF_8));
        assertArrayEquals(new byte[0], read("empty"));
        assertArrayEquals(bytes(10), read("bytes"));
        assertArrayEquals(bytes(BOUND), read("file"));
        assertEquals("[\"ü\"]", new String(read("list"), StandardCharsets.UTF_8));
    }

    @Test
    void aNumberIsNoStream() {
        cache.set("long", 1);
        cache.set("double", 1.5);
        for (String key : List.of("long", "double")) {
            String message =
                    assertThrows(CodecException.class, () -> cache.read(key)).getMessage();
            assertTrue(message.contains("'" + key + "'"), message);
        }
    }

    @Test
    void whatIsAbsentOrExpiredIsNull() {
        assertNull(cache.read("a"));
        setExpired("a", bytes(BOUND));
        assertNull(cache.read("a"));
    }

    @Test
    void aStreamShowsTheValueAsItWasWhenItWasOpened() throws IOException {
        for (int length : new int[] {10, BOUND, 3_000_000}) {
            byte[] content = bytes(length);
            write("replaced", content);
            write("deleted", content);
            write("popped", content);
            try (InputStream replaced = cache.read("replaced");
                    InputStream deleted = cache.read("deleted");
                    InputStream popped = cache.read("popped")) {
                assertEquals(content[0] & 0xff, replaced.read());
                cache.set("replaced", "x".repeat(BOUND));
                cache.delete("deleted");
                cache.pop("popped", byte[].class);
                assertArrayEquals(java.util.Arrays.copyOfRange(content, 1, length), replaced.readAllBytes());
                assertArrayEquals(content, deleted.readAllBytes());
                assertArrayEquals(content, popped.readAllBytes());
            }
        }
    }

    @Test
    void aStreamCanBeSkippedLeftHalfReadAndClosedTwice() throws IOException {
        byte[] content = bytes(100_000);
        write("a", content);
        InputStream in = cache.read("a");
        assertEquals(50_000, in.skip(50_000));
        byte[] next = in.readNBytes(10);
        assertArrayEquals(java.util.Arrays.copyOfRange(content, 50_000, 50_010), next);
        in.close();
        in.close();
        assertTrue(cache.delete("a"));
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void manyStreamsMayBeOpenAtOnce() throws IOException {
        List<InputStream> open = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                write("key" + i, bytes(BOUND + i));
                open.add(cache.read("key" + i));
            }
            cache.clear();
            for (int i = 0; i < 100; i++) {
                assertArrayEquals(bytes(BOUND + i), open.get(i).readAllBytes());
            }
        } finally {
            for (InputStream in : open) {
                in.close();
            }
        }
    }

    @Test
    void aStreamMayBeReadIntoAnotherEntry() throws IOException {
        write("a", bytes(200_000));
        try (InputStream in = cache.read("a")) {
            cache.write("b", in);
        }
        try (InputStream in = cache.read("b")) {
            cache.write("b", in);
        }
        assertArrayEquals(bytes(200_000), read("b"));
    }
}

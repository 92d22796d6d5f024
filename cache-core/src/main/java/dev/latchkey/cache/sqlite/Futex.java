package dev.latchkey.cache.sqlite;

import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Linux's futex: sleeping until a word of shared memory changes. The only native calls of the library. The shared (not the
 * private) operations, because the word lies in a file that several processes have mapped.
 */
final class Futex {
    private static final String ENABLED = "dev.latchkey.futex";
    private static final long WAIT = 0;
    private static final long WAKE = 1;
    private static final long EAGAIN = 11;
    private static final long NUMBER = number();
    private static final boolean AVAILABLE = isAvailableHere();

    private Futex() {}

    private static native long syscall(
            long number,
            Pointer word,
            long operation,
            long value,
            long @Nullable [] timeout,
            @Nullable Pointer word2,
            long value3);

    static boolean isAvailable() {
        return AVAILABLE;
    }

    static void await(ByteBuffer memory, int offset, int expected, long nanos) {
        long[] timeout = {nanos / TimeUnit.SECONDS.toNanos(1), nanos % TimeUnit.SECONDS.toNanos(1)};
        syscall(NUMBER, word(memory, offset), WAIT, expected & 0xffff_ffffL, timeout, null, 0);
    }

    static void wakeAll(ByteBuffer memory, int offset) {
        syscall(NUMBER, word(memory, offset), WAKE, Integer.MAX_VALUE, null, null, 0);
    }

    private static Pointer word(ByteBuffer memory, int offset) {
        return Native.getDirectBufferPointer(memory).share(offset);
    }

    private static long number() {
        String processor = System.getProperty("os.arch", "");
        return switch (processor) {
            case "amd64", "x86_64" -> 202;
            case "aarch64" -> 98;
            default -> -1;
        };
    }

    /** A sandbox may forbid the call, so it is tried: a wait for a value the word does not have must come back at once. */
    private static boolean isAvailableHere() {
        if (NUMBER < 0 || !Boolean.parseBoolean(System.getProperty(ENABLED, "true"))) {
            return false;
        }
        try {
            if (!Platform.isLinux()) {
                return false;
            }
            Native.register(Futex.class, "c");
            ByteBuffer memory = ByteBuffer.allocateDirect(Integer.BYTES);
            long[] second = {1, 0};
            return syscall(NUMBER, Native.getDirectBufferPointer(memory), WAIT, 1, second, null, 0) == -1
                    && Native.getLastError() == EAGAIN;
        } catch (LinkageError | RuntimeException e) {
            return false;
        }
    }
}

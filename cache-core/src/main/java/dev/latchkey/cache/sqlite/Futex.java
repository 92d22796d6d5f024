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
            long number, long word, long operation, long value, long @Nullable [] timeout, long word2, long value3);

    static boolean isAvailable() {
        return AVAILABLE;
    }

    /** Where shared memory lies; the buffer must be kept as long as the address is used. */
    static long address(ByteBuffer memory) {
        return Pointer.nativeValue(Native.getDirectBufferPointer(memory));
    }

    static void await(long word, int expected, long nanos) {
        long[] timeout = {nanos / TimeUnit.SECONDS.toNanos(1), nanos % TimeUnit.SECONDS.toNanos(1)};
        syscall(NUMBER, word, WAIT, expected & 0xffff_ffffL, timeout, 0, 0);
    }

    static void wakeAll(long word) {
        syscall(NUMBER, word, WAKE, Integer.MAX_VALUE, null, 0, 0);
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
            return syscall(NUMBER, address(memory), WAIT, 1, second, 0, 0) == -1 && Native.getLastError() == EAGAIN;
        } catch (LinkageError | RuntimeException e) {
            return false;
        }
    }
}

package dev.latchkey.benchmark;

import java.util.Optional;

/** What one thread does again and again while it is measured. It checks what it gets, so that nothing empty is measured. */
interface Operation {
    /** From now on it is measured. */
    default void begin() {}

    /** Does it once; answers a number that depends on the outcome, so that no compiler takes it away. */
    long run() throws Exception;

    /** Does it once; answers for how many nanoseconds the caller had to wait, which may be less than the whole. */
    default long timed() throws Exception {
        long start = System.nanoTime();
        run();
        return System.nanoTime() - start;
    }

    /** Much the same where no other process is in the way, so that it is compiled sooner. */
    default Optional<Operation> alone() {
        return Optional.empty();
    }

    /** The last entry of which a {@code set} has returned: key, {@code =} and value. */
    default Optional<String> last() {
        return Optional.empty();
    }
}

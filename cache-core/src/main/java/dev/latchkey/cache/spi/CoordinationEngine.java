package dev.latchkey.cache.spi;

import dev.latchkey.cache.Codec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Function;

/**
 * What an engine offers to coordination; reached through {@code cache.unwrap(CoordinationEngine.class)}. All caches on one
 * directory in one process share one, and it lives until the last of them is closed.
 */
public interface CoordinationEngine {
    /**
     * The states of all names.
     *
     * @return the state store
     */
    StateStore states();

    /**
     * The wake-ups.
     *
     * @return the signal
     */
    Signal signal();

    /**
     * Who is alive.
     *
     * @return the sessions
     */
    Sessions sessions();

    /**
     * The clocks.
     *
     * @return the host's clocks
     */
    HostClock clock();

    /**
     * How values become columns.
     *
     * @return the codec of the directory
     */
    Codec codec();

    /**
     * Where it all lies.
     *
     * @return the directory
     */
    Path directory();

    /**
     * Throws if the directory was removed or replaced since it was opened; asked before a grant is handed out.
     *
     * @throws dev.latchkey.cache.CacheReplacedException if it was
     */
    void requireInPlace();

    /**
     * Throws if the engine is closed.
     *
     * @throws dev.latchkey.cache.CacheClosedException if it is
     */
    void requireOpen();

    /**
     * Throws if the disk is too full to store something more. The space that is left is kept for releases and the like.
     *
     * @throws dev.latchkey.cache.CacheFullException if it is
     */
    void requireSpace();

    /**
     * The one object of a type that belongs to this engine, made when first asked for and closed before the session ends.
     *
     * @param <T> its type
     * @param type its type
     * @param factory makes it
     * @return the one object
     */
    <T extends AutoCloseable> T attachment(Class<T> type, Function<CoordinationEngine, T> factory);

    /**
     * Runs a task on the engine's own thread, soon after {@code delay}. The task must not block for long.
     *
     * @param task what to run
     * @param delay when
     */
    void schedule(Runnable task, Duration delay);
}

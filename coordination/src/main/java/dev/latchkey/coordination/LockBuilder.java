package dev.latchkey.coordination;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Builds a {@link Lock} or an {@link RLock} with options, which are those of the object and not of the name.
 *
 * <pre>{@code
 * Lock lock = Lock.builder(cache, "report").lease(Duration.ofMinutes(1)).onLost(e -> stop()).build();
 * }</pre>
 *
 * <p>A builder belongs to one thread at a time and may be used again.
 *
 * @param <L> what it builds
 */
public final class LockBuilder<L> {
    private final Function<LockOptions, L> make;
    private LockOptions options = LockOptions.NONE;

    LockBuilder(Function<LockOptions, L> make) {
        this.make = make;
    }

    /**
     * Limits how long the lock is held by whoever acquires it through this object. Without a lease it is held until it is
     * released or its process dies. A reentrant acquisition does not prolong it.
     *
     * @param lease how long, from before it was (first) asked for, on a clock that no change of the wall clock moves; positive
     * @return this builder
     * @throws IllegalArgumentException if it is zero or negative
     */
    public LockBuilder<L> lease(Duration lease) {
        options = options.withLease(lease);
        return this;
    }

    /**
     * Is told, once and on an engine thread that does nothing else, if a lock that was acquired through this object is lost
     * before it is released.
     *
     * @param listener what to call
     * @return this builder
     */
    public LockBuilder<L> onLost(Consumer<LockLostException> listener) {
        options = options.withOnLost(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * The lock.
     *
     * @return a lock with these options
     */
    public L build() {
        return make.apply(options);
    }
}

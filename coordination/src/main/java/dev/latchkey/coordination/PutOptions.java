package dev.latchkey.coordination;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How an item is put into a {@link WorkQueue}: its priority, when it may be claimed, and what makes it the same as another.
 * Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * queue.put(page, PutOptions.none().priority(5).delay(Duration.ofMinutes(1)).dedupKey(page.url()));
 * }</pre>
 */
public final class PutOptions {
    private static final PutOptions NONE = new PutOptions(Duration.ZERO, 0, null);

    private final Duration delay;
    private final int priority;
    private final @Nullable String dedupKey;

    private PutOptions(Duration delay, int priority, @Nullable String dedupKey) {
        this.delay = delay;
        this.priority = priority;
        this.dedupKey = dedupKey;
    }

    /**
     * No delay, priority 0, and like no other item.
     *
     * @return the options every other combination starts from
     */
    public static PutOptions none() {
        return NONE;
    }

    /**
     * Keeps the item from being claimed for some time, by the wall clock. Then it stands where it would stand without.
     *
     * @param duration zero or more, to the millisecond; there is no upper bound
     * @return a copy that waits
     * @throws IllegalArgumentException if the duration is negative
     */
    public PutOptions delay(Duration duration) {
        return new PutOptions(requireDelay(duration), priority, dedupKey);
    }

    /**
     * Puts the item before all of a lower priority, and behind those of the same that were put earlier.
     *
     * @param value higher is claimed first; may be negative
     * @return a copy with the priority
     */
    public PutOptions priority(int value) {
        return new PutOptions(delay, value, dedupKey);
    }

    /**
     * Makes it the same as any other item of the queue with this key: nothing is put while such a one waits or is claimed. Once
     * it is acknowledged, or a dead letter, the key is free.
     *
     * @param key 1 to 1000 characters
     * @return a copy with the key
     * @throws IllegalArgumentException if the key is empty, too long, or contains half a character (an unpaired surrogate)
     */
    public PutOptions dedupKey(String key) {
        return new PutOptions(delay, priority, Names.require("dedupKey", key));
    }

    static Duration requireDelay(Duration delay) {
        if (delay.isNegative()) {
            throw new IllegalArgumentException("delay must be >= 0, was " + delay);
        }
        return delay;
    }

    /**
     * How long the item cannot be claimed.
     *
     * @return zero or more
     */
    public Duration delay() {
        return delay;
    }

    /**
     * Its priority.
     *
     * @return higher is claimed first
     */
    public int priority() {
        return priority;
    }

    /**
     * What makes it the same as another.
     *
     * @return the key, or empty
     */
    public Optional<String> dedupKey() {
        return Optional.ofNullable(dedupKey);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PutOptions that
                && delay.equals(that.delay)
                && priority == that.priority
                && Objects.equals(dedupKey, that.dedupKey);
    }

    @Override
    public int hashCode() {
        return Objects.hash(delay, priority, dedupKey);
    }

    @Override
    public String toString() {
        return "PutOptions[delay=" + delay + ", priority=" + priority + ", dedupKey=" + dedupKey + "]";
    }
}

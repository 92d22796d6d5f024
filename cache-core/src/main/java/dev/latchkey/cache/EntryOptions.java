package dev.latchkey.cache;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How an entry is stored: when it expires, its tag, and whether it may be evicted. Immutable: each method returns a
 * changed copy.
 *
 * <pre>{@code
 * cache.set("report", text, EntryOptions.none().tag("daily").expireAfter(Duration.ofHours(24)));
 * }</pre>
 */
public final class EntryOptions {
    private static final EntryOptions NONE = new EntryOptions(null, null, false);

    private final @Nullable Duration expireAfter;
    private final @Nullable Object tag;
    private final boolean pinned;

    private EntryOptions(@Nullable Duration expireAfter, @Nullable Object tag, boolean pinned) {
        this.expireAfter = expireAfter;
        this.tag = tag;
        this.pinned = pinned;
    }

    /**
     * Never expires, has no tag, may be evicted.
     *
     * @return the options every other combination starts from
     */
    public static EntryOptions none() {
        return NONE;
    }

    /**
     * Lets the entry expire some time after it is stored.
     *
     * @param duration greater than zero; there is no upper bound
     * @return a copy that expires
     * @throws IllegalArgumentException if the duration is zero or negative
     */
    public EntryOptions expireAfter(Duration duration) {
        if (duration.isZero() || duration.isNegative()) {
            throw new IllegalArgumentException("expireAfter must be > 0, was " + duration);
        }
        return new EntryOptions(duration, tag, pinned);
    }

    /**
     * Groups the entry with others of the same tag, so that they can be evicted together. Integers of all sizes are
     * one kind of tag, and so are {@code float} and {@code double}; an array is copied.
     *
     * @param value a {@code String}, an integer of up to 64 bits, a {@code float} or {@code double}, or a
     *     {@code byte[]}
     * @return a copy that has the tag
     * @throws IllegalArgumentException if the value is of another type, is NaN, or is a string with an unpaired
     *     surrogate, none of which the database can hold
     */
    public EntryOptions tag(Object value) {
        return new EntryOptions(expireAfter, copyOf(Column.of("tag", value)), pinned);
    }

    /**
     * Keeps the entry from being evicted for lack of space. It still expires, and can be deleted.
     *
     * @return a copy that is pinned
     */
    public EntryOptions pinned() {
        return new EntryOptions(expireAfter, tag, true);
    }

    /**
     * After what time the entry expires.
     *
     * @return the duration, or empty if it never expires
     */
    public Optional<Duration> expireAfter() {
        return Optional.ofNullable(expireAfter);
    }

    /**
     * The tag as it is stored.
     *
     * @return a {@code String}, {@code Long}, {@code Double} or a copy of the {@code byte[]}, or empty
     */
    public Optional<Object> tag() {
        return tag == null ? Optional.empty() : Optional.of(copyOf(tag));
    }

    /**
     * Whether eviction spares the entry.
     *
     * @return true if it is pinned
     */
    public boolean isPinned() {
        return pinned;
    }

    private static Object copyOf(Object tag) {
        return tag instanceof byte[] bytes ? bytes.clone() : tag;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof EntryOptions that
                && pinned == that.pinned
                && Objects.equals(expireAfter, that.expireAfter)
                && Objects.deepEquals(tag, that.tag);
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(new @Nullable Object[] {expireAfter, tag, pinned});
    }

    @Override
    public String toString() {
        return "EntryOptions[expireAfter=" + expireAfter + ", tag=" + Column.describe(tag) + ", pinned=" + pinned + "]";
    }
}

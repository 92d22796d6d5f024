package dev.latchkey.cache;

import java.util.Objects;

/**
 * How many items a {@link Deque} may hold, and what becomes of one too many.
 *
 * <pre>{@code
 * Deque<String> urls = Deque.builder(cache, "urls", String.class).bound(Bound.capacity(1_000)).build();
 * }</pre>
 *
 * @param kind what happens when it is reached
 * @param items how many items there may be; 0 if there is no bound
 */
public record Bound(Kind kind, int items) {
    /** What happens when the bound is reached. */
    public enum Kind {
        /** There is none. */
        NONE,
        /** An insertion waits or is refused, as {@link java.util.concurrent.BlockingDeque} says. */
        CAPACITY,
        /** An insertion drops an item at the other end, as python-diskcache does. */
        MAXLEN
    }

    private static final Bound NO_BOUND = new Bound(Kind.NONE, 0);

    /**
     * Checks the number.
     *
     * @param kind what happens when it is reached
     * @param items more than 0, or 0 if there is no bound
     * @throws IllegalArgumentException if it is not
     */
    public Bound {
        Objects.requireNonNull(kind, "kind");
        if (kind == Kind.NONE ? items != 0 : items < 1) {
            throw new IllegalArgumentException(kind.name().toLowerCase(java.util.Locale.ROOT)
                    + (kind == Kind.NONE ? " has no number" : " must be > 0") + ", was " + items);
        }
    }

    /**
     * As many items as the disk holds.
     *
     * @return no bound
     */
    public static Bound none() {
        return NO_BOUND;
    }

    /**
     * An insertion into a full deque waits or is refused.
     *
     * @param items how many items there may be
     * @return the bound
     * @throws IllegalArgumentException if it is zero or negative
     */
    public static Bound capacity(int items) {
        return new Bound(Kind.CAPACITY, items);
    }

    /**
     * An insertion into a full deque drops an item at the other end.
     *
     * @param items how many items there may be
     * @return the bound
     * @throws IllegalArgumentException if it is zero or negative
     */
    public static Bound maxlen(int items) {
        return new Bound(Kind.MAXLEN, items);
    }

    /** As it is stored and shown: {@code capacity 1000}, {@code maxlen 1000} or {@code none}. */
    @Override
    public String toString() {
        String word = kind.name().toLowerCase(java.util.Locale.ROOT);
        return kind == Kind.NONE ? word : word + " " + items;
    }

    /**
     * Reads what {@link #toString()} has written.
     *
     * @param text the stored form
     * @return the bound
     * @throws IllegalArgumentException if it is no such form
     */
    public static Bound parse(String text) {
        String[] parts = text.split(" ", -1);
        Kind kind = Kind.valueOf(parts[0].toUpperCase(java.util.Locale.ROOT));
        return parts.length == 1 ? new Bound(kind, 0) : new Bound(kind, Integer.parseInt(parts[1]));
    }
}

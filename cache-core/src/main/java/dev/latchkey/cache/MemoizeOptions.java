package dev.latchkey.cache;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * How results are remembered. Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * MemoizeOptions options = MemoizeOptions.none().expireAfter(Duration.ofHours(1)).ignore(1).cacheIf(page -> page != NOT_FOUND);
 * }</pre>
 */
public final class MemoizeOptions {
    private static final MemoizeOptions NONE = new MemoizeOptions(EntryOptions.none(), Set.of(), result -> true, false);

    private final EntryOptions entryOptions;
    private final Set<Integer> ignored;
    private final Predicate<Object> cacheIf;
    private final boolean cacheNulls;

    private MemoizeOptions(
            EntryOptions entryOptions, Set<Integer> ignored, Predicate<Object> cacheIf, boolean cacheNulls) {
        this.entryOptions = entryOptions;
        this.ignored = ignored;
        this.cacheIf = cacheIf;
        this.cacheNulls = cacheNulls;
    }

    /**
     * Results do not expire, have no tag, depend on all arguments, and are remembered unless they are null.
     *
     * @return the options every other combination starts from
     */
    public static MemoizeOptions none() {
        return NONE;
    }

    /**
     * Lets a result expire some time after it was stored.
     *
     * @param duration greater than zero; there is no upper bound
     * @return a copy whose results expire
     * @throws IllegalArgumentException if the duration is zero or negative
     */
    public MemoizeOptions expireAfter(Duration duration) {
        return new MemoizeOptions(entryOptions.expireAfter(duration), ignored, cacheIf, cacheNulls);
    }

    /**
     * Groups the results with other entries of the same tag, so that they can be evicted together.
     *
     * @param tag as {@link EntryOptions#tag} takes it
     * @return a copy whose results have the tag
     */
    public MemoizeOptions tag(Object tag) {
        return new MemoizeOptions(entryOptions.tag(tag), ignored, cacheIf, cacheNulls);
    }

    /**
     * Leaves arguments out of the key: what the result does not depend on, as a connection or a logger, or what cannot be written as
     * JSON.
     *
     * @param positions which ones, 0 for the first; a position that no call has is ignored as well
     * @return a copy that ignores these and no others
     * @throws IllegalArgumentException if a position is negative
     */
    public MemoizeOptions ignore(int... positions) {
        Set<Integer> all = new TreeSet<>();
        for (int position : positions) {
            if (position < 0) {
                throw new IllegalArgumentException("position must be >= 0, was " + position);
            }
            all.add(position);
        }
        return new MemoizeOptions(entryOptions, Set.copyOf(all), cacheIf, cacheNulls);
    }

    /**
     * Remembers only some results; the others are computed each time. It is not asked about null, see {@link #cacheNulls}.
     *
     * @param predicate whether to remember a result
     * @return a copy that asks
     */
    public MemoizeOptions cacheIf(Predicate<Object> predicate) {
        return new MemoizeOptions(entryOptions, ignored, Objects.requireNonNull(predicate, "predicate"), cacheNulls);
    }

    /**
     * Remembers null as a result like any other.
     *
     * @return a copy that does
     */
    public MemoizeOptions cacheNulls() {
        return new MemoizeOptions(entryOptions, ignored, cacheIf, true);
    }

    /**
     * How results are stored.
     *
     * @return expiry and tag
     */
    public EntryOptions entryOptions() {
        return entryOptions;
    }

    /**
     * Whether a result is remembered.
     *
     * @param result what was computed
     * @return what {@link #cacheIf} and {@link #cacheNulls} say
     */
    public boolean isCached(@Nullable Object result) {
        return result == null ? cacheNulls : cacheIf.test(result);
    }

    /** The arguments that count; an ignored one is null, so that the others keep their positions. */
    @Nullable
    Object[] counting(@Nullable Object... arguments) {
        @Nullable Object[] counting = Arrays.copyOf(arguments, arguments.length);
        ignored.stream().filter(position -> position < counting.length).forEach(position -> counting[position] = null);
        return counting;
    }

    @Override
    public String toString() {
        return "MemoizeOptions[" + entryOptions + ", ignored=" + new TreeSet<>(ignored) + ", cacheNulls=" + cacheNulls
                + "]";
    }
}

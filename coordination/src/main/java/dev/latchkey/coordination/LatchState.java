package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A count that goes down to zero, and all that can happen to it.
 *
 * <pre>
 *   (nothing)  -> round 1, count = initial      the first object of the name
 *   count      -> count - 1                     countDown; of a participant that has not counted in this round yet
 *   count 1    -> 0, nobody listed              the same: the latch is open, and whoever waits is woken
 *   count 0    -> round + 1, count = initial    trySetCount
 * </pre>
 *
 * <p>Written as {@code "3 10 7 a b%20c"}: the third round, which began with ten, has seven to go; of those that have counted two
 * have said who they are. It belongs to no session: what was counted stays counted when its process dies.
 */
record LatchState(long round, long initial, long count, Set<String> counted) {
    static final String KIND = "latch";

    /** What is stored, or a latch as new if nothing is: the first one made, or one that was deleted since. */
    static LatchState of(State state, long initial) {
        if (!state.exists()) {
            return new LatchState(1, initial, initial, Set.of());
        }
        String[] words = state.detail().split(" ", -1);
        Set<String> counted = new LinkedHashSet<>();
        for (String name : List.of(words).subList(3, words.length)) {
            counted.add(Arrival.unescaped(name));
        }
        return new LatchState(Long.parseLong(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]), counted);
    }

    static Decision<LatchState> found(State from, long initial) {
        return decide(from, of(from, initial), of(from, initial));
    }

    /** Whether it counted; who says who it is counts once in a round. */
    static Decision<Boolean> countDown(State from, long initial, @Nullable String participant) {
        LatchState state = of(from, initial);
        boolean counts = state.count > 0 && (participant == null || !state.counted.contains(participant));
        return decide(from, counts ? state.less(participant) : state, counts);
    }

    private LatchState less(@Nullable String participant) {
        if (count == 1) {
            return new LatchState(round, initial, 0, Set.of());
        }
        Set<String> more = new LinkedHashSet<>(counted);
        if (participant != null) {
            more.add(participant);
        }
        return new LatchState(round, initial, count - 1, more);
    }

    /** Whether a new round has begun; not before the last one is over. */
    static Decision<Boolean> trySetCount(State from, long initial, long next) {
        LatchState state = of(from, initial);
        return state.count == 0
                ? decide(from, new LatchState(state.round + 1, next, next, Set.of()), true)
                : decide(from, state, false);
    }

    private static <R> Decision<R> decide(State from, LatchState next, R result) {
        Decision<R> decision = Decision.store(from.withDetail(next.toString()), result);
        return next.count == 0 && decision.changes(from) ? decision.ringing(from.name()) : decision;
    }

    /** Whether whoever has waited since a round need not wait any more; a latch that was made anew begins with the first round. */
    boolean isOpenSince(long began) {
        return count == 0 || round > began;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder()
                .append(round)
                .append(' ')
                .append(initial)
                .append(' ')
                .append(count);
        counted.forEach(name -> text.append(' ').append(Arrival.escaped(name)));
        return text.toString();
    }
}

package dev.latchkey.cache.spi;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What a {@link Transition} wants done: the next state, and what goes with it in the same transaction.
 *
 * @param <R> what the caller learns
 * @param next the state to store; equal to what was passed in when nothing is to be written
 * @param result the answer for the caller, handed out only after the commit
 * @param grantsTo the session that gains something and must not be marked dead, 0 if none
 * @param dead sessions found dead, marked so in the same transaction
 * @param rings names whose waiters are woken after the commit
 */
public record Decision<R>(State next, R result, long grantsTo, Set<Long> dead, List<String> rings) {

    /**
     * Whether there is something to write.
     *
     * @param from the state that was passed in
     * @return false if the next state is the same
     */
    public boolean changes(State from) {
        return !next.equals(from);
    }

    /**
     * Writes nothing.
     *
     * @param <R> what the caller learns
     * @param state the state as it was read
     * @param result the answer
     * @return a decision without a write
     */
    public static <R> Decision<R> keep(State state, R result) {
        return new Decision<>(state, result, 0, Set.of(), List.of());
    }

    /**
     * Stores a new state.
     *
     * @param <R> what the caller learns
     * @param next the new state
     * @param result the answer
     * @return a decision with a write, to be refined by the other methods
     */
    public static <R> Decision<R> store(State next, R result) {
        return new Decision<>(next, result, 0, Set.of(), List.of());
    }

    /**
     * Requires that a session is not marked dead.
     *
     * @param session the session that gains something
     * @return the refined decision
     */
    public Decision<R> grantingTo(long session) {
        return new Decision<>(next, result, session, dead, rings);
    }

    /**
     * Writes deaths down.
     *
     * @param sessions sessions whose process is dead
     * @return the refined decision
     */
    public Decision<R> burying(Set<Long> sessions) {
        return new Decision<>(next, result, grantsTo, Set.copyOf(sessions), rings);
    }

    /**
     * Wakes nobody.
     *
     * @return the refined decision
     */
    public Decision<R> silently() {
        return new Decision<>(next, result, grantsTo, dead, List.of());
    }

    /**
     * Wakes the waiters of a name after the commit.
     *
     * @param name the name to ring
     * @return the refined decision
     */
    public Decision<R> ringing(String name) {
        if (rings.contains(name)) {
            return this;
        }
        List<String> more = new ArrayList<>(rings);
        more.add(name);
        return new Decision<>(next, result, grantsTo, dead, List.copyOf(more));
    }
}

package dev.latchkey.cache.spi;

/**
 * A pure rule from a state to a decision. It may be applied several times, to remembered and to stored states, by any
 * thread, and only the decision that was committed counts; so it reads nothing but its arguments and changes nothing.
 *
 * @param <R> what the caller learns
 */
@FunctionalInterface
public interface Transition<R> {
    /**
     * Decides.
     *
     * @param state the state of the name, never null
     * @return what to store and what to answer
     */
    Decision<R> apply(State state);
}

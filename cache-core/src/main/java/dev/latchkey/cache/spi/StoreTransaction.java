package dev.latchkey.cache.spi;

/** What a piece of work may do inside one write transaction. */
public interface StoreTransaction {
    /**
     * Reads the state of a name.
     *
     * @param kind what the name is used as
     * @param name the name
     * @return the stored state, or an absent one
     * @throws WrongKindException if the name is in use as something else
     */
    State state(String kind, String name);

    /**
     * Applies a transition in this transaction.
     *
     * @param <R> what the caller learns
     * @param kind what the name is used as
     * @param name the name
     * @param transition the rule
     * @return the state that was stored, and the answer
     * @throws WrongKindException if the name is in use as something else
     * @throws SessionLostException if the decision grants something to a session that is marked dead
     */
    <R> Update<R> update(String kind, String name, Transition<R> transition);

    /**
     * Removes what is stored of a name; later grants of the name get greater tokens all the same.
     *
     * @param state the state as this transaction read it
     */
    void remove(State state);

    /**
     * The ordered rows, in this transaction.
     *
     * @return the item store
     */
    ItemStore items();

    /**
     * Requires that a session is not marked dead.
     *
     * @param session the session that gains something
     * @throws SessionLostException if it is
     */
    void requireAlive(long session);

    /**
     * Writes down that a session is dead; final.
     *
     * @param session a session whose process is dead
     */
    void bury(long session);

    /**
     * Wakes the waiters of a name after the commit.
     *
     * @param name the name
     */
    void ring(String name);
}

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
     * Stores a state; the version is counted by the store.
     *
     * @param state the new state
     */
    void put(State state);

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

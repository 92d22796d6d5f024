package dev.latchkey.cache.spi;

import java.util.List;

/** Ordered rows under a name, in the transaction they are reached through. */
public interface ItemStore {
    /**
     * Adds a row; its id is given by the store.
     *
     * @param item the row, id ignored
     * @return the id, or -1 if a row of the name that is not dead has its dedup key
     */
    long add(Item item);

    /**
     * What a claimer may expect.
     *
     * @param ready whether a row is ready
     * @param nextDueMillis when the next delayed row is due, perhaps in the past, or {@link Long#MAX_VALUE}
     * @param claimants the sessions that have claimed rows, each once
     */
    record Outlook(boolean ready, long nextDueMillis, List<Long> claimants) {}

    /**
     * Looks at all that may let a claimer go on, in one statement.
     *
     * @param name the name
     * @return what there is
     */
    Outlook outlook(String name);

    /**
     * The first rows that are ready: highest priority, then lowest id.
     *
     * @param name the name
     * @param most how many at most
     * @return the rows, with their values
     */
    List<Item> ready(String name, int most);

    /**
     * Makes delayed rows that are due ready, earliest first.
     *
     * @param name the name
     * @param nowMillis the wall clock
     * @param most how many at most
     * @return how many
     */
    int makeReady(String name, long nowMillis, int most);

    /**
     * Replaces all of a row but its value and what never changes, if it still has the status, the claim and the instant that it
     * had, and no other row that is not dead has its dedup key.
     *
     * @param from the row as it was read or stored
     * @param to the new content of the row
     * @return whether it was replaced
     */
    boolean replace(Item from, Item to);

    /**
     * Removes a row, if it still has the status, the claim and the instant that it had.
     *
     * @param item the row as it was read or stored
     * @return whether it was removed
     */
    boolean remove(Item item);

    /**
     * Removes some rows of a name that stand in a status.
     *
     * @param name the name
     * @param status where they stand
     * @param most how many at most
     * @return how many
     */
    int removeSome(String name, Item.Status status, int most);

    /**
     * The sessions that have claimed rows of a name.
     *
     * @param name the name
     * @return each once
     */
    List<Long> claimants(String name);

    /**
     * The rows of a name that a session has claimed, oldest first.
     *
     * @param name the name
     * @param session the session
     * @return the rows, without their values
     */
    List<Item> claimedBy(String name, long session);

    /**
     * The claimed rows of all names, by name and oldest first.
     *
     * @return the rows, without their values
     */
    List<Item> claimed();

    /**
     * Some of the dead rows of a name, by id.
     *
     * @param name the name
     * @param behind only rows with a greater id
     * @param most how many at most
     * @return the rows, with their values
     */
    List<Item> dead(String name, long behind, int most);

    /**
     * How many rows of a name stand in a status.
     *
     * @param name the name
     * @param status where they stand
     * @return the count
     */
    long count(String name, Item.Status status);

    /**
     * How many delayed rows of a name are not yet due.
     *
     * @param name the name
     * @param nowMillis the wall clock
     * @return the count
     */
    long countDelayed(String name, long nowMillis);
}

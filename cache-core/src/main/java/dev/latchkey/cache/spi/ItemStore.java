package dev.latchkey.cache.spi;

import java.util.List;
import java.util.Optional;

/** Ordered rows under a name, in the transaction they are reached through. */
public interface ItemStore {
    /**
     * Adds a row; its id is given by the store.
     *
     * @param item the row, id ignored
     * @return the id, or -1 if the name already has a row with its dedup key
     */
    long add(Item item);

    /**
     * The first ready row: highest priority, then lowest id, of those that are due.
     *
     * @param name the name
     * @param nowMillis the wall clock
     * @return the row
     */
    Optional<Item> firstReady(String name, long nowMillis);

    /**
     * When the next row that is not yet due becomes due.
     *
     * @param name the name
     * @param nowMillis the wall clock
     * @return the earliest later due time, or {@link Long#MAX_VALUE}
     */
    long nextDueMillis(String name, long nowMillis);

    /**
     * Reads one row.
     *
     * @param id the row
     * @return the row, if it is still there
     */
    Optional<Item> get(long id);

    /**
     * Replaces a row.
     *
     * @param item the new content of the row with its id
     */
    void put(Item item);

    /**
     * Removes a row.
     *
     * @param id the row
     */
    void remove(long id);

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
     * @return the rows
     */
    List<Item> claimedBy(String name, long session);

    /**
     * The claimed rows of all names, by name and oldest first.
     *
     * @return the rows
     */
    List<Item> claimed();

    /**
     * The names that have rows.
     *
     * @return each once, in order
     */
    List<String> names();

    /**
     * Removes all rows of a name.
     *
     * @param name the name
     */
    void removeAll(String name);

    /**
     * The rows of a name in a status, in claim order.
     *
     * @param name the name
     * @param status where they stand
     * @return the rows
     */
    List<Item> list(String name, Item.Status status);

    /**
     * How many rows of a name stand in a status.
     *
     * @param name the name
     * @param status where they stand
     * @return the count
     */
    long count(String name, Item.Status status);

    /**
     * How many ready rows of a name are not yet due.
     *
     * @param name the name
     * @param nowMillis the wall clock
     * @return the count
     */
    long countDelayed(String name, long nowMillis);
}

package dev.latchkey.cache.spi;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.Bound;
import dev.latchkey.cache.Side;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * One queue of a cache. Every call is atomic, and joins the calling thread's transaction if it has one; what it rings is rung
 * after the commit. Items whose time is over, or whose value is lost, are not there. An item that is not of the wanted type, or is
 * Python's {@code None}, is a {@link dev.latchkey.cache.CodecException} and stays.
 */
public interface StoredQueue {
    /**
     * An item as it was read.
     *
     * @param <E> the type of its value
     * @param key the key under which it stands in the cache
     * @param value its value
     * @param version tells it from another item that stands there later; the store's own
     */
    record Element<E>(Object key, E value, Object version) {}

    /**
     * How long an untimed call on the cache may wait for the database.
     *
     * @return a deadline that begins now
     * @throws dev.latchkey.cache.CacheClosedException if the cache is closed
     */
    Deadline begin();

    /**
     * The engine that holds the queue.
     *
     * @return what wakes and waits
     */
    CoordinationEngine engine();

    /**
     * What is rung when an item has come.
     *
     * @return a name for {@link Signal}
     */
    String itemName();

    /**
     * What is rung when an item has gone.
     *
     * @return a name for {@link Signal}
     */
    String roomName();

    /** Says that an item has probably come: the next {@link #pull} looks for it where it would take it from. */
    void expectItem();

    /**
     * Adds values at a side, one after the other: all of them, or none if the capacity does not allow all.
     *
     * @param values what to add
     * @param side where
     * @param deadline how long to wait for the database
     * @return whether they were added
     */
    boolean push(List<?> values, Side side, Deadline deadline);

    /**
     * Whether the capacity allows another item.
     *
     * @param deadline how long to wait for the database
     * @return false if the queue is full
     */
    boolean hasRoom(Deadline deadline);

    /**
     * Takes the first item of a side out.
     *
     * @param <E> the type of its value
     * @param side where
     * @param type the type of its value
     * @param deadline how long to wait for the database
     * @return the item, if there was one
     * @throws dev.latchkey.cache.CodecException if it is not of that type; it stays
     */
    <E> Optional<Element<E>> pull(Side side, TypeToken<E> type, Deadline deadline);

    /**
     * Reads the first item of a side, or the one that stands behind a key.
     *
     * @param <E> the type of its value
     * @param side where to begin
     * @param behind the key of an item that was read before, null for the first
     * @param type the type of its value
     * @param deadline how long to wait for the database
     * @return the item, if there is one
     */
    <E> Optional<Element<E>> next(Side side, @Nullable Object behind, TypeToken<E> type, Deadline deadline);

    /**
     * Reads an item by its position.
     *
     * @param <E> the type of its value
     * @param index 0 for the first at the front
     * @param type the type of its value
     * @param deadline how long to wait for the database
     * @return the item, if there are so many
     */
    <E> Optional<Element<E>> at(int index, TypeToken<E> type, Deadline deadline);

    /**
     * Removes an item if it still is what it was.
     *
     * @param element the item as it was read
     * @param deadline how long to wait for the database
     * @return whether it was removed
     */
    boolean remove(Element<?> element, Deadline deadline);

    /**
     * Puts another value in the place of an item that was read in the same transaction.
     *
     * @param element the item
     * @param value its new value
     * @param deadline how long to wait for the database
     */
    void replace(Element<?> element, Object value, Deadline deadline);

    /**
     * Whether there is no item.
     *
     * @param deadline how long to wait for the database
     * @return true if there is none
     */
    boolean isEmpty(Deadline deadline);

    /**
     * Counts the items.
     *
     * @param deadline how long to wait for the database
     * @return how many there are
     */
    long size(Deadline deadline);

    /**
     * Removes all items.
     *
     * @param deadline how long to wait for the database
     * @return how many there were
     */
    int clear(Deadline deadline);

    /**
     * Moves items from the back to the front, or the other way if the number is negative.
     *
     * @param steps how many; more than there are go round again
     * @param deadline how long to wait for the database
     */
    void rotate(long steps, Deadline deadline);

    /**
     * Turns the order round.
     *
     * @param deadline how long to wait for the database
     */
    void reverse(Deadline deadline);

    /**
     * How many items there may be.
     *
     * @param deadline how long to wait for the database
     * @return the stored bound, {@link Bound#none()} if none is
     */
    Bound bound(Deadline deadline);

    /**
     * Stores a bound unless there is one.
     *
     * @param wanted the bound
     * @param deadline how long to wait for the database
     * @return the bound that is stored then
     */
    Bound bind(Bound wanted, Deadline deadline);

    /**
     * Stores another bound, and drops what a new {@code maxlen} does not allow at the front.
     *
     * @param bound the bound
     * @param deadline how long to wait for the database
     */
    void alter(Bound bound, Deadline deadline);

    /**
     * Runs several calls as one transaction, see {@link dev.latchkey.cache.Cache#transact(Callable)}.
     *
     * @param <R> what it returns
     * @param body the calls
     * @return what it returned
     */
    <R> R transact(Callable<R> body);
}

package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Item;
import java.util.Objects;

/**
 * An item that this process works on. Acknowledge it when the work is done; closing it otherwise gives it back.
 *
 * <p>Any thread may use it. If the process dies the item goes to the next claimer at once.
 *
 * @param <E> the type of the item
 */
public final class Claim<E> implements AutoCloseable {
    private final WorkQueue<E> queue;
    private final Item item;
    private final E value;
    private volatile boolean ended;

    Claim(WorkQueue<E> queue, Item item, E value) {
        this.queue = queue;
        this.item = item;
        this.value = value;
    }

    /**
     * The item.
     *
     * @return what was put
     */
    public E value() {
        return value;
    }

    /**
     * How often the item was claimed, this time included.
     *
     * @return 1 the first time
     */
    public int attempt() {
        return Math.toIntExact(item.attempt());
    }

    /**
     * Says that the work is done: the item is gone. Inside a transaction it is gone if that commits.
     *
     * @throws ClaimLostException if the item is no longer claimed by this claim
     * @throws dev.latchkey.cache.CacheException if it could not be written; the item is still claimed
     */
    public void ack() {
        queue.ack(item);
        queue.afterCommit(() -> ended = true);
    }

    /**
     * Gives the item back, to be claimed again in its old place.
     *
     * @throws ClaimLostException if the item is no longer claimed by this claim
     * @throws dev.latchkey.cache.CacheException if it could not be written; the item is still claimed
     */
    public void nack() {
        nack("given back");
    }

    /**
     * Gives the item back, saying why.
     *
     * @param reason what a dead letter will show
     * @throws ClaimLostException if the item is no longer claimed by this claim
     * @throws dev.latchkey.cache.CacheException if it could not be written; the item is still claimed
     */
    public void nack(String reason) {
        queue.nack(item, Objects.requireNonNull(reason, "reason"));
        queue.afterCommit(() -> ended = true);
    }

    /** Gives the item back unless it was acknowledged or given back before; never fails because the database is busy. */
    @Override
    public void close() {
        if (!ended) {
            queue.giveBack(item, "closed without ack");
            queue.afterCommit(() -> ended = true);
            queue.afterRollback(() -> queue.giveBack(item, "closed in a transaction that was rolled back"));
        }
    }

    @Override
    public String toString() {
        return "Claim[item " + item.id() + " of " + queue.name() + ", attempt " + item.attempt() + "]";
    }
}

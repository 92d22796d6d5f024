package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Item;
import java.time.Duration;
import java.util.Objects;

/**
 * An item of a {@link WorkQueue} that this process works on. Acknowledge it when the work is done; closing it otherwise gives it
 * back.
 *
 * <pre>{@code
 * try (Claim<Page> claim = queue.claim(Duration.ofSeconds(1)).orElse(null)) {
 *     if (claim != null) {
 *         fetch(claim.value());
 *         claim.ack(); // without it, close gives the item back
 *     }
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> A claim belongs to the process, and any thread may end it. It has no time limit. It ends once: {@code ack},
 * {@code nack}, {@code deadLetter} or {@code close}, whichever comes first.
 *
 * <p><b>Blocking.</b> {@code ack}, {@code nack} and {@code deadLetter} wait for the database only, at most 60 seconds. {@code close}
 * never fails because it is busy or full: what it could not write is written as soon as it can be.
 *
 * <p><b>Crashes.</b> If the process dies, the item goes to the next claimer at once. A process that was taken for dead, or whose
 * claim was taken back by {@link Inspector#forceRelease}, is refused when it comes to end the claim.
 *
 * <p><b>Transactions.</b> Inside {@code cache.transact} all of it joins the transaction, so that the results of the work and its
 * {@code ack} are stored together or not at all. If that is rolled back the claim goes on, unless it was closed inside: then the
 * item is given back all the same.
 *
 * <p><b>Errors.</b> {@link ClaimLostException} if the claim is over, whatever ended it; {@link
 * dev.latchkey.cache.CacheClosedException} if the cache is closed; any other {@link dev.latchkey.cache.CacheException} if it
 * could not be written: then the item is still claimed.
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
        this.item = item.withoutValue();
        this.value = value;
    }

    /**
     * The number of the item, which no other item of the directory ever has; the same whenever it is claimed again.
     *
     * @return its number, greater than those of items put before
     */
    public long id() {
        return item.id();
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
     * How often the item was claimed, this time included; counted from 1 again after a redrive.
     *
     * @return 1 the first time
     */
    public int attempt() {
        return Math.toIntExact(item.attempt());
    }

    /**
     * Says that the work is done: the item is gone.
     *
     * @throws ClaimLostException if the claim is over
     */
    public void ack() {
        end(() -> queue.ack(item));
    }

    /**
     * Gives the item back, to be claimed again in its old place.
     *
     * @throws ClaimLostException if the claim is over
     */
    public void nack() {
        nack("given back");
    }

    /**
     * Gives the item back, saying why.
     *
     * @param reason what a dead letter will show
     * @throws ClaimLostException if the claim is over
     */
    public void nack(String reason) {
        nack(Duration.ZERO, reason);
    }

    /**
     * Gives the item back, to be claimed again after some time, in its old place. If this was its last attempt it becomes a
     * dead letter at once.
     *
     * @param delay zero or more, by the wall clock, to the millisecond
     * @param reason what a dead letter will show
     * @throws IllegalArgumentException if the delay is negative
     * @throws ClaimLostException if the claim is over
     */
    public void nack(Duration delay, String reason) {
        PutOptions.requireDelay(delay);
        Objects.requireNonNull(reason, "reason");
        end(() -> queue.nack(item, delay, reason));
    }

    /**
     * Gives the item up, however many attempts it has left: it becomes a dead letter.
     *
     * @param reason what the dead letter will show
     * @throws ClaimLostException if the claim is over
     */
    public void deadLetter(String reason) {
        Objects.requireNonNull(reason, "reason");
        end(() -> queue.giveUp(item, reason));
    }

    private void end(Runnable ending) {
        if (ended) {
            throw new ClaimLostException(queue.name(), item.id());
        }
        ending.run();
        queue.afterCommit(() -> ended = true);
    }

    /** Gives the item back unless the claim is over. */
    @Override
    public void close() {
        if (!ended) {
            ended = true;
            queue.giveBack(item, "closed without ack");
            queue.afterRollback(() -> queue.giveBack(item, "closed in a transaction that was rolled back"));
        }
    }

    @Override
    public String toString() {
        return "Claim[item " + item.id() + " of " + queue.name() + ", attempt " + item.attempt() + "]";
    }
}

package dev.latchkey.coordination;

import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.spi.Item;
import java.time.Instant;
import java.util.Objects;
import java.util.function.Function;

/**
 * An item of a {@link WorkQueue} that was given up, as it was when it was asked for. It stays in the queue until it is redriven
 * or deleted.
 *
 * @param <E> the type of the item
 */
public final class DeadLetter<E> {
    private final Item item;
    private final Function<Item, E> decoder;

    DeadLetter(Item item, Function<Item, E> decoder) {
        this.item = item;
        this.decoder = decoder;
    }

    Item item() {
        return item;
    }

    /**
     * The number of the item, which no other item of the directory ever has.
     *
     * @return the same as its claims had
     */
    public long id() {
        return item.id();
    }

    /**
     * The item.
     *
     * @return what was put
     * @throws CodecException if it cannot be read as an {@code E}, which may be why it was given up
     */
    public E value() {
        return decoder.apply(item);
    }

    /**
     * How often it was claimed.
     *
     * @return 1 or more
     */
    public int attempts() {
        return Math.toIntExact(item.attempt());
    }

    /**
     * Why it was given up: what was said when it was last given back.
     *
     * @return the reason
     */
    public String reason() {
        return Objects.requireNonNullElse(item.reason(), "");
    }

    /**
     * When it was given up.
     *
     * @return the instant, by the wall clock, to the millisecond
     */
    public Instant since() {
        return Instant.ofEpochMilli(item.sinceMillis());
    }

    @Override
    public String toString() {
        return "DeadLetter[item " + id() + " of " + item.name() + ", attempts " + attempts() + ", since " + since()
                + ", reason " + reason() + "]";
    }
}

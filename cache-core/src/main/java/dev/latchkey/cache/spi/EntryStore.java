package dev.latchkey.cache.spi;

import dev.latchkey.cache.EntryOptions;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** A cache that can store entries together which have nothing to do with each other. */
@FunctionalInterface
public interface EntryStore {
    /**
     * What {@link dev.latchkey.cache.Cache#set(Object, Object, EntryOptions)} is called with.
     *
     * @param key the key
     * @param value the value
     * @param options its options
     */
    record Put(Object key, Object value, EntryOptions options) {}

    /**
     * Stores entries, in one transaction if it can: each has an outcome of its own, as if it had been set alone, one after the other.
     *
     * @param puts what to store; each is encoded before the next one is asked for, and the transaction begins behind the last
     * @return for each of them, in their order, why it could not be stored
     */
    List<Optional<Throwable>> setEach(Iterator<Put> puts);
}

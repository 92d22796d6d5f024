package dev.latchkey.cache.spi;

import org.jspecify.annotations.Nullable;

/**
 * The queues of a cache, those that {@code push} and {@code pull} work on; reached through
 * {@code cache.unwrap(QueueStore.class)}.
 */
@FunctionalInterface
public interface QueueStore {
    /**
     * A queue, which need not have any item.
     *
     * @param prefix names it; null for the one with integer keys
     * @return the queue
     * @throws IllegalArgumentException if there can be no key with such a prefix
     */
    StoredQueue queue(@Nullable String prefix);
}

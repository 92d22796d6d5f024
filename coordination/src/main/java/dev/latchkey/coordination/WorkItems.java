package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Item;
import org.jspecify.annotations.Nullable;

/**
 * All that can happen to an item of a work queue.
 *
 * <pre>
 *   (put) -> READY
 *   READY -> CLAIMED(session, token, attempt + 1)     claim
 *   CLAIMED -> (gone)                                 ack
 *   CLAIMED -> READY, in its old place                nack, or its claimer died, and attempt < maxAttempts
 *   CLAIMED -> DEAD                                   the same, and attempt = maxAttempts
 * </pre>
 */
final class WorkItems {
    private WorkItems() {}

    static Item fresh(String queue, @Nullable Object value) {
        return new Item(0, queue, Item.Status.READY, 0, 0, 0, 0, 0, null, null, value);
    }

    static Item claimed(Item item, long session, long token) {
        return with(item, Item.Status.CLAIMED, item.attempt() + 1, session, token, item.reason());
    }

    static Item givenBack(Item item, int maxAttempts, String reason) {
        Item.Status next = item.attempt() >= maxAttempts ? Item.Status.DEAD : Item.Status.READY;
        return with(item, next, item.attempt(), 0, 0, reason);
    }

    static boolean isSameClaim(Item stored, Item claimed) {
        return stored.status() == Item.Status.CLAIMED
                && stored.session() == claimed.session()
                && stored.token() == claimed.token();
    }

    private static Item with(
            Item item, Item.Status status, long attempt, long session, long token, @Nullable String reason) {
        return new Item(
                item.id(),
                item.name(),
                status,
                item.priority(),
                item.dueMillis(),
                attempt,
                session,
                token,
                item.dedupKey(),
                reason,
                item.value());
    }
}

package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Item;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * All that can happen to an item of a work queue. Its place, priority and then number, never changes.
 *
 * <pre>
 *   (put) -> READY, or DELAYED(due)
 *   DELAYED(due) -> READY                                   at its time, by the next claimer
 *   READY -> CLAIMED(session, token, attempt + 1)           claim
 *   CLAIMED -> (gone)                                       ack
 *   CLAIMED -> READY, or DELAYED(due)                       nack, or its claimer died, and attempt &lt; maxAttempts
 *   CLAIMED -> DEAD(token, reason)                          the same, and attempt >= maxAttempts; or deadLetter
 *   DEAD -> READY, attempt 0                                redrive
 *   DEAD, READY, DELAYED -> (gone)                          deleteDeadLetters, clear
 * </pre>
 */
final class WorkItems {
    private static final Duration LONGEST_DELAY = Duration.ofMillis(Long.MAX_VALUE / 4);

    private WorkItems() {}

    static Item fresh(String queue, PutOptions options, @Nullable Object value, long nowMillis) {
        long due = due(options.delay(), nowMillis);
        return new Item(
                0,
                queue,
                waiting(due),
                options.priority(),
                due,
                0,
                0,
                0,
                "",
                0,
                options.dedupKey().orElse(null),
                null,
                value);
    }

    static Item claimed(Item item, long session, long token, String owner, long nowMillis) {
        return with(
                item,
                Item.Status.CLAIMED,
                item.dueMillis(),
                item.attempt() + 1,
                session,
                token,
                owner,
                nowMillis,
                item.reason());
    }

    static Item givenBack(Item item, int maxAttempts, Duration delay, String reason, long nowMillis) {
        if (item.attempt() >= maxAttempts) {
            return dead(item, reason, nowMillis);
        }
        long due = due(delay, nowMillis);
        return with(item, waiting(due), due, item.attempt(), 0, 0, "", 0, reason);
    }

    static Item dead(Item item, String reason, long nowMillis) {
        // with the number of its last claim: one that was redriven and given up again within a millisecond is another
        // one
        return with(item, Item.Status.DEAD, 0, item.attempt(), 0, item.token(), "", nowMillis, reason);
    }

    static Item redriven(Item item) {
        return with(item, Item.Status.READY, 0, 0, 0, 0, "", 0, item.reason());
    }

    private static Item.Status waiting(long due) {
        return due == 0 ? Item.Status.READY : Item.Status.DELAYED;
    }

    /** Never early: what is left of a millisecond counts as a whole one. */
    private static long due(Duration delay, long nowMillis) {
        Duration bounded = delay.compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay;
        return bounded.isZero() ? 0 : nowMillis + bounded.plusNanos(999_999).toMillis();
    }

    private static Item with(
            Item item,
            Item.Status status,
            long dueMillis,
            long attempt,
            long session,
            long token,
            String owner,
            long sinceMillis,
            @Nullable String reason) {
        return new Item(
                item.id(),
                item.name(),
                status,
                item.priority(),
                dueMillis,
                attempt,
                session,
                token,
                owner,
                sinceMillis,
                item.dedupKey(),
                reason,
                item.value());
    }
}

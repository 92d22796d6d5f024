package dev.latchkey.cache.spi;

import org.jspecify.annotations.Nullable;

/**
 * An ordered row under a name: a work item.
 *
 * @param id the row; grows with every insertion, and is the order within a priority
 * @param name the name it belongs to
 * @param status ready, claimed, dead or delayed
 * @param priority higher comes first
 * @param dueMillis a delayed row is ready from this instant on, wall clock
 * @param attempt how often it was claimed
 * @param session the session that claimed it, 0 if none
 * @param token the number of the claim, of a dead one that of the last claim; 0 if none
 * @param owner who claimed it in words, for people: a thread name; empty if nobody has
 * @param sinceMillis when it was claimed or given up, wall clock; 0 if neither
 * @param dedupKey at most one row of a name has it, null if it has none
 * @param reason why it was given back or given up, for people
 * @param value String, Long, Double, byte[] or null, as the codec made it; null too where the value was not asked for
 */
public record Item(
        long id,
        String name,
        Status status,
        long priority,
        long dueMillis,
        long attempt,
        long session,
        long token,
        String owner,
        long sinceMillis,
        @Nullable String dedupKey,
        @Nullable String reason,
        @Nullable Object value) {

    /** Where an item stands. */
    public enum Status {
        /** Waits for a claimer. */
        READY(0),
        /** Claimed by a session. */
        CLAIMED(1),
        /** Given up after its last attempt. */
        DEAD(2),
        /** Waits for its time. */
        DELAYED(3);

        private final int code;

        Status(int code) {
            this.code = code;
        }

        /**
         * How it is stored.
         *
         * @return 0 to 3
         */
        public int code() {
            return code;
        }

        /**
         * The status that is stored so.
         *
         * @param code 0 to 3
         * @return the status
         * @throws IllegalArgumentException if there is none
         */
        public static Status of(int code) {
            return switch (code) {
                case 0 -> READY;
                case 1 -> CLAIMED;
                case 2 -> DEAD;
                case 3 -> DELAYED;
                default -> throw new IllegalArgumentException("status must be 0 to 3, was " + code);
            };
        }
    }
    /**
     * The same item without its value, which may be large.
     *
     * @return a copy with a null value
     */
    public Item withoutValue() {
        return new Item(
                id,
                name,
                status,
                priority,
                dueMillis,
                attempt,
                session,
                token,
                owner,
                sinceMillis,
                dedupKey,
                reason,
                null);
    }
}

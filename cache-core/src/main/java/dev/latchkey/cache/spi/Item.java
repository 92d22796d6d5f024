package dev.latchkey.cache.spi;

import org.jspecify.annotations.Nullable;

/**
 * An ordered row under a name: a work item.
 *
 * @param id the row; grows with every insertion, and is the order within a priority
 * @param name the name it belongs to
 * @param status ready, claimed or dead
 * @param priority higher comes first
 * @param dueMillis not before this instant, wall clock
 * @param attempt how often it was claimed
 * @param session the session that claimed it, 0 if none
 * @param token the claim within that session, 0 if none
 * @param dedupKey at most one row of a name has it, null if it has none
 * @param reason why it was given back or given up, for people
 * @param value String, Long, Double, byte[] or null, as the codec made it
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
        @Nullable String dedupKey,
        @Nullable String reason,
        @Nullable Object value) {

    /** Where an item stands. */
    public enum Status {
        /** Waits for a claimer, perhaps until its time. */
        READY(0),
        /** Claimed by a session. */
        CLAIMED(1),
        /** Given up after its last attempt. */
        DEAD(2);

        private final int code;

        Status(int code) {
            this.code = code;
        }

        /**
         * How it is stored.
         *
         * @return 0 to 2
         */
        public int code() {
            return code;
        }

        /**
         * The status that is stored so.
         *
         * @param code 0 to 2
         * @return the status
         * @throws IllegalArgumentException if there is none
         */
        public static Status of(int code) {
            return switch (code) {
                case 0 -> READY;
                case 1 -> CLAIMED;
                case 2 -> DEAD;
                default -> throw new IllegalArgumentException("status must be 0 to 2, was " + code);
            };
        }
    }
}

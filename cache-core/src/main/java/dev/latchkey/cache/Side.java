package dev.latchkey.cache;

/** One of the two ends of a queue, or of the entries in the order in which they were inserted. */
public enum Side {
    /** Where the oldest items of a queue are that is pushed at the back. */
    FRONT,
    /** Where {@link Cache#push(Object)} puts a new item. */
    BACK
}

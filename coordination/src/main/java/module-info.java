/**
 * Locks, conditions, semaphores, rate limits, barriers, memoization, elections and work queues between the JVMs that open one
 * directory, and who holds what.
 */
module dev.latchkey.coordination {
    requires transitive com.google.common;
    requires transitive dev.latchkey.cache;
    requires static transitive org.jspecify;

    exports dev.latchkey.coordination;
}

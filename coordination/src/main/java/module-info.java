/**
 * Locks, conditions, semaphores, rate limits, barriers, memoization, elections and work queues between the JVMs that open one
 * directory, and who holds what.
 */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Resilience4j, for those who have it
module dev.latchkey.coordination {
    requires transitive com.google.common;
    requires transitive dev.latchkey.cache;
    requires static transitive io.github.resilience4j.bulkhead;
    requires static transitive io.github.resilience4j.cache;
    requires static transitive io.github.resilience4j.circuitbreaker;
    requires static transitive io.github.resilience4j.core;
    requires static transitive io.github.resilience4j.ratelimiter;
    requires static transitive org.jspecify;

    exports dev.latchkey.coordination;
    exports dev.latchkey.coordination.resilience4j;
}

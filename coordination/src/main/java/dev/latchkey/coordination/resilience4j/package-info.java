/**
 * Resilience4j's interfaces for all processes that open one directory: rate limiters, bulkheads, circuit breakers and caches that
 * they share. Only this package needs Resilience4j, which is an optional dependency.
 */
@NullMarked
package dev.latchkey.coordination.resilience4j;

import org.jspecify.annotations.NullMarked;

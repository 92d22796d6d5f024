/**
 * Locks, conditions, semaphores, rate limits, barriers, memoization, elections and work queues between the JVMs that open one
 * directory, and who holds what.
 */
@NullMarked
package dev.latchkey.coordination;

import org.jspecify.annotations.NullMarked;

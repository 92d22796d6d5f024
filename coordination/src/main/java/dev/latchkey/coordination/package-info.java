/** Locks, semaphores, rate limits, barriers and work queues between the JVMs that open one directory. */
@NullMarked
package dev.latchkey.coordination;

import org.jspecify.annotations.NullMarked;

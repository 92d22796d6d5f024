/** What runs in a worker process. */
@org.jspecify.annotations.NullMarked
package dev.latchkey.stress.worker;

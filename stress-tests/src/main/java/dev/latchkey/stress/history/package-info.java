/** What worker processes write down while they run. */
@org.jspecify.annotations.NullMarked
package dev.latchkey.stress.history;

/** What must be true of a run, judged from its histories, the referee's record and what remains in the directory. */
@org.jspecify.annotations.NullMarked
package dev.latchkey.stress.check;

/** Many JVMs on one directory, killed and stopped at random, watched by an independent referee. */
@org.jspecify.annotations.NullMarked
package dev.latchkey.stress;

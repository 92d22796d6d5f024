/** Measures Latchkey beside its peers, in one run on one machine. */
@org.jspecify.annotations.NullMarked
package dev.latchkey.benchmark;

/** Tests of the benchmark: that it measures what it says, and notices when there is nothing to measure. No time is asserted. */
package dev.latchkey.benchmark;

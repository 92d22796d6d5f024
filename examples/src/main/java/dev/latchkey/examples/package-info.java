/** The demo, {@link dev.latchkey.examples.WordIndexDemo}, and one small main per feature. */
@NullMarked
package dev.latchkey.examples;

import org.jspecify.annotations.NullMarked;

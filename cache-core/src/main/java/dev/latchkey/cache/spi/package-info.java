/** What an engine offers to the coordination primitives: state, signals, ordered items and sessions. */
@NullMarked
package dev.latchkey.cache.spi;

import org.jspecify.annotations.NullMarked;

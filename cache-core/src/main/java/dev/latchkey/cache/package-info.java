/** A cross-process disk cache and its collections: what callers use. */
@NullMarked
package dev.latchkey.cache;

import org.jspecify.annotations.NullMarked;

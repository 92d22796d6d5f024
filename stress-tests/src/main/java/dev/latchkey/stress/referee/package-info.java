/**
 * The referee of the stress runs: a process of its own, which hears over a socket who holds what and says when two
 * reports cannot both be true. It knows nothing of Latchkey: no class of it, no file of it.
 */
@NullMarked
package dev.latchkey.stress.referee;

import org.jspecify.annotations.NullMarked;

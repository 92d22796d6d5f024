/** The embedded engine: one SQLite database, value files and shared hints in one directory. */
@NullMarked
package dev.latchkey.cache.sqlite;

import org.jspecify.annotations.NullMarked;

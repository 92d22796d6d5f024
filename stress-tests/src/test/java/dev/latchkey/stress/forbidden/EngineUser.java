package dev.latchkey.stress.forbidden;

import dev.latchkey.cache.sqlite.SqliteCaches;

/** Opens the embedded engine past the builder. */
final class EngineUser {
    Object open() {
        return SqliteCaches.class;
    }
}

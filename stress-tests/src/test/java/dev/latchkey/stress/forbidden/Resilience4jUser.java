package dev.latchkey.stress.forbidden;

import dev.latchkey.coordination.resilience4j.StampedeCache;

/** Uses an optional dependency. */
record Resilience4jUser(Class<?> type) {
    Resilience4jUser() {
        this(StampedeCache.class);
    }
}

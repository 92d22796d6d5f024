package dev.latchkey.stress.forbidden;

import dev.latchkey.cache.sqlite.SqliteCaches;
import java.nio.file.Path;
import java.time.Duration;

/** Opens the embedded engine past the builder. */
final class EngineUser {
    Object open() {
        return SqliteCaches.open(Path.of("nowhere"), Duration.ZERO);
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** How the connection that writes is set, as SQLite says. */
public final class WriterPragmas {
    private WriterPragmas() {}

    /** The pragmas that decide what a commit costs and what survives, each with its value. */
    public static String of(Cache cache) {
        Engine engine = (Engine) cache.unwrap(CoordinationEngine.class);
        return engine.writer()
                .write(
                        tx -> Stream.of("synchronous", "journal_mode", "wal_autocheckpoint")
                                .map(name -> name + " " + tx.db.one("PRAGMA " + name, row -> row.getString(1)))
                                .collect(Collectors.joining(", ")),
                        Deadline.after(Duration.ofSeconds(10)));
    }
}

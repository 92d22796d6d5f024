package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.spi.CoordinationEngine;
import java.util.concurrent.ConcurrentMap;

/** The throttles that this process uses in one directory: one line per name, shared by all objects of the name. */
final class Throttles implements AutoCloseable {
    private final CoordinationEngine engine;
    private final ConcurrentMap<String, ThrottleLine> byName =
            new MapMaker().weakValues().makeMap();

    private Throttles(CoordinationEngine engine) {
        this.engine = engine;
    }

    static Throttles of(CoordinationEngine engine) {
        return engine.attachment(Throttles.class, Throttles::new);
    }

    ThrottleLine line(String name) {
        return byName.computeIfAbsent(name, missing -> new ThrottleLine(engine, name));
    }

    @Override
    public void close() {
        byName.values().forEach(ThrottleLine::close);
    }
}

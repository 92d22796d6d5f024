package dev.latchkey.benchmark;

import java.io.IOException;
import java.nio.file.Path;
import net.openhft.chronicle.map.ChronicleMap;
import org.jspecify.annotations.Nullable;

/** A map of Chronicle in a file. */
final class ChronicleSubject extends Subject {
    private final ChronicleMap<String, String> map;

    ChronicleSubject(Path directory) throws IOException {
        map = ChronicleMap.of(String.class, String.class)
                .name("benchmark")
                .averageKey("k0.0.99")
                .averageValue("v".repeat(32))
                .entries(1_100_000)
                .createPersistedTo(directory.resolve("chronicle.map").toFile());
    }

    @Override
    void set(String key, String value) {
        map.put(key, value);
    }

    @Override
    @Nullable
    String get(String key) {
        return map.get(key);
    }
}

package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.Codecs;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Stores values as compressed JSON, as python-diskcache's JSONDisk does, and as objects that Java serializes. */
public final class CodecMain {
    private CodecMain() {}

    record Point(int x, int y) implements Serializable {}

    /**
     * Runs the example.
     *
     * @param args the directory; two caches are made in it
     */
    public static void main(String[] args) {
        Path directory = Path.of(args[0]);
        try (Cache cache = Cache.builder(directory.resolve("json"))
                .codec(Codecs.jsonZip(6))
                .open()) {
            cache.set(List.of("user", 4711), Map.of("name", "Ada"));
            System.out.println("zipped: " + cache.get(List.of("user", 4711)));
        }
        try {
            Cache.open(directory.resolve("json")).close();
        } catch (IllegalArgumentException e) {
            System.out.println("another codec is refused");
        }
        Codec serialization = Codecs.javaSerialization(List.of(Point.class));
        try (Cache cache =
                Cache.builder(directory.resolve("objects")).codec(serialization).open()) {
            cache.set("point", new Point(1, 2));
            System.out.println("serialized: " + cache.get("point", Point.class));
        }
    }
}

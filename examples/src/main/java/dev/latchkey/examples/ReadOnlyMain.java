package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheReadOnlyException;
import java.nio.file.Path;

/** Reads a directory without writing anything there, not even a lock file; the right to read it is enough. */
public final class ReadOnlyMain {
    private ReadOnlyMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        Path directory = Path.of(args[0]);
        try (Cache writer = Cache.open(directory);
                Cache reader = Cache.builder(directory).readOnly(true).open()) {
            writer.set("greeting", "hello");
            System.out.println(reader.get("greeting", String.class));
            writer.set("greeting", "good morning");
            System.out.println(reader.get("greeting", String.class)); // it sees what others write

            try {
                reader.delete("greeting");
            } catch (CacheReadOnlyException e) {
                System.out.println("refused");
            }
        }
    }
}

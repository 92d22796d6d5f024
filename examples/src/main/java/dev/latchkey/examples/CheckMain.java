package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CheckReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Looks for damage and repairs it; other processes may go on reading and writing meanwhile. */
public final class CheckMain {
    private CheckMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws IOException if the value file cannot be deleted
     */
    public static void main(String[] args) throws IOException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            cache.set("small", "in the database");
            cache.set("large", new byte[100_000]);
            System.out.println(cache.check(false));

            // somebody cleans up by hand
            try (Stream<Path> files = Files.walk(cache.directory())) {
                Files.delete(files.filter(file -> file.toString().endsWith(".val"))
                        .findFirst()
                        .orElseThrow());
            }
            System.out.println("large is there: " + (cache.get("large") != null)); // absent, and never half a value

            CheckReport report = cache.check(true);
            report.findings().forEach(System.out::println);
            System.out.println("clean again: " + cache.check(false).isClean());
            System.out.println("left: " + cache.keys().toList());
        }
    }
}

package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Stores a file and reads it back as streams: its size does not matter, a buffer at a time is in memory. */
public final class StreamMain {
    private StreamMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and the file to store
     * @throws IOException if the file cannot be read
     */
    public static void main(String[] args) throws IOException {
        Path file = Path.of(args[1]);
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            try (InputStream in = Files.newInputStream(file)) {
                cache.write("report", in);
            }

            try (InputStream stored = cache.read("report")) {
                if (stored == null) {
                    return; // not stored, or expired
                }
                cache.delete("report"); // whoever reads goes on reading what was there
                BufferedReader lines = new BufferedReader(new InputStreamReader(stored, StandardCharsets.UTF_8));
                System.out.println("lines: " + lines.lines().count());
            }
            System.out.println("still there: " + cache.containsKey("report"));
        }
    }
}

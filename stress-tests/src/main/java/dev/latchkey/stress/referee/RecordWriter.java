package dev.latchkey.stress.referee;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the file that {@link RefereeRecord} reads. */
final class RecordWriter {
    private final BufferedWriter out;
    private long events;

    RecordWriter(Path file) throws IOException {
        this.out = Files.newBufferedWriter(file);
    }

    void add(Event event) throws IOException {
        line(event.line());
        events++;
    }

    void flush() throws IOException {
        out.flush();
    }

    /** Writes the last line. */
    void close(long violations) throws IOException {
        line(RefereeRecord.lastLine(events, violations));
        out.close();
    }

    private void line(String line) throws IOException {
        out.write(line);
        out.write('\n');
    }
}

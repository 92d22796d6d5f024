package dev.latchkey.stress.referee;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the referee heard during a run.
 *
 * <pre>
 * 81200345 w1 2 HELLO w1
 * 81300412 w1 2 ENTER job 17
 * 81400920 w1 2 EXIT job 17
 * EVENTS 3 VIOLATIONS 0
 * </pre>
 *
 * @param events all requests that were answered with {@code OK}, in the order in which they were judged
 * @param violations how many violations there were, also of those that were not printed
 */
public record RefereeRecord(List<Event> events, long violations) {
    private static final Pattern LAST = Pattern.compile("EVENTS (\\d+) VIOLATIONS (\\d+)");

    /** Makes a record with a copy of the list. */
    public RefereeRecord {
        events = List.copyOf(events);
    }

    static String lastLine(long events, long violations) {
        return "EVENTS " + events + " VIOLATIONS " + violations;
    }

    /**
     * Reads the file of a referee that has ended.
     *
     * @throws IOException if it cannot be read or is not whole
     */
    public static RefereeRecord read(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        int events = lines.size() - 1;
        Matcher last = LAST.matcher(events < 0 ? "" : lines.get(events));
        if (!last.matches() || Long.parseLong(last.group(1)) != events) {
            throw new IOException("the record " + file + " is not whole; its last line is '"
                    + (events < 0 ? "" : lines.get(events)) + "' after " + Math.max(0, events) + " events");
        }
        return new RefereeRecord(
                lines.subList(0, events).stream().map(Event::parse).toList(), Long.parseLong(last.group(2)));
    }
}

package dev.latchkey.stress.history;

import dev.latchkey.stress.history.Event.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one worker process wrote down while it ran.
 *
 * @param process its name, such as {@code w7}
 * @param events in the order in which they were written; those of one thread are in the order of their time
 */
public record History(String process, List<Event> events) {
    /** Reads the log of a process that has ended; a last line that a kill cut off is left out. */
    public static History read(String process, Path file) throws IOException {
        // not readString, which refuses a line that was cut off within a character
        String text = Files.exists(file) ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8) : "";
        String whole = text.substring(0, text.lastIndexOf('\n') + 1);
        return new History(process, whole.lines().map(Event::parse).toList());
    }

    /** The operations of all threads, in the order of their invocation. */
    public List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        Map<String, Event> open = new LinkedHashMap<>();
        for (Event event : events) {
            if (event.kind() == Kind.INVOKE) {
                open.put(event.thread(), event);
            } else if (event.kind() != Kind.NOTE) {
                Event invoked = open.remove(event.thread());
                if (invoked == null || !invoked.operation().equals(event.operation())) {
                    throw new IllegalStateException(process + ": '" + event.line() + "' ends what was not begun");
                }
                operations.add(operation(invoked, event.nanos(), event.kind(), event.arguments()));
            }
        }
        open.values().forEach(event -> operations.add(operation(event, Long.MAX_VALUE, null, List.of())));
        operations.sort(Comparator.comparingLong(Operation::invoked));
        return operations;
    }

    private Operation operation(Event invoked, long returned, @Nullable Kind outcome, List<String> result) {
        return new Operation(
                process,
                invoked.thread(),
                invoked.operation(),
                invoked.arguments(),
                invoked.nanos(),
                returned,
                outcome,
                result);
    }
}

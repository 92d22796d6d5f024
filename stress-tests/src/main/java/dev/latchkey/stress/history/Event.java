package dev.latchkey.stress.history;

import java.util.List;

/**
 * One line of a history: {@code nanos thread kind operation arguments...}, separated by spaces.
 *
 * <pre>
 *   81230017 t0 INVOKE lock a
 *   81290544 t0 OK lock a 1763797000000042
 *   81301200 t0 INVOKE unlock a 1763797000000042
 * </pre>
 *
 * @param nanos on the host's clock, which all processes read alike
 * @param thread one thread of the process; its operations do not overlap
 */
public record Event(long nanos, String thread, Kind kind, String operation, List<String> arguments) {
    /** What a line says of an operation. */
    public enum Kind {
        /** It begins. */
        INVOKE,
        /** It has done what it was to do. */
        OK,
        /** It has not, as documented, and has changed nothing. */
        FAIL,
        /** It ended in an error that no promise allows; the arguments are its text. */
        ERROR,
        /** Not an operation of its own, but an instant within one. */
        NOTE
    }

    /** Reads a line that was written whole. */
    static Event parse(String line) {
        String[] words = line.split(" ", -1);
        return new Event(
                Long.parseLong(words[0]),
                words[1],
                Kind.valueOf(words[2]),
                words[3],
                List.of(words).subList(4, words.length));
    }

    /** As a line. */
    String line() {
        String start = nanos + " " + thread + " " + kind + " " + operation;
        return arguments.isEmpty() ? start : start + " " + String.join(" ", arguments);
    }
}

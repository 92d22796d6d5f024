package dev.latchkey.stress.referee;

/**
 * Something that must not have happened.
 *
 * @param nanos {@link System#nanoTime()} of the referee when it was noticed
 * @param kind which rule was broken
 * @param text who, what and since when, on one line
 */
public record Violation(long nanos, Kind kind, String text) {
    static final String PREFIX = "VIOLATION ";

    /** The rules. */
    public enum Kind {
        /** Two held a place at a time. */
        OVERLAP,
        /** The token of a hold was not above all tokens before it. */
        TOKEN,
        /** A place that was gone was held or ended again. */
        FINISHED,
        /** A hold was ended by one who did not have it. */
        NOT_HELD,
        /** A value was given out twice. */
        REPEATED,
        /** A connection ended while it held a place, and nobody had said that its process would be killed. */
        VANISHED,
        /** A line was no request: the harness itself is wrong. */
        PROTOCOL
    }

    /** Reads a line of the referee. */
    static Violation parse(String line) {
        String[] words = line.split(" ", 4);
        return new Violation(Long.parseLong(words[1]), Kind.valueOf(words[2]), words[3]);
    }

    /** The line that the referee prints. */
    String line() {
        return PREFIX + nanos + " " + kind + " " + text;
    }
}

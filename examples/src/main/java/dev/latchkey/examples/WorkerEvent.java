package dev.latchkey.examples;

import java.util.Locale;

/**
 * What a worker says on stdout, one line each, such as {@code CLAIMED 81274619283746 1 docs/README.md}.
 *
 * @param kind what happened
 * @param nanos when, by {@link System#nanoTime()}, which all processes of a host share
 * @param number the attempt ({@code CLAIMED}), the fencing token ({@code LOCKED}, {@code MERGED}) or the exit status
 *     ({@code ENDED})
 * @param item the file it works on, or nothing
 */
record WorkerEvent(Kind kind, long nanos, long number, String item) {
    enum Kind {
        READY,
        CLAIMED,
        WAITING,
        LOCKED,
        MERGED,
        /** Said by the parent when the process is gone. */
        ENDED
    }

    /** The item that is not done yet, or nothing. */
    String workingOn() {
        return kind == Kind.MERGED ? "" : item;
    }

    static WorkerEvent parse(String line) {
        String[] parts = line.split(" ", 4);
        return new WorkerEvent(Kind.valueOf(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]), parts[3]);
    }

    String toLine() {
        return String.format(Locale.ROOT, "%s %d %d %s", kind, nanos, number, item);
    }
}

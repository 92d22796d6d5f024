package dev.latchkey.stress.referee;

/**
 * A request as the referee heard it.
 *
 * @param nanos {@link System#nanoTime()} of the referee
 * @param process who said it
 * @param connection the number of the connection it was said on; no two connections have the same
 * @param verb what was said
 * @param place the place, or the process of {@code HELLO} and {@code CONDEMN}; empty for {@code END}
 * @param number the token or value; 0 where there is none
 */
public record Event(long nanos, String process, int connection, Verb verb, String place, long number) {
    static Event of(long nanos, String process, int connection, Request request) {
        return new Event(nanos, process, connection, request.verb(), request.place(), request.number());
    }

    /** Reads a line of the record. */
    static Event parse(String line) {
        String[] words = line.split(" ", 4);
        try {
            return of(Long.parseLong(words[0]), words[1], Integer.parseInt(words[2]), Request.parse(words[3]));
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            throw new IllegalArgumentException("no event: '" + line + "'", e);
        }
    }

    /** The line of the record. */
    String line() {
        return nanos + " " + process + " " + connection + " " + new Request(verb, place, number).line();
    }
}

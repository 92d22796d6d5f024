package dev.latchkey.stress.referee;

/**
 * A line that is said to the referee.
 *
 * @param place what it is about: a place, or the process of {@code HELLO} and {@code CONDEMN}; empty without
 * @param number a token or value, or 0 without
 */
record Request(Verb verb, String place, long number) {
    /**
     * Reads a line.
     *
     * @throws IllegalArgumentException if it is no request; its message has one line and repeats nothing of {@code line}
     */
    static Request parse(String line) {
        String[] words = line.split(" ", -1);
        Verb verb = verb(words[0]);
        if (words.length != verb.words()) {
            throw new IllegalArgumentException(verb + " has " + verb.words() + " words, not " + words.length);
        }
        String place = words.length > 1 ? word(words[1]) : "";
        return new Request(verb, place, words.length > 2 ? number(words[2]) : 0);
    }

    private static Verb verb(String word) {
        for (Verb verb : Verb.values()) {
            if (verb.name().equals(word)) {
                return verb;
            }
        }
        throw new IllegalArgumentException("unknown verb");
    }

    private static long number(String word) {
        try {
            return Long.parseLong(word);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("the third word must be a number", e);
        }
    }

    /** Returns a name that is one word of a line. */
    static String word(String name) {
        if (name.isEmpty() || name.chars().anyMatch(c -> c <= ' ')) {
            throw new IllegalArgumentException("a name must not be empty and must have no spaces");
        }
        return name;
    }

    /** The line. */
    String line() {
        return switch (verb.words()) {
            case 1 -> verb.name();
            case 2 -> verb + " " + place;
            default -> verb + " " + place + " " + number;
        };
    }
}

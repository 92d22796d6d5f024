package dev.latchkey.coordination;

/**
 * Since when somebody waits, by the wall clock, and as which thread; for people only. Written behind whoever waits as
 * {@code ";1732611600000;main"}.
 */
record Arrival(long millis, String thread) {
    static final Arrival UNKNOWN = new Arrival(0, "");

    /** What stands behind whoever waits, if anything does. */
    static Arrival parse(String text) {
        int first = text.indexOf(';');
        int second = text.indexOf(';', first + 1);
        return first < 0
                ? UNKNOWN
                : new Arrival(Long.parseLong(text.substring(first + 1, second)), unescaped(text.substring(second + 1)));
    }

    /** Whoever waits, without what stands behind. */
    static String without(String text) {
        int first = text.indexOf(';');
        return first < 0 ? text : text.substring(0, first);
    }

    @Override
    public String toString() {
        return equals(UNKNOWN) ? "" : ";" + millis + ";" + escaped(thread);
    }

    /** A name in which nothing is left that separates entries or their parts. */
    static String escaped(String name) {
        return name.replace("%", "%25").replace(" ", "%20").replace(":", "%3A").replace(";", "%3B");
    }

    static String unescaped(String text) {
        return text.indexOf('%') < 0
                ? text
                : text.replace("%3B", ";")
                        .replace("%3A", ":")
                        .replace("%20", " ")
                        .replace("%25", "%");
    }
}

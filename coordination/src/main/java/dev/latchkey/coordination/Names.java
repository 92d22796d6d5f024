package dev.latchkey.coordination;

/** Which names are allowed. */
final class Names {
    private static final int LONGEST = 1000;

    private Names() {}

    static String require(String name) {
        if (name.isEmpty() || name.length() > LONGEST) {
            throw new IllegalArgumentException(
                    "name must have 1 to " + LONGEST + " characters, had " + name.length() + ": '" + name + "'");
        }
        return name;
    }
}

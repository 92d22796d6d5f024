package dev.latchkey.coordination;

import java.nio.charset.StandardCharsets;

/** Which names are allowed. */
final class Names {
    private static final int LONGEST = 1000;

    private Names() {}

    static String require(String name) {
        return require("name", name);
    }

    /** The same for something else that names a thing. */
    static String require(String what, String name) {
        if (name.isEmpty() || name.length() > LONGEST) {
            throw new IllegalArgumentException(
                    what + " must have 1 to " + LONGEST + " characters, had " + name.length() + ": '" + name + "'");
        }
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
            throw new IllegalArgumentException(
                    what + " must not contain half a character (an unpaired surrogate): two such"
                            + " names would be one in the database; was '" + name + "'");
        }
        return name;
    }
}

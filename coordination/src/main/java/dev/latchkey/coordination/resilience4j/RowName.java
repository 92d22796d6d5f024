package dev.latchkey.coordination.resilience4j;

import java.nio.charset.StandardCharsets;

/**
 * Under which name an instance is stored. In Resilience4j a rate limiter, a bulkhead and a circuit breaker may have one name; in a
 * directory one name is one thing.
 */
enum RowName {
    RATE_LIMITER("ratelimiter"),
    BULKHEAD("bulkhead"),
    CIRCUIT_BREAKER("circuitbreaker");

    private static final int LONGEST = 900;

    private final String word;

    RowName(String word) {
        this.word = word;
    }

    String of(String name) {
        return "resilience4j/" + word + "/" + require(name);
    }

    /** Where its configuration is stored, if that has a row of its own. */
    String configurationOf(String name) {
        return "resilience4j/configuration/" + word + "/" + require(name);
    }

    private static String require(String name) {
        if (name.length() > LONGEST || !StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
            throw new IllegalArgumentException("name must have at most " + LONGEST
                    + " characters, and no half of one (an unpaired surrogate), had " + name.length() + ": '" + name
                    + "'");
        }
        return name;
    }
}

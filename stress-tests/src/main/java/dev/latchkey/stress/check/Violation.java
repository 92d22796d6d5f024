package dev.latchkey.stress.check;

/**
 * A promise that was not kept.
 *
 * @param promise which one, in capitals, such as {@code MUTUAL_EXCLUSION}
 * @param text what was seen, with names, tokens and instants
 */
public record Violation(String promise, String text) {
    @Override
    public String toString() {
        return promise + ": " + text;
    }
}

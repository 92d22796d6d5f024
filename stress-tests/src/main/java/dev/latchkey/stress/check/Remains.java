package dev.latchkey.stress.check;

import java.util.List;
import java.util.Map;

/**
 * What was left in a directory when the last process had gone, read without Latchkey.
 *
 * @param integrity the answer of {@code PRAGMA integrity_check}, {@code ok} if all is well
 * @param faults rows and value files that do not fit together, in words
 * @param orphans value files that no row names
 * @param sessions how many rows of sessions
 * @param states all rows of {@code LatchkeyState}
 * @param items for each name, how many items are in the table
 * @param values the entries of the cache whose key is a text: a number or short text as it is, of an {@link AccountValue} its
 *     balance, {@code damaged} for any other bytes
 * @param volume how many bytes the database and the value files that rows name take
 * @param logBytes how long the write-ahead log is
 * @param longestLogBytes how long it was at most, as far as anybody looked
 */
public record Remains(
        String integrity,
        List<String> faults,
        List<String> orphans,
        int sessions,
        List<StateRow> states,
        Map<String, Integer> items,
        Map<String, String> values,
        long volume,
        long logBytes,
        long longestLogBytes) {
    /** Of a directory that is still in use. */
    public static final Remains NOTHING =
            new Remains("ok", List.of(), List.of(), 0, List.of(), Map.of(), Map.of(), 0, 0, 0);

    /** One row of {@code LatchkeyState}. */
    public record StateRow(String name, String kind, long session, long token, String line) {}
}

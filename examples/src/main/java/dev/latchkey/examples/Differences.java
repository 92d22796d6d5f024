package dev.latchkey.examples;

import dev.latchkey.examples.WordCount.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** What differs between the shared index and the count in one process, word by word. */
final class Differences {
    private static final Usage NEVER = new Usage(0, 0);

    private final List<String> found = new ArrayList<>();

    private Differences() {}

    /** Compares all words, all counters, and how often each file was merged. */
    static List<String> between(SharedIndex index, WordCount expected, List<String> files) {
        WordCount shared = index.read();
        Differences differences = new Differences();
        differences.compare("number of files", index.files(), (long) files.size());
        differences.compare("number of words", shared.total(), expected.total());
        differences.compare("number of lines", shared.lines(), expected.lines());
        files.forEach(file -> differences.compare("merges of " + file, index.merges(file), 1L));
        differences.compare(shared.words(), expected.words());
        return differences.found;
    }

    private void compare(Map<String, Usage> shared, Map<String, Usage> expected) {
        TreeSet<String> words = new TreeSet<>(expected.keySet());
        words.addAll(shared.keySet());
        words.forEach(word ->
                compare("'" + word + "'", shared.getOrDefault(word, NEVER), expected.getOrDefault(word, NEVER)));
    }

    private void compare(String what, Object shared, Object expected) {
        if (!shared.equals(expected)) {
            found.add(what + ": " + shared + ", should be " + expected);
        }
    }
}

package dev.latchkey.examples;

import dev.latchkey.cache.Index;
import java.nio.file.Path;
import java.util.Locale;

/** Counts words in a map that processes share; run it in several terminals, and no word is counted twice or not at all. */
public final class IndexMain {
    private IndexMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, which is the index
     */
    public static void main(String[] args) {
        try (Index<String, Integer> words = Index.open(Path.of(args[0]), String.class, Integer.class)) {
            for (String word : "The cat and the dog and the bird".split(" ", -1)) {
                words.merge(word.toLowerCase(Locale.ROOT), 1, Integer::sum);
            }
            System.out.println("in the order of their first occurrence: " + words.keySet());
            System.out.println("the: " + words.get("the"));
            System.out.println("fish: " + words.putIfAbsent("fish", 1) + ", then " + words.get("fish"));
            words.keySet().removeIf(word -> word.length() < 4);
            System.out.println("last: " + words.peekItem().orElseThrow());
            words.compute("cats and dogs", (word, count) -> count == null ? 1 : count + 1);
            System.out.println("long words: " + words.size());
        }
    }
}

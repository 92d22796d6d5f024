package dev.latchkey.examples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The words of text files, counted in one process with the JDK alone. Workers count a single file with it; at the end it
 * counts all files again and says what the index that the workers share must be.
 *
 * <p>A word is a run of letters, in lower case. Bytes that are not UTF-8 end a word.
 *
 * @param words how each word is used
 * @param total how many words there are, repetitions included
 * @param lines how many lines there are
 */
record WordCount(Map<String, Usage> words, long total, long lines) {
    private static final Pattern WORD = Pattern.compile("\\p{L}+");

    /**
     * How a word is used.
     *
     * @param occurrences how often it occurs
     * @param files in how many files
     */
    record Usage(long occurrences, long files) {
        Usage plus(Usage other) {
            return new Usage(occurrences + other.occurrences, files + other.files);
        }

        @Override
        public String toString() {
            return occurrences + " times in " + files + " files";
        }
    }

    static WordCount of(Path file) throws IOException {
        Map<String, Usage> words = new TreeMap<>();
        long total = 0;
        long lines = 0;
        // unlike Files.newBufferedReader, this reader replaces what is not UTF-8
        try (var reader =
                new BufferedReader(new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines++;
                Matcher matcher = WORD.matcher(line);
                while (matcher.find()) {
                    total++;
                    words.merge(matcher.group().toLowerCase(Locale.ROOT), new Usage(1, 1), WordCount::again);
                }
            }
        }
        return new WordCount(words, total, lines);
    }

    static WordCount of(Collection<Path> files) throws IOException {
        Map<String, Usage> words = new TreeMap<>();
        long total = 0;
        long lines = 0;
        for (Path path : files) {
            WordCount file = of(path);
            file.words.forEach((word, usage) -> words.merge(word, usage, Usage::plus));
            total += file.total;
            lines += file.lines;
        }
        return new WordCount(words, total, lines);
    }

    /** Another occurrence in the same file. */
    private static Usage again(Usage before, Usage one) {
        return new Usage(before.occurrences + one.occurrences, before.files);
    }
}

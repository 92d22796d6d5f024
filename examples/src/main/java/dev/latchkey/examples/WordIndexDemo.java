package dev.latchkey.examples;

import dev.latchkey.examples.WordCount.Usage;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Several processes build one word index of a folder, one of them is killed in the middle, and the index is exact.
 *
 * <p>The files stand in a {@code WorkQueue}; each worker claims one, counts its words and merges them into shared entries of the
 * cache under a {@code Lock}. At the end {@link WordCount} counts all files again in this process, and everything is compared.
 * Without the lock, merges overwrite each other, and the index is not exact.
 *
 * <pre>
 * mvn -q -Pdemo -pl examples -am verify
 * mvn -q -Pdemo -pl examples -am verify -Ddemo.args="/usr/share/doc --workers 8"
 * mvn -q -Pdemo -pl examples -am verify -Ddemo.args=--without-lock
 * </pre>
 *
 * <p>The exit status is 0 if the index is exact, 1 if it differs, 2 if the arguments are wrong.
 */
public final class WordIndexDemo {
    /** Where JVMs leave what they extract; that of a killed one stays, so all point into the demo's directory. */
    static final List<String> TEMPORARY = List.of("java.io.tmpdir", "org.sqlite.tmpdir", "jna.tmpdir");

    private static final int SHOWN = 10;

    private WordIndexDemo() {}

    /**
     * Runs the demo and exits.
     *
     * @param args {@code [FOLDER] [--workers N] [--without-lock] [--no-kill] [--keep DIR]}; the folder is the working directory
     *     unless given
     */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    private static int run(String... args) {
        try {
            return run(DemoOptions.parse(args));
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            return 2;
        } catch (IOException | InterruptedException | RuntimeException e) {
            System.err.println("the demo failed: " + e);
            return 1;
        }
    }

    private static int run(DemoOptions options) throws IOException, InterruptedException {
        try (DemoDirectory directory = DemoDirectory.create(options.keep())) {
            // ours, too
            TEMPORARY.forEach(property ->
                    System.setProperty(property, directory.temporary().toString()));
            TextFiles files = TextFiles.copy(options.folder(), directory);
            if (files.names().isEmpty()) {
                throw new IllegalArgumentException(
                        "no text files in " + options.folder().toAbsolutePath());
            }
            try (WorkerCrew crew = new WorkerCrew(options, directory, new Display(), files.names())) {
                return index(files, crew);
            }
        }
    }

    private static int index(TextFiles files, WorkerCrew crew) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        crew.run();
        long millis = (System.nanoTime() - begin) / 1_000_000;
        WordCount expected = WordCount.of(files.paths());
        List<String> differences = Differences.between(crew.index(), expected, files.names());
        print(crew.index().read());
        System.out.printf(
                "%d text files, %d others skipped, indexed in %.1f s%n",
                files.names().size(), files.skipped(), millis / 1e3);
        crew.report().forEach(System.out::println);
        differences.stream().limit(SHOWN).forEach(System.out::println);
        System.out.println(differences.isEmpty() ? "EXACT" : "DIFFERENT");
        return differences.isEmpty() ? 0 : 1;
    }

    private static void print(WordCount index) {
        System.out.printf("%n%-20s %12s %8s%n", "word", "occurrences", "files");
        index.words().entrySet().stream()
                .sorted(Map.Entry.comparingByValue(
                        Comparator.comparingLong(Usage::occurrences).reversed()))
                .limit(SHOWN)
                .forEach(entry -> System.out.printf(
                        "%-20s %12d %8d%n",
                        entry.getKey(),
                        entry.getValue().occurrences(),
                        entry.getValue().files()));
        System.out.printf(
                "%d words, %d different ones, %d lines%n",
                index.total(), index.words().size(), index.lines());
    }
}

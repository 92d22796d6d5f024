package dev.latchkey.examples;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;

/**
 * What the demo was asked for.
 *
 * @param folder whose text files are indexed
 * @param workers how many processes share the work
 * @param locking whether they merge one after the other
 * @param killing whether one of them is killed
 * @param keep where the shared directory is left
 */
record DemoOptions(Path folder, int workers, boolean locking, boolean killing, Optional<Path> keep) {
    static final String USAGE = "usage: WordIndexDemo [FOLDER] [--workers N] [--without-lock] [--no-kill] [--keep DIR]";

    private static final int MAX_WORKERS = 100;

    /** Reads the command line; an {@link IllegalArgumentException} says in one line what is wrong with it. */
    static DemoOptions parse(String... args) {
        DemoOptions options = new DemoOptions(Path.of(""), 4, true, true, Optional.empty());
        boolean folderGiven = false;
        Queue<String> rest = new ArrayDeque<>(List.of(args));
        while (!rest.isEmpty()) {
            String word = rest.remove();
            if (!word.startsWith("-") && !folderGiven) {
                options = options.withFolder(Path.of(word));
                folderGiven = true;
            } else {
                options = options.with(word, rest);
            }
        }
        requireFolder(options.folder);
        return options;
    }

    private DemoOptions with(String option, Queue<String> rest) {
        return switch (option) {
            case "--workers" -> new DemoOptions(folder, workers(valueOf(option, rest)), locking, killing, keep);
            case IndexWorker.UNLOCKED -> new DemoOptions(folder, workers, false, killing, keep);
            case "--no-kill" -> new DemoOptions(folder, workers, locking, false, keep);
            case "--keep" -> new DemoOptions(folder, workers, locking, killing, keep(valueOf(option, rest)));
            default -> throw new IllegalArgumentException("unexpected argument '" + option + "'; " + USAGE);
        };
    }

    private DemoOptions withFolder(Path path) {
        return new DemoOptions(path, workers, locking, killing, keep);
    }

    private static String valueOf(String option, Queue<String> rest) {
        if (rest.isEmpty()) {
            throw new IllegalArgumentException(option + " needs a value; " + USAGE);
        }
        return rest.remove();
    }

    private static int workers(String value) {
        try {
            int workers = Integer.parseInt(value);
            if (workers >= 1 && workers <= MAX_WORKERS) {
                return workers;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new IllegalArgumentException(
                "--workers must be a number from 1 to " + MAX_WORKERS + ", was '" + value + "'");
    }

    private static Optional<Path> keep(String value) {
        Path path = Path.of(value);
        String[] content = path.toFile().list();
        if (Files.exists(path) && (content == null || content.length > 0)) {
            throw new IllegalArgumentException("--keep needs a new or empty directory, was " + path);
        }
        return Optional.of(path);
    }

    private static void requireFolder(Path folder) {
        if (!Files.exists(folder)) {
            throw new IllegalArgumentException("no such folder: " + folder);
        }
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException("not a folder: " + folder);
        }
    }
}

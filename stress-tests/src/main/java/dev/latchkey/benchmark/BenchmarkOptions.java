package dev.latchkey.benchmark;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run is to be.
 *
 * @param cases by their words; all that belong to the length of the run if none is named
 * @param isShort whether to leave out what takes long, and to measure the rest for moments only
 * @param rounds how often each peer is measured, in turn with the others
 * @param millis how long one measurement takes, and its warm-up before
 * @param output the folder for the page and its pictures
 */
record BenchmarkOptions(List<String> cases, boolean isShort, int rounds, int millis, Path output) {
    static final String USAGE = "usage: [case ...] [--short] [--rounds N] [--millis N] [--output FOLDER]";
    private static final int ROUNDS = 3;
    private static final int MILLIS = 2_000;
    private static final int SHORT_MILLIS = 200;
    private static final int WARM_UP_CALLS = 20_000;
    private static final int MOST = 1_000_000;

    static BenchmarkOptions parse(List<String> words) {
        List<String> cases = new ArrayList<>();
        boolean isShort = words.contains("--short");
        int rounds = isShort ? 1 : ROUNDS;
        int millis = isShort ? SHORT_MILLIS : MILLIS;
        Path output = Path.of("docs");
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            switch (word) {
                case "--short" -> {}
                case "--rounds" -> rounds = positive(word, value(words, ++i, word));
                case "--millis" -> millis = positive(word, value(words, ++i, word));
                case "--output" -> output = Path.of(value(words, ++i, word));
                default -> {
                    if (!Cases.words().contains(word)) {
                        throw new IllegalArgumentException("there is no case or option '" + word + "'\n" + usage());
                    }
                    cases.add(word);
                }
            }
        }
        return new BenchmarkOptions(List.copyOf(cases), isShort, rounds, millis, output);
    }

    /** How many calls go before a measurement, at least: so many that the optimizing compiler has seen them. */
    int warmUpCalls() {
        return isShort ? 0 : WARM_UP_CALLS;
    }

    /** Whether a peer that is missing is an error: {@code -Dpeers=required}. */
    boolean peersRequired() {
        return System.getProperty("peers", "optional").equals("required");
    }

    static String usage() {
        return USAGE + "\ncases: " + String.join(" ", Cases.words());
    }

    private static String value(List<String> words, int index, String option) {
        if (index == words.size()) {
            throw new IllegalArgumentException(option + " needs a value\n" + usage());
        }
        return words.get(index);
    }

    private static int positive(String option, String value) {
        int number;
        try {
            number = Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + " must be a number, was '" + value + "'", e);
        }
        if (number < 1 || number > MOST) {
            throw new IllegalArgumentException(option + " must be from 1 to " + MOST + ", was " + value);
        }
        return number;
    }

    /** The words that give the same run again. */
    String words() {
        StringBuilder words = new StringBuilder(String.join(" ", cases));
        words.append(isShort ? " --short" : "");
        return words.append(" --rounds ")
                .append(rounds)
                .append(" --millis ")
                .append(millis)
                .toString()
                .strip();
    }
}

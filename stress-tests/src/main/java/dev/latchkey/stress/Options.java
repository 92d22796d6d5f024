package dev.latchkey.stress;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a run is to be.
 *
 * @param scenarios one after the other
 * @param jvms how many worker processes at a time
 * @param threads how many threads in each
 * @param seconds for each scenario
 * @param budget how many seconds all scenarios may take together, in place of so many for each; 0 for as long as it takes
 * @param seed of the schedule of faults and of every worker's dice
 * @param broken a rule that the engine is built to break
 * @param quiet whether to leave out all faults
 * @param report the file of HTML to write, if any
 */
record Options(
        List<ScenarioName> scenarios,
        int jvms,
        int threads,
        int seconds,
        int budget,
        long seed,
        Optional<BrokenRule> broken,
        boolean quiet,
        Optional<String> report) {
    static final String USAGE = """
            usage: [scenario ...] [--jvms N] [--threads N] [--seconds N | --budget N] [--seed N] [--broken RULE] [--quiet]
                [--report FILE]
            scenarios: %s; all of them if none is named
            rules: %s""".formatted(ScenarioName.words(), BrokenRule.words());

    static Options parse(List<String> words) {
        List<ScenarioName> scenarios = new ArrayList<>();
        Options options = new Options(
                List.of(ScenarioName.values()), 4, 2, 20, 0, freshSeed(), Optional.empty(), false, Optional.empty());
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("--quiet")) {
                options = options.withQuiet();
            } else if (word.startsWith("--")) {
                if (++i == words.size()) {
                    throw new IllegalArgumentException(word + " needs a value\n" + USAGE);
                }
                options = options.with(word, words.get(i));
            } else {
                scenarios.add(ScenarioName.of(word));
            }
        }
        return scenarios.isEmpty() ? options : options.withScenarios(scenarios);
    }

    private static long freshSeed() {
        return System.currentTimeMillis() % 1_000_000;
    }

    private Options with(String option, String value) {
        return switch (option) {
            case "--jvms" ->
                new Options(scenarios, positive(option, value), threads, seconds, budget, seed, broken, quiet, report);
            case "--threads" ->
                new Options(scenarios, jvms, positive(option, value), seconds, budget, seed, broken, quiet, report);
            case "--seconds" ->
                new Options(scenarios, jvms, threads, positive(option, value), 0, seed, broken, quiet, report);
            case "--budget" -> withBudget(positive(option, value));
            case "--seed" -> withSeed(number(option, value));
            case "--broken" -> withBroken(BrokenRule.of(value));
            case "--report" ->
                new Options(scenarios, jvms, threads, seconds, budget, seed, broken, quiet, Optional.of(value));
            default -> throw new IllegalArgumentException("there is no option " + option + "\n" + USAGE);
        };
    }

    Options withScenarios(List<ScenarioName> chosen) {
        return new Options(List.copyOf(chosen), jvms, threads, seconds, budget, seed, broken, quiet, report);
    }

    Options withSeconds(int chosen) {
        return new Options(scenarios, jvms, threads, chosen, 0, seed, broken, quiet, report);
    }

    Options withBudget(int chosen) {
        return new Options(scenarios, jvms, threads, seconds, chosen, seed, broken, quiet, report);
    }

    Options withSeed(long chosen) {
        return new Options(scenarios, jvms, threads, seconds, budget, chosen, broken, quiet, report);
    }

    Options withBroken(BrokenRule rule) {
        return new Options(
                scenarios, jvms, threads, seconds, budget, seed, Optional.of(rule), quiet || rule.needsQuiet(), report);
    }

    private Options withQuiet() {
        return new Options(scenarios, jvms, threads, seconds, budget, seed, broken, true, report);
    }

    private static int positive(String option, String value) {
        long number = number(option, value);
        if (number < 1 || number > 1_000_000) {
            throw new IllegalArgumentException(option + " must be from 1 to 1000000, was " + value);
        }
        return Math.toIntExact(number);
    }

    private static long number(String option, String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + " must be a number, was '" + value + "'", e);
        }
    }

    /** How long a process may live that waits while another scenario is played, and then plays. */
    Duration lifetime() {
        return Duration.ofSeconds(2L * Math.max(seconds, budget) + 200);
    }

    /** The command that does the same again, for one scenario. */
    String replay(ScenarioName scenario) {
        StringBuilder words = new StringBuilder(scenario.word());
        words.append(" --jvms ").append(jvms).append(" --threads ").append(threads);
        words.append(" --seconds ").append(seconds).append(" --seed ").append(seed);
        broken.ifPresent(rule -> words.append(" --broken ").append(rule.word()));
        words.append(quiet ? " --quiet" : "");
        return "mvn -q -B -Pstress -pl stress-tests -am verify -Dstress.args=\"" + words + "\"";
    }
}

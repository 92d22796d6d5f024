package dev.latchkey.stress;

import dev.latchkey.testing.DirectoryTree;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * Lets worker processes share a directory while a nemesis kills, stops and interrupts them, and judges what they did.
 *
 * <pre>
 *   mvn -q -B -Pstress -pl stress-tests -am verify -Dstress.args="lock queue --jvms 4 --threads 2 --seconds 60 --seed 42"
 * </pre>
 *
 * <p>Ends with status 1 if a promise was not kept, and 2 if the arguments are wrong.
 */
public final class Stress {
    private Stress() {}

    /** Runs the scenarios that are named; see the class. */
    public static void main(String[] args) throws IOException {
        Options options;
        try {
            options = Options.parse(
                    Stream.of(args).filter(word -> !word.isEmpty()).toList());
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        List<Outcome> outcomes = run(options);
        if (options.report().isPresent()) {
            Path page = Path.of(options.report().get()).toAbsolutePath();
            Files.writeString(page, ReportPage.of(outcomes));
            System.out.println("a page to look at: " + page);
        }
        System.out.println(Report.total(outcomes));
        System.exit(outcomes.stream().allMatch(outcome -> outcome.violations().isEmpty()) ? 0 : 1);
    }

    /** Plays the scenarios one after the other and prints a report of each; what a failed run has left is kept. */
    static List<Outcome> run(Options options) throws IOException {
        List<ScenarioName> scenarios = new ArrayList<>();
        for (ScenarioName scenario : options.scenarios()) {
            Optional<String> missing = scenario.missing();
            if (missing.isPresent()) {
                System.out.println(scenario.word() + " is left out and does not count: it needs " + missing.get());
            } else {
                scenarios.add(scenario);
            }
        }
        Stage stage = options.budget() > 0
                ? Stage.forAll(Duration.ofSeconds(options.budget()), scenarios.size())
                : Stage.withoutBudget();
        ExecutorService two = Executors.newFixedThreadPool(2); // one is played, the other begins or ends
        try {
            List<Future<Outcome>> futures = new ArrayList<>();
            for (ScenarioName scenario : scenarios) {
                futures.add(two.submit(() -> run(options, scenario, stage)));
            }
            List<Outcome> outcomes = new ArrayList<>();
            for (Future<Outcome> future : futures) {
                outcomes.add(outcome(future));
            }
            return outcomes;
        } finally {
            two.shutdown();
        }
    }

    private static Outcome outcome(Future<Outcome> future) throws IOException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new IOException("a scenario could not be judged", e.getCause());
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted while scenarios are running");
        }
    }

    private static Outcome run(Options options, ScenarioName scenario, Stage stage) throws IOException {
        Path work = Files.createTempDirectory(root(), "stress-" + scenario.word() + "-");
        Outcome outcome = trial(options, scenario, stage, work);
        String report = Report.of(outcome);
        if (outcome.violations().isEmpty()) {
            DirectoryTree.delete(work);
        } else {
            Files.writeString(work.resolve("report.txt"), report + "\n");
            Files.write(work.resolve("faults.txt"), Report.faults(outcome));
            report += "\nthe histories are in " + work;
        }
        System.out.println(report);
        return outcome;
    }

    /** A failure of the harness itself must not lose the way to repeat it. */
    private static Outcome trial(Options options, ScenarioName scenario, Stage stage, Path work) throws IOException {
        try {
            return Trial.run(options, scenario, stage, work);
        } catch (IOException | RuntimeException | AssertionError e) {
            System.out.println(
                    scenario.word() + " could not be judged, see " + work + "\n  replay: " + options.replay(scenario));
            throw e;
        }
    }

    /** Where the folders of runs are made. */
    static Path root() throws IOException {
        Path root = Path.of(System.getProperty("latchkey.tmp", System.getProperty("java.io.tmpdir")));
        return Files.createDirectories(root).toAbsolutePath();
    }
}

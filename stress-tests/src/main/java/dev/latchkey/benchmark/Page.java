package dev.latchkey.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The page that a run is written to, as Markdown with pictures beside it. */
final class Page {
    private static final double LITTLE = 0.02;

    private Page() {}

    /** One line for each peer of each case. */
    static String table(List<Outcome> outcomes) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "case",
                "peer",
                "p50 us",
                "p99 us",
                "p99.9 us",
                "max us",
                "per second",
                "slowest / fastest process",
                "Latchkey / peer"));
        outcomes.stream().filter(outcome -> outcome.measured().hasLatencies()).forEach(outcome -> outcome.peers()
                .forEach(result -> rows.add(row(outcome, result))));
        return markdown(rows);
    }

    private static List<String> row(Outcome outcome, Measured result) {
        int each = outcome.measured().each();
        boolean isFirst = outcome.peers().get(0).peer() == result.peer();
        return List.of(
                isFirst ? outcome.measured().title() : "",
                result.peer().title(),
                number(result.micros(50)),
                number(result.micros(99)),
                number(result.micros(99.9)),
                number(result.longestMicros()),
                result.perSecond() == 0 ? "" : number(result.perSecond() * each),
                result.processes() > 1 ? String.format(Locale.ROOT, "%.2f", result.share()) : "",
                comparison(outcome, result));
    }

    /** A latency may look good where little is done, so that the rate is compared where several work. */
    private static String comparison(Outcome outcome, Measured result) {
        if (result.peer() == Peer.LATCHKEY || outcome.of(Peer.LATCHKEY).isEmpty()) {
            return "";
        }
        OptionalDouble time = Target.ratio(outcome, result.peer(), peer -> peer.micros(50));
        String text = "p50 " + factor(time.orElseThrow(), true);
        if (result.perSecond() > 0) {
            OptionalDouble rate = Target.ratio(outcome, result.peer(), Measured::perSecond);
            text += ", rate " + factor(rate.orElseThrow(), false);
        }
        return text;
    }

    private static String factor(double ratio, boolean lessIsBetter) {
        boolean better = lessIsBetter ? ratio < 1 - LITTLE : ratio > 1 + LITTLE;
        boolean worse = lessIsBetter ? ratio > 1 + LITTLE : ratio < 1 - LITTLE;
        return String.format(Locale.ROOT, "%.3g x", ratio)
                + (better ? " (better)" : worse ? " (**worse**)" : " (same)");
    }

    static String number(double number) {
        return number >= 100
                ? String.format(Locale.ROOT, "%,.0f", number)
                : String.format(Locale.ROOT, number >= 10 ? "%.1f" : "%.2f", number);
    }

    private static String markdown(List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder text = new StringBuilder();
        text.append(line(rows.get(0), widths)).append("|");
        for (int width : widths) {
            text.append("-".repeat(width + 2)).append("|");
        }
        text.append("\n");
        rows.subList(1, rows.size()).forEach(row -> text.append(line(row, widths)));
        return text.toString();
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder("|");
        for (int i = 0; i < row.size(); i++) {
            String cell = row.get(i);
            line.append(' ')
                    .append(cell)
                    .append(" ".repeat(widths[i] - cell.length()))
                    .append(" |");
        }
        return line.append("\n").toString();
    }

    /** The figures that are no latencies. */
    static String others(List<Outcome> outcomes) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("case", "peer", "figures"));
        for (Outcome outcome : outcomes) {
            for (Measured result : outcome.peers()) {
                String figures = result.rounds().get(0).others().keySet().stream()
                        .sorted()
                        .map(name -> name + ": " + figure(result, name))
                        .collect(Collectors.joining("; "));
                if (!figures.isEmpty()) {
                    rows.add(List.of(outcome.measured().title(), result.peer().title(), figures));
                }
            }
        }
        return markdown(rows);
    }

    private static String figure(Measured result, String name) {
        double median = result.other(name).orElseThrow();
        double most = result.most(name).orElseThrow();
        return number(median) + (most > median ? " (at most " + number(most) + ")" : "");
    }

    /** What Latchkey was to reach, and whether it did. */
    static String targets(List<Outcome> outcomes) {
        StringBuilder text = new StringBuilder("| case | target | measured | |\n|---|---|---|---|\n");
        for (Target target : Target.ALL) {
            String title = outcomes.stream()
                    .map(Outcome::measured)
                    .filter(one -> one.word().equals(target.word()))
                    .map(Case::title)
                    .findFirst()
                    .orElse(target.word());
            text.append("| ").append(title).append(" | ").append(target.wish()).append(' ');
            text.append(target.verdict(outcomes)).append('\n');
        }
        return text.toString();
    }

    /** Writes the page and its pictures. */
    static void write(Benchmark.Run run, BenchmarkOptions options) throws IOException {
        Path folder = options.output().toAbsolutePath();
        Path pictures = Files.createDirectories(folder.resolve("benchmarks"));
        StringBuilder text = new StringBuilder(head(run, options));
        text.append("\n## Targets\n\n").append(targets(run.outcomes()));
        text.append("\n## Figures\n\n").append(HOW_TO_READ).append('\n').append(table(run.outcomes()));
        text.append("\n## Other figures\n\n").append(others(run.outcomes()));
        text.append("\n## Rate against processes, cost against size\n");
        for (Map.Entry<String, List<Outcome>> picture : pictures(run.outcomes()).entrySet()) {
            text.append(picture(pictures, picture.getKey(), Plot.growth(picture.getKey(), picture.getValue())));
        }
        text.append("\n## Distributions\n");
        for (Outcome outcome : run.outcomes()) {
            if (!outcome.measured().isLong() && outcome.measured().hasLatencies()) {
                text.append(picture(pictures, outcome.measured().word(), Plot.latencies(outcome)));
            }
        }
        Files.writeString(folder.resolve("benchmarks.md"), text.toString());
    }

    private static String picture(Path folder, String name, String svg) throws IOException {
        Files.writeString(folder.resolve(name + ".svg"), svg);
        return "\n![" + name + "](benchmarks/" + name + ".svg)\n";
    }

    /** The cases that share a picture, from left to right. */
    private static Map<String, List<Outcome>> pictures(List<Outcome> outcomes) {
        Map<String, List<Outcome>> pictures = new TreeMap<>();
        outcomes.stream()
                .filter(outcome -> outcome.measured().place().isPresent())
                .sorted(Comparator.comparingLong(
                        outcome -> outcome.measured().place().orElseThrow().at()))
                .forEach(outcome -> pictures.computeIfAbsent(
                                outcome.measured().place().orElseThrow().picture(), name -> new ArrayList<>())
                        .add(outcome));
        pictures.values().removeIf(list -> list.size() < 2);
        return pictures;
    }

    private static final String HOW_TO_READ = """
            Each figure is the median of the rounds, the maximum that of all rounds. Where a rate is given, several operations follow each
            other without a pause; with several threads or processes it is the sum of all. One thread of one JVM is measured by JMH,
            which times some calls only where they are short, so that a rare long one may be missed; everything else, asynchronous
            sets and those beside a long read by a loop of ours, Python by the same loop in Python. A measurement begins when the compilers of its
            JVMs rest, or after two minutes; that of waiting begins after half a minute of waiting and leaves the compilers' threads
            out, and that of one cold key and of opening begins at once. While a key is read, another process changes it every 50 ms.
            "Latchkey / peer" divides our figure by that of the peer, in this run.
            """;

    private static String head(Benchmark.Run run, BenchmarkOptions options) {
        Machine machine = run.machine();
        StringBuilder text = new StringBuilder("# Benchmarks\n\n");
        text.append("Written by this command, to compare Latchkey with its peers on your machine:\n\n```\n");
        text.append("mvn -q -B -Pbenchmark -pl stress-tests -am verify");
        text.append(" -Dbenchmark.args=\"").append(options.words()).append("\"\n```\n\n");
        text.append("Begun at ")
                .append(machine.start())
                .append(", took ")
                .append(machine.took().toSeconds());
        text.append(String.format(
                Locale.ROOT,
                " s; the load average was %.1f before and %.1f after. ",
                machine.loadBefore(),
                machine.loadAfter()));
        text.append("Absolute times of two runs differ by a factor of two and more where others use the machine;"
                + " the ratios within one run, whose peers are measured in turn, are what counts.\n\n");
        List<String> left = run.left(options);
        if (!left.isEmpty()) {
            text.append("**The run was cut short**; these cases were left: ")
                    .append(String.join(" ", left))
                    .append(".\n\n");
        }
        if (options.isShort()) {
            text.append(
                    "**The short form**: it shows that everything runs and finds what it must. Its warm-up is too short for the"
                            + " figures to be compared.\n\n");
        }
        machine.facts().forEach(fact -> text.append("- ").append(fact).append('\n'));
        run.missing().forEach((peer, reason) -> text.append("- **not measured: ")
                .append(peer.title())
                .append("**, ")
                .append(reason)
                .append('\n'));
        text.append(
                "\n| peer | settings, as read in the run | survives kill -9 | survives power loss |\n|---|---|---|---|\n");
        run.settings().forEach((peer, settings) -> text.append("| ")
                .append(List.of(peer.title(), settings, peer.survivesKill(), peer.survivesPowerLoss()).stream()
                        .collect(Collectors.joining(" | ")))
                .append(" |\n"));
        return text.toString();
    }
}

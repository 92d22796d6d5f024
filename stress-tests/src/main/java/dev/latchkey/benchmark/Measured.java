package dev.latchkey.benchmark;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/** What came of all rounds of one peer. Each figure is the median of the rounds, but for the longest latency, which is that of all. */
record Measured(Peer peer, List<Round> rounds) {

    double median(ToDoubleFunction<Round> figure) {
        double[] sorted = rounds.stream().mapToDouble(figure).sorted().toArray();
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    /** A latency that so many per cent do not exceed, in microseconds. */
    double micros(double percent) {
        return median(round -> round.latencies().getValueAtPercentile(percent) / 1e3);
    }

    double longestMicros() {
        return rounds.stream()
                        .mapToLong(round -> round.latencies().getMaxValue())
                        .max()
                        .orElse(0)
                / 1e3;
    }

    double perSecond() {
        return median(Round::perSecond);
    }

    /** What the slowest process did as a part of what the fastest did. */
    double share() {
        return median(Round::share);
    }

    /** The median of another figure. */
    OptionalDouble other(String name) {
        return rounds.get(0).others().containsKey(name)
                ? OptionalDouble.of(median(round -> round.others().getOrDefault(name, Double.NaN)))
                : OptionalDouble.empty();
    }

    /** The greatest of another figure: what must never be is not to be seen in any round. */
    OptionalDouble most(String name) {
        return rounds.stream()
                .mapToDouble(round -> round.others().getOrDefault(name, Double.NaN))
                .max();
    }

    int processes() {
        return rounds.get(0).operations().size();
    }

    long count() {
        return rounds.stream()
                .mapToLong(round -> round.latencies().getTotalCount())
                .sum();
    }

    /** The latencies of all rounds. */
    Histogram latencies() {
        Histogram all = Round.newHistogram();
        rounds.forEach(round -> all.add(round.latencies()));
        return all;
    }
}

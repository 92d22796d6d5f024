package dev.latchkey.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * How fast Latchkey is to be, most often compared with a peer in the same run.
 *
 * @param word the case
 * @param wish in words
 * @param figure what it came to, if all that it needs was measured
 * @param limit of the figure
 * @param atMost whether the figure is to be at most the limit, not at least
 */
record Target(
        String word,
        String wish,
        Function<List<Outcome>, OptionalDouble> figure,
        double limit,
        boolean atMost,
        String unit) {

    private static final OptionalDouble NOTHING = OptionalDouble.empty();

    /** All targets, in the order of the cases. */
    static final List<Target> ALL = all();

    private static List<Target> all() {
        List<Target> all = new ArrayList<>();
        all.add(median("get", Peer.DISKCACHE, 0.75));
        all.add(median("set", Peer.DISKCACHE, 0.4));
        all.add(median("set", Peer.JEDIS, 0.25));
        all.add(own("set", "p99.9 < 1 ms", result -> result.micros(99.9) / 1e3, 1, true, "ms"));
        all.add(rate("set-threads", Peer.DISKCACHE, 3));
        all.add(rate("set-all", Peer.DISKCACHE, 5));
        all.add(rate("set-async", Peer.DISKCACHE, 5));
        all.add(rate("set-processes", Peer.DISKCACHE, 2));
        all.add(own("set-processes", "slowest process >= 0.8 x the fastest", Measured::share, 0.8, false, "x"));
        all.add(own("set-processes", "max <= 25 ms", result -> result.longestMicros() / 1e3, 25, true, "ms"));
        all.add(median("lock", Peer.DISKCACHE, 0.3));
        all.add(median("lock", Peer.REDISSON, 0.12));
        all.add(rate("lock-processes", Peer.DISKCACHE, 5));
        all.add(rate("lock-processes", Peer.REDISSON, 1));
        all.add(own("lock-processes", "slowest process >= 0.8 x the fastest", Measured::share, 0.8, false, "x"));
        all.add(own(
                "lock-processes", "p99.9 of the wait <= 10 ms", result -> result.micros(99.9) / 1e3, 10, true, "ms"));
        all.add(own("hand-over", "p50 <= 150 us", result -> result.micros(50), 150, true, "us"));
        all.add(new Target(
                "lost-hint",
                "max <= 50 ms",
                outcomes -> of(Peer.UNRUNG, outcomes, "lost-hint", result -> result.longestMicros() / 1e3),
                50,
                true,
                "ms"));
        all.add(own("owner-killed", "p50 <= 10 ms", result -> result.micros(50) / 1e3, 10, true, "ms"));
        all.add(own("owner-killed", "max <= 50 ms", result -> result.longestMicros() / 1e3, 50, true, "ms"));
        all.add(other("waiting", "first in line <= 1.5 % of a core", Waiting.FIRST, 1.5, true, "%"));
        all.add(other("waiting", "others < 0.5 % of a core", Waiting.SECOND, 0.5, true, "%"));
        all.add(other("waiting", "idle queue < 0.5 % of a core", Waiting.QUEUE, 0.5, true, "%"));
        all.add(own("take", "p50 <= 200 us", result -> result.micros(50), 200, true, "us"));
        all.add(other("throttle", ">= 99 % of the nominal rate", Limited.RATE, 99, false, "%"));
        all.add(never("throttle", "never above it", Limited.ABOVE, 0, "calls"));
        all.add(never("stampede", "1 computation", Cold.COMPUTATIONS, 1, "computations"));
        all.add(own("open", "p50 <= 15 ms", result -> result.micros(50) / 1e3, 15, true, "ms"));
        all.add(other("open", "<= 12 descriptors", Opening.DESCRIPTORS, 12, true, "descriptors"));
        all.add(other("open-fanout", "<= 7 descriptors for each shard", Opening.DESCRIPTORS, 7, true, "descriptors"));
        all.add(growth("get-1000", "get-1000000", "p50 within 2 x of that with 1,000", result -> result.micros(50)));
        all.add(growth("set-1000", "set-1000000", "p50 within 2 x of that with 1,000", result -> result.micros(50)));
        all.add(growth(
                "lock-names-10", "lock-names-10000", "p50 within 2 x of that with 10", result -> result.micros(50)));
        all.add(growth(
                "lock-threads-2",
                "lock-threads-64",
                "time of a grant within 2 x of that with 2",
                result -> 1 / result.perSecond()));
        all.add(growth(
                "lock-2", "lock-64", "time of a grant within 2 x of that with 2", result -> 1 / result.perSecond()));
        all.add(median("deque", Peer.DISKCACHE, 0.5));
        all.add(median("deque", Peer.JEDIS, 0.25));
        return List.copyOf(all);
    }

    /** A figure that is no latency and no rate. */
    private static Target other(String word, String wish, String name, double limit, boolean atMost, String unit) {
        return own(word, wish, result -> result.other(name).orElse(Double.NaN), limit, atMost, unit);
    }

    /** What holds in every round. */
    private static Target never(String word, String wish, String name, double limit, String unit) {
        return own(word, wish, result -> result.most(name).orElse(Double.NaN), limit, true, unit);
    }

    /** How much it costs more at the last place of a picture than at the first. */
    private static Target growth(String first, String last, String wish, ToDoubleFunction<Measured> cost) {
        return new Target(
                last,
                wish,
                outcomes -> {
                    OptionalDouble small = ours(outcomes, first, cost);
                    OptionalDouble large = ours(outcomes, last, cost);
                    return small.isEmpty() || large.isEmpty()
                            ? NOTHING
                            : OptionalDouble.of(large.getAsDouble() / small.getAsDouble());
                },
                2,
                true,
                "x");
    }

    private static Optional<Outcome> one(List<Outcome> outcomes, String word) {
        return outcomes.stream()
                .filter(outcome -> outcome.measured().word().equals(word))
                .findFirst();
    }

    private static OptionalDouble ours(List<Outcome> outcomes, String word, ToDoubleFunction<Measured> figure) {
        return of(Peer.LATCHKEY, outcomes, word, figure);
    }

    private static OptionalDouble of(
            Peer peer, List<Outcome> outcomes, String word, ToDoubleFunction<Measured> figure) {
        return one(outcomes, word)
                .flatMap(outcome -> outcome.of(peer))
                .map(result -> OptionalDouble.of(figure.applyAsDouble(result)))
                .orElse(NOTHING);
    }

    private static Target median(String word, Peer peer, double limit) {
        return new Target(
                word,
                "p50 <= " + plain(limit) + " x " + peer.title(),
                outcomes -> one(outcomes, word)
                        .map(outcome -> ratio(outcome, peer, result -> result.micros(50)))
                        .orElse(NOTHING),
                limit,
                true,
                "x");
    }

    private static Target rate(String word, Peer peer, double limit) {
        return new Target(
                word,
                "rate >= " + plain(limit) + " x " + peer.title(),
                outcomes -> one(outcomes, word)
                        .map(outcome -> ratio(outcome, peer, Measured::perSecond))
                        .orElse(NOTHING),
                limit,
                false,
                "x");
    }

    private static Target own(
            String word, String wish, ToDoubleFunction<Measured> figure, double limit, boolean atMost, String unit) {
        return new Target(word, wish, outcomes -> ours(outcomes, word, figure), limit, atMost, unit);
    }

    static OptionalDouble ratio(Outcome outcome, Peer peer, ToDoubleFunction<Measured> figure) {
        Optional<Measured> ours = outcome.of(Peer.LATCHKEY);
        Optional<Measured> theirs = outcome.of(peer);
        if (ours.isEmpty() || theirs.isEmpty()) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(figure.applyAsDouble(ours.get()) / figure.applyAsDouble(theirs.get()));
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }

    /** What it came to, and whether that is enough. */
    String verdict(List<Outcome> outcomes) {
        OptionalDouble came = figure.apply(outcomes);
        if (came.isEmpty()) {
            return "| | not measured |";
        }
        double number = came.getAsDouble();
        boolean met = atMost ? number <= limit : number >= limit;
        return String.format(Locale.ROOT, "| %.3g %s | %s |", number, unit, met ? "met" : "**missed**");
    }
}

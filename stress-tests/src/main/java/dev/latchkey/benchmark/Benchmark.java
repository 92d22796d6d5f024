package dev.latchkey.benchmark;

import dev.latchkey.testing.DirectoryTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Measures Latchkey beside its peers and writes {@code docs/benchmarks.md}.
 *
 * <pre>
 *   mvn -q -B -Pbenchmark -pl stress-tests -am verify -Dbenchmark.args="--short"
 * </pre>
 *
 * <p>In each round of a case every peer is measured once, one after the other, in processes that were started for it. A peer that is not
 * on this machine is reported and left out; with {@code -Dpeers=required} that ends the run with status 1. Wrong arguments give 2.
 */
public final class Benchmark {
    private Benchmark() {}

    /** Runs the cases that are named; see the class. */
    public static void main(String[] args) throws Exception {
        BenchmarkOptions options;
        try {
            options = BenchmarkOptions.parse(
                    Stream.of(args).filter(word -> !word.isEmpty()).toList());
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        Run run;
        try {
            run = run(options);
        } catch (Exception | AssertionError e) {
            e.printStackTrace();
            System.exit(1);
            return;
        }
        System.out.println(Page.table(run.outcomes()));
        System.out.println(Page.others(run.outcomes()));
        System.out.println(Page.targets(run.outcomes()));
        System.out.println("written to " + options.output().resolve("benchmarks.md"));
        System.exit(0);
    }

    /**
     * All that a run has found out.
     *
     * @param missing the peers that are not on this machine, and why
     * @param settings how each peer writes to the disk, as it said
     */
    record Run(List<Outcome> outcomes, Map<Peer, String> missing, Map<Peer, String> settings, Machine machine) {

        /** The cases that were not measured yet. */
        List<String> left(BenchmarkOptions options) {
            List<String> left =
                    new ArrayList<>(Cases.of(options).stream().map(Case::word).toList());
            left.removeAll(
                    outcomes.stream().map(outcome -> outcome.measured().word()).toList());
            return left;
        }
    }

    static Run run(BenchmarkOptions options) throws Exception {
        Path folder = Files.createTempDirectory(Machine.folder(), "benchmark-");
        try (RedisServer redis = RedisServer.start(folder)) {
            Machine machine = Machine.now(redis);
            Arena arena = new Arena(options, folder, redis);
            Map<Peer, String> missing = missing(redis);
            Map<Peer, String> settings = settings(Cases.of(options), arena, missing);
            if (options.peersRequired() && !missing.isEmpty()) {
                throw new IllegalStateException("peers are required, but not all are here: " + missing);
            }
            List<Outcome> outcomes = new ArrayList<>();
            for (Case one : Cases.of(options)) {
                System.out.println("measuring " + one.word() + ": " + one.title());
                List<Peer> peers = one.peers().stream()
                        .filter(peer -> !missing.containsKey(peer))
                        .toList();
                outcomes.add(run(one, peers, arena));
                // so that a run that is cut short leaves what it has found out
                Page.write(new Run(outcomes, missing, settings, machine.ended()), options);
            }
            return new Run(outcomes, missing, settings, machine.ended());
        } finally {
            DirectoryTree.delete(folder);
        }
    }

    private static Map<Peer, String> missing(RedisServer redis) {
        Map<Peer, String> missing = new EnumMap<>(Peer.class);
        for (Peer peer : Peer.values()) {
            String reason = peer.missing(redis);
            if (!reason.isEmpty()) {
                missing.put(peer, reason);
                System.out.println(peer.title() + " is not measured: " + reason);
            }
        }
        return missing;
    }

    /** How each peer of these cases writes to the disk, as it says; whoever cannot be opened is missing. */
    static Map<Peer, String> settings(List<Case> cases, Arena arena, Map<Peer, String> missing) {
        Map<Peer, String> settings = new EnumMap<>(Peer.class);
        cases.stream()
                .flatMap(one -> one.peers().stream())
                .distinct()
                .filter(peer -> !missing.containsKey(peer))
                .sorted()
                .forEach(peer -> {
                    try {
                        settings.put(peer, settings(peer, arena));
                    } catch (IOException | AssertionError e) {
                        if (peer.isOurs()) {
                            throw new IllegalStateException("Latchkey cannot be opened", e);
                        }
                        missing.put(peer, "cannot be opened here");
                        System.out.println(peer.title() + " is not measured: " + e.getMessage());
                    }
                });
        return settings;
    }

    /** Opens a store of it, in another process. */
    private static String settings(Peer peer, Arena arena) throws IOException {
        try (Site site = new Site(peer, arena)) {
            return site.witness().ask("settings", "SETTINGS");
        }
    }

    /** The peers in turn, round by round. */
    private static Outcome run(Case one, List<Peer> peers, Arena arena) throws Exception {
        arena.redis().clear();
        List<Site> sites = new ArrayList<>();
        List<Measured> measured = new ArrayList<>();
        try {
            for (Peer peer : peers) {
                sites.add(new Site(peer, arena));
                measured.add(new Measured(peer, new ArrayList<>()));
            }
            sites.forEach(site -> site.witness().awaitOpen());
            for (Site site : sites) {
                one.prepare(site);
            }
            for (int round = 0; round < arena.options().rounds(); round++) {
                for (int i = 0; i < sites.size(); i++) {
                    measured.get(i).rounds().add(one.round(sites.get(i)));
                }
            }
        } finally {
            sites.forEach(Site::close);
        }
        return new Outcome(one, List.copyOf(measured));
    }
}

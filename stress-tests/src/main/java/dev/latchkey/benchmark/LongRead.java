package dev.latchkey.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Sets, while another process reads the database in one transaction that does not end: nothing of the log can be used again. */
record LongRead(String word, String title, List<Peer> peers) implements Case {
    static final String LOG_EACH = "log, bytes for each set";
    static final String LOG_AFTER = "log when the read has ended and as long again was written, MiB";
    private static final double MIB = 1 << 20;
    /** A log that is too long is cut when nobody has written for a while. */
    private static final long SETTLING_MILLIS = 3_000;

    /** With a store of its own: a log that has grown may stay so. */
    @Override
    public Round round(Site site) throws IOException {
        try (Site fresh = new Site(site.peer(), site.arena())) {
            List<Party> writer = fresh.join(1);
            BenchmarkOptions options = site.arena().options();
            run(writer, options.millis(), options.warmUpCalls(), 1);
            fresh.witness().ask("snapshot", "SNAPSHOT");
            List<Round.Result> beside = run(writer, 0, 0, options.millis());
            Round round = Round.of(beside);
            double each = log(fresh) / (double) round.total();
            fresh.witness().ask("forget", "FORGOTTEN");
            List<Round.Result> after = run(writer, 0, 0, options.millis());
            Loop.pause(SETTLING_MILLIS);
            Map<String, Double> others = Map.of(LOG_EACH, each, LOG_AFTER, log(fresh) / MIB);
            writer.get(0).halt();
            fresh.verify(after);
            return new Round(round.latencies(), round.operations(), round.seconds(), others);
        }
    }

    private static List<Round.Result> run(List<Party> writer, int warmUpMillis, int calls, int millis) {
        Loop.begin(writer, "measure set 1 %d %d 0 %d".formatted(warmUpMillis, millis, calls));
        return Loop.results(writer);
    }

    private static long log(Site site) throws IOException {
        Path log = site.directory().resolve("cache.db-wal");
        return Files.exists(log) ? Files.size(log) : 0;
    }
}

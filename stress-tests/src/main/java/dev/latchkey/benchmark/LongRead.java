package dev.latchkey.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Sets, while another process reads the database in one transaction that does not end: nothing of the log can be used again. */
record LongRead(String word, String title, List<Peer> peers) implements Case {
    static final String LOG_BESIDE = "log at the end of it, MiB";
    static final String LOG_AFTER = "log when it has ended and as many sets went on, MiB";
    private static final double MIB = 1 << 20;
    private static final long SETTLING_MILLIS = 1_000;

    @Override
    public Round round(Site site) throws IOException {
        List<Party> writer = site.join(1);
        BenchmarkOptions options = site.arena().options();
        String command =
                "measure set 1 %d %d 0 %d".formatted(options.millis(), options.millis(), options.warmUpCalls());
        site.witness().ask("snapshot", "SNAPSHOT");
        Loop.begin(writer, command);
        List<Round.Result> beside = Loop.results(writer);
        double logBeside = log(site);
        site.witness().ask("forget", "FORGOTTEN");
        Loop.begin(writer, command);
        List<Round.Result> after = Loop.results(writer);
        Loop.pause(SETTLING_MILLIS);
        double logAfter = log(site);
        writer.get(0).halt();
        site.verify(after);
        Round round = Round.of(beside);
        return new Round(
                round.latencies(),
                round.operations(),
                round.seconds(),
                Map.of(LOG_BESIDE, logBeside, LOG_AFTER, logAfter));
    }

    private static double log(Site site) throws IOException {
        Path log = site.directory().resolve("cache.db-wal");
        return Files.exists(log) ? Files.size(log) / MIB : 0;
    }
}

package dev.latchkey.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/** Four processes pass a limit of so many a second as often as it lets them. */
record Limited(String word, String title, List<Peer> peers) implements Case {
    static final String RATE = "% of the nominal rate";
    static final String ABOVE = "calls above the rate";
    private static final int PROCESSES = 4;
    private static final int PER_SECOND = 1_000;
    private static final int MILLIS = 10_000;
    private static final int MILLIS_IN_SHORT = 1_000;
    private static final int WARM_UP_MILLIS = 5_000;

    @Override
    public Round round(Site site) {
        List<Party> parties = site.join(PROCESSES);
        boolean isShort = site.arena().options().isShort();
        int millis = isShort ? MILLIS_IN_SHORT : MILLIS;
        int warmUp = isShort ? 0 : WARM_UP_MILLIS;
        int calls = isShort ? 0 : WARM_UP_MILLIS * PER_SECOND / 1_000 / PROCESSES;
        String command = "measure pass 1 %d %d %d %d".formatted(warmUp, millis, PER_SECOND, calls);
        parties.forEach(party -> party.tell(command));
        parties.forEach(party -> party.hear("READY"));
        long gun = System.nanoTime();
        parties.forEach(party -> party.tell("GO"));
        List<Long> times = new ArrayList<>();
        List<Round.Result> results = new ArrayList<>();
        for (Party party : parties) {
            Stream.of(party.hear("TIMES").split(" ")).map(Long::parseLong).forEach(times::add);
            results.add(Round.Result.parse("RESULT " + party.hear("RESULT")));
        }
        parties.forEach(Party::halt);
        Histogram latencies = Round.newHistogram();
        results.forEach(result -> latencies.add(result.latencies()));
        long[] sorted = times.stream().mapToLong(Long::longValue).sorted().toArray();
        return new Round(
                latencies,
                results.stream().map(Round.Result::operations).toList(),
                (sorted[sorted.length - 1] - sorted[0]) / 1e9,
                Map.of(RATE, rate(sorted), ABOVE, (double) above(gun, sorted)));
    }

    private static double rate(long[] sorted) {
        return 100.0 * (sorted.length - 1) / ((sorted[sorted.length - 1] - sorted[0]) / 1e9) / PER_SECOND;
    }

    /**
     * By how many calls there were more than the rate gives. No call returns before it may: since the starting gun there may be one, and
     * those that the time gives. Between any two moments, however little was used before, there may be as many, and those that were
     * let pass before and returned late: one of each process, since it calls again only then.
     */
    static long above(long gun, long[] sorted) {
        long most = 0;
        long least = Long.MAX_VALUE;
        for (int i = 0; i < sorted.length; i++) {
            long ahead = i - (sorted[i] - gun) * PER_SECOND / 1_000_000_000;
            least = Math.min(least, ahead);
            most = Math.max(most, Math.max(ahead, ahead - least - PROCESSES));
        }
        return most;
    }
}

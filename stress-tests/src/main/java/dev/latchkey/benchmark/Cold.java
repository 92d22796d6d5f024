package dev.latchkey.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.HdrHistogram.Histogram;

/** Many threads of four processes ask at once for a result that nobody has computed yet, which takes 50 ms. */
record Cold(String word, String title, List<Peer> peers) implements Case {
    static final String COMPUTATIONS = "computations";
    private static final int PROCESSES = 4;
    private static final int THREADS = 8;
    private static final AtomicInteger KEYS = new AtomicInteger();

    @Override
    public Round round(Site site) {
        List<Party> parties = site.join(PROCESSES);
        String key = "cold" + KEYS.incrementAndGet();
        parties.forEach(party -> party.tell("memoize " + key + " " + THREADS));
        parties.forEach(party -> party.hear("READY"));
        parties.forEach(party -> party.tell("GO"));
        List<Long> computations = new ArrayList<>();
        Histogram latencies = Round.newHistogram();
        for (Party party : parties) {
            Round.Result result = Round.Result.parse("RESULT " + party.hear("RESULT"));
            computations.add(result.operations());
            latencies.add(result.latencies());
        }
        site.require(latencies.getTotalCount() == PROCESSES * THREADS, "not all threads got the result");
        parties.forEach(Party::halt);
        double sum = computations.stream().mapToLong(Long::longValue).sum();
        return Round.of(latencies, Map.of(COMPUTATIONS, sum));
    }
}

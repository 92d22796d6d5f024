package dev.latchkey.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What came of one round of one peer.
 *
 * @param latencies in nanoseconds, of all processes
 * @param operations how many each process did
 * @param seconds how long the slowest of them took; 0 if they did not work without a pause
 * @param others further figures by name
 */
record Round(Histogram latencies, List<Long> operations, double seconds, Map<String, Double> others) {
    private static final long LONGEST_NANOS = 600_000_000_000L;
    private static final int DIGITS = 3;

    static Histogram newHistogram() {
        return new Histogram(LONGEST_NANOS, DIGITS);
    }

    /** The sum of what several processes have said. */
    static Round of(List<Result> results) {
        Histogram latencies = newHistogram();
        List<Long> operations = new ArrayList<>();
        double seconds = 0;
        for (Result result : results) {
            latencies.add(result.latencies());
            operations.add(result.operations());
            seconds = Math.max(seconds, result.nanos() / 1e9);
        }
        return new Round(latencies, operations, seconds, Map.of());
    }

    /** A round of single latencies, one at a time. */
    static Round of(Histogram latencies, Map<String, Double> others) {
        return new Round(latencies, List.of(latencies.getTotalCount()), 0, others);
    }

    long total() {
        return operations.stream().mapToLong(Long::longValue).sum();
    }

    double perSecond() {
        return seconds == 0 ? 0 : total() / seconds;
    }

    /** What the slowest process did as a part of what the fastest did. */
    double share() {
        long most = operations.stream().mapToLong(Long::longValue).max().orElse(0);
        long least = operations.stream().mapToLong(Long::longValue).min().orElse(0);
        return most == 0 ? 0 : least / (double) most;
    }

    /** The line {@code RESULT} of one process. */
    record Result(long operations, long nanos, List<String> last, Histogram latencies) {
        static Result parse(String line) {
            String[] words = line.split(" ");
            Histogram latencies = newHistogram();
            for (int i = 4; i < words.length; i++) {
                String[] bucket = words[i].split(":");
                latencies.recordValueWithCount(Long.parseLong(bucket[0]), Long.parseLong(bucket[1]));
            }
            List<String> last = words[3].equals("-") ? List.of() : List.of(words[3].split(";"));
            Result result = new Result(Long.parseLong(words[1]), Long.parseLong(words[2]), last, latencies);
            if (latencies.getTotalCount() == 0 || result.nanos <= 0) {
                throw new IllegalStateException("a process has measured nothing: " + line);
            }
            return result;
        }
    }
}

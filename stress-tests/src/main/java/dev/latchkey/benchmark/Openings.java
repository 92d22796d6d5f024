package dev.latchkey.benchmark;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.FanoutCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/** Opens directories that exist, in a process that has opened others before, and sees what that takes. */
final class Openings {
    private static final int SHARDS = 8;
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final Path THREADS = Path.of("/proc/self/task");

    private final Histogram latencies = Round.newHistogram();
    private final String others;

    /**
     * Opens them.
     *
     * @param kind {@code cache} or {@code fanout}
     */
    Openings(Path directory, String kind, int count) throws IOException {
        Function<Path, Cache> open = kind.equals("fanout") ? path -> FanoutCache.open(path, SHARDS) : Cache::open;
        int parts = kind.equals("fanout") ? SHARDS : 1;
        List<Path> folders = IntStream.range(0, count)
                .mapToObj(i -> directory.resolve("open" + i))
                .toList();
        folders.forEach(folder -> open.apply(folder).close());
        long descriptors = count(DESCRIPTORS);
        long threads = count(THREADS);
        List<Cache> opened = new ArrayList<>();
        for (Path folder : folders) {
            long start = System.nanoTime();
            opened.add(open.apply(folder));
            latencies.recordValue(System.nanoTime() - start);
        }
        double each = count * parts;
        others = String.format(
                Locale.ROOT,
                "descriptors=%f threads=%f",
                (count(DESCRIPTORS) - descriptors) / each,
                (count(THREADS) - threads) / each);
        opened.forEach(Cache::close);
    }

    private static long count(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.count();
        }
    }

    Histogram latencies() {
        return latencies;
    }

    long nanos() {
        return Math.round(latencies.getMean() * latencies.getTotalCount());
    }

    /** Descriptors and threads of each directory or shard, as {@code name=number}. */
    String others() {
        return others;
    }
}

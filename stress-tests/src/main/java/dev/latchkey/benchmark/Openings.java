package dev.latchkey.benchmark;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.FanoutCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/** Opens directories that exist, in a process that has opened others before, uses them, and sees what that takes. */
final class Openings {
    private static final int SHARDS = 8;
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final Path THREADS = Path.of("/proc/self/task");
    private static final Path MEMORY = Path.of("/proc/self/status");
    private static final double KIB = 1024;
    /** So many of each thread that the log is written back meanwhile. */
    private static final int USES = 200;

    private static final int USERS = 4;
    /** The engines' own threads come to rest, and those that were started for a moment end. */
    private static final long REST_MILLIS = 300;

    private final Histogram latencies = Round.newHistogram();
    private final String others;

    /** What a process has taken so far. */
    private record Taken(double descriptors, double threads, double heapKib, double residentKib) {
        static Taken now() throws IOException, InterruptedException {
            System.gc();
            TimeUnit.MILLISECONDS.sleep(REST_MILLIS);
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            double heap = (runtime.totalMemory() - runtime.freeMemory()) / KIB;
            return new Taken(count(DESCRIPTORS), count(THREADS), heap, residentNow());
        }

        private static double residentNow() throws IOException {
            return Files.exists(MEMORY)
                    ? Files.readAllLines(MEMORY).stream()
                            .filter(line -> line.startsWith("VmRSS:"))
                            .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")))
                            .sum()
                    : 0;
        }

        /** Of each of so many directories or shards, as {@code name=number}. */
        String since(Taken earlier, int parts) {
            return String.format(
                    Locale.ROOT,
                    "descriptors=%f threads=%f heap_KiB=%f resident_KiB=%f",
                    (descriptors - earlier.descriptors) / parts,
                    (threads - earlier.threads) / parts,
                    (heapKib - earlier.heapKib) / parts,
                    (residentKib - earlier.residentKib) / parts);
        }
    }

    /**
     * Opens them.
     *
     * @param kind {@code cache} or {@code fanout}
     */
    Openings(Path directory, String kind, int count) throws Exception {
        Function<Path, Cache> open = kind.equals("fanout") ? path -> FanoutCache.open(path, SHARDS) : Cache::open;
        List<Path> folders = IntStream.range(0, count)
                .mapToObj(i -> directory.resolve("open" + i))
                .toList();
        for (Path folder : folders) {
            try (Cache cache = open.apply(folder)) {
                use(cache);
            }
        }
        Taken before = Taken.now();
        List<Cache> opened = new ArrayList<>();
        for (Path folder : folders) {
            long start = System.nanoTime();
            opened.add(open.apply(folder));
            latencies.recordValue(System.nanoTime() - start);
        }
        for (Cache cache : opened) {
            use(cache);
        }
        others = Taken.now().since(before, count * (kind.equals("fanout") ? SHARDS : 1));
        opened.forEach(Cache::close);
    }

    /** Some threads at once, so that it has opened all that it ever opens. */
    private static void use(Cache cache) throws InterruptedException {
        List<Thread> users = new ArrayList<>();
        for (int i = 0; i < USERS; i++) {
            String prefix = i + ".";
            Thread user = new Thread(() -> {
                for (int j = 0; j < USES; j++) {
                    cache.set(prefix + j, Operations.value(j));
                    if (!Operations.value(j).equals(cache.get(prefix + j, String.class))) {
                        throw new IllegalStateException("what was set cannot be got");
                    }
                }
            });
            user.setUncaughtExceptionHandler((thread, failure) -> {
                failure.printStackTrace();
                Runtime.getRuntime().halt(1);
            });
            user.start();
            users.add(user);
        }
        for (Thread user : users) {
            user.join();
        }
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

    /** What each directory or shard takes, as {@code name=number}. */
    String others() {
        return others;
    }
}

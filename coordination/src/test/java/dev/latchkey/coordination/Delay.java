package dev.latchkey.coordination;

import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Stalls;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Tells how late somebody was from how long the machine made it wait for a processor, or stood still itself. */
public final class Delay {
    private final Stalls stalls;
    private final JavaProcess heir;
    private final long before;

    public Delay(Stalls stalls, JavaProcess heir) {
        this.stalls = stalls;
        this.heir = heir;
        this.before = queuedNanos();
    }

    public long microsBetween(long from, long to) {
        return micros(to - from - Math.max(queuedNanos() - before, stalls.nanosWithin(from, to)));
    }

    /** How long the threads that acquire were ready to run and did not; 0 where the kernel does not count it. */
    private long queuedNanos() {
        long nanos = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/" + heir.pid() + "/task"))) {
            for (Path thread : threads) {
                if (Files.readString(thread.resolve("comm")).matches("(w|latchkey.*)\\s*")) {
                    nanos += Long.parseLong(
                            Files.readString(thread.resolve("schedstat")).split(" ", -1)[1]);
                }
            }
            return nanos;
        } catch (IOException e) {
            return 0; // no such file, or a thread that ended meanwhile
        }
    }

    public static long micros(long nanos) {
        return TimeUnit.NANOSECONDS.toMicros(nanos);
    }

    public static String distribution(List<Long> micros) {
        List<Long> sorted = new ArrayList<>(micros);
        Collections.sort(sorted);
        return "median " + sorted.get(sorted.size() / 2) + " longest " + sorted.get(sorted.size() - 1);
    }
}

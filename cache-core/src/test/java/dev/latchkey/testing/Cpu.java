package dev.latchkey.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Assumptions;

/**
 * What a process has used so far, as Linux counts it.
 *
 * @param time user and system time of all threads, in steps of 10 ms
 * @param voluntarySwitches how often a living thread has given up its processor to wait
 * @param involuntarySwitches how often a living thread has lost its processor to another
 * @param writeBytes bytes that it caused to be written to storage
 * @param writeCalls write system calls
 */
public record Cpu(Duration time, long voluntarySwitches, long involuntarySwitches, long writeBytes, long writeCalls) {

    /** Empty without {@code /proc}, or if the process does not exist or belongs to somebody else. */
    public static Optional<Cpu> of(long pid) {
        try {
            return Optional.of(read(ProcDirectory.of(pid)));
        } catch (UncheckedIOException e) {
            return Optional.empty();
        }
    }

    /** Like {@link #of}, but without an answer the test is skipped. */
    public static Cpu required(long pid) {
        Optional<Cpu> cpu = of(pid);
        Assumptions.assumeTrue(cpu.isPresent(), "/proc/" + pid + " cannot be read");
        return cpu.orElseThrow();
    }

    /** What was used between {@code earlier} and this. */
    public Cpu since(Cpu earlier) {
        return new Cpu(
                time.minus(earlier.time),
                voluntarySwitches - earlier.voluntarySwitches,
                involuntarySwitches - earlier.involuntarySwitches,
                writeBytes - earlier.writeBytes,
                writeCalls - earlier.writeCalls);
    }

    /**
     * What each thread has used, in nanoseconds; empty where the kernel does not count so finely. Without the JVM's compiler
     * threads, whose work ends after a while.
     */
    public static Map<String, Long> nanosByThread(long pid) {
        return nanosByThread(pid, name -> !isCompiler(name));
    }

    /** What the JVM's compiler threads have used, in nanoseconds; 0 where the kernel does not count so finely. */
    public static long compilerNanos(long pid) {
        return nanosByThread(pid, Cpu::isCompiler).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    private static boolean isCompiler(String thread) {
        return thread.matches("C[12]_? ?Compiler.*\\s*");
    }

    private static Map<String, Long> nanosByThread(long pid, Predicate<String> isWanted) {
        Map<String, Long> nanos = new HashMap<>();
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
            for (Path thread : threads) {
                nanosOf(thread, isWanted)
                        .ifPresent(used -> nanos.put(thread.getFileName().toString(), used));
            }
        } catch (IOException | DirectoryIteratorException e) {
            return Map.of(); // no such process
        }
        return nanos;
    }

    private static Optional<Long> nanosOf(Path thread, Predicate<String> isWanted) {
        try {
            if (!isWanted.test(Files.readString(thread.resolve("comm")))) {
                return Optional.empty();
            }
            String counted = Files.readString(thread.resolve("schedstat"));
            return Optional.of(Long.parseLong(counted.split(" ", -1)[0]));
        } catch (IOException e) {
            return Optional.empty(); // no such file, or the thread ended meanwhile
        }
    }

    /** Context switches are counted by thread: {@code /proc/PID/status} knows only the first thread. */
    private static Cpu read(ProcDirectory process) {
        List<String> stat = process.stat();
        long ticks = Long.parseLong(stat.get(11)) + Long.parseLong(stat.get(12));
        return new Cpu(
                Duration.ofMillis(10 * ticks),
                sum(process, thread -> thread.number("status", "voluntary_ctxt_switches")),
                sum(process, thread -> thread.number("status", "nonvoluntary_ctxt_switches")),
                process.number("io", "write_bytes"),
                process.number("io", "syscw"));
    }

    private static long sum(ProcDirectory process, ToLongFunction<ProcDirectory> count) {
        return process.threads().stream()
                .mapToLong(thread -> unlessGone(thread, count))
                .sum();
    }

    private static long unlessGone(ProcDirectory thread, ToLongFunction<ProcDirectory> count) {
        try {
            return count.applyAsLong(thread);
        } catch (UncheckedIOException e) {
            return 0;
        }
    }
}

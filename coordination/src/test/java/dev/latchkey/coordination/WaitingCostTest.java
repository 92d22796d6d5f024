package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.coordination.WaitingChild.What;
import dev.latchkey.testing.Cpu;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Four processes with eight threads each wait for the same thing: they write nothing, start no threads, and use little. */
@Tag("process")
class WaitingCostTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int JVMS = 4;
    private static final int THREADS = 8;
    private static final int WINDOWS = 6;
    /** The first in line looks every 10 ms, the others every 50; each look wakes one thread, and some take a lock meanwhile. */
    private static final long FIRST_WAKE_UPS_PER_SECOND = 200;

    private static final long OTHERS_WAKE_UPS_PER_SECOND = 100;
    /** Three times what they may cost on a machine that is quiet: how fast this one is nobody knows. */
    private static final long FIRST_MICROS_PER_SECOND = 45_000;

    private static final long OTHERS_MICROS_PER_SECOND = 15_000;

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Path path() {
        return directory.resolve("cache");
    }

    private JavaProcess waiting(String what, int number) {
        JavaProcess child =
                processes.start(JavaCommand.of(WaitingChild.class, path().toString(), what, String.valueOf(number)));
        child.await("WAITING", SOON);
        return child;
    }

    /** Holds whatever they wait for. */
    private static List<AutoCloseable> holdAll(Cache cache) throws InterruptedException {
        List<AutoCloseable> held = new ArrayList<>();
        for (String name : List.of("a", "b")) {
            held.add(new Lock(cache, name).acquire());
        }
        held.add(new RLock(cache, "r").acquire());
        held.add(new ReadWriteLock(cache, "w").writeLock().acquire());
        held.add(new BoundedSemaphore(cache, "s", 2).acquirePermit());
        held.add(new Lock(cache, "async").acquire());
        new Throttle(cache, "t", 1, Duration.ofHours(1)).acquire(); // the next ones come too late for this test
        WorkQueue<String> busy = new WorkQueue<>(cache, "busy", String.class);
        busy.put("item");
        held.add(busy.claim(Duration.ZERO).orElseThrow());
        return held;
    }

    @ParameterizedTest
    @EnumSource
    void waitingWritesNothingStartsNoThreadAndCostsLittle(What what) throws Exception {
        try (Cache cache = Cache.open(path())) {
            List<AutoCloseable> held = holdAll(cache);
            int number = what == What.ASYNC ? 1_000 : THREADS;
            List<JavaProcess> waiting = new ArrayList<>();
            for (int i = 0; i < JVMS; i++) {
                waiting.add(waiting(what.name(), number));
            }
            JavaProcess idle = waiting("lock", 0);
            Awaitility.await()
                    .atMost(SOON)
                    .pollInterval(Duration.ofMillis(20))
                    .untilAsserted(() -> assertAllWait(cache, what, waiting));
            ProcessFixture.letRun(Duration.ofSeconds(2), waiting); // a second after its last write each tidies up
            List<Integer> threads = threads(waiting);
            String rows = rows(cache);
            List<Long> switches = switches(waiting);
            List<Cpu> before = cpus(waiting);
            long start = System.nanoTime();
            List<Long> cost = cost(waiting, idle);
            double seconds = (System.nanoTime() - start) / 1e9;
            List<Cpu> after = cpus(waiting);
            List<Long> wakeUps = wakeUps(switches, switches(waiting), seconds);
            System.out.println("waiting for " + what + " costs " + cost + " microseconds of a core and " + wakeUps
                    + " wake-ups per second");
            for (int i = 0; i < JVMS; i++) {
                assertEquals(0, after.get(i).since(before.get(i)).writeCalls());
            }
            assertEquals(rows, rows(cache));
            assertAllWait(cache, what, waiting);
            assertEquals(threads, threads(waiting));
            int callers = what == What.ASYNC ? 0 : THREADS;
            int idleThreads = threads(List.of(idle)).get(0);
            threads.forEach(count -> assertTrue(count <= idleThreads + callers + 1, count + " of " + idleThreads));
            threads.forEach(count -> assertTrue(count >= callers, "a thread has gone: " + count));
            assertTrue(wakeUps.get(JVMS - 1) <= FIRST_WAKE_UPS_PER_SECOND, "first in line: " + wakeUps);
            long others = what == What.ASYNC
                    ? FIRST_WAKE_UPS_PER_SECOND
                    : OTHERS_WAKE_UPS_PER_SECOND; // also looks at all of them
            assertTrue(wakeUps.get(JVMS - 2) <= others, "others: " + wakeUps);
            assertTrue(cost.get(JVMS - 1) <= FIRST_MICROS_PER_SECOND, "first in line: " + cost);
            assertTrue(cost.get(JVMS - 2) <= OTHERS_MICROS_PER_SECOND, "others: " + cost);
            for (AutoCloseable one : held) {
                one.close();
            }
        }
    }

    /** What was measured was waiting: nobody got it, nobody gave up, and the state says who waits. */
    private static void assertAllWait(Cache cache, What what, List<JavaProcess> waiting) {
        for (JavaProcess child : waiting) {
            assertEquals(
                    List.of(),
                    child.output().stream()
                            .filter(line -> line.startsWith("GOT") || line.startsWith("INTERRUPTED"))
                            .toList());
        }
        int places =
                switch (what) {
                    case MULTILOCK, THROTTLE, IDLE_QUEUE, QUEUE, LATCH, BARRIER -> 0; // they stand in no line
                    case CONDITION -> JVMS * THREADS;
                    default -> JVMS;
                };
        assertEquals(places, Inspector.of(cache).waiters().size());
        int seats = Inspector.of(cache).barriers().stream()
                .mapToInt(barrier -> barrier.waiting().size())
                .sum();
        assertEquals(what == What.BARRIER ? JVMS * THREADS : 0, seats);
    }

    private static List<Cpu> cpus(List<JavaProcess> waiting) {
        return waiting.stream().map(child -> Cpu.required(child.pid())).toList();
    }

    /** How often our threads in each have gone to sleep so far. */
    private static List<Long> switches(List<JavaProcess> waiting) throws IOException {
        List<Long> counts = new ArrayList<>();
        for (JavaProcess child : waiting) {
            long count = 0;
            try (Stream<Path> tasks = Files.list(Path.of("/proc/" + child.pid() + "/task"))) {
                for (Path task : tasks.filter(WaitingCostTest::isOurs).toList()) {
                    count += Files.readAllLines(task.resolve("status")).stream()
                            .filter(line -> line.startsWith("voluntary_ctxt_switches:"))
                            .mapToLong(line -> Long.parseLong(line.split("\\s+", -1)[1]))
                            .sum();
                }
            }
            counts.add(count);
        }
        return counts;
    }

    /** How often our threads were woken, in order. */
    private static List<Long> wakeUps(List<Long> before, List<Long> after, double seconds) {
        List<Long> perSecond = new ArrayList<>();
        for (int i = 0; i < JVMS; i++) {
            perSecond.add(Math.round((after.get(i) - before.get(i)) / seconds));
        }
        return perSecond.stream().sorted().toList();
    }

    private static String rows(Cache cache) {
        return cache.unwrap(CoordinationEngine.class)
                .states()
                .listAll(Deadline.never())
                .toString();
    }

    private static List<Integer> threads(List<JavaProcess> children) throws IOException {
        List<Integer> counts = new ArrayList<>();
        for (JavaProcess child : children) {
            try (Stream<Path> tasks = Files.list(Path.of("/proc/" + child.pid() + "/task"))) {
                counts.add((int) tasks.filter(WaitingCostTest::isOurs).count());
            }
        }
        return counts;
    }

    /** The JVM starts and ends threads of its own as it likes. */
    private static boolean isOurs(Path task) {
        try {
            String name = Files.readString(task.resolve("comm")).strip();
            return name.startsWith("latchkey") || name.equals("waits") || name.startsWith("ForkJoin");
        } catch (IOException e) {
            return false;
        }
    }

    /** What each costs beyond an idle process, in order. Whatever else the machine does can only add to it: the least counts. */
    private static List<Long> cost(List<JavaProcess> waiting, JavaProcess idle) {
        List<List<Long>> windows = new ArrayList<>();
        for (int window = 0; window < WINDOWS; window++) {
            List<Map<String, Long>> before = nanos(waiting, idle);
            assumeTrue(!before.get(0).isEmpty(), "/proc/PID/task/TID/schedstat cannot be read");
            ProcessFixture.letRun(Duration.ofMillis(500), waiting);
            List<Map<String, Long>> after = nanos(waiting, idle);
            List<Long> used = new ArrayList<>();
            for (int i = 0; i <= JVMS; i++) {
                Map<String, Long> earlier = before.get(i);
                used.add(after.get(i).entrySet().stream()
                                .mapToLong(thread -> thread.getValue() - earlier.getOrDefault(thread.getKey(), 0L))
                                .sum()
                        / 500);
            }
            windows.add(used);
        }
        long base = least(windows, JVMS);
        return LongStream.range(0, JVMS)
                .mapToObj(i -> least(windows, (int) i) - base)
                .sorted(Comparator.naturalOrder())
                .toList();
    }

    private static long least(List<List<Long>> windows, int child) {
        return windows.stream().mapToLong(window -> window.get(child)).min().orElseThrow();
    }

    private static List<Map<String, Long>> nanos(List<JavaProcess> waiting, JavaProcess idle) {
        return Stream.concat(waiting.stream(), Stream.of(idle))
                .map(child -> Cpu.nanosByThread(child.pid()))
                .toList();
    }
}

package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Four processes with eight threads each wait for the same thing: they write nothing, start no threads, and use little. */
@Tag("process")
class WaitingCostTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int JVMS = 4;
    private static final int IDLE = JVMS;
    private static final int TICKER = JVMS + 1;
    private static final int THREADS = 8;
    private static final int WINDOWS = 6;
    private static final Duration LIFETIME = Duration.ofMinutes(10);
    /** The first in line looks every 10 ms, the others every 20 to 50; each look wakes one thread, of some a second one. */
    private static final long FIRST_WAKE_UPS_PER_SECOND = 200;

    private static final long OTHERS_WAKE_UPS_PER_SECOND = 100;
    /** What they may cost, in what a thread costs on this machine that wakes up and reads a key a hundred times a second. */
    private static final double FIRST_TICKERS = 2;

    private static final double OTHERS_TICKERS = 1.5;

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Path path() {
        return directory.resolve("cache");
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

    @TestFactory
    Stream<DynamicTest> waitingWritesNothingStartsNoThreadAndCostsLittle() throws Exception {
        Cache cache = Cache.open(path());
        List<AutoCloseable> held = holdAll(cache);
        cache.set(WaitingChild.KEY, WaitingChild.VALUE);
        List<JavaProcess> children = Stream.generate(() -> processes.start(
                        JavaCommand.of(WaitingChild.class, path().toString()).lifetime(LIFETIME)))
                .limit(TICKER + 1)
                .toList();
        children.forEach(child -> child.await("OPEN", SOON));
        children.get(TICKER).send("TICK");
        children.get(TICKER).await("TICKS", SOON);
        return Arrays.stream(What.values())
                .map(what -> dynamicTest(what.name(), () -> waitingCostsLittle(cache, what, children)))
                .onClose(() -> close(cache, held));
    }

    private static void close(Cache cache, List<AutoCloseable> held) {
        try (cache) {
            for (AutoCloseable one : held) {
                one.close();
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void tell(List<JavaProcess> children, String line, String answer) {
        children.forEach(child -> child.send(line));
        children.forEach(child -> child.await(answer, SOON));
    }

    private static void waitingCostsLittle(Cache cache, What what, List<JavaProcess> children) throws Exception {
        List<JavaProcess> waiting = children.subList(0, JVMS);
        JavaProcess idle = children.get(IDLE);
        tell(waiting, "WAIT " + what + " " + (what == What.ASYNC ? 1_000 : THREADS), "WAITING " + what);
        try {
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
            List<Long> cost = cost(children);
            double seconds = (System.nanoTime() - start) / 1e9;
            List<Cpu> after = cpus(waiting);
            List<Long> wakeUps = wakeUps(switches, switches(waiting), seconds);
            long ticker = cost.get(TICKER);
            List<Long> sorted = cost.subList(0, JVMS).stream().sorted().toList();
            String measured = what + " costs " + sorted + " microseconds of a core per second, a ticker " + ticker;
            System.out.println("waiting for " + measured + ", and " + wakeUps + " wake-ups per second");
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
            assertTrue(sorted.get(JVMS - 1) <= FIRST_TICKERS * ticker, "first in line: " + measured);
            assertTrue(sorted.get(JVMS - 2) <= OTHERS_TICKERS * ticker, "others: " + measured);
        } finally {
            tell(
                    waiting,
                    "ABOUT-TO-LEAVE " + what,
                    "LEAVING " + what); // all before the first, which may end the waits of others
            tell(waiting, "LEAVE " + what, "LEFT " + what);
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

    /**
     * What each costs beyond the idle process. Whatever else the machine does can only add to it: the least counts, but of the ticker,
     * which is what the others are measured by, the median.
     */
    private static List<Long> cost(List<JavaProcess> children) {
        List<List<Long>> windows = new ArrayList<>();
        for (int window = 0; window < WINDOWS; window++) {
            List<Map<String, Long>> before = nanos(children);
            assumeTrue(!before.get(0).isEmpty(), "/proc/PID/task/TID/schedstat cannot be read");
            ProcessFixture.letRun(Duration.ofMillis(500), children);
            List<Map<String, Long>> after = nanos(children);
            windows.add(IntStream.range(0, children.size())
                    .mapToObj(i -> used(before.get(i), after.get(i)) / 500)
                    .toList());
        }
        long base = least(windows, IDLE);
        return IntStream.range(0, children.size())
                .mapToObj(i -> (i == TICKER ? median(windows, i) : least(windows, i)) - base)
                .toList();
    }

    private static long used(Map<String, Long> before, Map<String, Long> after) {
        return after.entrySet().stream()
                .mapToLong(thread -> thread.getValue() - before.getOrDefault(thread.getKey(), 0L))
                .sum();
    }

    private static long median(List<List<Long>> windows, int child) {
        return windows.stream()
                .map(window -> window.get(child))
                .sorted()
                .skip(WINDOWS / 2)
                .findFirst()
                .orElseThrow();
    }

    private static long least(List<List<Long>> windows, int child) {
        return windows.stream().mapToLong(window -> window.get(child)).min().orElseThrow();
    }

    private static List<Map<String, Long>> nanos(List<JavaProcess> children) {
        return children.stream().map(child -> Cpu.nanosByThread(child.pid())).toList();
    }
}

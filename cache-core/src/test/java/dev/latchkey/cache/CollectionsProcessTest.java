package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.Cpu;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Stalls;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several processes use one deque, and one index. */
@Tag("process")
@Tag("everyJdk")
class CollectionsProcessTest {
    /** As many are taken before it counts: code that has just been loaded is slow. */
    private static final int WARM_UP = 300;

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int TAKERS = 64;

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Cache cache;
    private Deque<String> deque;

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
        deque = new Deque<>(cache, "d", String.class);
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private Path indexPath() {
        return directory.resolve("index");
    }

    private JavaProcess child() {
        JavaProcess child = processes.start(
                CollectionsChild.class,
                cache.directory().toString(),
                indexPath().toString());
        child.await("OPEN", SOON);
        return child;
    }

    private static long nanos(String line) {
        return Long.parseLong(line.split(" ", -1)[1]);
    }

    private static void letRun(Duration time) {
        Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .during(time)
                .atMost(time.plus(SOON))
                .until(() -> true);
    }

    /** Mostly within a millisecond on an idle machine; who looks only by itself takes twenty on average. */
    @Test
    void aPutWakesATakerInAnotherProcessLongBeforeItWouldLookByItself() {
        JavaProcess taker = child();
        int times = 101;
        taker.send("take " + (WARM_UP + times));
        List<Long> micros = new ArrayList<>();
        try (Stalls stalls = new Stalls()) {
            for (int i = 0; i < WARM_UP + times; i++) {
                taker.await("TAKING", SOON);
                letRun(Duration.ofMillis(5)); // it sleeps by then
                deque.add("item " + i);
                long start = System.nanoTime();
                long end = nanos(taker.await("TOOK", SOON));
                micros.add(TimeUnit.NANOSECONDS.toMicros(end - start - stalls.nanosWithin(start, end)));
            }
        }
        micros = micros.subList(WARM_UP, WARM_UP + times);
        micros.sort(null);
        System.out.println("put -> take in another process: median " + micros.get(times / 2) + " us, worst "
                + micros.get(times - 1) + " us");
        assertTrue(micros.get(times / 2) <= 5_000, micros::toString);
    }

    @Test
    void roomThatAnotherProcessMakesWakesWhoeverWaitsForIt() throws Exception {
        deque.alter(Bound.capacity(2));
        JavaProcess putter = child();
        putter.send("put 50 item");
        Set<String> taken = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            taken.add(deque.poll(SOON.toSeconds(), TimeUnit.SECONDS));
            assertTrue(deque.size() <= 2);
        }
        putter.await("PUT", SOON);
        assertEquals(50, taken.size());
        assertNull(deque.poll());
    }

    @Test
    void everyItemIsTakenOnceWhicheverTakersAreKilled() throws Exception {
        Random random = new Random(42);
        List<JavaProcess> all = new ArrayList<>();
        List<JavaProcess> serving = new ArrayList<>();
        int number = 0;
        for (int round = 0; round < 6; round++) {
            while (serving.size() < 3) {
                JavaProcess child = child();
                child.send("serve");
                child.await("SERVING", SOON);
                serving.add(child);
                all.add(child);
            }
            for (int i = 0; i < 80; i++) {
                deque.put("item " + number++);
            }
            JavaProcess victim = serving.remove(random.nextInt(serving.size()));
            victim.kill();
        }
        Awaitility.await().atMost(SOON).until(deque::isEmpty);
        int put = number;
        // an item that is gone from the deque was taken by somebody, who says so unless it was killed before
        Awaitility.await().atMost(SOON).until(() -> taken(all).size() >= put - 6 * 3);
        letRun(Duration.ofMillis(200));
        List<String> taken = taken(all);
        assertEquals(taken.size(), new HashSet<>(taken).size(), "taken twice");
        assertTrue(taken.size() <= put);
        deque.add("last");
        Awaitility.await().atMost(SOON).until(() -> taken(all).contains("last"));
        assertTrue(cache.check(false).isClean());
    }

    private static List<String> taken(List<JavaProcess> children) {
        return children.stream()
                .flatMap(child -> child.output().stream())
                .filter(line -> line.startsWith("TOOK "))
                .map(line -> line.substring("TOOK ".length()))
                .collect(Collectors.toList());
    }

    @Test
    void takersThatAreKilledWhileTheyWaitLeaveNothingAndTakeNothing() {
        JavaProcess waiting = child();
        waiting.send("takers " + TAKERS);
        waiting.await("WAITING", SOON);
        letRun(Duration.ofMillis(200));
        waiting.kill();
        deque.add("a");
        letRun(Duration.ofMillis(200));
        assertEquals("a", deque.poll());
        assertTrue(cache.check(false).isClean());
    }

    @Test
    void aProcessThatDiesInsideATransactionHasChangedNothing() {
        deque.extend(List.of("a", "b", "c"));
        JavaProcess child = child();
        child.send("crash");
        child.await("INSIDE", SOON);
        child.kill();
        assertEquals(List.of("a", "b", "c"), new ArrayList<>(deque));
        deque.rotate(1);
        assertEquals(List.of("c", "a", "b"), new ArrayList<>(deque));
        assertTrue(cache.check(false).findings().stream()
                .noneMatch(finding -> !finding.toString().contains(".val")));
    }

    /**
     * Three times what they may cost on a machine that is quiet, as for all that waits. Whatever else the machine does can only add
     * to it: the least counts.
     */
    private static final long MOST_MICROS_PER_SECOND = 15_000;

    @Test
    void sixtyFourThreadsThatWaitCostHardlyAnything() {
        JavaProcess idle = child();
        JavaProcess waiting = child();
        waiting.send("take 300"); // until its code is compiled
        for (int i = 0; i < 300; i++) {
            deque.add("warm " + i);
            waiting.await("TOOK", SOON);
        }
        waiting.send("takers " + TAKERS);
        waiting.await("WAITING", SOON);
        awaitNoMoreWrites(waiting);
        Cpu before = Cpu.required(waiting.pid());
        long leastIdle = Long.MAX_VALUE;
        long leastWaiting = Long.MAX_VALUE;
        for (int window = 0; window < 6; window++) {
            Used waitingBefore = Used.of(waiting);
            Used idleBefore = Used.of(idle);
            letRun(Duration.ofMillis(500));
            leastWaiting = Math.min(leastWaiting, Used.of(waiting).microsPerSecondSince(waitingBefore));
            leastIdle = Math.min(leastIdle, Used.of(idle).microsPerSecondSince(idleBefore));
        }
        long micros = leastWaiting - leastIdle;
        System.out.println(TAKERS + " idle takers cost " + micros + " microseconds of a core per second");
        assertTrue(micros <= MOST_MICROS_PER_SECOND, micros + " microseconds per second");
        assertEquals(0, Cpu.required(waiting.pid()).since(before).writeCalls());
        assertTrue(waiting.output().stream().noneMatch(line -> line.startsWith("GOT")));
        for (int i = 0; i < TAKERS; i++) {
            deque.add("item " + i);
        }
        for (int i = 0; i < TAKERS; i++) {
            waiting.await("GOT", SOON);
        }
        assertNull(deque.poll());
    }

    /** Waits until a process has written nothing for a while, longer than its house-keeping takes to come by. */
    private static void awaitNoMoreWrites(JavaProcess child) {
        AtomicLong last = new AtomicLong(-1);
        Awaitility.await().pollInterval(Duration.ofMillis(1500)).atMost(SOON).until(() -> {
            long now = Cpu.required(child.pid()).writeCalls();
            return last.getAndSet(now) == now;
        });
    }

    /** What each thread of a process had used, and when that was read. */
    private record Used(long begin, Map<String, Long> nanos, long end) {
        static Used of(JavaProcess child) {
            long begin = System.nanoTime();
            Map<String, Long> nanos = Cpu.nanosByThread(child.pid());
            assertFalse(nanos.isEmpty(), "the kernel says what threads cost");
            return new Used(begin, nanos, System.nanoTime());
        }

        long microsPerSecondSince(Used earlier) {
            long used = nanos.entrySet().stream()
                    .mapToLong(thread -> thread.getValue() - earlier.nanos.getOrDefault(thread.getKey(), 0L))
                    .sum();
            return used / TimeUnit.NANOSECONDS.toMillis(begin - earlier.end);
        }
    }

    @Test
    void whatSeveralProcessesComputeLosesNothing() {
        int processCount = 4;
        int times = 150;
        List<JavaProcess> children =
                Stream.generate(this::child).limit(processCount).toList();
        children.forEach(child -> child.send("compute " + times));
        processes.gun(children);
        children.forEach(child -> child.await("COMPUTED", SOON));
        try (Index<String, Integer> index = Index.open(indexPath(), String.class, Integer.class)) {
            assertEquals(processCount * times, index.get("computed"));
            assertEquals(processCount * times, index.get("merged"));
            assertEquals(processCount * times, index.get("replaced"));
            assertEquals(3 + times, index.size());
            assertTrue(index.cache().check(false).isClean());
        }
    }
}

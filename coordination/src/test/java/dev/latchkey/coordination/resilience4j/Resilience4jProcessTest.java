package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.coordination.Delay;
import dev.latchkey.coordination.ProcessFixture;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Stalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What processes have of a rate limiter, a bulkhead and a breaker that they share. */
@Timeout(60)
class Resilience4jProcessTest extends ProcessFixture {
    static final Duration PERIOD = Duration.ofMillis(200);
    static final int BURST = 5;
    private static final int LIMIT = 20;
    private static final int PERIODS = 12;
    private static final long MOST_MICROS = 50_000;

    /** A permission was to be used from some instant between these two on, the beginning of a period if it was reserved. */
    private record Had(long before, long after, boolean reserved) {}

    private List<JavaProcess> children(int number) {
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            children.add(processes.start(
                    JavaCommand.of(Resilience4jChild.class, cachePath().toString())));
        }
        children.forEach(child -> child.await("OPEN", SOON));
        return children;
    }

    /** What four processes have of a rate limiter in so many periods. */
    private List<Had> use(String kind) throws Exception {
        List<JavaProcess> children = children(4);
        // they load their classes
        List<Had> unused = use(children, kind + "-unmeasured", System.nanoTime() + 10 * PERIOD.toNanos());
        try (Stalls stalls = new Stalls()) {
            long from = System.nanoTime();
            long until = from + PERIODS * PERIOD.toNanos();
            List<Had> had = use(children, kind, until);
            double seen = PERIODS - stalls.nanosWithin(from, until) / (double) PERIOD.toNanos();
            assertTrue(had.size() >= LIMIT * seen * 3 / 4, "so few: " + had.size() + " in " + seen + " periods");
            assertTrue(had.size() <= LIMIT * (PERIODS + 2) + BURST, "so many: " + had.size());
            return had;
        }
    }

    private List<Had> use(List<JavaProcess> children, String name, long until) throws Exception {
        List<Path> files = new ArrayList<>();
        for (JavaProcess child : children) {
            Path file = directory.resolve(name + "-" + files.size());
            files.add(file);
            child.send("use " + name + " " + LIMIT + " " + until + " " + file);
        }
        children.forEach(child -> child.await("USED", SOON));
        List<Had> had = new ArrayList<>();
        for (Path file : files) {
            for (String line : Files.readAllLines(file)) {
                String[] words = line.split(" ", -1);
                had.add(new Had(Long.parseLong(words[0]), Long.parseLong(words[1]), words.length > 2));
            }
        }
        return had;
    }

    @Test
    void fourProcessesHaveNoMoreInAPeriodThanTheLimit() throws Exception {
        List<Had> had = use("fixed");
        PeriodState state;
        try (Cache cache = Cache.open(cachePath())) {
            state = PeriodState.parse(cache.unwrap(CoordinationEngine.class)
                    .states()
                    .read(PeriodState.KIND, RowName.RATE_LIMITER.of("fixed"), Deadline.never())
                    .detail());
        }
        Map<Long, Integer> counts = new TreeMap<>(); // of those whose period is known
        Set<Long> periods = new TreeSet<>();
        for (Had one : had) {
            long first = Math.floorDiv(one.before - state.origin(), state.lengthNanos());
            long last = Math.floorDiv(one.after - state.origin(), state.lengthNanos());
            periods.add(last);
            boolean known =
                    one.reserved ? last - first <= 1 && one.after - one.before < state.lengthNanos() : first == last;
            if (known) {
                counts.merge(last, 1, Integer::sum);
            }
        }
        System.out.println("4 processes, " + LIMIT + " in each period: " + had.size() + " in all, " + counts);
        counts.forEach((period, count) -> assertTrue(count <= LIMIT, counts::toString));
        assertTrue(had.size() <= LIMIT * periods.size(), had.size() + " in " + periods);
    }

    @Test
    void fourProcessesHaveNoMoreOfASmoothOneThanBurstAndRate() throws Exception {
        List<Had> had = use("smooth");
        double interval = PERIOD.toNanos() / (double) LIMIT;
        had.sort(Comparator.comparingLong(Had::after));
        for (int i = 0; i < had.size(); i++) {
            long from = had.get(i).before;
            int count = 0;
            for (Had other : had) {
                if (other.before >= from) {
                    count++;
                    double most = BURST + (other.after - from) / interval;
                    assertTrue(count <= most, count + " within " + (other.after - from) + " ns");
                }
            }
        }
        System.out.println("4 processes, smooth, burst " + BURST + ": " + had.size() + " in " + PERIODS + " periods");
    }

    @Test
    void theCallsOfAKilledProcessAreFreeWithinFiftyMilliseconds() throws Exception {
        List<JavaProcess> children = children(3);
        JavaProcess heir = children.get(0);
        long unmeasured = lateMicros("unmeasured", children.get(1), heir); // the heir loads its classes
        long late = lateMicros("backend", children.get(2), heir);
        System.out.println("measured: calls of a killed process free after " + late + " microseconds, at first after "
                + unmeasured);
        assertTrue(late <= MOST_MICROS, "late by " + late + " microseconds");
    }

    /** How long after the death of a process another one has its calls. */
    private long lateMicros(String bulkhead, JavaProcess victim, JavaProcess heir) throws Exception {
        try (Stalls stalls = new Stalls()) {
            ask(victim, "enter " + bulkhead + " 2", "ENTERED");
            heir.send("enter " + bulkhead + " 2");
            try (Cache cache = Cache.open(cachePath())) {
                dev.latchkey.coordination.BoundedSemaphore semaphore =
                        new dev.latchkey.coordination.BoundedSemaphore(cache, RowName.BULKHEAD.of(bulkhead), 2);
                org.awaitility.Awaitility.await().atMost(SOON).until(semaphore::hasQueuedThreads);
            }
            Delay delay = new Delay(stalls, heir);
            Death death = kill(victim);
            long entered = instant(heir.await("ENTERED", SOON));
            return delay.microsBetween(death.gone(), entered);
        }
    }

    @Test
    void aBreakerThatOpensInOneProcessIsOpenInAllWithinAHundredMillisecondsAndClosesInAll() {
        List<JavaProcess> children = children(3);
        List<Long> late = new ArrayList<>();
        for (int round = 0; round < 4; round++) {
            List<Long> opened = open(children.get(0), children.subList(1, 3));
            late.addAll(round == 0 ? List.of() : opened); // they loaded their classes
            assertEquals("PROBES " + Resilience4jChild.PROBES, ask(children.get(1), "probes", "PROBES"));
            assertEquals("REFUSED true", ask(children.get(0), "refused", "REFUSED"));
            assertEquals("REFUSED true", ask(children.get(2), "refused", "REFUSED"));
            ask(children.get(1), "succeed", "SUCCEEDED");
            children.forEach(child -> ask(child, "state CLOSED", "CLOSED"));
        }
        System.out.println("measured: open in the others after " + late + " microseconds");
        late.forEach(one -> assertTrue(one <= 2 * MOST_MICROS, late::toString));
    }

    /** After how many microseconds the breakers of others are open. */
    private List<Long> open(JavaProcess first, List<JavaProcess> others) {
        List<Long> late = new ArrayList<>();
        try (Stalls stalls = new Stalls()) {
            List<Delay> delays = new ArrayList<>();
            others.forEach(other -> {
                delays.add(new Delay(stalls, other));
                other.send("state OPEN");
            });
            long opened = instant(ask(first, "fail", "OPENED"));
            for (int i = 0; i < others.size(); i++) {
                long open = instant(others.get(i).await("OPEN ", SOON));
                late.add(delays.get(i).microsBetween(opened, open));
            }
        }
        return late;
    }

    @Test
    void aProcessThatIsKilledWhileItProbesReturnsTheProbes() throws Exception {
        List<JavaProcess> children = children(2);
        ask(children.get(0), "fail", "OPENED");
        ask(children.get(1), "state OPEN", "OPEN ");
        assertEquals("PROBES " + Resilience4jChild.PROBES, ask(children.get(0), "probes", "PROBES"));
        assertEquals("REFUSED true", ask(children.get(1), "refused", "REFUSED"));
        kill(children.get(0));
        assertEquals("PROBES " + Resilience4jChild.PROBES, ask(children.get(1), "probes", "PROBES"));
        ask(children.get(1), "succeed", "SUCCEEDED");
        ask(children.get(1), "state CLOSED", "CLOSED");
    }
}

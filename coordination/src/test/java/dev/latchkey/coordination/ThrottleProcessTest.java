package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Stalls;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a throttle promises between processes, shown with processes. The referee is {@link SlotChecker}. */
@Tag("process")
@Timeout(120)
class ThrottleProcessTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final long MILLI = 1_000_000;

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private int files;

    private Path path() {
        return directory.resolve("cache");
    }

    private JavaProcess child(long count, long periodMillis, long burst) {
        JavaProcess child = processes.start(
                JavaCommand.of(ThrottleChild.class, path().toString(), "" + count, "" + periodMillis, "" + burst));
        child.await("OPEN", SOON);
        return child;
    }

    private void use(JavaProcess child, int threads, long end) {
        child.send("use " + threads + " " + end + " " + directory.resolve("slots-" + files++));
    }

    /** All slots that were handed out so far; a line that its writer did not finish is nobody's. */
    private List<Long> slots() throws IOException {
        List<Long> slots = new ArrayList<>();
        for (int i = 0; i < files; i++) {
            Path file = directory.resolve("slots-" + i);
            String text = Files.exists(file) ? Files.readString(file) : "";
            for (String line : text.substring(0, text.lastIndexOf('\n') + 1).split("\n")) {
                if (!line.isEmpty()) {
                    slots.add(Long.parseLong(line.split(" ")[0]));
                }
            }
        }
        return slots;
    }

    private static long within(List<Long> slots, long from, long to) {
        return slots.stream().filter(slot -> slot >= from && slot < to).count();
    }

    private void assertNoWindowHasTooMany(List<Long> slots, long burst, long interval) {
        assertEquals(Optional.empty(), SlotChecker.violation(slots, burst, interval));
    }

    private static void assertNoneFailed(List<JavaProcess> children) {
        for (JavaProcess child : children) {
            assertTrue(child.output().stream().noneMatch(line -> line.startsWith("FAILED")), child.output()::toString);
        }
    }

    private static void pause(long millis) {
        await().pollDelay(Duration.ofMillis(millis)).atMost(SOON).until(() -> true);
    }

    @Test
    void fourProcessesGetAllSlotsOfTenSecondsAndNotOneMore() throws Exception {
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            children.add(child(1_000, 1_000, 1));
        }
        try (Stalls stalls = new Stalls()) {
            long from = System.nanoTime() + 1_000 * MILLI; // when all are under way
            long to = from + 10_000 * MILLI;
            children.forEach(child -> use(child, 4, to + 100 * MILLI));
            children.forEach(child -> child.await("USED", SOON));
            List<Long> slots = slots();
            long number = within(slots, from, to);
            System.out.println("4 processes, 1000 per second, burst 1: " + number + " of 10000 slots; the machine stood"
                    + " still for " + stalls.nanosWithin(from, to) / MILLI + " ms");
            assertNoneFailed(children);
            assertNoWindowHasTooMany(slots, 1, MILLI);
            assertTrue(number <= 10_000, "more than nominal: " + number);
            assertTrue(number >= 9_900 - stalls.nanosWithin(from, to) / MILLI, "less than nominal: " + number);
        }
    }

    @Test
    void aProcessThatIsKilledEverySecondWastesWhatItHadReservedAndNoMore() throws Exception {
        List<JavaProcess> steady = List.of(child(1_000, 1_000, 1), child(1_000, 1_000, 1));
        int kills = 6;
        List<JavaProcess> victims = new ArrayList<>(); // that have started, which takes longer than they live
        for (int i = 0; i < kills; i++) {
            victims.add(child(1_000, 1_000, 1));
        }
        try (Stalls stalls = new Stalls()) {
            long from = System.nanoTime() + 1_000 * MILLI;
            long to = from + kills * 1_000 * MILLI;
            steady.forEach(child -> use(child, 4, to + 100 * MILLI));
            for (JavaProcess victim : victims) {
                use(victim, 4, to + SOON.toNanos());
                pause(1_000);
                victim.kill();
            }
            steady.forEach(child -> child.await("USED", SOON));
            List<Long> slots = slots();
            long number = within(slots, from, to);
            System.out.println(kills + " kills: " + number + " of 6000 slots were used; the machine stood still for "
                    + stalls.nanosWithin(from, to) / MILLI + " ms");
            assertNoneFailed(steady);
            assertNoWindowHasTooMany(slots, 1, MILLI);
            long wasted = kills * 11L + 60 + stalls.nanosWithin(from, to) / MILLI;
            assertTrue(number >= 6_000 - wasted, "less than nominal: " + number + " after " + kills + " kills");
        }
    }

    @Test
    void aProcessThatStartsInTheMiddleBringsNoBurst() throws Exception {
        List<JavaProcess> children = new ArrayList<>();
        long to = 0;
        for (int i = 0; i < 4; i++) {
            JavaProcess child = child(500, 1_000, 40);
            to = i == 0 ? System.nanoTime() + 5_000 * MILLI : to;
            use(child, 3, to);
            children.add(child);
        }
        children.forEach(child -> child.await("USED", SOON));
        List<Long> slots = slots();
        System.out.println("4 processes that start one after another: " + slots.size() + " slots");
        assertNoneFailed(children);
        assertTrue(slots.size() > 500, "used " + slots.size());
        assertNoWindowHasTooMany(slots, 40, 2 * MILLI);
    }

    @Test
    void fiftyCallersAtOnceGetOneSlotAfterTheOther() {
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            children.add(child(10, 1_000, 1));
        }
        try (Stalls stalls = new Stalls()) {
            children.forEach(child -> child.send("wait 10"));
            List<Long> slots = new ArrayList<>();
            for (JavaProcess child : children) {
                for (int i = 0; i < 10; i++) {
                    slots.add(instant(child.await("GOT", SOON)));
                }
            }
            List<Long> sorted = slots.stream().sorted().toList();
            assertNoWindowHasTooMany(slots, 1, 100 * MILLI);
            // the very first callers come one by one
            assertNoneLeftOut(sorted.subList(2, 50), 100 * MILLI, stalls);
        }
    }

    /** Nobody takes a slot while the machine stands still. */
    private static void assertNoneLeftOut(List<Long> slots, long interval, Stalls stalls) {
        long first = slots.get(0);
        long last = slots.get(slots.size() - 1);
        long leftOut = last - first - (slots.size() - 1) * interval;
        assertTrue(leftOut >= 0 && leftOut <= stalls.nanosWithin(first, last), leftOut + " ns were left out: " + slots);
    }

    private static long instant(String answer) {
        return Long.parseLong(answer.split(" ", -1)[1]);
    }

    @Test
    void theDeathOfAWaitingProcessWastesOneSlotAndNotItsQueue() {
        long interval = 300 * MILLI;
        JavaProcess survivor = child(1, 300, 1);
        JavaProcess victim = child(1, 300, 1);
        survivor.send("wait 1");
        survivor.await("GOT", SOON);
        victim.send("wait 50");
        victim.await("WAITING", SOON);
        survivor.send("wait 10");
        survivor.await("WAITING", SOON);
        try (Stalls stalls = new Stalls()) {
            victim.await("GOT", SOON);
            long killed = victim.killNow();
            List<Long> after = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                long slot = instant(survivor.await("GOT", SOON));
                if (slot > killed) {
                    after.add(slot);
                }
            }
            assertTrue(after.size() >= 3, "there were slots left: " + after);
            // one is the first in the queue of the dead, and one may have been reserved by each before
            long last = after.get(after.size() - 1);
            long longest = (after.size() + 2) * interval + stalls.nanosWithin(killed, last);
            assertTrue(last - killed <= longest, after + " after " + killed);
            assertNoWindowHasTooMany(after, 1, interval);
        }
    }

    @Test
    void aStoppedProcessHoldsUpNobody() {
        long interval = 250 * MILLI;
        JavaProcess stopped = child(4, 1_000, 1);
        JavaProcess other = child(4, 1_000, 1);
        try (Cache cache = Cache.open(path())) {
            stopped.send("wait 40");
            do {
                stopped.cont();
                // not within a transaction, in which it would hold up all who write: right after it has reserved its
                // next slot
                await().atMost(SOON)
                        .pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(1))
                        .until(() -> tat(cache) - System.nanoTime() > interval + 200 * MILLI);
                stopped.stop();
            } while (KernelLocks.isWriting(stopped, path()));
        }
        try (Stalls stalls = new Stalls()) {
            long start = System.nanoTime();
            other.send("wait 6");
            List<Long> slots = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                slots.add(instant(other.await("GOT", SOON)));
            }
            long first = slots.get(0);
            long late = first - start - stalls.nanosWithin(start, first);
            assertTrue(late < 2_000 * MILLI, slots + " after " + start);
            assertNoneLeftOut(slots.subList(2, 6), interval, stalls); // all slots are the other's
        }
        stopped.cont();
        stopped.await("GOT", SOON);
    }

    private static long tat(Cache cache) {
        return ThrottleState.parse(cache.unwrap(CoordinationEngine.class)
                        .states()
                        .read("throttle", "t", Deadline.never())
                        .detail())
                .tat();
    }

    @Test
    void whatIsReservedOrCancelledInOneProcessIsSoInAll() {
        try (Cache cache = Cache.open(path())) {
            Throttle throttle = Throttle.builder(cache, "t", 1, Duration.ofMinutes(1))
                    .burst(2)
                    .build();
            JavaProcess child = child(1, 60_000, 2);
            child.send("reserve");
            long first = instant(child.await("RESERVED", SOON));
            child.send("reserve");
            child.await("RESERVED", SOON);
            assertEquals(0, throttle.probe().remaining());
            child.send("try");
            assertEquals("TRIED false", child.await("TRIED", SOON));
            Reservation third = throttle.reserve(1);
            assertTrue(third.slotNanos() - first >= TimeUnit.MINUTES.toNanos(1) - MILLI);
            assertTrue(third.cancel());
            child.send("reserve");
            assertEquals(third.slotNanos(), instant(child.await("RESERVED", SOON)));
            throttle.alter(1, Duration.ofMillis(1), 1_000_000);
            child.send("try");
            assertEquals("TRIED true", child.await("TRIED", SOON), "as many are used as before, and there are more");
            child.kill();
            assertEquals(
                    List.of(),
                    cache.unwrap(CoordinationEngine.class)
                            .states()
                            .read("throttle", "t", Deadline.never())
                            .holds());
        }
    }
}

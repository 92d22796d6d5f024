package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Stalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a semaphore of three permits promises between processes, shown with processes. */
@Timeout(120)
class BoundedSemaphoreProcessTest extends ProcessFixture {
    private JavaProcess child() {
        return opened(JavaCommand.of(SemaphoreChild.class, cachePath().toString(), "3"));
    }

    private static State row(Cache cache) {
        return CacheFixture.row(cache, Kind.SEMAPHORE, "s");
    }

    private static void awaitLine(Cache cache, int length) {
        CacheFixture.awaitLine(cache, Kind.SEMAPHORE, "s", length);
    }

    private static int lineLength(Cache cache) {
        return CacheFixture.lineLength(cache, Kind.SEMAPHORE, "s");
    }

    /** The referee is the kernel, which lets one process have one byte of a file. */
    @Test
    void ofFourProcessesNeverMoreAreInsideThanThereArePermits() {
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            children.add(child());
        }
        String contend = "contend " + directory.resolve("seats") + " 3 ";
        children.forEach(child -> child.send(contend + 1000)); // what is counted is entering, not loading classes
        children.forEach(child -> child.await("CONTENDED", SOON));
        children.forEach(child -> child.send(contend + 4000));
        int rounds = 0;
        for (JavaProcess child : children) {
            int own = (int) instant(child.await("CONTENDED", SOON));
            assertTrue(own > 20, "starved: " + own);
            rounds += own;
        }
        System.out.println("4 processes, 3 permits: " + rounds + " grants in 4 s");
        try (Cache cache = Cache.open(cachePath())) {
            CacheFixture.awaitNoResidue(cache, Kind.SEMAPHORE, "s");
        }
    }

    @Test
    void aKilledHolderLeavesTheOthersTheirPermits() {
        try (Cache cache = Cache.open(cachePath())) {
            BoundedSemaphore semaphore = new BoundedSemaphore(cache, "s", 3);
            JavaProcess survivor = child();
            JavaProcess victim = child();
            survivor.send("acquire 1");
            survivor.await("ACQUIRED", SOON);
            victim.send("acquire 1");
            victim.await("ACQUIRED", SOON);
            victim.send("permit 1");
            victim.await("PERMIT", SOON);
            assertEquals(0, semaphore.availablePermits());
            victim.kill();
            assertEquals(2, semaphore.availablePermits());
            assertEquals(
                    List.of(survivor.pid()),
                    semaphore.holders().stream().map(Holder::pid).toList());
            assertEquals(2, semaphore.drainPermits());
            survivor.send("release 1");
            survivor.await("RELEASED", SOON);
            assertEquals(1, semaphore.availablePermits());
        }
    }

    @Test
    void aStoppedHolderKeepsItsPermits() {
        JavaProcess holder = child();
        holder.send("acquire 2");
        holder.await("ACQUIRED", SOON);
        holder.stop();
        JavaProcess other = child();
        other.send("try 2 1000");
        assertTrue(other.await("TRIED", SOON).startsWith("TRIED false"));
        other.send("try 1 10000");
        assertTrue(other.await("TRIED", SOON).startsWith("TRIED true"), "the third permit");
        other.send("@w acquire 2");
        holder.cont();
        holder.send("release 2");
        holder.await("RELEASED", SOON);
        other.await("ACQUIRED", SOON);
    }

    /** Each waits for the holder once: what is measured later is waiting, not loading classes. */
    private static void warmUp(Cache cache, JavaProcess holder, List<JavaProcess> waiters) {
        for (JavaProcess waiter : waiters) {
            ask(holder, "acquire 3", "ACQUIRED");
            waiter.send("@w acquire 1");
            awaitLine(cache, 1);
            ask(holder, "release 3", "RELEASED");
            waiter.await("ACQUIRED", SOON);
            ask(waiter, "release 1", "RELEASED");
        }
    }

    @Test
    void waitersThatAreKilledInterruptedOrTimedOutDelayNobody() {
        try (Cache cache = Cache.open(cachePath());
                Stalls stalls = new Stalls()) {
            JavaProcess holder = child();
            JavaProcess killed = child();
            JavaProcess interrupted = child();
            JavaProcess timed = child();
            JavaProcess last = child();
            warmUp(cache, holder, List.of(killed, interrupted, timed, last));
            ask(holder, "acquire 3", "ACQUIRED");
            killed.send("@w acquire 3");
            awaitLine(cache, 1);
            interrupted.send("@w acquire 2");
            awaitLine(cache, 2);
            timed.send("try 1 5000"); // longer than the next takes to get in line behind it
            awaitLine(cache, 3);
            last.send("@w acquire 1");
            awaitLine(cache, 4);
            killed.kill();
            interrupted.send("interrupt w");
            interrupted.await("INTERRUPTED", SOON);
            assertTrue(timed.await("TRIED", SOON).startsWith("TRIED false"));
            await().atMost(SOON).until(() -> lineLength(cache) <= 2);
            Delay delay = new Delay(stalls, last);
            long released = instant(ask(holder, "release 1", "RELEASED"));
            long granted = instant(last.await("ACQUIRED", SOON));
            long late = delay.microsBetween(released, granted);
            assertTrue(late < TimeUnit.MILLISECONDS.toMicros(50), "late by " + late + " microseconds");
            await().atMost(SOON).until(() -> row(cache).line().isEmpty());
        }
    }

    @Test
    void whoWaitsForAllPermitsIsNotOvertakenByOtherProcesses() {
        try (Cache cache = Cache.open(cachePath())) {
            JavaProcess first = child();
            JavaProcess big = child();
            JavaProcess small = child();
            for (int i = 0; i < 20; i++) {
                first.send("acquire 2");
                first.await("ACQUIRED", SOON);
                big.send("acquire 3");
                awaitLine(cache, 1);
                small.send("try 1 20");
                assertTrue(small.await("TRIED", SOON).startsWith("TRIED false"), "one is free, but not its turn");
                first.send("release 2");
                first.await("RELEASED", SOON);
                big.await("ACQUIRED", SOON);
                big.send("release 3");
                big.await("RELEASED", SOON);
            }
        }
    }

    @Test
    void afterRandomUseTimeOutsInterruptsAndKillsAllPermitsAreThereAndNothingElse() throws Exception {
        try (Cache cache = Cache.open(cachePath())) {
            BoundedSemaphore semaphore = new BoundedSemaphore(cache, "s", 3);
            for (int round = 0; round < 4; round++) {
                JavaProcess victim = child();
                JavaProcess survivor = child();
                JavaProcess other = child();
                victim.send("vary " + (3 * round) + " 20000");
                survivor.send("vary " + (3 * round + 1) + " 1500");
                other.send("vary " + (3 * round + 2) + " 1500");
                letRun(Duration.ofMillis(500 + 100L * round), List.of(victim));
                victim.kill();
                survivor.await("VARIED", SOON);
                other.await("VARIED", SOON);
                await().atMost(SOON).until(() -> semaphore.availablePermits() == 3);
                await().atMost(SOON).until(() -> semaphore.holders().isEmpty());
                survivor.send("close");
                survivor.await("CLOSED", SOON);
                await().atMost(SOON)
                        .until(() -> Line.parse(row(cache).line())
                                        .dead(cache.unwrap(CoordinationEngine.class)
                                                .sessions()::isDead)
                                        .size()
                                == lineLength(cache));
                assertTrue(semaphore.tryAcquire(3, SOON));
                semaphore.release(3);
                CacheFixture.awaitNoResidue(cache, Kind.SEMAPHORE, "s");
                assertEquals("permits=3", row(cache).detail());
            }
        }
    }
}

package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Signal;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SharedSleepTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    private final Scripted signal = new Scripted();
    private final SharedSleep sleepers = new SharedSleep(signal, "a");
    private final List<Sleeping> all = new CopyOnWriteArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        for (Sleeping each : all) {
            each.leaves = true;
        }
        signal.ring("a");
        for (Sleeping each : all) {
            each.join(SOON.toMillis());
            assertTrue(!each.isAlive(), "sleeps on: " + each);
        }
    }

    /** A sleep ends when the test says that it is time to look, or rings. */
    private static final class Scripted implements Signal {
        private final AtomicInteger rings = new AtomicInteger();
        private final Semaphore looks = new Semaphore(0);
        private final BlockingQueue<Thread> asleep = new LinkedBlockingQueue<>();

        @Override
        public int seen(String name) {
            return rings.get();
        }

        @Override
        public void await(String name, int seen, long nanos) {
            if (nanos <= 0 || seen != rings.get()) {
                return;
            }
            asleep.add(Thread.currentThread());
            try {
                looks.acquire();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void ring(String name) {
            rings.incrementAndGet();
            looks.release();
        }

        Thread next() throws InterruptedException {
            Thread thread = asleep.poll(SOON.toSeconds(), TimeUnit.SECONDS);
            assertTrue(thread != null, "nobody sleeps for all");
            return thread;
        }
    }

    /** A thread that looks and sleeps until it is told to leave or interrupted. */
    private final class Sleeping extends Thread {
        private final AtomicInteger looks = new AtomicInteger();
        private volatile boolean leaves;
        private volatile boolean finds;

        @Override
        public void run() {
            try (SharedSleep.Sleeper sleeper = new SharedSleep.Sleeper()) {
                while (!leaves && !isInterrupted()) {
                    int seen = signal.seen("a");
                    if (finds) {
                        finds = false;
                        sleeper.tellChange();
                    }
                    looks.incrementAndGet();
                    sleeper.awaitChange(sleepers, seen, Deadline.never().interruptibly(), Long.MAX_VALUE);
                }
            }
        }
    }

    private Sleeping sleeping() {
        Sleeping thread = new Sleeping();
        all.add(thread);
        thread.start();
        return thread;
    }

    /** The first of them sleeps for all. */
    private List<Sleeping> four() throws InterruptedException {
        Sleeping first = sleeping();
        assertEquals(first, signal.next());
        List<Sleeping> others = IntStream.range(0, 3).mapToObj(i -> sleeping()).toList();
        awaitParked(others);
        return List.of(first, others.get(0), others.get(1), others.get(2));
    }

    /** How often each has gone to sleep. */
    private static List<Long> waits(List<Sleeping> threads) {
        return threads.stream()
                .map(each -> ManagementFactory.getThreadMXBean()
                        .getThreadInfo(each.getId())
                        .getWaitedCount())
                .toList();
    }

    private static void awaitParked(List<Sleeping> others) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(() -> others.stream()
                .allMatch(each -> each.getState() == Thread.State.TIMED_WAITING));
    }

    private void assertLooks(List<Sleeping> threads, int count) {
        await().atMost(SOON)
                .pollInterval(Duration.ofMillis(2))
                .untilAsserted(() -> threads.forEach(each -> assertEquals(count, each.looks.get())));
    }

    @Test
    void aLookOfTheOneThatSleepsForAllWakesNoOther() throws Exception {
        List<Sleeping> threads = four();
        List<Long> before = waits(threads.subList(1, 4));
        for (int look = 2; look <= 20; look++) {
            signal.looks.release();
            assertEquals(threads.get(0), signal.next());
        }
        assertEquals(20, threads.get(0).looks.get());
        assertLooks(threads.subList(1, 4), 1);
        assertEquals(before, waits(threads.subList(1, 4)));
    }

    @Test
    void aRingLetsAllLook() throws Exception {
        List<Sleeping> threads = four();
        signal.ring("a");
        assertLooks(threads, 2);
    }

    @Test
    void whatIsFoundWithoutARingLetsAllLook() throws Exception {
        List<Sleeping> threads = four();
        threads.get(0).finds = true;
        signal.looks.release();
        assertLooks(threads, 2);
    }

    @Test
    void whoeverIsLeftSleepsForAllWhenThatOneGoes() throws Exception {
        List<Sleeping> left = new ArrayList<>(four());
        Sleeping watching = left.get(0);
        while (left.size() > 1) {
            left.remove(watching);
            watching.leaves = true;
            signal.looks.release();
            Sleeping next = (Sleeping) signal.next();
            assertTrue(left.contains(next));
            watching = next;
        }
    }

    @Test
    void whoeverIsInterruptedLeavesTheOthersAsleep() throws Exception {
        List<Sleeping> threads = four();
        threads.get(2).interrupt();
        threads.get(2).join(SOON.toMillis());
        assertTrue(!threads.get(2).isAlive());
        threads.get(0).interrupt();
        Thread next = signal.next();
        assertTrue(next == threads.get(1) || next == threads.get(3));
    }
}

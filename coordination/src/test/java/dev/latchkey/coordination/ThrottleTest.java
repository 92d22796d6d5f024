package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.ThrottleState.Slot;
import dev.latchkey.testing.Stalls;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a throttle promises between the threads of one process. */
@Timeout(60)
class ThrottleTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration HOUR = Duration.ofHours(1);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private Cache cache;

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
    }

    @AfterEach
    void close() throws InterruptedException {
        threads.shutdownNow();
        cache.close();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS), "a thread hangs");
    }

    private State row(String name) {
        return cache.unwrap(CoordinationEngine.class).states().read("throttle", name, Deadline.never());
    }

    private long tat(String name) {
        return ThrottleState.parse(row(name).detail()).tat();
    }

    /** One permit an hour, and the first is taken: whoever waits does so for long. */
    private Throttle usedUp(String name) {
        Throttle throttle = new Throttle(cache, name, 1, HOUR);
        assertEquals(Duration.ZERO, throttle.reserve(1).delay());
        return throttle;
    }

    private static Throttle even(Cache cache, String name, long perSecond) {
        return Throttle.builder(cache, name, perSecond, SECOND).burst(1).build();
    }

    /** A call that waits, and the thread that does. */
    private static final class Waiter<T> {
        final FutureTask<T> task;
        final Thread thread;

        Waiter(Callable<T> call) {
            task = new FutureTask<>(call);
            thread = new Thread(task, "waiter");
            thread.setDaemon(true);
            thread.start();
            await().atMost(SOON).pollInterval(Duration.ofMillis(1)).until(() -> isAsleep() || task.isDone());
        }

        private boolean isAsleep() {
            return thread.getState() == Thread.State.TIMED_WAITING
                    && List.of(thread.getStackTrace()).stream()
                            .anyMatch(frame -> frame.getMethodName().equals("sleep")
                                    || frame.getMethodName().equals("await"));
        }

        T get() throws Exception {
            return task.get(20, TimeUnit.SECONDS);
        }

        Throwable failure() {
            return assertThrows(ExecutionException.class, this::get).getCause();
        }
    }

    private static Callable<Boolean> acquiring(Throttle throttle, int permits) {
        return () -> {
            throttle.acquire(permits);
            return true;
        };
    }

    /** All calls that wait without a limit. */
    private static Map<String, Callable<?>> untimed(Throttle throttle) {
        Map<String, Callable<?>> calls = new LinkedHashMap<>();
        calls.put("acquire", acquiring(throttle, 1));
        calls.put("supplier", () -> throttle.wrap((Supplier<Integer>) () -> 1).get());
        calls.put("callable", throttle.wrapCallable(() -> 1));
        return calls;
    }

    private static Map<String, Callable<?>> interruptible(Throttle throttle) {
        Map<String, Callable<?>> calls = new LinkedHashMap<>();
        calls.put("acquire", acquiring(throttle, 1));
        calls.put("tryAcquire", () -> throttle.tryAcquire(Duration.ofHours(10)));
        return calls;
    }

    // Acquiring

    @Test
    void permitsAreTakenTogetherOrOneByOneUntilNoneIsLeft() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 10, HOUR);
        throttle.acquire();
        throttle.acquire(2);
        assertTrue(throttle.tryAcquire());
        assertTrue(throttle.tryAcquire(2));
        assertTrue(throttle.tryAcquire(SECOND));
        assertTrue(throttle.tryAcquire(2, SECOND));
        assertFalse(throttle.tryAcquire(2));
        assertTrue(throttle.tryAcquire());
        assertFalse(throttle.tryAcquire());
        assertFalse(throttle.tryAcquire(SECOND));
    }

    @Test
    void nobodyReturnsBeforeItsSlotNorMuchLater() throws Exception {
        Throttle throttle = even(cache, "t", 100);
        List<Long> lateNanos = new ArrayList<>();
        try (Stalls stalls = new Stalls()) {
            long last = 0;
            for (int i = 0; i < 60; i++) {
                Slot slot = throttle.slot(1);
                long returned = System.nanoTime();
                assertTrue(returned >= slot.nanos(), "too early by " + (slot.nanos() - returned));
                assertTrue(slot.nanos() - last >= 10_000_000);
                lateNanos.add(returned - slot.nanos() - stalls.nanosWithin(slot.nanos(), returned));
                last = slot.nanos();
            }
        }
        lateNanos.sort(Comparator.naturalOrder());
        System.out.println("late after a slot: median " + lateNanos.get(30) / 1_000 + " us, max "
                + lateNanos.get(59) / 1_000 + " us");
        assertTrue(lateNanos.get(30) < 1_000_000, "late by " + lateNanos);
    }

    @Test
    void aTimedAttemptThatCannotComeInTimeReservesNothing() throws Exception {
        Throttle throttle = usedUp("t");
        State before = row("t");
        assertFalse(throttle.tryAcquire(Duration.ofMillis(50)));
        assertFalse(throttle.tryAcquire());
        assertEquals(before, row("t"));
    }

    @Test
    void aTimedAttemptWaitsForItsSlotAndNotForItsTime() throws Exception {
        Throttle throttle = even(cache, "t", 5);
        throttle.acquire();
        try (Stalls stalls = new Stalls()) {
            long start = System.nanoTime();
            assertTrue(throttle.tryAcquire(SOON));
            assertTookLessThanASecond(stalls, start);
        }
    }

    /** Without the time for which the machine stood still. */
    private static void assertTookLessThanASecond(Stalls stalls, long start) {
        long end = System.nanoTime();
        long took = end - start - stalls.nanosWithin(start, end);
        assertTrue(took < SECOND.toNanos(), "took " + took + " ns");
    }

    @Test
    void aZeroOrNegativeTimeIsOneAttempt() throws Exception {
        for (Duration none : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            Throttle throttle = new Throttle(cache, "t" + none, 1, HOUR);
            assertTrue(throttle.tryAcquire(none), none.toString());
            assertFalse(throttle.tryAcquire(none), none.toString());
        }
    }

    @Test
    void theLongestTimesAreWithoutEnd() throws Exception {
        Throttle throttle = even(cache, "t", 20);
        throttle.acquire();
        assertTrue(throttle.tryAcquire(Duration.ofSeconds(Long.MAX_VALUE)));
        assertTrue(throttle.tryAcquire(Duration.ofNanos(Long.MAX_VALUE)));
    }

    @Test
    void numbersThatMakeNoSenseAreRefused() {
        Throttle throttle = new Throttle(cache, "t", 10, HOUR);
        for (int bad : new int[] {0, -1, Integer.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> throttle.acquire(bad));
            assertThrows(IllegalArgumentException.class, () -> throttle.tryAcquire(bad));
            assertThrows(IllegalArgumentException.class, () -> throttle.tryAcquire(bad, SECOND));
            assertThrows(IllegalArgumentException.class, () -> throttle.reserve(bad));
        }
        List<Throwable> tooMany = List.of(
                assertThrows(IllegalArgumentException.class, () -> throttle.acquire(11)),
                assertThrows(IllegalArgumentException.class, () -> throttle.tryAcquire(11)),
                assertThrows(IllegalArgumentException.class, () -> throttle.tryAcquire(11, SECOND)),
                assertThrows(IllegalArgumentException.class, () -> throttle.reserve(11)));
        tooMany.forEach(error ->
                assertEquals("permits must be at most the burst of throttle 't', 10, was 11", error.getMessage()));
        assertEquals(10, throttle.probe().remaining(), "nothing was taken");
        assertThrows(IllegalArgumentException.class, () -> new Throttle(cache, "u", 0, SECOND));
        assertThrows(IllegalArgumentException.class, () -> new Throttle(cache, "u", 1, Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> new Throttle(cache, "", 1, SECOND));
        assertThrows(IllegalArgumentException.class, () -> Throttle.builder(cache, "u", 1, SECOND)
                .burst(0));
        assertFalse(row("u").exists());
    }

    // The queue

    @Test
    void onlyTheFirstOfAProcessReserves() throws Exception {
        Throttle throttle = usedUp("t");
        long before = tat("t");
        List<Waiter<Boolean>> waiters = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            waiters.add(new Waiter<>(acquiring(new Throttle(cache, "t", 1, HOUR), 1)));
        }
        await().atMost(SOON).until(() -> tat("t") != before);
        await().pollDelay(Duration.ofMillis(200)).until(() -> true);
        assertEquals(before + HOUR.toNanos(), tat("t"));
        waiters.forEach(waiter -> waiter.thread.interrupt());
        waiters.forEach(waiter -> assertInstanceOf(InterruptedException.class, waiter.failure()));
        await().atMost(SOON).until(() -> tat("t") == before);
        assertFalse(throttle.tryAcquire());
    }

    @Test
    void aQueueReservesNoFurtherAheadThanTenMilliseconds() throws Exception {
        Throttle throttle = even(cache, "t", 1_000);
        Collection<Long> slots = new ConcurrentLinkedQueue<>();
        long end = System.nanoTime() + 1_000_000_000L;
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            all.add(threads.submit(() -> {
                while (System.nanoTime() < end) {
                    slots.add(throttle.slot(1).nanos());
                }
                return null;
            }));
        }
        long farthest = 0;
        while (System.nanoTime() < end - 100_000_000L) {
            long tat = tat("t");
            farthest = Math.max(farthest, tat - System.nanoTime());
        }
        for (Future<?> one : all) {
            one.get(20, TimeUnit.SECONDS);
        }
        System.out.println("1 process, 30 threads: " + slots.size() + " of 1000 slots in a second");
        assertTrue(farthest <= 11_000_000, "the last slot was reserved " + farthest + " ns ahead");
        assertEquals(Optional.empty(), SlotChecker.violation(slots, 1, 1_000_000));
    }

    @Test
    void theNextFarSlotIsReservedWhenTheLastOneHasComeAndNotBefore() throws Exception {
        int attempts = 1;
        while (looksBeforeTheFirstSlot("t" + attempts) == 0) {
            assertTrue(attempts < 5, "the machine stands still again and again");
            attempts++;
        }
    }

    /** 0 if the machine stood still until then, and nothing was found out. */
    private int looksBeforeTheFirstSlot(String name) throws Exception {
        Throttle throttle = even(cache, name, 1);
        throttle.acquire();
        long firstSlot = tat(name);
        Waiter<Boolean> first = new Waiter<>(acquiring(throttle, 1));
        await().atMost(SOON).pollInterval(Duration.ofMillis(1)).until(() -> tat(name) != firstSlot);
        Reservation far = throttle.reserve(1);
        throttle.reserve(1);
        long reserved = tat(name);
        Waiter<Long> second = new Waiter<>(() -> throttle.slot(1).nanos());
        int looks = 0;
        long tat = tat(name);
        while (System.nanoTime() < firstSlot) { // when it has been read the slot has not come yet
            assertEquals(reserved, tat);
            tat = tat(name);
            looks++;
        }
        if (looks > 0) {
            assertEquals(firstSlot + SECOND.toNanos(), far.slotNanos());
            first.get();
            assertEquals(reserved, second.get());
        }
        return looks;
    }

    @Test
    void callersOfAProcessAreServedInOrder() throws Exception {
        Throttle throttle = even(cache, "t", 4);
        throttle.acquire();
        List<Waiter<Long>> waiters = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            waiters.add(new Waiter<>(() -> throttle.slot(1).nanos()));
        }
        List<Long> slots = new ArrayList<>();
        for (Waiter<Long> waiter : waiters) {
            slots.add(waiter.get());
        }
        assertEquals(slots.stream().sorted().toList(), slots);
    }

    @Test
    void oneAttemptDoesNotOvertakeWhoWaits() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 4, Duration.ofSeconds(4)); // one per second
        throttle.acquire(3);
        Waiter<Boolean> first = new Waiter<>(acquiring(throttle, 4));
        Waiter<Boolean> second = new Waiter<>(acquiring(throttle, 4));
        try (Stalls stalls = new Stalls()) {
            long start = System.nanoTime();
            for (int i = 0; i < 40; i++) {
                assertFalse(throttle.tryAcquire(), "one is there, but they come first");
            }
            assertTookLessThanASecond(stalls, start); // an attempt does not wait behind those who sleep
        }
        assertFalse(throttle.tryAcquire(Duration.ofMillis(300)));
        assertFalse(second.task.isDone());
        first.get();
        second.thread.interrupt();
    }

    /** How many of those who ask at once get a permit. */
    private int granted(List<Callable<Boolean>> calls) throws Exception {
        CountDownLatch gun = new CountDownLatch(1);
        List<Future<Boolean>> all = new ArrayList<>();
        for (Callable<Boolean> call : calls) {
            all.add(threads.submit(() -> {
                gun.await();
                return call.call();
            }));
        }
        gun.countDown();
        int granted = 0;
        for (Future<Boolean> one : all) {
            granted += one.get(20, TimeUnit.SECONDS) ? 1 : 0;
        }
        return granted;
    }

    /**
     * All ten permits are taken in each round that was quick, and there are enough of those. In another one an attempt may have
     * run out of time: it has 10 ms in the database and 50 ms in all.
     */
    private void assertAllAreGranted(long quickMillis, Function<Throttle, List<Callable<Boolean>>> calls)
            throws Exception {
        long end = System.nanoTime() + 30_000_000_000L;
        int quick = 0;
        for (int round = 0; quick < 15; round++) {
            assertTrue(System.nanoTime() < end, "of " + round + " rounds only " + quick + " were quick");
            Throttle throttle = new Throttle(cache, "t" + round, 10, HOUR);
            List<Callable<Boolean>> asking = calls.apply(throttle);
            long start = System.nanoTime();
            int granted = granted(asking);
            boolean isQuick = System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(quickMillis);
            long remaining = throttle.probe().remaining();
            assertTrue(granted + remaining <= 10, granted + " granted, " + remaining + " are left");
            assertTrue(!isQuick || granted == 10, "granted " + granted + " of 10");
            quick += isQuick ? 1 : 0;
        }
    }

    /** As a thread that the machine holds up on its way sees the clock. */
    @Test
    void anAttemptThatIsHeldUpIsStillGrantedAFreePermit() {
        HostClock clock = cache.unwrap(CoordinationEngine.class).clock();
        AtomicLong delay = new AtomicLong();
        CoordinationEngine slow = WorkQueueModelTest.engine(cache, new HostClock() {
            @Override
            public long nanos() {
                return clock.nanos() + delay.addAndGet(TimeUnit.MILLISECONDS.toNanos(100));
            }

            @Override
            public long wallMillis() {
                return clock.wallMillis();
            }
        });
        ThrottleLine line = new ThrottleLine(slow, "t");
        ThrottleRate rate = ThrottleRate.of(1, HOUR);
        assertNotNull(line.tryAcquire(rate, 1));
        assertNull(line.tryAcquire(rate, 1));
    }

    @Test
    void attemptsAtTheSameTimeDoNotRefuseEachOtherAndWasteNothing() throws Exception {
        assertAllAreGranted(10, throttle -> Collections.nCopies(16, throttle::tryAcquire));
    }

    @Test
    void attemptsAtTheSameTimeLeaveAllPermitsToThoseWhoHaveTime() throws Exception {
        assertAllAreGranted(50, throttle -> {
            List<Callable<Boolean>> calls = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                calls.add(i % 4 == 0 ? throttle::tryAcquire : () -> throttle.tryAcquire(SOON));
            }
            return calls;
        });
    }

    // Giving up

    @Test
    void anInterruptBeforeTheCallIsThrownAndNothingIsTaken() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 2, HOUR);
        for (Map.Entry<String, Callable<?>> call : interruptible(throttle).entrySet()) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, call.getValue()::call, call.getKey());
            assertFalse(Thread.interrupted(), call.getKey());
        }
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> throttle.tryAcquire(Duration.ZERO));
        assertEquals(2, throttle.probe().remaining());
        Thread.currentThread().interrupt();
        assertTrue(throttle.tryAcquire(), "does not look at it");
        assertTrue(Thread.interrupted());
        Thread.currentThread().interrupt();
        Reservation reservation = throttle.reserve(1);
        assertThrows(InterruptedException.class, reservation::await);
        reservation.await();
    }

    @Test
    void anInterruptEndsAWaitAndGivesTheSlotBack() throws Exception {
        Throttle throttle = usedUp("t");
        long before = tat("t");
        try (Stalls stalls = new Stalls()) {
            for (Map.Entry<String, Callable<?>> call : interruptible(throttle).entrySet()) {
                Waiter<?> waiter = new Waiter<>(call.getValue());
                long start = System.nanoTime();
                waiter.thread.interrupt();
                assertInstanceOf(InterruptedException.class, waiter.failure(), call.getKey());
                assertTookLessThanASecond(stalls, start);
                assertEquals(before, tat("t"), call.getKey());
            }
        }
    }

    @Test
    void theSlotOfOneThatGivesUpGoesToTheNextOfItsProcess() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 1, Duration.ofSeconds(4));
        throttle.acquire();
        long before = tat("t");
        Waiter<Long> first = new Waiter<>(() -> throttle.slot(1).nanos());
        await().atMost(SOON).until(() -> tat("t") != before);
        Reservation stranger = throttle.reserve(1); // so that the slot of the first is not the last
        Waiter<Long> second = new Waiter<>(() -> throttle.slot(1).nanos());
        first.thread.interrupt();
        assertInstanceOf(InterruptedException.class, first.failure());
        assertEquals(before, second.get());
        assertEquals(before + 4_000_000_000L, stranger.slotNanos());
    }

    @Test
    void aTimeThatIsOverBehindOthersEndsTheWaitInTime() throws Exception {
        Throttle throttle = usedUp("t");
        Waiter<Boolean> first = new Waiter<>(acquiring(throttle, 1));
        State before = row("t");
        try (Stalls stalls = new Stalls()) {
            long start = System.nanoTime();
            assertFalse(throttle.tryAcquire(Duration.ofMillis(200)));
            long end = System.nanoTime();
            long tookMillis = (end - start) / 1_000_000;
            long stalledMillis = stalls.nanosWithin(start, end) / 1_000_000;
            assertTrue(tookMillis >= 150 && tookMillis - stalledMillis < 1_500, "took " + tookMillis);
        }
        assertEquals(before, row("t"));
        first.thread.interrupt();
    }

    @Test
    void aClosedCacheRefusesEveryCallAndEndsEveryWait() throws Exception {
        Throttle throttle = usedUp("t");
        Reservation reservation = throttle.reserve(1);
        Map<String, Waiter<?>> waiters = new LinkedHashMap<>();
        for (Map<String, Callable<?>> calls : List.of(untimed(throttle), interruptible(throttle))) {
            calls.forEach((name, call) -> waiters.put(name, new Waiter<>(call)));
        }
        waiters.put("await", new Waiter<>(() -> {
            reservation.await();
            return true;
        }));
        cache.close();
        waiters.forEach((name, waiter) -> assertInstanceOf(CacheClosedException.class, waiter.failure(), name));
        assertThrows(CacheClosedException.class, throttle::acquire);
        assertThrows(CacheClosedException.class, throttle::tryAcquire);
        assertThrows(CacheClosedException.class, () -> throttle.tryAcquire(SECOND));
        assertThrows(CacheClosedException.class, () -> throttle.reserve(1));
        assertThrows(CacheClosedException.class, throttle::probe);
        assertThrows(CacheClosedException.class, () -> throttle.alter(1, SECOND));
        assertThrows(CacheClosedException.class, reservation::await);
        assertThrows(CacheClosedException.class, reservation::cancel);
        assertThrows(CacheClosedException.class, () -> new Throttle(cache, "t", 1, HOUR));
        cache = Cache.open(directory.resolve("cache"));
        assertFalse(new Throttle(cache, "t", 1, HOUR).tryAcquire(), "its permits are as used as before");
    }

    @Test
    void aBusyDatabaseDelaysTimedCallsOnlyUntilTheirDeadline() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 10, HOUR);
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Future<?> transaction = threads.submit(() -> cache.transact(() -> {
            began.countDown();
            return end.await(20, TimeUnit.SECONDS);
        }));
        assertTrue(began.await(20, TimeUnit.SECONDS));
        long start = System.nanoTime();
        assertFalse(throttle.tryAcquire());
        assertFalse(throttle.tryAcquire(Duration.ofMillis(300)));
        long tookMillis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(tookMillis >= 300, "took " + tookMillis);
        assertFalse(transaction.isDone(), "they waited for its end");
        Future<Boolean> timed = threads.submit(() -> throttle.tryAcquire(SOON));
        Future<Boolean> untimed = threads.submit(acquiring(throttle, 1));
        Future<Reservation> reserved = threads.submit(() -> throttle.reserve(1));
        await().pollDelay(Duration.ofMillis(100)).until(() -> true);
        assertFalse(untimed.isDone() || reserved.isDone() || timed.isDone());
        end.countDown();
        transaction.get(20, TimeUnit.SECONDS);
        assertTrue(timed.get(20, TimeUnit.SECONDS) && untimed.get(20, TimeUnit.SECONDS));
        reserved.get(20, TimeUnit.SECONDS).await();
        assertEquals(7, throttle.probe().remaining());
    }

    // Reservations

    @Test
    void aReservationKnowsItsTimeAndWaitsForIt() throws Exception {
        Throttle throttle = even(cache, "t", 1);
        assertEquals(Duration.ZERO, throttle.reserve(1).delay());
        Reservation second = throttle.reserve(1);
        Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        long nanosBefore = System.nanoTime();
        Reservation third = throttle.reserve(1);
        long nanosAfter = System.nanoTime();
        Instant after = Instant.now();
        assertEquals(1, second.permits());
        assertEquals(SECOND.toNanos(), third.slotNanos() - second.slotNanos());
        assertKnowsItsDelay(second);
        assertKnowsItsDelay(third);
        assertFalse(third.instant().isBefore(before.plusNanos(third.slotNanos() - nanosAfter)), "" + third);
        assertFalse(third.instant().isAfter(after.plusNanos(third.slotNanos() - nanosBefore)), "" + third);
        assertTrue(third.instant().isAfter(second.instant()));
        second.await();
        assertTrue(System.nanoTime() >= second.slotNanos());
        third.await();
        assertTrue(System.nanoTime() >= third.slotNanos());
        assertEquals(Duration.ZERO, third.delay());
        third.await();
    }

    private static void assertKnowsItsDelay(Reservation reservation) {
        long most = reservation.slotNanos() - System.nanoTime();
        long delay = reservation.delay().toNanos();
        long least = reservation.slotNanos() - System.nanoTime();
        assertTrue(delay >= least && delay <= Math.max(0, most), least + " <= " + delay + " <= " + most);
    }

    @Test
    void aReservationThatComesTooLateIsNotMade() {
        Throttle throttle = new Throttle(cache, "late", 60, Duration.ofHours(1));
        assertEquals(
                Duration.ZERO,
                throttle.tryReserve(60, Duration.ZERO).orElseThrow().delay());
        assertTrue(throttle.tryReserve(1, Duration.ZERO).isEmpty());
        assertTrue(throttle.tryReserve(1, Duration.ofSeconds(50)).isEmpty());
        Duration delay =
                throttle.tryReserve(1, Duration.ofSeconds(70)).orElseThrow().delay();
        assertTrue(delay.toSeconds() >= 50 && delay.toSeconds() <= 60, "the first of those that come: " + delay);
        assertThrows(IllegalArgumentException.class, () -> throttle.tryReserve(61, Duration.ofHours(2)));
    }

    @Test
    void onlyTheLastReservationIsGivenBackAndOnlyOnce() {
        long start = System.nanoTime();
        Throttle throttle = usedUp("t");
        Reservation first = throttle.reserve(1);
        Reservation last = throttle.reserve(1);
        assertFalse(first.cancel());
        assertTrue(last.cancel());
        assertThrows(IllegalStateException.class, last::await);
        Reservation again = throttle.reserve(1);
        assertEquals(last.slotNanos(), again.slotNanos());
        assertFalse(last.cancel(), "it would be another's");
        assertTrue(again.cancel());
        assertTrue(first.cancel(), "the last by now");
        Duration retryAfter = throttle.probe().retryAfter();
        Duration least = HOUR.minusNanos(System.nanoTime() - start);
        assertTrue(retryAfter.compareTo(least) >= 0 && retryAfter.compareTo(HOUR) <= 0, retryAfter::toString);
    }

    // Transactions

    private static final class RollBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private void rolledBack(Runnable body) {
        assertThrows(
                RollBack.class,
                () -> cache.transact((Runnable) () -> {
                    body.run();
                    throw new RollBack();
                }));
    }

    @Test
    void whatIsTakenInsideATransactionCountsWhenThatCommits() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 10, HOUR);
        Reservation[] undone = new Reservation[1];
        rolledBack(() -> {
            assertTrue(throttle.tryAcquire(3));
            undone[0] = throttle.reserve(2);
            assertEquals(5, throttle.probe().remaining());
        });
        assertEquals(10, throttle.probe().remaining());
        assertThrows(IllegalStateException.class, undone[0]::await);
        assertFalse(undone[0].cancel());
        cache.transact(() -> {
            assertTrue(throttle.tryAcquire());
            assertTrue(throttle.tryAcquire(2, SECOND));
            throttle.acquire();
            return throttle.reserve(2);
        });
        assertEquals(4, throttle.probe().remaining());
    }

    @Test
    void whatWasRolledBackIsNotRemembered() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 10, HOUR);
        rolledBack(() -> assertTrue(throttle.tryAcquire()));
        // another process has written since, so that the version is what it would have been
        ThrottleState state = ThrottleState.parse(row("t").detail());
        long later = state.tat() + 2 * HOUR.toNanos();
        ThrottleState usedUp = new ThrottleState(state.rate(), later, state.atNanos(), state.atMillis(), state.boot());
        sql("UPDATE LatchkeyState SET version = version + 1, detail = '" + usedUp.detail() + "' WHERE name = 't'");
        assertFalse(throttle.tryAcquire());
        assertEquals(later, tat("t"));
    }

    @Test
    void waitingInsideATransactionIsRefused() {
        Throttle throttle = usedUp("t");
        Reservation reservation = throttle.reserve(1);
        State before = row("t");
        cache.transact(() -> {
            assertFalse(throttle.tryAcquire());
            assertThrows(IllegalStateException.class, throttle::acquire);
            assertThrows(IllegalStateException.class, () -> throttle.tryAcquire(Duration.ofHours(9)));
            assertThrows(IllegalStateException.class, reservation::await);
            try {
                assertFalse(throttle.tryAcquire(SECOND), "there is nothing to wait for");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        assertEquals(before, row("t"));
    }

    @Test
    void aCancellationInsideATransactionIsUndoneByARollback() {
        Throttle throttle = usedUp("t");
        Reservation reservation = throttle.reserve(1);
        long reserved = tat("t");
        rolledBack(() -> {
            assertTrue(reservation.cancel());
            assertFalse(reservation.cancel());
        });
        assertEquals(reserved, tat("t"));
        Reservation[] undone = new Reservation[1];
        rolledBack(() -> {
            undone[0] = throttle.reserve(1);
            assertTrue(undone[0].cancel());
        });
        Reservation same = throttle.reserve(1);
        assertFalse(undone[0].cancel(), "it would be another's");
        assertTrue(same.cancel());
        assertTrue(reservation.cancel());
    }

    // What is stored

    @Test
    void whoComesFirstStoresTheRateAndOthersMustAgree() {
        new Throttle(cache, "t", 10, SECOND);
        Throttle.builder(cache, "t", 10, SECOND).burst(10).build();
        List<Throwable> errors = List.of(
                assertThrows(IllegalArgumentException.class, () -> new Throttle(cache, "t", 20, SECOND)),
                assertThrows(IllegalArgumentException.class, () -> new Throttle(cache, "t", 10, HOUR)),
                assertThrows(IllegalArgumentException.class, () -> even(cache, "t", 10)));
        assertEquals(
                "throttle 't' has 10 per PT1S (burst 10), not 20 per PT1S (burst 20); use the stored numbers, or change"
                        + " them by alter(count, period, burst)",
                errors.get(0).getMessage());
        assertTrue(String.valueOf(errors.get(2).getMessage()).contains("not 10 per PT1S (burst 1)"));
    }

    @Test
    void aNewObjectOfTheNameRefillsNothing() {
        Throttle throttle = new Throttle(cache, "t", 3, HOUR);
        assertTrue(throttle.tryAcquire(3));
        for (int i = 0; i < 3; i++) {
            assertFalse(new Throttle(cache, "t", 3, HOUR).tryAcquire());
        }
        cache.close();
        cache = Cache.open(directory.resolve("cache"));
        assertFalse(new Throttle(cache, "t", 3, HOUR).tryAcquire());
    }

    @Test
    void anAlteredRateHoldsForAllObjectsOfTheName() {
        Throttle throttle = new Throttle(cache, "t", 2, HOUR);
        Throttle other = new Throttle(cache, "t", 2, HOUR);
        assertTrue(throttle.tryAcquire(2));
        throttle.alter(10, HOUR);
        assertEquals(8, other.probe().remaining());
        assertTrue(other.tryAcquire(8), "its burst is greater than that which the object was made with");
        new Throttle(cache, "t", 10, HOUR);
        other.alter(10, SECOND, 1);
        assertThrows(IllegalArgumentException.class, () -> throttle.tryAcquire(2));
        throttle.alter(20, SECOND);
        even(cache, "t", 20); // a burst that was given stays
        rolledBack(() -> throttle.alter(5, HOUR));
        assertThrows(IllegalArgumentException.class, () -> new Throttle(cache, "t", 5, HOUR));
        assertThrows(IllegalArgumentException.class, () -> throttle.alter(0, SECOND));
        assertThrows(IllegalArgumentException.class, () -> throttle.alter(1, SECOND, 0));
    }

    @Test
    void aWaitThatAnAlterationMadeHopelessEnds() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 2, Duration.ofSeconds(4));
        throttle.acquire(2);
        long before = tat("t");
        Waiter<Boolean> first = new Waiter<>(acquiring(throttle, 2));
        await().atMost(SOON).pollInterval(Duration.ofMillis(1)).until(() -> tat("t") != before);
        Waiter<Boolean> second = new Waiter<>(acquiring(throttle, 2));
        throttle.alter(1, SECOND);
        assertTrue(first.get(), "its slot is its own");
        assertInstanceOf(IllegalArgumentException.class, second.failure());
    }

    @Test
    void probingTakesNothing() {
        Throttle throttle = new Throttle(cache, "t", 2, HOUR);
        assertEquals(new Throttle.Probe(2, Duration.ZERO), throttle.probe());
        assertTrue(throttle.tryAcquire());
        assertEquals(1, throttle.probe().remaining());
        assertTrue(throttle.tryAcquire());
        Throttle.Probe probe = throttle.probe();
        assertEquals(0, probe.remaining());
        assertTrue(probe.retryAfter().toMinutes() == 29 || probe.retryAfter().toMinutes() == 30, probe::toString);
    }

    @Test
    void aDeletedThrottleBeginsAnewWithTheRateOfItsObjects() {
        Throttle throttle = usedUp("t");
        Inspector.of(cache).delete("t");
        assertFalse(row("t").exists());
        assertTrue(throttle.tryAcquire());
        assertFalse(throttle.tryAcquire());
        Inspector.of(cache).delete("t");
        new WorkQueue<>(cache, "t", String.class).put("x");
        assertThrows(NameInUseException.class, throttle::tryAcquire);
        assertThrows(NameInUseException.class, throttle::probe);
    }

    @Test
    void anotherKindsNameIsRefusedInEveryWay() {
        new BoundedSemaphore(cache, "s", 1);
        assertThrows(NameInUseException.class, () -> new Throttle(cache, "s", 1, SECOND));
        new Throttle(cache, "t", 1, SECOND);
        assertThrows(NameInUseException.class, () -> new Lock(cache, "t").tryLock());
        assertThrows(NameInUseException.class, () -> new Averager(cache, "t").add(1));
    }

    @Test
    void theThrottleOfAnEarlierBootGoesOnByTheWallClock() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 10, Duration.ofSeconds(1_000));
        assertTrue(throttle.tryAcquire(10));
        ThrottleState state = ThrottleState.parse(row("t").detail());
        long uptime = Duration.ofDays(900).toNanos(); // it had been up for longer than it is now
        ThrottleState earlier = new ThrottleState(
                state.rate(),
                uptime + Duration.ofSeconds(1_000).toNanos(),
                uptime,
                System.currentTimeMillis() - 350_000,
                "another-boot");
        sql("UPDATE LatchkeyState SET version = version + 1, detail = '" + earlier.detail() + "' WHERE name = 't'");
        assertEquals(3, throttle.probe().remaining());
        assertTrue(throttle.tryAcquire(3));
        assertFalse(throttle.tryAcquire());
        assertEquals(state.boot(), ThrottleState.parse(row("t").detail()).boot());
        assertEquals(0, throttle.probe().remaining());
    }

    private void sql(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("cache/cache.db"));
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    // Wrapping

    @Test
    void whatIsWrappedAcquiresFirst() throws Exception {
        Throttle throttle = new Throttle(cache, "t", 4, HOUR);
        AtomicInteger runs = new AtomicInteger();
        throttle.wrap((Runnable) runs::incrementAndGet).run();
        assertEquals(2, throttle.wrap((Supplier<Integer>) runs::incrementAndGet).get());
        assertEquals(3, throttle.wrap((Integer more) -> runs.addAndGet(more)).apply(1));
        Callable<Integer> callable = throttle.wrapCallable(runs::incrementAndGet);
        assertEquals(4, throttle.probe().remaining() + runs.get());
        assertEquals(4, callable.call());
        assertEquals(0, throttle.probe().remaining());
    }

    @Test
    void whatIsWrappedFailsAsItDoes() {
        Throttle throttle = new Throttle(cache, "t", 4, HOUR);
        RollBack own = new RollBack();
        Runnable failing = throttle.wrap((Runnable) () -> {
            throw own;
        });
        assertEquals(own, assertThrows(RollBack.class, failing::run));
        Callable<Object> unchecked = throttle.wrapCallable(() -> {
            throw own;
        });
        assertEquals(own, assertThrows(RollBack.class, unchecked::call));
        IOException checked = new IOException("no such page");
        Callable<Object> fails = throttle.wrapCallable(() -> {
            throw checked;
        });
        CacheException wrapped = assertThrows(CacheException.class, fails::call);
        assertEquals(checked, wrapped.getCause());
        Callable<Object> interrupted = throttle.wrapCallable(() -> {
            throw new InterruptedException();
        });
        assertInstanceOf(
                InterruptedException.class,
                assertThrows(CacheException.class, interrupted::call).getCause());
        assertTrue(Thread.interrupted(), "the flag is set again");
        assertEquals(0, throttle.probe().remaining(), "a failure is a call");
    }

    @Test
    void anInterruptedWaitDoesNotCallWhatIsWrapped() throws Exception {
        Throttle throttle = usedUp("t");
        AtomicInteger runs = new AtomicInteger();
        Runnable wrapped = throttle.wrap((Runnable) runs::incrementAndGet);
        Waiter<Boolean> waiter = new Waiter<>(() -> {
            CacheException error = assertThrows(CacheException.class, wrapped::run);
            assertInstanceOf(InterruptedException.class, error.getCause());
            return Thread.interrupted();
        });
        waiter.thread.interrupt();
        assertTrue(waiter.get(), "the flag is set again");
        assertEquals(0, runs.get());
    }

    // Together

    @Test
    void virtualThreadsWaitForTheirSlots() throws Exception {
        ExecutorService virtual;
        try {
            virtual = (ExecutorService)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException e) {
            assumeTrue(false, "this JDK has no virtual threads");
            return;
        }
        Throttle throttle = even(cache, "t", 1_000);
        List<Future<Long>> all = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            all.add(virtual.submit(() -> throttle.slot(1).nanos()));
        }
        List<Long> slots = new ArrayList<>();
        for (Future<Long> one : all) {
            slots.add(one.get(50, TimeUnit.SECONDS));
        }
        virtual.shutdown();
        assertEquals(Optional.empty(), SlotChecker.violation(slots, 1, 1_000_000));
    }

    /** Waits in all ways, gives up in all ways; afterwards nothing is left of it, and no window had too many. */
    @Test
    void afterRandomUseNothingIsLeftAndNoWindowHadTooMany() throws Exception {
        Throttle throttle = Throttle.builder(cache, "t", 2_000, SECOND).burst(4).build();
        Collection<Long> slots = new ConcurrentLinkedQueue<>();
        AtomicInteger givenUp = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        long start = System.nanoTime();
        List<Thread> users = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            ThrottleUser user = new ThrottleUser(throttle, i, slots);
            Thread thread = new Thread(() -> {
                while (!over.get()) {
                    givenUp.addAndGet(user.use() ? 0 : 1);
                }
            });
            thread.start();
            users.add(thread);
        }
        java.util.Random random = new java.util.Random(3);
        long seconds = 0;
        while (seconds < 2 || seconds < 30 && (givenUp.get() <= 100 || slots.size() <= 500)) {
            Thread.sleep(1);
            users.get(random.nextInt(users.size())).interrupt();
            seconds = (System.nanoTime() - start) / 1_000_000_000L;
        }
        over.set(true);
        for (Thread user : users) {
            user.join(20_000);
            assertFalse(user.isAlive(), "a user hangs");
        }
        System.out.println(
                "12 threads: " + slots.size() + " slots used in " + seconds + " seconds, " + givenUp + " given up");
        assertTrue(givenUp.get() > 100 && slots.size() > 500, slots.size() + " used, " + givenUp + " given up");
        assertEquals(Optional.empty(), SlotChecker.violation(slots, 4, 500_000));
        await().pollDelay(Duration.ofMillis(50))
                .atMost(SOON)
                .until(() -> throttle.probe().remaining() == 4);
        assertTrue(throttle.tryAcquire(4));
    }
}

package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.Elapsed;
import dev.latchkey.testing.TestDirectory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a latch promises between the threads of one process. */
@Timeout(60)
class CountDownLatchTest {
    private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Cache cache;
    private CountDownLatch latch;

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
        latch = new CountDownLatch(cache, "l", 2);
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private State row() {
        return cache.unwrap(CoordinationEngine.class).states().read(LatchState.KIND, "l", Deadline.never());
    }

    /** Sleeps; nothing in the row says so. */
    private static void awaitAsleep() {
        await().pollDelay(Duration.ofMillis(100)).until(() -> true);
    }

    /** Starts a wait, and returns when its thread sleeps until the latch changes. */
    private static Running asleep(Callable<?> wait) {
        AtomicReference<Thread> thread = new AtomicReference<>();
        Running running = Running.start(() -> {
            thread.set(Thread.currentThread());
            return wait.call();
        });
        await().atMost(CacheFixture.SOON)
                .pollInterval(Duration.ofMillis(2))
                .until(() -> thread.get() != null && CacheFixture.isWaiting(thread.get()));
        return running;
    }

    @Test
    void whoWaitsGoesOnWhenTheCountIsZeroAndNotBefore() throws Exception {
        List<Running> all = List.of(
                Running.start(() -> {
                    latch.await();
                    return true;
                }),
                Running.start(() -> latch.await(FOR_EVER)),
                Running.start(() -> latch.await(Long.MAX_VALUE, TimeUnit.DAYS)));
        assertEquals(2, latch.getCount());
        latch.countDown();
        assertEquals(1, latch.getCount());
        awaitAsleep();
        assertTrue(all.stream().noneMatch(Running::isOver));
        latch.countDown();
        all.forEach(each -> assertEquals(true, each.outcome()));
        assertEquals(0, latch.getCount());
        latch.countDown();
        assertEquals(0, latch.getCount());
        latch.await();
        assertTrue(latch.await(Duration.ZERO));
        assertTrue(latch.await(-1, TimeUnit.DAYS));
    }

    @Test
    void theOneThatOpensItWakesThoseWhoWait() throws Exception {
        CountDownLatch once = new CountDownLatch(cache, "once", 1);
        List<Long> lateMillis = new ArrayList<>();
        try (Elapsed elapsed = new Elapsed()) {
            for (int i = 0; i < 9; i++) {
                Running waits = asleep(() -> {
                    once.await();
                    return System.nanoTime();
                });
                once.countDown();
                long opened = System.nanoTime();
                lateMillis.add(Math.max(0, elapsed.millis(opened, (long) waits.outcome())));
                assertTrue(once.trySetCount(1));
            }
        }
        assertTrue(lateMillis.stream().sorted().toList().get(4) < 10, "it looks every 40 ms: " + lateMillis);
    }

    @Test
    void noTimeAtAllIsOneLook() throws Exception {
        State before = row();
        for (Duration none : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            assertFalse(latch.await(none));
        }
        assertFalse(latch.await(Long.MIN_VALUE, TimeUnit.SECONDS));
        long start = System.nanoTime();
        assertFalse(latch.await(Duration.ofMillis(100)));
        assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(100));
        assertEquals(before, row(), "waiting writes nothing");
    }

    @Test
    void anInterruptEndsTheWaitAndIsTakenFirst() throws Exception {
        Running waits = Running.start(() -> {
            latch.await();
            return true;
        });
        awaitAsleep();
        waits.interrupt();
        assertEquals(InterruptedException.class, waits.end());
        assertFalse(waits.wasInterrupted());
        latch.countDown();
        latch.countDown();
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, latch::await, "as the JDK's, although it is open");
        assertFalse(Thread.currentThread().isInterrupted());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> latch.await(Duration.ZERO));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    @Test
    void aCallThatDoesNotWaitKeepsAnInterrupt() {
        Thread.currentThread().interrupt();
        latch.countDown();
        assertTrue(latch.countDown("a"));
        assertEquals(0, latch.getCount());
        assertTrue(Thread.interrupted());
    }

    @Test
    void aParticipantCountsOnce() {
        assertTrue(latch.countDown("shard 1"));
        assertFalse(latch.countDown("shard 1"));
        assertFalse(new CountDownLatch(cache, "l", 2).countDown("shard 1"));
        assertEquals(1, latch.getCount());
        assertTrue(latch.countDown("shard 2"));
        assertEquals(0, latch.getCount());
        assertFalse(latch.countDown("shard 3"));
        assertThrows(IllegalArgumentException.class, () -> latch.countDown(""));
        assertThrows(NullPointerException.class, () -> latch.countDown(null));
    }

    @Test
    void aNewRoundBeginsWhenTheLastIsOver() throws Exception {
        assertFalse(latch.trySetCount(1));
        assertThrows(IllegalArgumentException.class, () -> latch.trySetCount(-1));
        latch.countDown();
        Running waits = asleep(() -> latch.await(FOR_EVER));
        cache.transact((Runnable)
                () -> { // nobody sees the latch open
                    latch.countDown();
                    assertTrue(latch.trySetCount(3));
                });
        assertEquals(true, waits.outcome());
        assertEquals(3, latch.getCount());
        assertFalse(latch.await(Duration.ofMillis(60)));
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> new CountDownLatch(cache, "l", 2));
        assertTrue(error.getMessage().contains("count 3, not 2"), error.getMessage());
    }

    @Test
    void anotherCountIsRefusedWithBothAndAnotherKindToo() {
        latch.countDown();
        assertEquals(1, new CountDownLatch(cache, "l", 2).getCount());
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> new CountDownLatch(cache, "l", 1));
        assertTrue(error.getMessage().contains("'l' was given the count 2, not 1"), error.getMessage());
        assertTrue(error.getMessage().contains("trySetCount"), error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new CountDownLatch(cache, "n", -1));
        assertThrows(IllegalArgumentException.class, () -> new CountDownLatch(cache, "", 1));
        assertThrows(NameInUseException.class, () -> new CyclicBarrier(cache, "l", 2));
        new Lock(cache, "a").lock();
        assertThrows(NameInUseException.class, () -> new CountDownLatch(cache, "a", 2));
        assertEquals(Long.MAX_VALUE, new CountDownLatch(cache, "n", Long.MAX_VALUE).getCount());
    }

    @Test
    void aLatchOfZeroIsOpen() throws Exception {
        CountDownLatch open = new CountDownLatch(cache, "open", 0);
        open.await();
        open.countDown();
        assertEquals(0, open.getCount());
    }

    @Test
    void allObjectsOfANameAreOneLatch() throws Exception {
        try (Cache other = Cache.open(directory.resolve("cache"))) {
            CountDownLatch same = new CountDownLatch(other, "l", 2);
            Running waits = Running.start(() -> same.await(FOR_EVER));
            latch.countDown();
            same.countDown();
            assertEquals(true, waits.outcome());
        }
    }

    @Test
    void aCountJoinsTheTransactionAndIsRolledBackWithIt() {
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    assertTrue(latch.countDown("a"));
                    latch.countDown();
                    assertEquals(0, latch.getCount());
                    throw new IllegalStateException("roll back");
                }));
        assertEquals(2, latch.getCount());
        cache.transact((Runnable) () -> {
            assertTrue(latch.countDown("a"));
            cache.set("a", "done");
        });
        assertEquals(1, latch.getCount());
        assertFalse(latch.countDown("a"));
    }

    @Test
    void insideATransactionNobodyWaitsButMayLook() throws Exception {
        cache.transact((Runnable) () -> {
            try {
                assertThrows(IllegalStateException.class, latch::await);
                assertThrows(IllegalStateException.class, () -> latch.await(Duration.ofMillis(1)));
                assertFalse(latch.await(Duration.ZERO));
                latch.countDown();
                latch.countDown();
                latch.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        assertEquals(0, latch.getCount());
    }

    @Test
    void aClosedCacheEndsTheWaitAndRefusesCalls() {
        Running waits = Running.start(() -> latch.await(FOR_EVER));
        awaitAsleep();
        cache.close();
        assertEquals(CacheClosedException.class, waits.end());
        assertThrows(CacheClosedException.class, latch::await);
        assertThrows(CacheClosedException.class, () -> latch.await(Duration.ZERO));
        assertThrows(CacheClosedException.class, latch::countDown);
        assertThrows(CacheClosedException.class, () -> latch.countDown("a"));
        assertThrows(CacheClosedException.class, latch::getCount);
        assertThrows(CacheClosedException.class, () -> latch.trySetCount(1));
        assertThrows(CacheClosedException.class, () -> new CountDownLatch(cache, "l", 2));
    }

    @Test
    void aClosedCacheEndsTheWaitAlsoIfItIsNotTheLastOfItsProcess() {
        Cache closing = Cache.open(directory.resolve("cache"));
        CountDownLatch its = new CountDownLatch(closing, "l", 2);
        Running waits = Running.start(() -> its.await(FOR_EVER));
        Running other = Running.start(() -> latch.await(FOR_EVER));
        awaitAsleep();
        closing.close();
        assertEquals(CacheClosedException.class, waits.end());
        assertThrows(CacheClosedException.class, its::countDown);
        latch.countDown();
        latch.countDown();
        assertEquals(true, other.outcome());
    }

    @Test
    void aDeletedLatchIsAsNewAndNobodyTakesItForOpen() throws Exception {
        latch.countDown();
        Running waits = Running.start(() -> latch.await(FOR_EVER));
        awaitAsleep();
        Inspector.of(cache).delete("l");
        awaitAsleep();
        assertFalse(waits.isOver());
        assertEquals(2, latch.getCount());
        latch.countDown();
        latch.countDown();
        assertEquals(true, waits.outcome());
    }

    @Test
    void aBusyDatabaseKeepsNobodyBeyondItsTime() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("cache/cache.db"));
                Statement statement = connection.createStatement()) {
            statement.execute("BEGIN EXCLUSIVE");
            try (Elapsed elapsed = new Elapsed()) {
                long start = System.nanoTime();
                assertFalse(latch.await(Duration.ZERO));
                assertFalse(latch.await(Duration.ofMillis(50)));
                assertTrue(elapsed.millisSince(start) < 2_000);
            }
            Running counts = Running.start(() -> latch.countDown("a"));
            awaitAsleep();
            assertFalse(counts.isOver(), "an untimed call waits for the database");
            statement.execute("COMMIT");
            assertEquals(true, counts.outcome());
        }
    }
}

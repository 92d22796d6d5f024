package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CodecException;
import dev.latchkey.testing.TestDirectory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the work queue promises within one process. */
@Timeout(60)
class WorkQueueTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private Cache cache;
    private WorkQueue<String> queue;

    record Page(String url, int depth) {}

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
        queue = WorkQueue.withMaxAttempts(cache, "q", String.class, 3);
    }

    @AfterEach
    void close() throws InterruptedException {
        threads.shutdownNow();
        cache.close();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS), "a thread hangs");
    }

    private Claim<String> claim() throws InterruptedException {
        return queue.claim(Duration.ZERO).orElseThrow();
    }

    @Test
    void itemsAreClaimedInTheOrderTheyWerePut() throws InterruptedException {
        for (int i = 0; i < 10; i++) {
            queue.put("item " + i);
        }
        assertEquals(10, queue.size());
        for (int i = 0; i < 10; i++) {
            Claim<String> claim = claim();
            assertEquals("item " + i, claim.value());
            assertEquals(1, claim.attempt());
            assertEquals(1, queue.inFlight());
            claim.ack();
        }
        assertEquals(0, queue.size());
        assertEquals(0, queue.inFlight());
        assertTrue(queue.claim(Duration.ZERO).isEmpty());
        assertTrue(queue.claim(Duration.ofSeconds(-1)).isEmpty());
    }

    @Test
    void anItemThatIsGivenBackKeepsItsPlaceAndCountsTheAttempt() throws InterruptedException {
        queue.put("a");
        queue.put("b");
        claim().nack("not now");
        Claim<String> again = claim();
        assertEquals("a", again.value());
        assertEquals(2, again.attempt());
        again.close();
        assertEquals("a", claim().value());
        assertEquals("b", claim().value());
    }

    @Test
    void anItemWhoseLastAttemptFailedGoesToTheDeadLetters() throws InterruptedException {
        queue.put("poison");
        for (int i = 1; i <= 3; i++) {
            Claim<String> claim = claim();
            assertEquals(i, claim.attempt());
            claim.nack("failure " + i);
        }
        assertTrue(queue.claim(Duration.ZERO).isEmpty());
        DeadLetter<String> letter = queue.deadLetters().get(0);
        assertEquals("poison", letter.value());
        assertEquals(3, letter.attempts());
        assertEquals("failure 3", letter.reason());
        assertTrue(Duration.between(letter.since(), Instant.now()).abs().compareTo(SOON) < 0);
        assertEquals(0, queue.size());
    }

    @Test
    void aClaimEndsOnce() throws InterruptedException {
        queue.put("a");
        Claim<String> claim = claim();
        claim.ack();
        assertThrows(ClaimLostException.class, claim::ack);
        assertThrows(ClaimLostException.class, claim::nack);
        claim.close();
        assertEquals(0, queue.size());
    }

    @Test
    void aLateAckByAClaimThatWasTakenForDeadIsRefused() throws Exception {
        queue.put("a");
        Claim<String> late = claim();
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("cache/cache.db"));
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE LatchkeySession SET dead = 1");
        }
        AtomicReference<Claim<String>> next = new AtomicReference<>();
        await().atMost(SOON).until(() -> {
            Optional<Claim<String>> found = queue.claim(Duration.ofMillis(50));
            found.ifPresent(next::set);
            return found.isPresent();
        });
        assertEquals(2, next.get().attempt());
        assertThrows(ClaimLostException.class, late::ack);
        late.close();
        assertEquals(1, queue.inFlight(), "the late close gave back nobody else's claim");
        next.get().ack();
    }

    @Test
    void aWaitingClaimerIsWokenByAPut() throws Exception {
        Future<Optional<Claim<String>>> waiter = threads.submit(() -> queue.claim(SOON));
        await().pollDelay(Duration.ofMillis(200)).until(() -> !waiter.isDone());
        queue.put("a");
        assertEquals("a", waiter.get(5, TimeUnit.SECONDS).orElseThrow().value());
    }

    @Test
    void waitingEndsAtTheTimeOutAndAtAnInterrupt() throws Exception {
        long start = System.nanoTime();
        assertTrue(queue.claim(Duration.ofMillis(200)).isEmpty());
        assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(200));
        AtomicReference<Thread> thread = new AtomicReference<>();
        Future<?> waiter = threads.submit(() -> {
            thread.set(Thread.currentThread());
            assertThrows(InterruptedException.class, () -> queue.claim(Duration.ofDays(1)));
        });
        await().atMost(SOON).until(() -> thread.get() != null);
        thread.get().interrupt();
        waiter.get(5, TimeUnit.SECONDS);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> queue.claim(SOON));
        queue.put("a");
        assertEquals("a", claim().value(), "nothing was claimed by those who were interrupted");
    }

    @Test
    void manyThreadsShareTheItems() throws Exception {
        int items = 500;
        cache.transact(() -> {
            for (int i = 0; i < items; i++) {
                queue.put("item " + i);
            }
        });
        List<Future<Integer>> workers = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            workers.add(threads.submit(() -> {
                int done = 0;
                for (Optional<Claim<String>> claim = queue.claim(Duration.ZERO);
                        claim.isPresent();
                        claim = queue.claim(Duration.ZERO)) {
                    cache.incr(claim.get().value());
                    claim.get().ack();
                    done++;
                }
                return done;
            }));
        }
        int sum = 0;
        for (Future<Integer> worker : workers) {
            sum += worker.get(40, TimeUnit.SECONDS);
        }
        assertEquals(items, sum);
        for (int i = 0; i < items; i++) {
            assertEquals(1, cache.get("item " + i, Integer.class));
        }
    }

    @Test
    void theResultAndTheAckAreOneTransaction() throws InterruptedException {
        queue.put("a");
        Claim<String> claim = claim();
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    cache.set("result", 1);
                    claim.ack();
                    throw new IllegalStateException("roll back");
                }));
        assertNull(cache.get("result"));
        assertEquals(1, queue.inFlight());
        cache.transact(() -> {
            cache.set("result", 1);
            claim.ack();
        });
        assertEquals(1, cache.get("result", Integer.class));
        assertEquals(0, queue.inFlight());
    }

    @Test
    void putsAndClaimsOfATransactionThatIsRolledBackNeverHappened() throws InterruptedException {
        queue.put("a");
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact(() -> {
                    queue.put("b");
                    assertEquals("a", claim().value());
                    throw new IllegalStateException("roll back");
                }));
        assertEquals(1, queue.size());
        Claim<String> claim = claim();
        assertEquals("a", claim.value());
        assertEquals(1, claim.attempt(), "a claim that was rolled back counts no attempt");
    }

    @Test
    void aClaimClosedInATransactionThatIsRolledBackIsGivenBack() throws InterruptedException {
        queue.put("a");
        Claim<String> claim = claim();
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    try (claim) {
                        claim.ack();
                        throw new IllegalStateException("roll back");
                    }
                }));
        assertEquals(0, queue.inFlight());
        assertEquals(2, claim().attempt());
    }

    @Test
    void aBusyDatabaseDelaysAClaimOnlyUntilItsDeadline() throws Exception {
        queue.put("a");
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Future<?> transaction = threads.submit(() -> cache.transact(() -> {
            began.countDown();
            return end.await(20, TimeUnit.SECONDS);
        }));
        assertTrue(began.await(20, TimeUnit.SECONDS));
        long start = System.nanoTime();
        assertTrue(queue.claim(Duration.ofMillis(200)).isEmpty());
        Future<?> waiter = threads.submit(() -> {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> queue.claim(SOON));
        });
        waiter.get(5, TimeUnit.SECONDS);
        assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(2));
        end.countDown();
        transaction.get(20, TimeUnit.SECONDS);
        assertEquals("a", queue.claim(SOON).orElseThrow().value());
    }

    @Test
    void aClaimIsGivenBackAlthoughItsOwnCacheObjectIsClosed() throws Exception {
        try (Cache second = Cache.open(directory.resolve("cache"))) {
            queue.put("a");
            Claim<String> claim =
                    new WorkQueue<>(second, "q", String.class).claim(SOON).orElseThrow();
            second.close();
            claim.close();
            assertEquals(0, queue.inFlight());
            assertEquals(1, queue.size());
        }
    }

    @Test
    void waitingInsideATransactionIsRefused() {
        cache.transact(() -> {
            assertThrows(IllegalStateException.class, () -> queue.claim(SOON));
            assertTrue(queue.claim(Duration.ZERO).isEmpty());
            return null;
        });
    }

    @Test
    void itemsMayBeRecordsAndGenericTypes() throws InterruptedException {
        WorkQueue<Page> pages = new WorkQueue<>(cache, "pages", Page.class);
        pages.put(new Page("https://example.org/", 2));
        assertEquals(
                new Page("https://example.org/", 2),
                pages.claim(SOON).orElseThrow().value());
        WorkQueue<List<Integer>> lists = new WorkQueue<>(cache, "lists", new TypeToken<List<Integer>>() {});
        lists.put(List.of(1, 2));
        assertEquals(List.of(1, 2), lists.claim(SOON).orElseThrow().value());
    }

    @Test
    void anItemThatCannotBeReadCountsItsAttemptsAndEndsInTheDeadLetters() throws InterruptedException {
        queue.put("no number");
        WorkQueue<Integer> wrong = new WorkQueue<>(cache, "q", Integer.class);
        for (int i = 0; i < 3; i++) {
            assertThrows(CodecException.class, () -> wrong.claim(Duration.ZERO));
        }
        assertTrue(wrong.claim(Duration.ZERO).isEmpty());
        assertEquals(3, queue.deadLetters().get(0).attempts());
    }

    @Test
    void theLimitOfAttemptsIsWhatTheFirstOneStored() {
        queue.put("a");
        IllegalArgumentException error = assertThrows(
                IllegalArgumentException.class,
                () -> WorkQueue.withMaxAttempts(cache, "q", String.class, 5).put("b"));
        assertTrue(error.getMessage().contains("3") && error.getMessage().contains("5"), error.getMessage());
        new WorkQueue<>(cache, "q", String.class).put("b");
        assertEquals(2, queue.size());
    }

    @Test
    void badArgumentsAreRefused() {
        assertThrows(NullPointerException.class, () -> queue.put(null));
        assertThrows(NullPointerException.class, () -> queue.claim(null));
        assertThrows(NullPointerException.class, () -> new WorkQueue<>(cache, null, String.class));
        assertThrows(IllegalArgumentException.class, () -> new WorkQueue<>(cache, "", String.class));
        assertThrows(IllegalArgumentException.class, () -> WorkQueue.withMaxAttempts(cache, "r", String.class, 0));
        assertThrows(CodecException.class, () -> queue.put("\ud800"));
        assertEquals(0, queue.size());
    }

    @Test
    void closingTheCacheGivesClaimsBackAndTurnsClaimersAway() throws Exception {
        queue.put("a");
        claim();
        Future<?> waiter = threads.submit(() -> assertThrows(CacheClosedException.class, () -> queue.claim(SOON)));
        await().pollDelay(Duration.ofMillis(100)).until(() -> !waiter.isDone());
        cache.close();
        waiter.get(5, TimeUnit.SECONDS);
        assertThrows(CacheClosedException.class, () -> queue.put("b"));
        assertThrows(CacheClosedException.class, queue::size);
        try (Cache again = Cache.open(directory.resolve("cache"))) {
            WorkQueue<String> same = new WorkQueue<>(again, "q", String.class);
            assertEquals(1, same.size());
            assertFalse(same.claim(Duration.ZERO).isEmpty());
        }
    }
}

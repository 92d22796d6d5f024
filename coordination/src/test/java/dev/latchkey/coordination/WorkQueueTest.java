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
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.testing.Stalls;
import dev.latchkey.testing.TestDirectory;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
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

    /** One more on the same directory. */
    Cache newCache() {
        return Cache.open(directory.resolve("cache"));
    }

    /** Where coordination is. */
    Path database() {
        return directory.resolve("cache/cache.db");
    }

    @BeforeEach
    void open() {
        cache = newCache();
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
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database());
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
        assertTrue(queue.claim(Duration.ofMillis(200)).isEmpty());
        Future<?> waiter = threads.submit(() -> {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> queue.claim(SOON));
        });
        waiter.get(5, TimeUnit.SECONDS);
        assertFalse(transaction.isDone(), "they waited for its end");
        end.countDown();
        transaction.get(20, TimeUnit.SECONDS);
        assertEquals("a", queue.claim(SOON).orElseThrow().value());
    }

    @Test
    void aClaimIsGivenBackAlthoughItsOwnCacheObjectIsClosed() throws Exception {
        try (Cache second = newCache()) {
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
        try (Cache again = newCache()) {
            WorkQueue<String> same = new WorkQueue<>(again, "q", String.class);
            assertEquals(1, same.size());
            assertFalse(same.claim(Duration.ZERO).isEmpty());
        }
    }

    private List<String> values(List<Claim<String>> claims) {
        return claims.stream().map(Claim::value).toList();
    }

    @Test
    void theHighestPriorityComesFirstAndWithinItTheOldest() throws InterruptedException {
        queue.put("low", PutOptions.none().priority(-1));
        queue.put("first");
        queue.put("second");
        queue.put("high", PutOptions.none().priority(Integer.MAX_VALUE));
        queue.claimBatch(3, Duration.ZERO).forEach(Claim::nack);
        assertEquals(List.of("high", "first", "second", "low"), values(queue.claimBatch(10, Duration.ZERO)));
    }

    /** By a clock that goes on when it is told to. */
    @Test
    void aDelayedItemIsNotClaimedBeforeItsTime() throws InterruptedException {
        AtomicLong millis = new AtomicLong(1_000_000);
        CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
        HostClock clock = proxy(HostClock.class, engine.clock(), (method, call) -> {
            return method.equals("wallMillis") ? millis.get() : call.call();
        });
        WorkQueue<String> timed = new WorkQueue<>(
                cache,
                proxy(CoordinationEngine.class, engine, (method, call) -> {
                    return method.equals("clock") ? clock : call.call();
                }),
                "q",
                TypeToken.of(String.class),
                null);
        timed.put("late", PutOptions.none().delay(Duration.ofMillis(300)).priority(5));
        timed.put("now");
        assertEquals(1, timed.size());
        assertEquals(1, timed.delayed());
        millis.addAndGet(299);
        assertEquals(List.of("now"), values(timed.claimBatch(10, Duration.ZERO)));
        millis.addAndGet(1);
        Claim<String> late = timed.claim(Duration.ZERO).orElseThrow();
        assertEquals("late", late.value());
        late.nack(Duration.ofMillis(200), "again");
        assertEquals(1, timed.delayed());
        millis.addAndGet(199);
        assertTrue(timed.claim(Duration.ZERO).isEmpty());
        millis.addAndGet(1);
        assertEquals(2, timed.claim(Duration.ZERO).orElseThrow().attempt());
    }

    @Test
    void oneThatWaitsClaimsADelayedItemWithinFiftyMillisecondsOfItsTime() throws InterruptedException {
        Duration delay = Duration.ofMillis(200);
        List<Long> lateMicros = new ArrayList<>();
        try (Stalls stalls = new Stalls()) {
            for (int i = 0; i < 9; i++) {
                long before = System.nanoTime();
                queue.put("late", PutOptions.none().delay(delay));
                long due = System.nanoTime() + delay.toNanos();
                Claim<String> late = queue.claim(SOON).orElseThrow();
                long claimed = System.nanoTime();
                assertTrue(claimed - before >= delay.minusMillis(1).toNanos(), "before its time");
                lateMicros.add((claimed - due - stalls.nanosWithin(due, claimed)) / 1_000);
                late.ack();
            }
        }
        lateMicros.sort(null);
        assertTrue(lateMicros.get(4) <= 50_000, "microseconds: " + lateMicros);
    }

    @Test
    void anItemWithoutEndOfItsDelayIsNotClaimed() throws InterruptedException {
        queue.put("never", PutOptions.none().delay(Duration.ofSeconds(Long.MAX_VALUE)));
        assertTrue(queue.claim(Duration.ofMillis(60)).isEmpty());
        assertEquals(1, queue.delayed());
        assertEquals(1, queue.clear());
    }

    /** More than are made ready in one transaction. */
    @Test
    void manyItemsThatAreDueTogetherComeInTheirOrder() throws InterruptedException {
        int items = 1300;
        cache.transact(() -> {
            for (int i = 0; i < items; i++) {
                queue.put(
                        "item " + i,
                        PutOptions.none().delay(Duration.ofMillis(items - i)).priority(i % 2));
            }
        });
        await().atMost(SOON).until(() -> queue.delayed() == 0);
        assertEquals(items, queue.size());
        for (int i = 0; i < items; i++) {
            int expected = i < items / 2 ? 2 * i + 1 : 2 * i - items;
            assertEquals("item " + expected, claim().value());
        }
    }

    @Test
    void aKeyIsFreeWhenItsItemIsDoneOrDead() throws InterruptedException {
        PutOptions key = PutOptions.none().dedupKey("k");
        assertTrue(queue.put("a", key));
        assertFalse(queue.put("b", key), "the first waits");
        assertTrue(queue.put("b", PutOptions.none().dedupKey("other")));
        Claim<String> claim = claim();
        assertFalse(queue.put("b", key), "the first is claimed");
        claim.nack(Duration.ofDays(1), "later");
        assertFalse(queue.put("b", key), "the first is delayed");
        assertEquals(2, queue.clear());
        assertTrue(queue.put("c", key), "the first is gone");
        claim().ack();
        assertTrue(queue.put("d", key), "the one before was acknowledged");
        claim().deadLetter("never");
        assertTrue(queue.put("e", key), "the one before is a dead letter");
        assertEquals(0, queue.redrive(), "its key is in use");
        assertEquals("e", claim().value());
        assertEquals("d", queue.deadLetters().get(0).value());
    }

    @Test
    void redrivenItemsStartAnewInTheirOldPlaces() throws InterruptedException {
        for (String item : List.of("a", "b", "c")) {
            queue.put(item);
        }
        claim().deadLetter("first");
        claim().deadLetter("second");
        List<DeadLetter<String>> letters = queue.deadLetters();
        assertEquals(List.of("a", "b"), letters.stream().map(DeadLetter::value).toList());
        assertEquals(1, queue.redrive(letters.subList(1, 2)));
        assertEquals(List.of("b", "c"), values(queue.claimBatch(10, Duration.ZERO)));
        assertEquals(1, queue.redrive());
        Claim<String> again = claim();
        assertEquals("a", again.value());
        assertEquals(1, again.attempt());
        assertEquals(letters.get(0).id(), again.id());
        again.deadLetter("again");
        assertEquals(0, queue.deleteDeadLetters(letters), "they are other dead letters by now, or none");
        assertEquals(1, queue.deleteDeadLetters());
        assertEquals(List.of(), queue.deadLetters());
    }

    @Test
    void aDeadLetterThatWasRedrivenAndGivenUpAgainIsAnotherOneEvenInTheSameMillisecond() throws InterruptedException {
        queue.put("a");
        claim().deadLetter("first");
        for (int i = 0; i < 100; i++) {
            List<DeadLetter<String>> letters = queue.deadLetters();
            assertEquals(1, queue.redrive(letters));
            claim().deadLetter("again");
            assertEquals(0, queue.redrive(letters));
            assertEquals(0, queue.deleteDeadLetters(letters));
        }
    }

    @Test
    void deadLettersOfAnotherQueueAreRefused() throws InterruptedException {
        WorkQueue<String> other = new WorkQueue<>(cache, "other", String.class);
        other.put("a");
        other.claim(Duration.ZERO).orElseThrow().deadLetter("no");
        List<DeadLetter<String>> letters = other.deadLetters();
        assertThrows(IllegalArgumentException.class, () -> queue.redrive(letters));
        assertThrows(IllegalArgumentException.class, () -> queue.deleteDeadLetters(letters));
        assertEquals(1, other.redrive(letters));
    }

    @Test
    void aDeadLetterThatCannotBeReadIsShownAllTheSame() throws InterruptedException {
        queue.put("no number");
        claim().deadLetter("why");
        DeadLetter<Integer> letter =
                new WorkQueue<>(cache, "q", Integer.class).deadLetters().get(0);
        assertEquals("why", letter.reason());
        assertThrows(CodecException.class, letter::value);
        assertTrue(letter.toString().contains("why"), letter::toString);
    }

    @Test
    void anItemThatCannotBeReadDoesNotKeepABatchFromBeingClaimed() throws InterruptedException {
        queue.put("1");
        queue.put("no number");
        queue.put("2");
        WorkQueue<Integer> numbers = new WorkQueue<>(cache, "q", Integer.class);
        List<Claim<Integer>> claims = numbers.claimBatch(3, Duration.ZERO);
        assertEquals(List.of(1, 2), claims.stream().map(Claim::value).toList());
        assertEquals(1, queue.size());
        assertEquals(2, claim().attempt());
    }

    @Test
    void aBatchIsWhatIsReadyAndEndsItemByItem() throws InterruptedException {
        queue.put("a");
        queue.put("b");
        List<Claim<String>> claims = queue.claimBatch(5, Duration.ofDays(1));
        assertEquals(List.of("a", "b"), values(claims));
        claims.get(1).ack();
        claims.get(0).close();
        assertEquals(List.of("a"), values(queue.claimBatch(1, Duration.ZERO)));
        assertEquals(List.of(), queue.claimBatch(1, Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> queue.claimBatch(0, Duration.ZERO));
    }

    @Test
    void whateverEndedAClaimItIsOver() throws InterruptedException {
        List<Consumer<Claim<String>>> ends =
                List.of(Claim::ack, Claim::nack, claim -> claim.deadLetter("x"), Claim::close);
        for (Consumer<Claim<String>> end : ends) {
            queue.put("a");
            Claim<String> claim = claim();
            end.accept(claim);
            assertThrows(ClaimLostException.class, claim::ack);
            assertThrows(ClaimLostException.class, () -> claim.nack(Duration.ZERO, "x"));
            assertThrows(ClaimLostException.class, () -> claim.deadLetter("x"));
            claim.close();
            claim.close();
            long unused = queue.clear();
        }
        assertEquals(0, queue.inFlight());
    }

    /** A close that the database had no time for is final for its caller, and is written when it can be. */
    @Test
    void aCloseThatFoundTheDatabaseBusyIsWrittenLater() throws Exception {
        queue.put("a");
        Claim<String> claim = claim();
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Future<?> transaction = threads.submit(() -> cache.transact(() -> {
            began.countDown();
            return end.await(20, TimeUnit.SECONDS);
        }));
        assertTrue(began.await(20, TimeUnit.SECONDS));
        claim.close();
        assertThrows(ClaimLostException.class, claim::ack);
        end.countDown();
        transaction.get(20, TimeUnit.SECONDS);
        assertEquals(2, queue.claim(SOON).orElseThrow().attempt());
    }

    @Test
    void oneOfSeveralThreadsWaitsForAllAndEachGetsItsItem() throws Exception {
        List<Future<Optional<Claim<String>>>> waiters = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            waiters.add(threads.submit(() -> queue.claim(SOON)));
        }
        assertTrue(queue.claim(Duration.ofMillis(100)).isEmpty(), "one that does not wait as long");
        Thread[] interrupted = new Thread[1];
        Future<?> impatient = threads.submit(() -> {
            interrupted[0] = Thread.currentThread();
            return assertThrows(InterruptedException.class, () -> queue.claim(SOON));
        });
        await().atMost(SOON).until(() -> interrupted[0] != null);
        interrupted[0].interrupt();
        impatient.get(5, TimeUnit.SECONDS);
        try (Stalls stalls = new Stalls()) {
            long start = System.nanoTime();
            cache.transact(() -> {
                for (int i = 0; i < 8; i++) {
                    queue.put("item");
                }
            });
            for (Future<Optional<Claim<String>>> waiter : waiters) {
                waiter.get(10, TimeUnit.SECONDS).orElseThrow().ack();
            }
            long end = System.nanoTime();
            long took = end - start - stalls.nanosWithin(start, end);
            assertTrue(took < TimeUnit.SECONDS.toNanos(2), "they went one after the other at once");
        }
    }

    @Test
    void aWaitingClaimerMayBeWokenByANackAndByARedrive() throws Exception {
        queue.put("a");
        Claim<String> claim = claim();
        Future<Optional<Claim<String>>> waiter = threads.submit(() -> queue.claim(SOON));
        await().pollDelay(Duration.ofMillis(60)).until(() -> !waiter.isDone());
        claim.nack();
        Claim<String> second = waiter.get(5, TimeUnit.SECONDS).orElseThrow();
        second.deadLetter("no");
        Future<Optional<Claim<String>>> third = threads.submit(() -> queue.claim(SOON));
        await().pollDelay(Duration.ofMillis(60)).until(() -> !third.isDone());
        assertEquals(1, queue.redrive());
        assertEquals(1, third.get(5, TimeUnit.SECONDS).orElseThrow().attempt());
    }

    @Test
    void theLimitOfAttemptsCanBeAltered() throws InterruptedException {
        assertEquals(3, queue.maxAttempts());
        queue.alterMaxAttempts(1);
        assertEquals(1, queue.maxAttempts());
        assertEquals(1, WorkQueue.withMaxAttempts(cache, "q", String.class, 1).maxAttempts());
        queue.put("a");
        claim().nack("once");
        assertEquals("once", queue.deadLetters().get(0).reason());
        assertThrows(IllegalArgumentException.class, () -> queue.alterMaxAttempts(0));
        new Lock(cache, "a lock").lock();
        WorkQueue<String> lock = new WorkQueue<>(cache, "a lock", String.class);
        assertThrows(NameInUseException.class, () -> lock.alterMaxAttempts(2));
        assertThrows(NameInUseException.class, () -> lock.claim(Duration.ZERO));
        assertThrows(NameInUseException.class, lock::deadLetters);
    }

    @Test
    void aDeletedQueueIsAFreshOneForThoseWhoKnewIt() throws InterruptedException {
        queue.put("a", PutOptions.none().delay(Duration.ofDays(1)));
        Inspector.of(cache).delete("q");
        assertEquals(0, queue.delayed());
        queue.put("b");
        assertEquals("b", claim().value());
        Inspector.of(cache).claims().forEach(claim -> assertEquals("q", claim.queue()));
        WorkQueue<String> other = new WorkQueue<>(cache, "p", String.class);
        other.put("a");
        Inspector.of(cache).delete("p");
        new Lock(cache, "p").lock();
        assertThrows(NameInUseException.class, () -> other.put("b"), "the name is a lock by now");
    }

    @Test
    void largeItemsWork() throws InterruptedException {
        String large = "x".repeat(3_000_000);
        queue.put(large);
        claim().nack();
        Claim<String> claim = claim();
        assertEquals(large, claim.value());
        claim.ack();
        WorkQueue<byte[]> arrays = new WorkQueue<>(cache, "arrays", byte[].class);
        arrays.put(new byte[1_000_000]);
        assertEquals(1_000_000, arrays.claim(SOON).orElseThrow().value().length);
    }

    @Test
    void whatOneTransactionPutsItMayClaimAndAcknowledge() {
        cache.transact(() -> {
            queue.put("a");
            queue.put("late", PutOptions.none().delay(Duration.ofDays(1)));
            Claim<String> claim = queue.claim(SOON).orElseThrow();
            claim.ack();
            assertThrows(ClaimLostException.class, claim::ack);
            return null;
        });
        assertEquals(0, queue.size());
        assertEquals(1, queue.delayed());
    }

    @Test
    void badOptionsAreRefused() throws InterruptedException {
        PutOptions none = PutOptions.none();
        assertThrows(IllegalArgumentException.class, () -> none.delay(Duration.ofNanos(-1)));
        assertThrows(IllegalArgumentException.class, () -> none.dedupKey(""));
        assertThrows(IllegalArgumentException.class, () -> none.dedupKey("\ud800"));
        assertThrows(NullPointerException.class, () -> none.dedupKey(null));
        assertThrows(NullPointerException.class, () -> none.delay(null));
        assertThrows(NullPointerException.class, () -> queue.put("a", null));
        assertEquals(none.priority(1).dedupKey("k"), none.dedupKey("k").priority(1));
        queue.put("a");
        Claim<String> claim = claim();
        assertThrows(IllegalArgumentException.class, () -> claim.nack(Duration.ofMillis(-1), "x"));
        assertThrows(NullPointerException.class, () -> claim.nack(Duration.ZERO, null));
        assertThrows(NullPointerException.class, () -> claim.deadLetter(null));
        claim.ack();
    }

    @Test
    void aClosedCacheRefusesEveryCall() throws InterruptedException {
        queue.put("a");
        Claim<String> claim = claim();
        cache.close();
        assertThrows(CacheClosedException.class, () -> queue.put("b"));
        assertThrows(CacheClosedException.class, () -> queue.claim(Duration.ZERO));
        assertThrows(CacheClosedException.class, queue::delayed);
        assertThrows(CacheClosedException.class, queue::deadLetters);
        assertThrows(CacheClosedException.class, queue::redrive);
        assertThrows(CacheClosedException.class, queue::clear);
        assertThrows(CacheClosedException.class, queue::maxAttempts);
        assertThrows(CacheClosedException.class, claim::ack);
        claim.close();
    }

    /** As after an I/O error: nobody has the claim, and the process lives. */
    @Test
    void anItemWhoseClaimWasCommittedAndIsTakenForFailedIsNotLost() throws InterruptedException {
        queue.put("a");
        CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
        StateStore failing = proxy(StateStore.class, engine.states(), (method, call) -> {
            Object result = call.call();
            if (method.equals("write")) {
                throw new CacheException("was committed and is taken for failed");
            }
            return result;
        });
        WorkQueue<String> unlucky = new WorkQueue<>(
                cache,
                proxy(CoordinationEngine.class, engine, (method, call) -> {
                    return method.equals("states") ? failing : call.call();
                }),
                "q",
                TypeToken.of(String.class),
                null);
        assertThrows(CacheException.class, () -> unlucky.claim(Duration.ZERO));
        assertEquals(2, queue.claim(SOON).orElseThrow().attempt());
    }

    private interface Around {
        Object call(String method, Callable<Object> call) throws Exception;
    }

    private static <T> T proxy(Class<T> type, T target, Around around) {
        return type.cast(Proxy.newProxyInstance(
                WorkQueueTest.class.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> around.call(method.getName(), () -> method.invoke(target, arguments))));
    }
}

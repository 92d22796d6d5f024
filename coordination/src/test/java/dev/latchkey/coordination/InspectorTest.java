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
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.coordination.Inspector.HeldLock;
import dev.latchkey.coordination.Inspector.Mode;
import dev.latchkey.coordination.Inspector.Phase;
import dev.latchkey.coordination.Inspector.QueueSize;
import dev.latchkey.coordination.Inspector.Stage;
import dev.latchkey.coordination.Inspector.ThrottleLevel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InspectorTest extends CacheFixture {
    private static final long PID = ProcessHandle.current().pid();
    /** Its process is dead: nobody has its byte. */
    private static final long DEAD_SESSION = 4_000_000_000_000_000_000L;

    private Inspector inspector;

    @BeforeEach
    void open() {
        inspector = Inspector.of(cache);
    }

    private CoordinationEngine engine() {
        return cache.unwrap(CoordinationEngine.class);
    }

    private Cohort semaphore(String name, long permits) {
        StateStore states = engine().states();
        var unused = states.update(
                Kind.SEMAPHORE.word(),
                name,
                null,
                from -> Decision.store(from.withDetail(Kind.permitsDetail(permits)), true),
                Deadline.never());
        return Cohorts.of(engine()).cohort(Kind.SEMAPHORE, name);
    }

    /** Ends with the test at the latest. */
    @SuppressWarnings("WaitNotInLoop") // whoever is woken is done
    private static void awaitOnce(Lock lock, String condition) {
        lock.lock();
        try {
            lock.newCondition(condition).await();
        } catch (InterruptedException e) {
            return; // finally releases it
        } finally {
            lock.unlock();
        }
    }

    private static List<String> names(List<HeldLock> locks) {
        return locks.stream().map(HeldLock::name).toList();
    }

    @Test
    void nothingIsShownOfAnEmptyDirectory() {
        assertEquals(List.of(), inspector.locks());
        assertEquals(List.of(), inspector.permits());
        assertEquals(List.of(), inspector.waiters());
        assertEquals(List.of(), inspector.claims());
        assertEquals(List.of(), inspector.queues());
        assertEquals(List.of(), inspector.throttles());
        assertEquals(List.of(), inspector.sessions(), "looking opens no session");
    }

    @Test
    void aHeldLockIsShownWithItsHolder() {
        Lock lock = new Lock(cache, "a");
        lock.lock();
        HeldLock held = inspector.locks().get(0);
        assertEquals("a", held.name());
        assertEquals("lock", held.kind());
        assertEquals(Mode.EXCLUSIVE, held.mode());
        assertEquals(PID, held.holder().pid());
        assertEquals(Thread.currentThread().getName(), held.holder().thread());
        assertEquals(lock.fencingToken(), held.holder().token());
        assertEquals(lock.holder().orElseThrow(), held.holder());
        assertEquals(Optional.empty(), held.leaseEnd());
        lock.unlock();
        assertEquals(List.of(), inspector.locks(), "a free lock is not shown");
        assertThrows(
                UnsupportedOperationException.class, () -> inspector.locks().add(held));
    }

    @Test
    void allKindsOfLocksAreShownByNameAndMode() throws Exception {
        ReadWriteLock shared = new ReadWriteLock(cache, "shared");
        shared.readLock().lock();
        elsewhere(() -> {
            shared.readLock().lock();
            return null;
        });
        new ReadWriteLock(cache, "written").writeLock().lock();
        new RLock(cache, "again").lock();
        new RLock(cache, "again").lock();
        new MultiLock(cache, List.of("x", "y")).lock();
        new WorkQueue<>(cache, "queue", String.class).put("not a lock");
        semaphore("semaphore", 1).tryAcquire(Want.ofThread(1, 0));
        List<HeldLock> locks = inspector.locks();
        assertEquals(List.of("again", "shared", "shared", "written", "x", "y"), names(locks));
        assertEquals("rlock", locks.get(0).kind());
        assertEquals(
                List.of(Mode.EXCLUSIVE, Mode.READ, Mode.READ, Mode.WRITE, Mode.EXCLUSIVE, Mode.EXCLUSIVE),
                locks.stream().map(HeldLock::mode).toList());
        assertTrue(locks.get(1).holder().token() < locks.get(2).holder().token());
    }

    @Test
    void aLeaseIsShownWithItsEndAndAsLongAsItLasts() throws Exception {
        Instant before = Instant.now();
        LockHandle handle = Lock.builder(cache, "leased")
                .lease(Duration.ofMinutes(1))
                .build()
                .acquire();
        Instant end = inspector.locks().get(0).leaseEnd().orElseThrow();
        assertTrue(!end.isBefore(before.plusSeconds(59)) && end.isBefore(before.plusSeconds(80)), end::toString);
        handle.renew(Duration.ofMillis(20));
        await().atMost(SOON).until(() -> inspector.locks().isEmpty());
    }

    @Test
    void whatTheDeadHeldIsNotShown() throws Exception {
        new MultiLock(cache, List.of("a", "b")).lock();
        new Lock(cache, "c").lock();
        sql("UPDATE LatchkeyState SET session = " + DEAD_SESSION + " WHERE name IN ('a', 'b')");
        sql("UPDATE LatchkeyState SET line = '" + DEAD_SESSION + "' WHERE name = 'c'");
        assertEquals(List.of("c"), names(inspector.locks()));
        assertEquals(List.of(), inspector.waiters());
    }

    @Test
    void permitsAreShownForEachHolder() throws Exception {
        Cohort semaphore = semaphore("s", 5);
        semaphore("free", 2);
        semaphore.tryAcquire(Want.ofThread(2, 0));
        elsewhere(() -> semaphore.tryAcquire(Want.ofThread(1, 0)));
        List<Inspector.Permits> all = inspector.permits();
        assertEquals(
                List.of("free", "s"), all.stream().map(Inspector.Permits::name).toList());
        assertEquals(2, all.get(0).available());
        assertEquals(List.of(), all.get(0).holders());
        assertEquals(5, all.get(1).permits());
        assertEquals(2, all.get(1).available());
        assertEquals(
                List.of(2, 1),
                all.get(1).holders().stream().map(Holder::permits).toList());
        assertEquals(PID, all.get(1).holders().get(0).pid());
    }

    @Test
    void waitersAreShownInTheOrderOfTheLineAndWithTheirStage() throws Exception {
        Cohort semaphore = semaphore("s", 2);
        semaphore.tryAcquire(Want.ofThread(2, 0));
        Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        Future<?> waiter = threads.submit(() -> {
            Thread.currentThread().setName("tail; of: 100 % a line@1~");
            return semaphore.acquire(Want.ofThread(2, 0), Deadline.after(SOON));
        });
        await().atMost(SOON).until(() -> inspector.waiters().size() == 1);
        Inspector.Waiter shown = inspector.waiters().get(0);
        assertEquals("s", shown.name());
        assertEquals("semaphore", shown.kind());
        assertEquals(1, shown.position());
        assertEquals(PID, shown.pid());
        assertEquals("tail; of: 100 % a line@1~", shown.thread());
        assertFalse(shown.since().isBefore(before), shown.toString());
        assertFalse(shown.since().isAfter(Instant.now()), shown.toString());
        assertEquals(2, shown.permits());
        assertEquals(Stage.WAITING, shown.stage());
        assertEquals(Optional.empty(), shown.condition());
        assertTrue(inspector.forceRelease(
                "s", inspector.permits().get(0).holders().get(0).token()));
        waiter.get(20, TimeUnit.SECONDS);
        assertEquals(List.of(), inspector.waiters());
    }

    @Test
    void theStageOfAWaiterIsWhatItsMarkSays() throws Exception {
        new Lock(cache, "a").lock();
        long self = inspector.sessions().get(0).session();
        for (String line : List.of(DEAD_SESSION + " " + self + "@1", self + "~")) {
            sql("UPDATE LatchkeyState SET line = '" + line + "'");
            Inspector.Waiter waiter = inspector.waiters().get(0);
            assertEquals(line.endsWith("~") ? Stage.LAPSED : Stage.RESERVED, waiter.stage());
            assertEquals(1, waiter.position());
        }
        sql("UPDATE LatchkeyState SET line = ''");
    }

    @Test
    void whoWaitsForAConditionIsShownWithIt() throws Exception {
        Lock lock = new Lock(cache, "a");
        Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        for (String name : List.of("one: first", "two; 100 %")) {
            threads.execute(() -> {
                Thread.currentThread().setName(name);
                awaitOnce(lock, "not empty");
            });
        }
        await().atMost(SOON).until(() -> inspector.waiters().size() == 2);
        Inspector.Waiter second = inspector.waiters().get(1);
        assertEquals("a", second.name());
        assertEquals(Optional.of("not empty"), second.condition());
        assertEquals(Stage.AWAITING, second.stage());
        assertEquals(2, second.position());
        assertEquals(
                Set.of("one: first", "two; 100 %"),
                inspector.waiters().stream().map(Inspector.Waiter::thread).collect(Collectors.toSet()));
        assertFalse(second.since().isBefore(before), second.toString());
        assertFalse(second.since().isAfter(Instant.now()), second.toString());
        lock.lock();
        lock.newCondition("not empty").signal();
        Inspector.Waiter first = inspector.waiters().stream()
                .filter(waiter -> waiter.condition().isPresent())
                .findFirst()
                .orElseThrow();
        assertEquals(Stage.SIGNALLED, first.stage());
        lock.newCondition("not empty").signalAll();
        lock.unlock();
        await().atMost(SOON).until(() -> inspector.waiters().isEmpty());
    }

    @Test
    void barriersAreShownWithThoseWhoWait() throws Exception {
        assertEquals(List.of(), inspector.barriers());
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", 3, () -> {
            Inspector.Parties acting = inspector.barriers().get(0);
            assertEquals(Phase.ACTING, acting.phase());
            assertEquals(3, acting.waiting().size());
        });
        assertEquals(List.of(new Inspector.Parties("b", 3, 1, Phase.WAITING, List.of())), inspector.barriers());
        new CyclicBarrier(cache, "another", 1).await();
        Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        for (String name : List.of("first; party", "second party")) {
            threads.execute(() -> awaitAs(name, barrier));
            await().atMost(SOON).until(() -> barrier.getNumberWaiting() > 0);
        }
        await().atMost(SOON).until(() -> barrier.getNumberWaiting() == 2);
        assertEquals(
                new Inspector.Parties("another", 1, 2, Phase.WAITING, List.of()),
                inspector.barriers().get(0));
        Inspector.Parties shown = inspector.barriers().get(1);
        assertEquals(1, shown.generation());
        Inspector.Party first = shown.waiting().get(0);
        assertEquals("first; party", first.thread());
        assertEquals("second party", shown.waiting().get(1).thread());
        assertEquals(PID, first.pid());
        assertEquals(inspector.sessions().get(0).session(), first.session());
        assertFalse(first.since().isBefore(before) || first.since().isAfter(Instant.now()), first.toString());
        String printed = command(directory.resolve("cache").toString());
        assertTrue(printed.contains("BARRIERS") && printed.contains("first; party"), printed);
        IllegalStateException error = assertThrows(IllegalStateException.class, () -> inspector.delete("b"));
        assertTrue(error.getMessage().contains("pid " + PID), error.getMessage());
        sql("UPDATE LatchkeyState SET line = replace(line, '" + first.session() + "', '" + DEAD_SESSION
                + "') WHERE name = 'b'");
        shown = inspector.barriers().get(1);
        assertEquals(Phase.BROKEN, shown.phase(), "they are dead, although nobody has written it down");
        assertEquals(List.of(), shown.waiting());
        inspector.delete("b");
        assertEquals(1, inspector.barriers().size());
    }

    private static void awaitAs(String name, CyclicBarrier barrier) {
        Thread.currentThread().setName(name);
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            // it ends with the test
        }
    }

    @Test
    void aLeaderIsShownAsTheHolderOfALeadership() throws Exception {
        new LeaderElection(cache, "e").lead(() -> {
            HeldLock held = inspector.locks().get(0);
            assertEquals("leader", held.kind());
            assertEquals(Mode.EXCLUSIVE, held.mode());
            assertThrows(IllegalStateException.class, () -> inspector.delete("e"));
        });
        inspector.delete("e");
    }

    @Test
    void claimsAndQueuesAreShown() throws Exception {
        WorkQueue<String> queue = WorkQueue.withMaxAttempts(cache, "work", String.class, 2);
        queue.put("one");
        queue.put("two");
        queue.put("three");
        WorkQueue.withMaxAttempts(cache, "empty", String.class, 1).claim(Duration.ZERO);
        queue.claim(SOON).orElseThrow().close();
        Claim<String> claim = queue.claim(SOON).orElseThrow();
        Inspector.ClaimedItem claimed = inspector.claims().get(0);
        assertEquals("work", claimed.queue());
        assertEquals(2, claimed.attempt());
        assertEquals(PID, claimed.pid());
        assertEquals(Thread.currentThread().getName(), claimed.thread());
        assertTrue(Duration.between(claimed.since(), Instant.now()).abs().compareTo(SOON) < 0);
        assertFalse(inspector.forceRelease("empty", claimed.token()));
        assertEquals(
                List.of(new QueueSize("empty", 0, 0, 0, 0), new QueueSize("work", 2, 0, 1, 0)), inspector.queues());
        assertTrue(inspector.forceRelease("work", claimed.token()));
        assertThrows(ClaimLostException.class, claim::ack);
        assertEquals(List.of(), inspector.claims());
        queue.put("later", PutOptions.none().delay(Duration.ofDays(1)));
        assertEquals(new QueueSize("work", 2, 1, 0, 1), inspector.queues().get(1));
    }

    @Test
    void throttlesAreShownWithWhatIsLeftOfThem() {
        Throttle busy = new Throttle(cache, "busy", 2, Duration.ofHours(2));
        Throttle.builder(cache, "idle", 100, Duration.ofSeconds(1)).burst(5).build();
        assertTrue(busy.tryAcquire());
        List<ThrottleLevel> all = inspector.throttles();
        assertEquals(new ThrottleLevel("busy", 2, Duration.ofHours(2), 2, 1, Optional.empty()), all.get(0));
        assertEquals(new ThrottleLevel("idle", 100, Duration.ofSeconds(1), 5, 5, Optional.empty()), all.get(1));
        assertTrue(busy.tryAcquire());
        ThrottleLevel used = inspector.throttles().get(0);
        assertEquals(0, used.remaining());
        Duration left = Duration.between(Instant.now(), used.freeAgain().orElseThrow());
        assertTrue(left.toMinutes() >= 58 && left.toMinutes() <= 60, left::toString);
        assertEquals(List.of(), inspector.permits());
        inspector.delete("idle");
        assertEquals(1, inspector.throttles().size());
    }

    @Test
    void sessionsAreShownAliveOrNot() throws Exception {
        new Lock(cache, "a").lock();
        List<Inspector.SessionEntry> sessions = List.of();
        for (int i = 0; i < 100 && sessions.size() < 2; i++) { // it may be swept away before it is looked at
            sql("INSERT OR IGNORE INTO LatchkeySession (id, dead, boot_id, label, pid, host, started) VALUES ("
                    + DEAD_SESSION + ", 0, '', 'gone', 7, 'here', 1000)");
            sessions = inspector.sessions();
        }
        assertEquals(
                new Inspector.SessionEntry(DEAD_SESSION, 7, "here", "gone", Instant.ofEpochSecond(1), false),
                sessions.get(0));
        assertTrue(sessions.get(1).alive());
        assertEquals(PID, sessions.get(1).pid());
    }

    @Test
    void forceReleaseFreesWhatHasTheTokenAndNothingElse() throws Exception {
        MultiLock both = new MultiLock(cache, List.of("a", "b"));
        both.lock();
        ReadWriteLock shared = new ReadWriteLock(cache, "shared");
        shared.readLock().lock();
        elsewhere(() -> {
            shared.readLock().lock();
            return null;
        });
        assertFalse(inspector.forceRelease("a", both.fencingToken("a") + 1));
        assertFalse(inspector.forceRelease("never used", 1));
        new WorkQueue<>(cache, "queue", String.class).put("x");
        assertFalse(inspector.forceRelease("queue", 1));
        long forced = both.fencingToken("a");
        assertTrue(inspector.forceRelease("a", forced));
        assertFalse(inspector.forceRelease("a", forced));
        long token = inspector.locks().get(1).holder().token();
        assertTrue(inspector.forceRelease("shared", token));
        assertEquals(List.of("b", "shared"), names(inspector.locks()));
        assertThrows(LockLostException.class, both::unlock);
        assertEquals(List.of("shared"), names(inspector.locks()));
    }

    @Test
    void aNameInUseIsNotDeletedAndItsUserIsNamed() throws Exception {
        Lock lock = new Lock(cache, "a");
        lock.lock();
        IllegalStateException error = assertThrows(IllegalStateException.class, () -> inspector.delete("a"));
        assertTrue(error.getMessage().contains("pid " + PID), error.getMessage());
        WorkQueue<String> queue = new WorkQueue<>(cache, "queue", String.class);
        queue.put("x");
        Claim<String> claim = queue.claim(SOON).orElseThrow();
        assertThrows(IllegalStateException.class, () -> inspector.delete("queue"));
        claim.close();
        threads.execute(() -> awaitOnce(new Lock(cache, "b"), "c"));
        await().atMost(SOON).until(() -> inspector.waiters().size() == 1);
        assertThrows(IllegalStateException.class, () -> inspector.delete("b"));
        assertTrue(lock.isHeldByCurrentThread());
        assertEquals(1, queue.size());
    }

    @Test
    void aDeletedNameCanBeUsedAsSomethingElseAndItsTokensGrowOn() throws Exception {
        Lock lock = new Lock(cache, "a");
        for (int i = 0; i < 10; i++) {
            lock.lock();
            lock.unlock();
        }
        sql("UPDATE LatchkeyState SET token = token + 5000000000, version = version + 1"); // as if granted very often
        lock.lock();
        long token = lock.fencingToken();
        lock.unlock();
        inspector.delete("a");
        inspector.delete("a");
        WorkQueue<String> queue = new WorkQueue<>(cache, "a", String.class);
        queue.put("x");
        assertEquals("x", queue.claim(SOON).orElseThrow().value());
        sql("UPDATE LatchkeyItem SET session = " + DEAD_SESSION);
        inspector.delete("a");
        assertEquals(List.of(), inspector.queues(), "its items are gone");
        lock.lock();
        assertTrue(lock.fencingToken() > token, lock.fencingToken() + " after " + token);
        lock.unlock();
        cache.close();
        cache = Cache.open(directory.resolve("cache"));
        Inspector.of(cache).delete("a");
    }

    @Test
    void whatTheDeadHoldIsDeleted() throws Exception {
        ReadWriteLock shared = new ReadWriteLock(cache, "a");
        shared.readLock().lock();
        elsewhere(() -> {
            shared.readLock().lock();
            return null;
        });
        sql("UPDATE LatchkeyState SET session = " + DEAD_SESSION + ", line = '" + DEAD_SESSION + "'");
        sql("UPDATE LatchkeyHold SET session = " + DEAD_SESSION);
        inspector.delete("a");
        assertTrue(new Lock(cache, "a").tryLock(SOON));
        assertEquals(1, inspector.locks().size());
    }

    @Test
    void aDeleteInATransactionIsUndoneWithIt() {
        new WorkQueue<>(cache, "queue", String.class).put("x");
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    inspector.delete("queue");
                    assertEquals(List.of(), inspector.queues());
                    throw new IllegalStateException("roll back");
                }));
        assertEquals(1, inspector.queues().get(0).ready());
    }

    @Test
    void aClosedCacheRefusesEveryCall() {
        cache.close();
        assertThrows(CacheClosedException.class, inspector::locks);
        assertThrows(CacheClosedException.class, inspector::permits);
        assertThrows(CacheClosedException.class, inspector::waiters);
        assertThrows(CacheClosedException.class, inspector::barriers);
        assertThrows(CacheClosedException.class, inspector::claims);
        assertThrows(CacheClosedException.class, inspector::queues);
        assertThrows(CacheClosedException.class, inspector::throttles);
        assertThrows(CacheClosedException.class, inspector::sessions);
        assertThrows(CacheClosedException.class, () -> inspector.forceRelease("a", 1));
        assertThrows(CacheClosedException.class, () -> inspector.delete("a"));
        assertThrows(CacheClosedException.class, () -> Inspector.of(cache));
    }

    /** What the command printed, both streams, and its exit status in front. */
    private static String command(String... args) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        int status = InspectorCommand.run(args, out, out);
        return status + " " + bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theCommandShowsWhatIsHeldAndReleasesIt() throws Exception {
        String path = directory.resolve("cache").toString();
        Lock lock = new Lock(cache, "a\nb");
        lock.lock();
        new Lock(cache, "plain").lock();
        assertTrue(new Throttle(cache, "api", 1, Duration.ofHours(1)).tryAcquire());
        String shown = command(path);
        assertTrue(shown.startsWith("0 LOCKS"), shown);
        assertTrue(shown.contains("a?b") && shown.contains("plain"), shown);
        assertTrue(shown.contains(String.valueOf(lock.fencingToken())), shown);
        assertTrue(shown.contains("PERMITS: none"), shown);
        String throttles = shown.substring(shown.indexOf("THROTTLES"), shown.indexOf("SESSIONS"));
        assertTrue(throttles.matches("(?s).*api +1 +PT1H +1 +0 +3[56]\\d{5} ms.*"), throttles);
        String token = String.valueOf(lock.fencingToken());
        assertTrue(command(path, "--release", "plain", "1").startsWith("1 nothing of the name 'plain'"));
        assertTrue(command(path, "--release", "a\nb", token).startsWith("0 released"));
        assertTrue(command(path, "--release", "a\nb", token).startsWith("1 "));
        assertThrows(LockLostException.class, lock::unlock);
    }

    @Test
    void theCommandShowsWhatIsClaimedAndTakesItBack() throws Exception {
        String path = directory.resolve("cache").toString();
        WorkQueue<String> queue = new WorkQueue<>(cache, "work", String.class);
        queue.put("item");
        Claim<String> claim = elsewhere(() -> {
            Thread.currentThread().setName("a worker");
            return queue.claim(SOON).orElseThrow();
        });
        String token = String.valueOf(inspector.claims().get(0).token());
        String shown = command(path);
        String row = shown.lines()
                .filter(line -> line.contains("a worker"))
                .findFirst()
                .orElseThrow(() -> new AssertionError(shown));
        assertTrue(row.contains("work") && row.contains(token) && row.contains(String.valueOf(PID)), row);
        assertTrue(command(path, "--release", "work", token).startsWith("0 released"));
        assertTrue(command(path, "--release", "work", token).startsWith("1 "));
        assertThrows(ClaimLostException.class, claim::ack);
        assertEquals(1, queue.size());
    }

    @Test
    void theCommandRefusesWrongArgumentsAndCreatesNothing() {
        String missing = directory.resolve("missing").toString();
        for (String[] args : new String[][] {
            {}, {"--release"}, {missing, "x"}, {missing, "--release", "a"}, {missing, "--release", "a", "many"}
        }) {
            String answer = command(args);
            assertTrue(answer.startsWith("2 ") && answer.contains("usage: "), answer);
        }
        assertTrue(command("--help").startsWith("0 usage: "));
        assertTrue(command(missing).startsWith("1 there is no cache in "), command(missing));
        assertTrue(command(missing, "--release", "a", "1").startsWith("1 there is no cache in "));
        assertFalse(Files.exists(directory.resolve("missing")));
    }
}

package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.Elapsed;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Group commit on a table with one number. */
class WriterTest {
    private static final String ADD = "UPDATE T SET n = n + 1";
    private static final Duration LONG = Duration.ofSeconds(30);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger commits = new AtomicInteger();
    private Database database;
    private Database other;
    private Hints hints;
    private Writer writer;

    @BeforeEach
    void open() throws IOException {
        Path file = directory.resolve("hints");
        Hints.create(file);
        hints = new Hints(file);
        database = Database.open(directory.resolve("cache.db"));
        database.execute("PRAGMA journal_mode = wal");
        database.execute("CREATE TABLE T (n INTEGER)");
        database.execute("INSERT INTO T VALUES (0)");
        database.configure(1);
        other = Database.open(directory.resolve("cache.db"));
        writer = new Writer(database, this::another, hints.gate(0), commits::incrementAndGet);
    }

    @AfterEach
    void close() throws InterruptedException {
        threads.shutdownNow();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS), "a thread hangs");
        other.close();
        writer.close();
        hints.close();
    }

    private Database another() {
        return Database.open(directory.resolve("cache.db"));
    }

    private long stored() {
        return other.one("SELECT n FROM T", row -> row.getLong(1));
    }

    private static boolean add(Tx tx) {
        return tx.db.update(ADD) == 1;
    }

    private Future<Boolean> submit(Function<Tx, Boolean> work, Deadline deadline) {
        return threads.submit(() -> writer.write(work, deadline));
    }

    /** Keeps the lead busy until the latch is open, so that what comes meanwhile makes one batch. */
    private Future<Boolean> block(CountDownLatch release) throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        Future<Boolean> result = submit(
                tx -> {
                    begun.countDown();
                    await(release);
                    return true;
                },
                Deadline.after(LONG));
        begun.await();
        return result;
    }

    private static void await(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void awaitParked(Thread thread) {
        Awaitility.await()
                .pollInterval(Duration.ofMillis(1))
                .until(() ->
                        thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.TIMED_WAITING);
    }

    @Test
    void manyThreadsAddUpExactly() throws Exception {
        int each = 2_000;
        List<Future<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(threads.submit(() -> {
                for (int j = 0; j < each; j++) {
                    writer.write(WriterTest::add, Deadline.after(LONG));
                }
                return true;
            }));
        }
        for (Future<Boolean> one : all) {
            assertTrue(one.get(60, TimeUnit.SECONDS));
        }
        assertEquals(8 * each, stored());
    }

    @Test
    void operationsThatWaitTogetherAreCommittedTogether() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Future<Boolean> first = block(release);
        List<Future<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            all.add(submitAndPark(WriterTest::add));
        }
        release.countDown();
        assertTrue(first.get(10, TimeUnit.SECONDS));
        for (Future<Boolean> one : all) {
            assertTrue(one.get(10, TimeUnit.SECONDS));
        }
        assertEquals(20, stored());
        assertEquals(2, commits.get());
    }

    private Future<Boolean> submitAndPark(Function<Tx, Boolean> work) throws InterruptedException {
        CountDownLatch started = new CountDownLatch(1);
        Thread[] thread = new Thread[1];
        Future<Boolean> result = threads.submit(() -> {
            thread[0] = Thread.currentThread();
            started.countDown();
            return writer.write(work, Deadline.after(LONG));
        });
        started.await();
        awaitParked(thread[0]);
        return result;
    }

    @Test
    void anOperationThatFailsInABatchFailsAlone() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Future<Boolean> first = block(release);
        List<Future<Boolean>> good = new ArrayList<>();
        good.add(submitAndPark(WriterTest::add));
        Future<Boolean> bad = submitAndPark(tx -> {
            add(tx);
            throw new IllegalStateException("bad");
        });
        good.add(submitAndPark(WriterTest::add));
        good.add(submitAndPark(WriterTest::add));
        release.countDown();
        assertTrue(first.get(10, TimeUnit.SECONDS));
        for (Future<Boolean> one : good) {
            assertTrue(one.get(10, TimeUnit.SECONDS));
        }
        ExecutionException e = assertThrows(ExecutionException.class, () -> bad.get(10, TimeUnit.SECONDS));
        assertInstanceOf(IllegalStateException.class, e.getCause());
        assertEquals(3, stored());
    }

    @Test
    void whatABatchDidOutsideTheDatabaseIsUndoneBeforeAnotherProcessMayWrite() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Future<Boolean> first = block(release);
        List<String> effects = new CopyOnWriteArrayList<>();
        Future<Boolean> good = submitAndPark(tx -> {
            effects.add("run");
            tx.onAbort(() -> effects.add(assertThrows(CacheException.class, () -> other.execute("BEGIN IMMEDIATE"))
                    .getClass()
                    .getSimpleName()));
            return add(tx);
        });
        Future<Boolean> bad = submitAndPark(tx -> {
            throw new IllegalStateException("bad");
        });
        release.countDown();
        assertTrue(first.get(10, TimeUnit.SECONDS));
        assertTrue(good.get(10, TimeUnit.SECONDS));
        assertThrows(ExecutionException.class, () -> bad.get(10, TimeUnit.SECONDS));
        assertEquals(List.of("run", "BusyException", "run"), effects);
        assertEquals(1, stored());
    }

    @Test
    void aCallerWhoseTimeIsOverWithdrawsWhileOthersGoOnWaiting() throws Exception {
        other.execute("BEGIN IMMEDIATE");
        Future<Boolean> patient = submit(WriterTest::add, Deadline.after(LONG));
        try (Elapsed elapsed = new Elapsed()) {
            List<Future<long[]>> hasty = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                hasty.add(threads.submit(() -> {
                    long start = System.nanoTime();
                    Deadline soon = Deadline.after(Duration.ofMillis(200));
                    assertThrows(CacheTimeoutException.class, () -> writer.write(WriterTest::add, soon));
                    return new long[] {start, System.nanoTime()};
                }));
            }
            for (Future<long[]> one : hasty) {
                long[] span = one.get(10, TimeUnit.SECONDS);
                assertTrue(span[1] - span[0] >= TimeUnit.MILLISECONDS.toNanos(190), "too early");
                long millis = elapsed.millis(span[0], span[1]);
                assertTrue(millis < 2_000, millis + " ms");
            }
        }
        other.execute("ROLLBACK");
        assertTrue(patient.get(10, TimeUnit.SECONDS));
        assertEquals(1, stored());
    }

    @Test
    void zeroTimeIsOneAttempt() {
        assertTrue(writer.write(WriterTest::add, Deadline.after(Duration.ZERO)));
        other.execute("BEGIN IMMEDIATE");
        assertThrows(CacheTimeoutException.class, () -> writer.write(WriterTest::add, Deadline.after(Duration.ZERO)));
        other.execute("ROLLBACK");
        assertEquals(1, stored());
    }

    @Test
    void anInterruptDoesNotEndAnUninterruptibleWaitAndIsKept() throws Exception {
        other.execute("BEGIN IMMEDIATE");
        CountDownLatch started = new CountDownLatch(1);
        Thread[] thread = new Thread[1];
        Future<Boolean> flag = threads.submit(() -> {
            thread[0] = Thread.currentThread();
            started.countDown();
            writer.write(WriterTest::add, Deadline.after(LONG));
            return Thread.interrupted();
        });
        started.await();
        thread[0].interrupt();
        Awaitility.await().during(Duration.ofMillis(100)).until(() -> !flag.isDone());
        other.execute("ROLLBACK");
        assertTrue(flag.get(10, TimeUnit.SECONDS), "the flag");
        assertEquals(1, stored());
    }

    @Test
    void anInterruptEndsAnInterruptibleWaitAndIsKept() throws Exception {
        other.execute("BEGIN IMMEDIATE");
        CountDownLatch started = new CountDownLatch(1);
        Thread[] thread = new Thread[1];
        Future<Boolean> flag = threads.submit(() -> {
            thread[0] = Thread.currentThread();
            started.countDown();
            Deadline deadline = Deadline.after(LONG).interruptibly();
            assertThrows(CacheTimeoutException.class, () -> writer.write(WriterTest::add, deadline));
            return Thread.interrupted();
        });
        started.await();
        thread[0].interrupt();
        assertTrue(flag.get(10, TimeUnit.SECONDS), "the flag");
        other.execute("ROLLBACK");
        assertEquals(0, stored());
    }

    /** Once a plan that was refused, as while closing, made a committed operation look failed, and it ran again. */
    @Test
    void nothingThatGoesWrongAfterTheCommitUndoesOrRepeatsIt() throws Exception {
        List<String> effects = new ArrayList<>();
        Database second = Database.open(directory.resolve("cache.db"));
        Writer refused = new Writer(second, this::another, hints.gate(0), () -> {
            throw new RejectedExecutionException("closing");
        });
        try {
            assertTrue(refused.write(WriterTest::add, Deadline.after(LONG)));
            assertTrue(refused.<Boolean>write(tx -> false, db -> db.update(ADD) == 1, Deadline.after(LONG)));
            Callable<Boolean> body = () -> refused.write(
                    tx -> {
                        tx.afterCommit(() -> effects.add("committed"));
                        tx.onRollback(() -> effects.add("rolled back"));
                        return add(tx);
                    },
                    Deadline.after(LONG));
            assertTrue(refused.transact(body, Deadline.after(LONG)));
        } finally {
            refused.close();
        }
        assertEquals(3, stored());
        assertEquals(List.of("committed"), effects);
    }

    @Test
    void whoeverWaitsWhenTheWriterIsClosedIsTurnedAway() throws Exception {
        other.execute("BEGIN IMMEDIATE");
        List<Future<Boolean>> waiting = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            waiting.add(submit(WriterTest::add, Deadline.never()));
        }
        waiting.add(threads.submit(() -> writer.transact(() -> true, Deadline.never())));
        assertTimeoutPreemptively(Duration.ofSeconds(10), writer::close);
        for (Future<Boolean> one : waiting) {
            ExecutionException e = assertThrows(ExecutionException.class, () -> one.get(10, TimeUnit.SECONDS));
            assertInstanceOf(CacheClosedException.class, e.getCause());
        }
        other.execute("ROLLBACK");
        assertEquals(0, stored());
        reopen();
    }

    /** Once a caller that came after the close slept until its deadline, or for ever. */
    @Test
    void whoeverComesAfterTheCloseIsTurnedAwayAtOnce() {
        writer.close();
        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> {
            assertThrows(CacheClosedException.class, () -> writer.write(WriterTest::add, Deadline.never()));
            assertThrows(CacheClosedException.class, () -> writer.transact(() -> true, Deadline.never()));
        });
        reopen();
    }

    private void reopen() {
        database = Database.open(directory.resolve("cache.db"));
        writer = new Writer(database, this::another, hints.gate(0), () -> {});
    }

    // A connection that fails

    /** The driver closes a statement that failed: once every later operation failed as well, for want of a COMMIT. */
    @Test
    void aStatementThatFailedWorksAgain() {
        String taken = "INSERT INTO U VALUES (1)";
        database.execute("CREATE TABLE U (n INTEGER UNIQUE)");
        other.execute(taken);
        assertThrows(CacheException.class, () -> writer.write(tx -> tx.db.update(taken), Deadline.after(LONG)));
        other.execute("DELETE FROM U");
        assertEquals(1, writer.<Integer>write(tx -> tx.db.update(taken), Deadline.after(LONG)));
    }

    @Test
    void aConnectionThatCannotBeRolledBackIsReplaced() {
        assertThrows(
                CacheException.class,
                () -> writer.write(
                        tx -> {
                            add(tx);
                            tx.db.close();
                            return add(tx);
                        },
                        Deadline.after(LONG)));
        assertTrue(writer.write(WriterTest::add, Deadline.after(LONG)));
        assertEquals(1, stored());
    }

    // A full disk

    /** Says how often it was asked for what. */
    private static final class FakeDisk implements Writer.Upkeep {
        final List<String> asked = new ArrayList<>();

        @Override
        public void committed() {
            asked.add("committed");
        }

        @Override
        public void full() {
            asked.add("full");
        }

        @Override
        public boolean makeRoom() {
            asked.add("makeRoom");
            return true;
        }
    }

    private static boolean full(Tx tx) {
        throw new CacheFullException("full", new IllegalStateException());
    }

    @Test
    void whatDoesNotGrowIsRunOnceMoreWhenRoomWasMade() {
        FakeDisk disk = new FakeDisk();
        try (Writer writer = new Writer(another(), this::another, hints.gate(0), disk)) {
            boolean done = writer.write(
                    tx -> {
                        add(tx);
                        return disk.asked.isEmpty() ? full(tx) : add(tx);
                    },
                    Deadline.after(LONG));
            assertTrue(done);
            assertEquals(List.of("makeRoom", "committed"), disk.asked);
            assertEquals(2, stored());
        }
    }

    /** Deletes of another process once used up what had been freed for one that came back late. */
    @Test
    void roomThatOthersFillIsMadeAgainAndNotForEver() {
        FakeDisk disk = new FakeDisk();
        try (Writer writer = new Writer(another(), this::another, hints.gate(0), disk)) {
            boolean done = writer.write(tx -> disk.asked.size() < 3 ? full(tx) : add(tx), Deadline.after(LONG));
            assertTrue(done);
            assertEquals(List.of("makeRoom", "makeRoom", "makeRoom", "committed"), disk.asked);
            disk.asked.clear();
            assertThrows(CacheFullException.class, () -> writer.write(WriterTest::full, Deadline.after(LONG)));
            assertEquals(Collections.nCopies(5, "makeRoom"), disk.asked);
        }
    }

    @Test
    void whatIsOneStatementIsRunOnceMoreWhenRoomWasMade() {
        FakeDisk disk = new FakeDisk();
        try (Writer writer = new Writer(another(), this::another, hints.gate(0), disk)) {
            boolean done = writer.write(
                    WriterTest::add,
                    db -> {
                        if (disk.asked.isEmpty()) {
                            throw new CacheFullException("full", new IllegalStateException());
                        }
                        return db.update(ADD) == 1;
                    },
                    Deadline.after(LONG));
            assertTrue(done);
            assertEquals(List.of("makeRoom", "committed"), disk.asked);
            assertEquals(1, stored());
        }
    }

    @Test
    void whatGrowsIsRefusedOnAFullDisk() {
        FakeDisk disk = new FakeDisk();
        try (Writer writer = new Writer(another(), this::another, hints.gate(0), disk)) {
            assertThrows(CacheFullException.class, () -> writer.grow(WriterTest::full, Deadline.after(LONG)));
            assertEquals(List.of("full"), disk.asked);
        }
    }

    @Test
    void forATransactionOfUserCodeRoomIsMadeForItsCallersNextAttempt() {
        FakeDisk disk = new FakeDisk();
        try (Writer writer = new Writer(another(), this::another, hints.gate(0), disk)) {
            Callable<Boolean> swallowing = () -> {
                assertThrows(CacheFullException.class, () -> writer.write(WriterTest::full, Deadline.after(LONG)));
                return true;
            };
            assertThrows(CacheFullException.class, () -> writer.transact(swallowing, Deadline.after(LONG)));
            assertEquals(List.of("makeRoom"), disk.asked);
            disk.asked.clear();
            Callable<Boolean> growing = () -> writer.grow(WriterTest::full, Deadline.after(LONG));
            assertThrows(CacheFullException.class, () -> writer.transact(growing, Deadline.after(LONG)));
            assertEquals(List.of(), disk.asked);
            assertEquals(0, stored());
        }
    }

    @Test
    void userCodeAndOperationsTakeTurns() throws Exception {
        List<Future<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            boolean user = i % 2 == 0;
            all.add(threads.submit(() -> {
                for (int j = 0; j < 200; j++) {
                    if (user) {
                        writer.transact(
                                () -> writer.write(WriterTest::add, Deadline.after(LONG)), Deadline.after(LONG));
                    } else {
                        writer.write(WriterTest::add, Deadline.after(LONG));
                    }
                }
                return true;
            }));
        }
        for (Future<Boolean> one : all) {
            assertTrue(one.get(60, TimeUnit.SECONDS));
        }
        assertEquals(6 * 200, stored());
    }

    // Readers

    /** Once a database that was busy for an instant, as during a recovery, failed the read that opened a connection. */
    @Test
    void aReaderThatFindsTheDatabaseBusyWhileOpeningTriesAgain() {
        AtomicInteger attempts = new AtomicInteger();
        Readers readers = new Readers(
                2,
                () -> {
                    if (attempts.incrementAndGet() < 3) {
                        throw new Errors.BusyException("recovery", new IllegalStateException());
                    }
                    return Database.open(directory.resolve("cache.db"));
                },
                "here");
        Long n = readers.read(db -> db.one("SELECT n FROM T", row -> row.getLong(1)), Deadline.after(LONG));
        readers.close();
        assertEquals(0L, n);
        assertEquals(3, attempts.get());
    }

    @Test
    void aReaderThatCannotBeOpenedLeavesItsPlaceToTheNext() {
        AtomicInteger attempts = new AtomicInteger();
        Readers readers = new Readers(
                2,
                () -> {
                    if (attempts.incrementAndGet() <= 5) {
                        throw new CacheException("no descriptor left");
                    }
                    return Database.open(directory.resolve("cache.db"));
                },
                "here");
        for (int i = 0; i < 5; i++) {
            assertThrows(CacheException.class, () -> readers.read(db -> true, Deadline.after(LONG)));
        }
        assertEquals(7, readers.<Integer>read(db -> 7, Deadline.after(LONG)));
        assertTimeoutPreemptively(Duration.ofSeconds(5), readers::close);
        assertThrows(CacheClosedException.class, () -> readers.read(db -> true, Deadline.after(LONG)));
    }
}

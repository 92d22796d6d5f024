package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.testing.TestDirectory;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A cache in a directory of its own, and threads that use it. */
@Timeout(60)
public abstract class CacheFixture {
    protected static final Duration SOON = Duration.ofSeconds(20);

    @RegisterExtension
    protected final TestDirectory directory = new TestDirectory();

    protected final ExecutorService threads = Executors.newCachedThreadPool();

    protected Cache cache;

    /** One more on the same directory. */
    Cache newCache() {
        return Cache.open(directory.resolve("cache"));
    }

    /** Where coordination is. */
    Path database() {
        return directory.resolve("cache/cache.db");
    }

    @BeforeEach
    void openCache() {
        cache = newCache();
    }

    @AfterEach
    void closeCache() throws InterruptedException {
        threads.shutdownNow();
        cache.close();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS), "a thread hangs");
    }

    protected static <T> T get(Future<T> future) throws Exception {
        return future.get(SOON.toSeconds(), TimeUnit.SECONDS);
    }

    /** What a call answers on another thread. */
    protected <T> T elsewhere(Callable<T> call) throws Exception {
        return get(threads.submit(call));
    }

    static State row(Cache of, Kind kind, String name) {
        return of.unwrap(CoordinationEngine.class).states().read(kind.word(), name, Deadline.never());
    }

    /** How many processes stand in line for a name. */
    static int lineLength(Cache of, Kind kind, String name) {
        return Line.parse(row(of, kind, name).line()).places().size();
    }

    static void awaitLine(Cache of, Kind kind, String name, int length) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(() -> lineLength(of, kind, name) == length);
    }

    /** Nobody holds a name or stands in line for it, or soon so. */
    static void awaitNoResidue(Cache of, Kind kind, String name) {
        await(kind + " " + name).atMost(SOON).pollInterval(Duration.ofMillis(2)).until(() -> {
            State row = row(of, kind, name);
            return row.holds().isEmpty() && row.line().isEmpty();
        });
    }

    protected void sql(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** A transaction that keeps everybody from writing until it is closed. */
    protected final class BusyDatabase implements AutoCloseable {
        private final CountDownLatch end = new CountDownLatch(1);
        private final Future<?> transaction;

        public BusyDatabase() throws InterruptedException {
            CountDownLatch began = new CountDownLatch(1);
            transaction = threads.submit(() -> cache.transact(() -> {
                began.countDown();
                return end.await(SOON.toSeconds(), TimeUnit.SECONDS);
            }));
            assertTrue(began.await(SOON.toSeconds(), TimeUnit.SECONDS));
        }

        /** Whoever returned before it was did not wait for its end. */
        public boolean isOver() {
            return transaction.isDone();
        }

        @Override
        public void close() throws Exception {
            end.countDown();
            get(transaction);
        }
    }

    /**
     * Whether a thread has come to wait for something to be granted or signalled: in the queue of its process, for its turn among
     * the processes, or for a future.
     */
    static boolean isWaiting(Thread thread) {
        if (LockSupport.getBlocker(thread) instanceof Cohort) {
            return true;
        }
        for (StackTraceElement frame : thread.getStackTrace()) {
            String type = frame.getClassName();
            String method = frame.getMethodName();
            if (method.equals("await") && (type.endsWith(".Hints") || type.endsWith(".SharedSleep"))
                    || method.equals("get") && type.endsWith(".CompletableFuture")) {
                return true;
            }
        }
        return false;
    }

    static void awaitWaiting(Thread thread) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(2)).until(() -> isWaiting(thread));
    }

    /** What threads have used of the processors so far. */
    static long cpuNanos(List<Thread> of) {
        ThreadMXBean cpu = ManagementFactory.getThreadMXBean();
        return of.stream()
                .mapToLong(thread -> cpu.getThreadCpuTime(thread.getId()))
                .sum();
    }
}

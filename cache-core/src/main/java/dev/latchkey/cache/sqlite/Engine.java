package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.Codecs;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.Sessions;
import dev.latchkey.cache.spi.Signal;
import dev.latchkey.cache.spi.StateStore;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLock;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Delayed;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Everything this process has open of one directory: one writing connection, a few reading ones, one session, one mapped
 * file of hints and two threads that keep house. Shared by all caches on the directory, see {@link Engines}.
 */
final class Engine implements CoordinationEngine {
    private static final int KEEPERS = 2;
    private static final int TICKS_BETWEEN_TOUCHES = 3600;

    private final Directory directory;
    private final LockFile locks;
    private final Hints hints;
    private final Readers readers;
    private final Writer writer;
    private final ValueFiles files;
    private final Checkpointer checkpointer;
    private final SqliteSessions sessions;
    private final SqliteStates states;
    private final Settings settings;
    private final HostClock clock = new SystemHostClock();
    private final ScheduledThreadPoolExecutor keepers;
    private final Map<Class<?>, AutoCloseable> attachments = new ConcurrentHashMap<>();
    private volatile boolean closed;
    private volatile @Nullable CacheReplacedException replaced;
    private int ticks;

    private Engine(Directory directory, LockFile locks, Database database, Settings settings, Hints hints) {
        this.directory = directory;
        this.locks = locks;
        this.settings = settings;
        this.hints = hints;
        keepers = keepers();
        checkpointer = new Checkpointer(this::connect, locks, directory.log(), keepers);
        writer = new Writer(database, checkpointer::committed);
        readers = new Readers(this::connect, directory.root().toString());
        files = new ValueFiles(directory.root());
        sessions = new SqliteSessions(locks, writer, readers, clock);
        states = new SqliteStates(writer, readers, sessions, hints, directory);
    }

    /** An interrupt waits until all is open: it would close the files that are being opened. */
    static Engine open(Directory directory, Deadline deadline) {
        boolean interrupted = Thread.interrupted();
        try {
            return openNow(directory, deadline);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Engine openNow(Directory directory, Deadline deadline) {
        LockFile locks = null;
        Database database = null;
        try {
            locks = LockFile.open(directory.locks());
            database = openDatabase(directory, locks, deadline);
            Database opened = database;
            Settings settings = Busy.retry(deadline, opened::describe, () -> Settings.load(opened));
            Busy.run(deadline, opened::describe, () -> opened.configure(settings.synchronous()));
            directory.remember();
            Engine engine = new Engine(directory, locks, database, settings, openHints(directory, locks, deadline));
            ScheduledFuture<?> unused = engine.keepers.scheduleWithFixedDelay(engine::tick, 1, 1, TimeUnit.SECONDS);
            return engine;
        } catch (IOException e) {
            closeQuietly(database);
            closeQuietly(locks);
            throw new CacheException("cannot open the cache in " + directory.root() + ": " + e, e);
        } catch (Throwable t) {
            closeQuietly(database);
            closeQuietly(locks);
            throw t;
        }
    }

    /** Opens the database, and creates what is missing under the creation lock; an opener that finds all need not wait. */
    private static Database openDatabase(Directory directory, LockFile locks, Deadline deadline) throws IOException {
        if (directory.hasDatabase()) {
            Database database = connectChecked(directory, deadline);
            try {
                if (Schema.isCurrent(database, deadline)) {
                    return database;
                }
            } catch (Throwable t) {
                database.close();
                throw t;
            }
            database.close();
        }
        FileLock creation = takeCreationLock(directory, locks, deadline);
        try {
            directory.createDatabaseFile();
            Database database = connectChecked(directory, deadline);
            try {
                Schema.create(database, deadline);
                return database;
            } catch (Throwable t) {
                database.close();
                throw t;
            }
        } finally {
            LockFile.release(creation);
        }
    }

    /** Whoever finds the file missing or cut short makes it anew. */
    private static Hints openHints(Directory directory, LockFile locks, Deadline deadline) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return mapHints(directory, locks, deadline);
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Hints mapHints(Directory directory, LockFile locks, Deadline deadline) throws IOException {
        while (true) {
            try {
                return new Hints(directory.hints());
            } catch (NoSuchFileException e) {
                if (deadline.hasPassed()) {
                    throw e;
                }
            }
            createHints(directory, locks, deadline);
        }
    }

    private static void createHints(Directory directory, LockFile locks, Deadline deadline) throws IOException {
        FileLock creation = takeCreationLock(directory, locks, deadline);
        try {
            Hints.create(directory.hints());
        } finally {
            LockFile.release(creation);
        }
    }

    private static Database connectChecked(Directory directory, Deadline deadline) {
        Database database = Database.open(directory.database());
        try {
            Busy.run(deadline, database::describe, () -> {
                SqliteVersion.require(database); // even this reads the schema, and finds it locked
                Schema.requireOwn(database);
            });
            return database;
        } catch (Throwable t) {
            database.close();
            throw t;
        }
    }

    private static FileLock takeCreationLock(Directory directory, LockFile locks, Deadline deadline) {
        while (true) {
            FileLock lock = locks.tryTake(LockFile.CREATION);
            if (lock != null) {
                return lock;
            }
            if (deadline.hasPassed()) {
                throw new CacheTimeoutException("another process has been creating the cache in " + directory.root()
                        + " for " + TimeUnit.NANOSECONDS.toMillis(deadline.totalNanos()) + " ms");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    private Database connect() {
        Database database = Database.open(directory.database());
        try {
            database.configure(settings.synchronous());
            directory.requireInPlace(); // what was opened by name might be another directory's
            return database;
        } catch (Throwable t) {
            database.close();
            throw t;
        }
    }

    private static ScheduledThreadPoolExecutor keepers() {
        AtomicInteger count = new AtomicInteger();
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(KEEPERS, task -> {
            return new Keeper(task, "latchkey-keeper-" + count.incrementAndGet());
        });
        executor.setRemoveOnCancelPolicy(true);
        return executor;
    }

    /** One of the threads that keep house; user code that it calls may close the engine. */
    private static final class Keeper extends Thread {
        Keeper(Runnable task, String name) {
            super(task, name);
            setDaemon(true);
        }
    }

    /** One look of the house-keeping. */
    @FunctionalInterface
    private interface Look {
        void run() throws IOException;
    }

    /** Once a second. */
    private void tick() {
        look(directory::requireInPlace);
        look(() -> hints.look(locks));
        if (ticks++ % TICKS_BETWEEN_TOUCHES == 0) {
            look(locks::touch);
            look(hints::touch);
        }
        look(() -> sessions.look(Deadline.after(Duration.ofMillis(200))));
    }

    /** Nothing that goes wrong in one look keeps the others from being made, now and later. */
    private void look(Look look) {
        try {
            look.run();
        } catch (CacheReplacedException e) {
            replaced = e;
        } catch (CacheException | IOException e) {
            // busy, full or failing disk: the next look will do
        } catch (Throwable t) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, t);
        }
    }

    Writer writer() {
        return writer;
    }

    Readers readers() {
        return readers;
    }

    ValueFiles files() {
        return files;
    }

    Settings settings() {
        return settings;
    }

    Path root() {
        return directory.root();
    }

    @Override
    public StateStore states() {
        return states;
    }

    @Override
    public Signal signal() {
        return hints;
    }

    @Override
    public Sessions sessions() {
        return sessions;
    }

    @Override
    public HostClock clock() {
        return clock;
    }

    @Override
    public Codec codec() {
        return Codecs.json();
    }

    @Override
    public Path directory() {
        return directory.root();
    }

    @Override
    public void requireInPlace() {
        directory.requireInPlace();
    }

    /** Whether the directory still has its name. */
    boolean isInPlace() {
        try {
            directory.requireInPlace();
            return true;
        } catch (CacheReplacedException e) {
            return false;
        }
    }

    @Override
    public void requireOpen() {
        if (closed) {
            throw new CacheClosedException("the cache on " + directory.root() + " is closed");
        }
        CacheReplacedException found = replaced;
        if (found != null) {
            throw new CacheReplacedException(String.valueOf(found.getMessage()), found);
        }
    }

    @Override
    public <T extends AutoCloseable> T attachment(Class<T> type, Function<CoordinationEngine, T> factory) {
        return type.cast(attachments.computeIfAbsent(type, missing -> factory.apply(this)));
    }

    @Override
    public void schedule(Runnable task, Duration delay) {
        try {
            ScheduledFuture<?> unused = keepers.schedule(() -> runQuietly(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // closed: what the task was to do was done by close
        }
    }

    private static void runQuietly(Runnable task) {
        try {
            task.run();
        } catch (CacheException e) {
            // a task that must not be lost plans itself anew
        }
    }

    /** Frees what the session holds, ends it, and closes everything; the lock file last, since it is the proof of life. */
    void close() {
        closed = true;
        attachments.values().forEach(Engine::closeQuietly);
        dropWhatIsNotDue();
        keepers.shutdown();
        awaitKeepers();
        closeQuietly(sessions::close);
        closeQuietly(checkpointer);
        closeQuietly(readers);
        closeQuietly(writer);
        closeQuietly(hints);
        closeQuietly(locks);
    }

    /** Listeners that are to be told now are told; what was to be done later is done by closing. */
    private void dropWhatIsNotDue() {
        keepers.getQueue().removeIf(task -> task instanceof Delayed due && due.getDelay(TimeUnit.NANOSECONDS) > 0);
    }

    /** A keeper that closes the engine itself, in a listener, cannot wait for its own end. */
    private void awaitKeepers() {
        boolean interrupted = false;
        while (!(Thread.currentThread() instanceof Keeper)) {
            try {
                if (keepers.awaitTermination(10, TimeUnit.SECONDS)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable resource) {
        try {
            if (resource != null) {
                resource.close();
            }
        } catch (Exception e) {
            // nothing is lost: what was committed is committed
        }
    }
}

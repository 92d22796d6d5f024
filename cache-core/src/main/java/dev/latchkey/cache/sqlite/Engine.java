package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.Setting;
import dev.latchkey.cache.StoredKey;
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
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Everything this process has open of one directory: one writing connection, a few reading ones, one session, one mapped
 * file of hints and two threads that keep house. Shared by all caches on the directory, see {@link Engines}.
 */
final class Engine implements CoordinationEngine, Source {
    private static final int KEEPERS = 2;
    private static final int READERS = 2;
    private static final long SHORTEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int TICKS_BETWEEN_TOUCHES = 3600;
    private static final int FLUSHED_AT_ONCE = 100;
    private static final Duration FLUSH_PATIENCE = Duration.ofMillis(200);
    private static final Duration FLUSH_PATIENCE_AT_CLOSE = Duration.ofSeconds(2);

    private final Directory directory;
    /** Of the shards that this is one of, who have locks, hints and session of the first one; null if it is a directory of its own. */
    private final @Nullable Family family;

    private final @Nullable Budget budget;

    private final LockFile locks;
    private final Hints hints;

    private final Readers readers;
    private final Writer writer;
    private final ValueFiles files;
    private final Ballast ballast;
    private final Checkpointer checkpointer;
    private final SqliteSessions sessions;
    private final SqliteStates states;
    private final Listeners listeners;
    private final Entries entries;
    private final Accesses accesses;
    private final Eviction eviction;
    private final Reaper reaper;
    private final Codec codec;
    private final HostClock clock;
    private final ScheduledThreadPoolExecutor keepers;
    private final Map<Class<?>, AutoCloseable> attachments = new ConcurrentHashMap<>();
    private volatile Settings settings;
    private final ReentrantLock settingsTurn = new ReentrantLock();
    private volatile boolean closed;
    private volatile @Nullable CacheReplacedException replaced;
    private int ticks;

    private Engine(
            Directory directory,
            @Nullable Family family,
            LockFile locks,
            Database database,
            Settings settings,
            Hints hints,
            Codec codec,
            HostClock clock) {
        this.directory = directory;
        this.family = family;
        this.locks = locks;
        this.settings = settings;
        this.hints = hints;
        this.codec = codec;
        this.clock = clock;
        boolean alone = family == null; // a shard makes do with fewer descriptors and threads
        keepers = keepers(alone ? KEEPERS : 1);
        ballast = new Ballast(directory, hints, family);
        checkpointer = new Checkpointer(this::connect, this::settings, locks, directory, ballast, keepers, alone);
        writer = new Writer(database, this::connect, hints.gate(alone ? 0 : directory.shardNumber()), checkpointer);
        readers =
                new Readers(alone ? READERS : 1, this::connect, directory.root().toString());
        files = new ValueFiles(directory.root(), directory.own());
        listeners = new Listeners(codec);
        entries = new Entries(files, listeners);
        accesses = new Accesses(() -> schedule(this::flushSome, Duration.ZERO));
        reaper = new Reaper(this, locks);
        if (family == null || family.isNew()) {
            sessions = new SqliteSessions(locks, writer, readers, clock);
            states = new SqliteStates(writer, readers, sessions, hints, directory);
            budget = family == null ? null : new Budget(family);
        } else {
            sessions = family.first().sessions;
            states = family.first().states;
            budget = family.first().budget;
        }
        eviction = new Eviction(entries, accesses, budget);
    }

    /** An interrupt waits until all is open: it would close the files that are being opened. */
    static Engine open(Directory directory, OpenOptions options, @Nullable Family family, Deadline deadline) {
        boolean interrupted = Thread.interrupted();
        try {
            return openNow(directory, options, family, deadline);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Engine openNow(
            Directory directory, OpenOptions options, @Nullable Family family, Deadline deadline) {
        HostClock clock = new SystemHostClock();
        LockFile locks = null;
        Database database = null;
        try {
            locks = family == null || family.isNew()
                    ? LockFile.open(directory.locks())
                    : family.first().locks.ofShard(directory.shardNumber(), directory.locks());
            database = openDatabaseWithRoom(directory, locks, options, family, deadline);
            Database opened = database;
            Settings settings = Busy.retry(deadline, opened::describe, () -> Settings.load(opened));
            Busy.run(deadline, opened::describe, () -> opened.configure(settings.synchronous()));
            directory.remember();
            Hints hints =
                    family == null || family.isNew() ? openHints(directory, locks, deadline) : family.first().hints;
            Codec codec = options.codec().withDiskSettings(settings.disk());
            Engine engine = new Engine(directory, family, locks, database, settings, hints, codec, clock);
            if (family != null) {
                family.opened(engine, settings);
            }
            ScheduledFuture<?> unused = engine.keepers.scheduleWithFixedDelay(engine::tick, 1, 1, TimeUnit.SECONDS);
            return engine;
        } catch (IOException e) {
            closeQuietly(database);
            closeQuietly(locks);
            throw Errors.notOpened("cannot open the cache in " + directory.root() + ": " + e, e, directory.root());
        } catch (Throwable t) {
            closeQuietly(database);
            closeQuietly(locks);
            throw t;
        }
    }

    /** Even the index of the log needs space; whoever opens may be the one who frees some. */
    private static Database openDatabaseWithRoom(
            Directory directory, LockFile locks, OpenOptions options, @Nullable Family family, Deadline deadline)
            throws IOException {
        try {
            return openDatabase(directory, locks, options, family, deadline);
        } catch (CacheFullException e) {
            if (!Ballast.remove(directory)) {
                throw e;
            }
            return openDatabase(directory, locks, options, family, deadline);
        }
    }

    /**
     * Opens the database, and creates what is missing under the creation lock. Whoever waits for the lock looks now and then whether
     * all is there, and then needs it no more: many would need long to have it one after the other.
     */
    private static Database openDatabase(
            Directory directory, LockFile locks, OpenOptions options, @Nullable Family family, Deadline deadline)
            throws IOException {
        long start = System.nanoTime();
        while (true) {
            Database database = directory.hasDatabase() ? connectIfCurrent(directory, deadline) : null;
            if (database != null) {
                return database;
            }
            long patience = Math.max(LONGEST_PAUSE_NANOS, System.nanoTime() - start);
            FileLock creation = takeCreationLock(directory, locks, deadline, patience);
            if (creation != null) {
                try {
                    return create(directory, options, family, deadline);
                } finally {
                    LockFile.release(creation);
                }
            }
        }
    }

    private static @Nullable Database connectIfCurrent(Directory directory, Deadline deadline) {
        Database database = connectChecked(directory, deadline);
        boolean isCurrent = false;
        try {
            isCurrent = Schema.isCurrent(database, deadline);
        } finally {
            if (!isCurrent) {
                database.close();
            }
        }
        return isCurrent ? database : null;
    }

    private static Database create(Directory directory, OpenOptions options, @Nullable Family family, Deadline deadline)
            throws IOException {
        directory.createDatabaseFile();
        Database database = connectChecked(directory, deadline);
        try {
            if (!Schema.isCurrent(database, deadline)) { // or another opener was first
                Schema.create(database, options, family, deadline);
            }
            return database;
        } catch (Throwable t) {
            database.close();
            throw t;
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
        boolean created = false;
        while (true) {
            try {
                return new Hints(directory.hints());
            } catch (NoSuchFileException e) {
                if (created && deadline.hasPassed()) {
                    throw e;
                }
            }
            created |= createHints(directory, locks, deadline);
        }
    }

    /** False if another opener is at it. */
    private static boolean createHints(Directory directory, LockFile locks, Deadline deadline) throws IOException {
        FileLock creation = takeCreationLock(directory, locks, deadline, LONGEST_PAUSE_NANOS);
        if (creation == null) {
            return false;
        }
        try {
            Hints.create(directory.hints());
            return true;
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

    /**
     * Looks the less often the longer it waits: many that wait would leave the one who creates no time to do it.
     *
     * @return null if another process has it for longer than that
     */
    private static @Nullable FileLock takeCreationLock(
            Directory directory, LockFile locks, Deadline deadline, long patienceNanos) {
        long start = System.nanoTime();
        while (true) {
            FileLock lock = locks.tryTake(LockFile.CREATION);
            long waited = System.nanoTime() - start;
            if (lock != null || waited > patienceNanos) {
                return lock;
            }
            if (deadline.hasPassed()) {
                throw new CacheTimeoutException("another process has been creating the cache in " + directory.root()
                        + " for " + TimeUnit.NANOSECONDS.toMillis(deadline.totalNanos()) + " ms");
            }
            LockSupport.parkNanos(Math.max(SHORTEST_PAUSE_NANOS, Math.min(waited / 4, LONGEST_PAUSE_NANOS)));
        }
    }

    private Database connect() {
        Database database = openInPlace();
        try {
            database.configure(settings.synchronous());
            directory.requireInPlace(); // what was opened by name might be another directory's
            return database;
        } catch (Throwable t) {
            database.close();
            throw t;
        }
    }

    private Database openInPlace() {
        try {
            return Database.open(directory.database());
        } catch (CacheException e) {
            directory.requireInPlace(); // of a directory that is gone nothing can be opened
            throw e;
        }
    }

    private static ScheduledThreadPoolExecutor keepers(int threads) {
        AtomicInteger count = new AtomicInteger();
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(threads, task -> {
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
        if (replaced != null) {
            return; // what has the names of its files now belongs to others
        }
        if (isFirst()) {
            look(() -> hints.look(locks));
            if (ticks++ % TICKS_BETWEEN_TOUCHES == 0) {
                look(locks::touch);
                look(hints::touch);
            }
            look(() -> sessions.look(Deadline.after(Duration.ofMillis(200))));
        }
        look(() -> loadSettings(Deadline.after(Duration.ofMillis(200))));
        look(this::flushSome);
        look(checkpointer::tick);
        schedule(reaper::look, Duration.ZERO);
    }

    private void flushSome() {
        flushAccesses(Deadline.after(FLUSH_PATIENCE));
    }

    /** Unless the database is busy or the disk full: then what was read is written later. */
    void flushSoon() {
        look(this::flushSome);
    }

    /** Writes down which entries were read, and how often, a few at a time so that writers hardly notice. */
    void flushAccesses(Deadline deadline) {
        int most = Accesses.ROOM / FLUSHED_AT_ONCE;
        for (int i = 0; i < most && !accesses.isEmpty(); i++) {
            writer.grow(
                    tx -> {
                        accesses.writeSome(tx, settings.policy(), FLUSHED_AT_ONCE);
                        return true;
                    },
                    deadline);
        }
    }

    /** One at a time: else what was read before an alteration could be obeyed after it. */
    private void loadSettings(Deadline deadline) {
        settingsTurn.lock();
        try {
            Settings loaded = readers.read(Settings::load, deadline);
            if (family == null) {
                settings = loaded;
            } else {
                family.loaded(this, loaded);
            }
        } finally {
            settingsTurn.unlock();
        }
    }

    /** What a shard obeys is not for it alone to say. */
    void obey(Settings ofAll) {
        settings = ofAll;
    }

    Ballast ballast() {
        return ballast;
    }

    @Nullable
    Family family() {
        return family;
    }

    /** Of all shards; null if this is a directory of its own. */
    @Nullable
    Budget budget() {
        return budget;
    }

    /** Whether it has the session and the hints. */
    private boolean isFirst() {
        return family == null || family.isFirst(this);
    }

    /** Removes what all shards together hold above their limit, if this is the one to do it. */
    void reapShards(long endNanos) {
        if (budget != null && isFirst()) {
            budget.reap(endNanos);
        }
    }

    /** Stores a setting; the others notice within a second. */
    void alter(Setting setting, Object value, Deadline deadline) {
        writer.write(
                tx -> {
                    Schema.alter(tx.db, setting, value);
                    tx.afterCommit(() -> look(() -> loadSettings(deadline.atLeast(FLUSH_PATIENCE))));
                    return true;
                },
                deadline);
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

    @Override
    public ValueFiles files() {
        return files;
    }

    @Override
    public Listeners listeners() {
        return listeners;
    }

    @Override
    public void tell(BiConsumer<CacheListener, Object> event, StoredKey key) {
        Tx joined = writer.current();
        if (joined != null) {
            listeners.after(joined, event, key);
        } else {
            listeners.tell(event, key);
        }
    }

    Entries entries() {
        return entries;
    }

    Accesses accesses() {
        return accesses;
    }

    Eviction eviction() {
        return eviction;
    }

    @Override
    public Settings settings() {
        return settings;
    }

    @Override
    public long logBytes() {
        return directory.logBytes();
    }

    @Override
    public boolean isInTransaction() {
        return writer.current() != null;
    }

    @Override
    public <R> R query(Function<Database, R> query, Deadline deadline) {
        Tx joined = writer.current();
        return joined != null ? query.apply(joined.db) : readers.read(query, deadline);
    }

    @Override
    public boolean remembersHits() {
        return Accesses.matterTo(settings.policy());
    }

    @Override
    public void hit(@Nullable Row row) {
        accesses.hit(row, clock.wallMillis() / 1000.0, settings);
    }

    @Override
    public void missed() {
        accesses.miss(settings);
    }

    @Override
    public Path root() {
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
        return codec;
    }

    @Override
    public Path directory() {
        return directory.root();
    }

    @Override
    public void requireInPlace() {
        directory.requireInPlace();
    }

    @Override
    public boolean wasMovedTo(Directory there) {
        return directory.wasMovedTo(there);
    }

    @Override
    public boolean isInPlace() {
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
    public void requireSpace() {
        writer.requireSpace();
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
    @Override
    public void close() {
        closed = true;
        attachments.values().forEach(Engine::closeQuietly);
        dropWhatIsNotDue();
        keepers.shutdown();
        awaitKeepers();
        if (isFirst()) {
            closeQuietly(sessions::close);
        }
        closeQuietly(() -> flushAccesses(Deadline.after(FLUSH_PATIENCE_AT_CLOSE)));
        closeQuietly(checkpointer);
        closeQuietly(readers);
        closeQuietly(writer);
        if (isFirst()) {
            closeQuietly(hints);
        }
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

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.HostClock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A directory that is open for reading alone: two connections and nothing else, no thread, no file of our own. What an
 * {@link Engine} looks at once a second is looked at here by whoever comes after a second.
 */
final class ReadOnlyStore implements Source {
    private static final int READERS = 2;
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Directory directory;
    private final Readers readers;
    private final ValueFiles files;
    private final HostClock clock = new SystemHostClock();
    private final AtomicLong lastLook = new AtomicLong(System.nanoTime());
    private final Listeners listeners;
    private volatile Settings settings;
    private volatile boolean closed;

    private ReadOnlyStore(Directory directory, Codec codec, Deadline deadline) {
        this.directory = directory;
        directory.rememberDatabase();
        readers = new Readers(READERS, this::connect, directory.root().toString());
        files = new ValueFiles(directory.root(), directory.own());
        try {
            settings = readers.read(Settings::load, deadline);
            listeners = new Listeners(codec.withDiskSettings(settings.disk()));
        } catch (Throwable t) {
            readers.close();
            throw t;
        }
    }

    static ReadOnlyStore open(Directory directory, Codec codec, Deadline deadline) {
        if (!directory.hasDatabase()) {
            throw new CacheException("there is no cache in " + directory.root()
                    + " to be opened for reading alone; open it for writing to create it");
        }
        return new ReadOnlyStore(directory, codec, deadline);
    }

    private Database connect() {
        Database database = Database.openReadOnly(directory.database(), directory.log());
        try {
            SqliteVersion.require(database);
            database.distrustSchema();
            Schema.requireOwn(database);
            Schema.requireShared(database);
            directory.requireInPlace();
            return database;
        } catch (Throwable t) {
            database.close();
            throw t;
        }
    }

    @Override
    public Path root() {
        return directory.root();
    }

    @Override
    public HostClock clock() {
        return clock;
    }

    @Override
    public Settings settings() {
        return settings;
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
        listeners.tell(event, key);
    }

    @Override
    public long logBytes() {
        return directory.logBytes();
    }

    @Override
    public void requireOpen() {
        if (closed) {
            throw new CacheClosedException("the cache on " + directory.root() + " is closed");
        }
        long last = lastLook.get();
        if (System.nanoTime() - last > LOOK_NANOS && lastLook.compareAndSet(last, System.nanoTime())) {
            requireInPlace(last);
            readers.dropThoseThatSeeNoChanges();
            settings = readers.read(Settings::load, Deadline.after(Duration.ofSeconds(1)));
        }
    }

    /** Once it is gone, whoever comes next is told as well. */
    private void requireInPlace(long last) {
        try {
            directory.requireInPlace();
        } catch (CacheReplacedException e) {
            lastLook.set(last);
            throw e;
        }
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
    public boolean isInTransaction() {
        return false;
    }

    @Override
    public <R> R query(Function<Database, R> query, Deadline deadline) {
        return readers.read(query, deadline);
    }

    @Override
    public boolean remembersHits() {
        return false;
    }

    @Override
    public void hit(@Nullable Row row) {
        // nobody may write that down
    }

    @Override
    public void missed() {
        // nobody may write that down
    }

    @Override
    public void close() {
        closed = true;
        readers.close();
    }
}

package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.HostClock;
import java.nio.file.Path;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An open directory, as those see it who only read. */
interface Source extends AutoCloseable {
    Path root();

    HostClock clock();

    /** As they were when they were last looked at, at most about a second ago. */
    Settings settings();

    ValueFiles files();

    Listeners listeners();

    /** Listeners are told what a read has found; in a transaction, at its end. */
    void tell(BiConsumer<CacheListener, Object> event, StoredKey key);

    /** Bytes of the write-ahead log. */
    long logBytes();

    /** Throws if it is closed, or the directory was removed or replaced. */
    void requireOpen();

    boolean isInPlace();

    /** Whether what is open here stands there by now. */
    boolean wasMovedTo(Directory there);

    /** Whether the calling thread is inside a transaction. */
    boolean isInTransaction();

    /** Runs a query, in the transaction of the calling thread if it is in one. */
    <R> R query(Function<Database, R> query, Deadline deadline);

    /** Whether a hit matters for the row that was found. */
    boolean remembersHits();

    /** A read has found a live row, which need not be named if it does not matter. */
    void hit(@Nullable Row row);

    /** A read has found none. */
    void missed();

    @Override
    void close();
}

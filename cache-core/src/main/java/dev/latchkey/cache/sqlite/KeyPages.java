package dev.latchkey.cache.sqlite;

import com.google.common.collect.AbstractIterator;
import com.google.common.collect.Streams;
import dev.latchkey.cache.StoredKey;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A lazy walk over keys, one page of rows at a time; no cursor is open in between. */
final class KeyPages extends AbstractIterator<StoredKey> {
    /** Reads the rows behind a key; behind null are the first ones. */
    @FunctionalInterface
    interface Page {
        List<Key> after(Database db, @Nullable Key last);
    }

    private final Function<Function<Database, List<Key>>, List<Key>> query;
    private final Page page;
    private final Deque<Key> read = new ArrayDeque<>();
    private @Nullable Key last;
    private boolean ended;

    private KeyPages(Function<Function<Database, List<Key>>, List<Key>> query, Page page) {
        this.query = query;
        this.page = page;
    }

    /** A key where it stands. */
    record Key(Object column, boolean raw, long rowid) {
        static Key of(ResultSet row) throws SQLException {
            return new Key(Objects.requireNonNullElse(Database.column(row, 1), ""), row.getBoolean(2), row.getLong(3));
        }

        Long rawColumn() {
            return raw ? 1L : 0L;
        }
    }

    /** The argument runs a query each time that another page is needed. */
    static Stream<StoredKey> stream(Function<Function<Database, List<Key>>, List<Key>> query, Page page) {
        return Streams.stream(new KeyPages(query, page));
    }

    @Override
    protected @Nullable StoredKey computeNext() {
        if (read.isEmpty() && !ended) {
            List<Key> keys = query.apply(db -> page.after(db, last));
            ended = keys.size() < Sql.PAGE;
            read.addAll(keys);
        }
        last = read.poll();
        return last == null ? endOfData() : new StoredKey(last.column(), last.raw());
    }

    /** In the order of insertion, without what is inserted later. */
    static Page inserted(DoubleSupplier now) {
        return bounded((db, last, bound) -> db.all(Sql.KEYS_UP, Key::of, now.getAsDouble(), last, bound));
    }

    static Page tagged(Object tag, DoubleSupplier now) {
        return bounded((db, last, bound) -> db.all(Sql.KEYS_TAGGED, Key::of, now.getAsDouble(), tag, last, bound));
    }

    /** Rows behind one and up to another. */
    @FunctionalInterface
    private interface BoundedPage {
        List<Key> between(Database db, long last, long bound);
    }

    private static Page bounded(BoundedPage page) {
        AtomicLong bound = new AtomicLong(-1);
        return (db, last) -> {
            if (bound.get() < 0) {
                bound.set(lastRowid(db));
            }
            return page.between(db, last == null ? Long.MIN_VALUE : last.rowid, bound.get());
        };
    }

    static Page insertedReversed(DoubleSupplier now) {
        return (db, last) ->
                db.all(Sql.KEYS_DOWN, Key::of, now.getAsDouble(), last == null ? Long.MAX_VALUE : last.rowid);
    }

    static Page sorted(DoubleSupplier now) {
        return (db, last) -> last == null
                ? db.all(Sql.KEYS_SORTED_FIRST, Key::of, now.getAsDouble())
                : db.all(Sql.KEYS_SORTED, Key::of, now.getAsDouble(), last.column, last.rawColumn());
    }

    static Page sortedReversed(DoubleSupplier now) {
        return (db, last) -> last == null
                ? db.all(Sql.KEYS_SORTED_DOWN_FIRST, Key::of, now.getAsDouble())
                : db.all(Sql.KEYS_SORTED_DOWN, Key::of, now.getAsDouble(), last.column, last.rawColumn());
    }

    static long lastRowid(Database db) {
        return Objects.requireNonNull(db.one(Sql.LAST_ROWID, row -> row.getLong(1)));
    }
}

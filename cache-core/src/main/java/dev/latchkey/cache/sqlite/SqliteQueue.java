package dev.latchkey.cache.sqlite;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.Bound;
import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.cache.StoredKey;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.StoredQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** A queue of the table Cache; its bound is a row of the table Latchkey, whose key is the name of the queue. */
final class SqliteQueue implements StoredQueue {
    private final SqliteCache cache;
    private final Engine engine;
    private final EntryQueue queue;
    /** There probably is another item, since there was one just now. */
    private volatile boolean likely;

    SqliteQueue(SqliteCache cache, Engine engine, EntryQueue queue) {
        this.cache = cache;
        this.engine = engine;
        this.queue = queue;
    }

    static String itemName(EntryQueue queue) {
        return "item of " + queue.name();
    }

    static String roomName(EntryQueue queue) {
        return "room in " + queue.name();
    }

    @Override
    public String itemName() {
        return itemName(queue);
    }

    @Override
    public String roomName() {
        return roomName(queue);
    }

    @Override
    public void expectItem() {
        likely = true;
    }

    @Override
    public Deadline begin() {
        return cache.begin();
    }

    @Override
    public CoordinationEngine engine() {
        return engine;
    }

    // Adding

    @Override
    public boolean push(List<?> values, Side side, Deadline deadline) {
        cache.requireOpen();
        List<Columns> columns = columns(values);
        boolean pushed = cache.store(columns, tx -> push(tx, columns, side), deadline);
        if (pushed) {
            cache.ring(itemName());
        } else {
            columns.forEach(cache::discard);
        }
        return pushed;
    }

    private List<Columns> columns(List<?> values) {
        List<Columns> columns = new ArrayList<>();
        try {
            values.forEach(value -> columns.add(cache.columns(queue.name(), value)));
        } catch (Throwable t) {
            columns.forEach(cache::discard);
            throw t;
        }
        return columns;
    }

    private boolean push(Tx tx, List<Columns> values, Side side) {
        Bound bound = bound(tx.db);
        if (bound.kind() == Bound.Kind.CAPACITY
                && !queue.isAtMost(tx.db, bound.items() - (long) values.size(), cache.now())) {
            return false;
        }
        values.forEach(value -> cache.push(tx, queue, value, side, EntryOptions.none()));
        if (bound.kind() == Bound.Kind.MAXLEN) {
            drop(tx, bound.items(), side == Side.BACK ? Side.FRONT : Side.BACK);
        }
        return true;
    }

    /** Drops items at a side until there are no more than so many. */
    private void drop(Tx tx, int most, Side side) {
        double now = cache.now();
        if (queue.isAtMost(tx.db, most, now)) {
            return;
        }
        for (long left = queue.count(tx.db, now); left > most; left--) {
            EntryQueue.Item item = queue.next(tx.db, side, null, now);
            if (item == null) {
                return;
            }
            engine.entries()
                    .delete(
                            tx,
                            CacheListener::delete,
                            StoredKey.raw(item.key()),
                            item.row().rowid(),
                            item.row().filename());
        }
    }

    @Override
    public boolean hasRoom(Deadline deadline) {
        return cache.query(
                db -> {
                    Bound bound = bound(db);
                    return bound.kind() != Bound.Kind.CAPACITY || queue.isAtMost(db, bound.items() - 1L, cache.now());
                },
                deadline);
    }

    // Reading and removing

    @Override
    public <E> Optional<Element<E>> pull(Side side, TypeToken<E> type, Deadline deadline) {
        cache.requireOpen();
        Optional<Element<E>> pulled = cache.pull(queue, side, likely, item -> element(item, type), deadline);
        likely = pulled.isPresent();
        return pulled;
    }

    @Override
    public <E> Optional<Element<E>> next(Side side, @Nullable Object behind, TypeToken<E> type, Deadline deadline) {
        cache.requireOpen();
        return cache.firstWhole(queue, side, behind, lost -> {}, deadline).map(item -> element(item, type));
    }

    @Override
    public <E> Optional<Element<E>> at(int index, TypeToken<E> type, Deadline deadline) {
        cache.requireOpen();
        EntryQueue.Item item = cache.query(db -> queue.at(db, index, cache.now()), deadline);
        if (item == null) {
            return Optional.empty();
        }
        ReadableCache.Found found = cache.content(item.key(), item.row());
        return found == null
                ? next(Side.FRONT, item.key(), type, deadline) // its value is lost, or somebody has just pulled it
                : Optional.of(element(new ReadableCache.FoundItem(StoredKey.raw(item.key()), item.key(), found), type));
    }

    private <E> Element<E> element(ReadableCache.FoundItem item, TypeToken<E> type) {
        E value = cache.decode(item.key(), item.found().value(), type);
        if (value == null) {
            throw new CodecException("key " + ReadableCache.quote(item.key())
                    + ": this item is Python's None, which is no element; delete the key, or let Python take it");
        }
        return new Element<>(item.key(), value, item.found().row());
    }

    private static Row row(Element<?> element) {
        return (Row) element.version();
    }

    @Override
    public boolean remove(Element<?> element, Deadline deadline) {
        cache.requireOpen();
        boolean removed = cache.remove(StoredKey.raw(element.key()), row(element), deadline);
        if (removed) {
            cache.ring(roomName());
        }
        return removed;
    }

    @Override
    public void replace(Element<?> element, Object value, Deadline deadline) {
        cache.requireOpen();
        Columns columns = cache.columns(element.key(), value);
        boolean unused = cache.store(
                List.of(columns),
                tx -> cache.put(
                        tx,
                        StoredKey.raw(element.key()),
                        row(element),
                        columns,
                        EntryOptions.none().pinned()),
                deadline);
    }

    @Override
    public boolean isEmpty(Deadline deadline) {
        cache.requireOpen();
        return cache.firstWhole(queue, Side.FRONT, null, lost -> {}, deadline).isEmpty();
    }

    @Override
    public long size(Deadline deadline) {
        cache.requireOpen();
        return cache.query(db -> queue.count(db, cache.now()), deadline);
    }

    @Override
    public int clear(Deadline deadline) {
        cache.requireOpen();
        int cleared = cache.write(tx -> queue.deleteAll(tx, engine.entries()), deadline);
        cache.ring(roomName());
        return cleared;
    }

    // Order: keys change, values stay where they are

    @Override
    public void rotate(long steps, Deadline deadline) {
        cache.requireOpen();
        boolean unused = cache.write(tx -> rotate(tx.db, steps), deadline);
    }

    private boolean rotate(Database db, long steps) {
        double now = cache.now();
        long count = queue.count(db, now);
        long forward = count == 0 ? 0 : Math.floorMod(steps, count);
        boolean toFront = forward <= count / 2;
        Side from = toFront ? Side.BACK : Side.FRONT;
        Side to = toFront ? Side.FRONT : Side.BACK;
        for (long left = toFront ? forward : count - forward; left > 0; left--) {
            EntryQueue.Item item = queue.next(db, from, null, now);
            if (item != null) {
                queue.move(db, item.row(), to);
            }
        }
        return true;
    }

    @Override
    public void reverse(Deadline deadline) {
        cache.requireOpen();
        boolean unused = cache.write(tx -> reverse(tx.db), deadline);
    }

    /** The last key stays where it is, so each item goes to the front of what is before it by now. */
    private boolean reverse(Database db) {
        double now = cache.now();
        EntryQueue.Item item = queue.next(db, Side.FRONT, null, now);
        for (int i = 0; item != null; i++) {
            EntryQueue.Item behind = queue.next(db, Side.FRONT, item.key(), now);
            if (i > 0) {
                queue.move(db, item.row(), Side.FRONT);
            }
            item = behind;
        }
        return true;
    }

    // Bounds

    private Bound bound(Database db) {
        String stored = db.one(Sql.OWN_SETTING, row -> row.getString(1), queue.name());
        try {
            return stored == null ? Bound.none() : Bound.parse(stored);
        } catch (IllegalArgumentException e) {
            throw new CacheCorruptException(
                    "the bound of " + queue.name() + " in the table Latchkey is damaged: '" + stored + "'", e);
        }
    }

    @Override
    public Bound bound(Deadline deadline) {
        cache.requireOpen();
        return cache.query(this::bound, deadline);
    }

    @Override
    public Bound bind(Bound wanted, Deadline deadline) {
        Bound stored = bound(deadline);
        return stored.kind() != Bound.Kind.NONE
                ? stored
                : cache.grow(
                        tx -> {
                            tx.db.update(Sql.ADD_OWN_SETTING, queue.name(), wanted.toString());
                            return bound(tx.db);
                        },
                        deadline);
    }

    @Override
    public void alter(Bound bound, Deadline deadline) {
        cache.requireOpen();
        boolean unused = cache.grow(tx -> alter(tx, bound), deadline);
        cache.ring(roomName());
    }

    private boolean alter(Tx tx, Bound bound) {
        if (bound.kind() == Bound.Kind.NONE) {
            tx.db.update(Sql.DELETE_OWN_SETTING, queue.name());
        } else {
            tx.db.update(Sql.SET_OWN_SETTING, queue.name(), bound.toString());
        }
        if (bound.kind() == Bound.Kind.MAXLEN) {
            drop(tx, bound.items(), Side.FRONT);
        }
        return true;
    }

    @Override
    public <R> R transact(Callable<R> body) {
        return cache.transact(body);
    }
}

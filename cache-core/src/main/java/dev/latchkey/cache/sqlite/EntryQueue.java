package dev.latchkey.cache.sqlite;

import com.google.common.base.CharMatcher;
import com.google.common.base.Utf8;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheListener;
import dev.latchkey.cache.Side;
import dev.latchkey.cache.StoredKey;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one queue, as python-diskcache numbers them: up from 500,000,000,000,000 at the back and down at the front, as
 * integers or as text {@code prefix-500000000000000}. Other keys in the range are no items: integers that far from the middle that
 * pushing would never get there (42 for example), and texts that do not end in fifteen digits.
 */
final class EntryQueue {
    private static final long MIDDLE = 500_000_000_000_000L;
    private static final int DIGITS = 15;

    private final @Nullable String prefix;
    private final long least;
    private final long greatest;
    private final long keyBytes;

    EntryQueue(@Nullable String prefix) {
        this.prefix = prefix;
        this.least = prefix == null ? MIDDLE / 2 : 0;
        this.greatest = prefix == null ? MIDDLE + MIDDLE / 2 : 999_999_999_999_999L;
        this.keyBytes = prefix == null ? 0 : Utf8.encodedLength(prefix) + 1L + DIGITS;
    }

    /** Whether a key has the form of those that pushing makes. */
    static boolean isItem(StoredKey key) {
        return key.raw()
                && (key.column() instanceof Long number && number > MIDDLE / 2 && number < MIDDLE + MIDDLE / 2
                        || key.column() instanceof String text && isItem(text));
    }

    private static boolean isItem(String text) {
        int dash = text.length() - DIGITS - 1;
        return dash >= 0
                && text.charAt(dash) == '-'
                && CharMatcher.inRange('0', '9').matchesAllOf(text.substring(dash + 1));
    }

    /** The prefix of such a key; null for an integer. */
    static @Nullable String prefixOf(StoredKey item) {
        return item.column() instanceof String text ? text.substring(0, text.length() - DIGITS - 1) : null;
    }

    /** A row with its key. */
    record Item(Object key, Row row) {}

    /** The live item nearest to a side, behind {@code passed} if that is not null. */
    @Nullable
    Item next(Database db, Side side, @Nullable Object passed, double now) {
        boolean front = side == Side.FRONT;
        Object from = front && passed != null ? passed : key(least);
        Object to = !front && passed != null ? passed : key(greatest);
        Database.RowMapper<Item> mapper =
                row -> new Item(Objects.requireNonNull(Database.column(row, Row.COLUMNS + 1)), Row.of(row));
        return prefix == null
                ? db.one(front ? Sql.QUEUE_FIRST_NUMBER : Sql.QUEUE_LAST_NUMBER, mapper, from, to, now)
                : db.one(front ? Sql.QUEUE_FIRST_PREFIXED : Sql.QUEUE_LAST_PREFIXED, mapper, from, to, now, keyBytes);
    }

    /** The live item with so many live items before it. */
    @Nullable
    Item at(Database db, int index, double now) {
        Database.RowMapper<Item> mapper =
                row -> new Item(Objects.requireNonNull(Database.column(row, Row.COLUMNS + 1)), Row.of(row));
        return prefix == null
                ? db.one(Sql.QUEUE_NUMBER_AT, mapper, key(least), key(greatest), now, (long) index)
                : db.one(Sql.QUEUE_PREFIXED_AT, mapper, key(least), key(greatest), now, beginning(), numberAt(), (long)
                        index);
    }

    /** How many live items there are. */
    long count(Database db, double now) {
        Database.RowMapper<Long> number = row -> row.getLong(1);
        Long all = prefix == null
                ? db.one(Sql.QUEUE_COUNT_NUMBERS, number, key(least), key(greatest))
                : db.one(Sql.QUEUE_COUNT_PREFIXED, number, key(least), key(greatest), beginning(), numberAt());
        Long expired = prefix == null
                ? db.one(Sql.QUEUE_COUNT_EXPIRED_NUMBERS, number, key(least), key(greatest), now)
                : db.one(
                        Sql.QUEUE_COUNT_EXPIRED_PREFIXED,
                        number,
                        key(least),
                        key(greatest),
                        now,
                        beginning(),
                        numberAt());
        return Objects.requireNonNull(all) - Objects.requireNonNull(expired);
    }

    /** Whether there are no more live items than so many. Counts only if keys have gaps, or may have. */
    boolean isAtMost(Database db, long items, double now) {
        Object first = end(db, Side.FRONT);
        Object last = end(db, Side.BACK);
        if (first == null || last == null) {
            return items >= 0;
        }
        return number(last) - number(first) < items || count(db, now) <= items;
    }

    /** Deletes all items, expired ones too; the number of rows. */
    int deleteAll(Tx tx, Entries entries) {
        return prefix == null
                ? entries.deleteMany(tx, CacheListener::delete, Sql.QUEUE_DELETE_NUMBERS, key(least), key(greatest))
                : entries.deleteMany(
                        tx,
                        CacheListener::delete,
                        Sql.QUEUE_DELETE_PREFIXED,
                        key(least),
                        key(greatest),
                        beginning(),
                        numberAt());
    }

    /** Moves an item to a side; its value stays where it is. */
    void move(Database db, Row row, Side side) {
        db.update(Sql.MOVE_ENTRY, newKey(db, side), row.rowid());
    }

    /** What stands for the queue in our own table and among the names that are rung. */
    String name() {
        return prefix == null ? "queue" : "queue " + prefix;
    }

    /** The key of a new item. */
    Object newKey(Database db, Side side) {
        Object end = end(db, side);
        if (end == null) {
            return key(MIDDLE);
        }
        long number = number(end);
        long next = side == Side.BACK ? number + 1 : number - 1;
        if (next <= least || next >= greatest) {
            throw new CacheException(
                    "the queue" + (prefix == null ? "" : " '" + prefix + "'") + " has no key left beyond " + end
                            + " at its " + side + "; a key that no push has made is in its way");
        }
        return key(next);
    }

    private @Nullable Object end(Database db, Side side) {
        boolean front = side == Side.FRONT;
        Database.RowMapper<Object> mapper = row -> Objects.requireNonNull(Database.column(row, 1));
        return prefix == null
                ? db.one(front ? Sql.QUEUE_LEAST_NUMBER : Sql.QUEUE_GREATEST_NUMBER, mapper, key(least), key(greatest))
                : db.one(
                        front ? Sql.QUEUE_LEAST_PREFIXED : Sql.QUEUE_GREATEST_PREFIXED,
                        mapper,
                        key(least),
                        key(greatest),
                        keyBytes);
    }

    private String beginning() {
        return prefix + "-";
    }

    /** From which byte on a key is its number. */
    private long numberAt() {
        return keyBytes - DIGITS + 1;
    }

    private static long number(Object key) {
        String text = key.toString();
        return key instanceof Long integer ? integer : Long.parseLong(text.substring(text.length() - DIGITS));
    }

    private Object key(long number) {
        return prefix == null
                ? (Object) number
                : prefix + "-" + "0".repeat(DIGITS - Long.toString(number).length()) + number;
    }
}

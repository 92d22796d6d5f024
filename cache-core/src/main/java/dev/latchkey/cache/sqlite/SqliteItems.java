package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.Item;
import dev.latchkey.cache.spi.ItemStore;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** Ordered rows, in the table LatchkeyItem. */
final class SqliteItems implements ItemStore {
    private final Database db;

    SqliteItems(Database db) {
        this.db = db;
    }

    @Override
    public long add(Item item) {
        Long id = db.one(
                Sql.INSERT_ITEM,
                row -> row.getLong(1),
                item.name(),
                status(item.status()),
                item.priority(),
                item.dueMillis(),
                item.attempt(),
                item.session(),
                item.token(),
                item.dedupKey(),
                item.reason(),
                item.value());
        return id == null ? -1 : id;
    }

    @Override
    public Optional<Item> firstReady(String name, long nowMillis) {
        return Optional.ofNullable(db.one(Sql.ITEM_FIRST_READY, SqliteItems::item, name, nowMillis));
    }

    @Override
    public long nextDueMillis(String name, long nowMillis) {
        Long due = db.one(Sql.ITEM_NEXT_DUE, row -> row.getLong(1), name, nowMillis);
        return due == null ? Long.MAX_VALUE : due;
    }

    @Override
    public Optional<Item> get(long id) {
        return Optional.ofNullable(db.one(Sql.ITEM, SqliteItems::item, id));
    }

    @Override
    public void put(Item item) {
        db.update(
                Sql.UPDATE_ITEM,
                status(item.status()),
                item.priority(),
                item.dueMillis(),
                item.attempt(),
                item.session(),
                item.token(),
                item.dedupKey(),
                item.reason(),
                item.value(),
                item.id());
    }

    @Override
    public void remove(long id) {
        db.update(Sql.DELETE_ITEM, id);
    }

    @Override
    public List<Long> claimants(String name) {
        return db.all(Sql.ITEM_CLAIMANTS, row -> row.getLong(1), name);
    }

    @Override
    public List<Item> claimedBy(String name, long session) {
        return db.all(Sql.ITEMS_OF_CLAIMANT, SqliteItems::item, name, session);
    }

    @Override
    public List<Item> claimed() {
        return db.all(Sql.ITEMS_CLAIMED, SqliteItems::item);
    }

    @Override
    public List<String> names() {
        return db.all(Sql.ITEM_NAMES, row -> row.getString(1));
    }

    @Override
    public void removeAll(String name) {
        db.update(Sql.DELETE_ITEMS, name);
    }

    @Override
    public List<Item> list(String name, Item.Status status) {
        return db.all(Sql.ITEMS_IN_STATUS, SqliteItems::item, name, status(status));
    }

    @Override
    public long count(String name, Item.Status status) {
        Long count = db.one(Sql.ITEM_COUNT, row -> row.getLong(1), name, status(status));
        return count == null ? 0 : count;
    }

    @Override
    public long countDelayed(String name, long nowMillis) {
        Long count = db.one(Sql.ITEM_COUNT_DELAYED, row -> row.getLong(1), name, nowMillis);
        return count == null ? 0 : count;
    }

    private static Long status(Item.Status status) {
        return (long) status.code();
    }

    private static Item item(ResultSet row) throws SQLException {
        return new Item(
                row.getLong(1),
                row.getString(2),
                Item.Status.of(row.getInt(3)),
                row.getLong(4),
                row.getLong(5),
                row.getLong(6),
                row.getLong(7),
                row.getLong(8),
                row.getString(9),
                row.getString(10),
                Database.column(row, 11));
    }
}

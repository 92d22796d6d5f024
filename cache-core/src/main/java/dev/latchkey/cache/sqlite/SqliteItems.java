package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.Item;
import dev.latchkey.cache.spi.ItemStore;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

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
                status(item),
                item.priority(),
                item.dueMillis(),
                item.attempt(),
                item.session(),
                item.token(),
                item.owner(),
                item.sinceMillis(),
                item.dedupKey(),
                item.reason(),
                item.value());
        return id == null ? -1 : id;
    }

    @Override
    public Outlook outlook(String name) {
        boolean[] ready = new boolean[1];
        long[] due = {Long.MAX_VALUE};
        List<Long> claimants = new ArrayList<>();
        List<Boolean> unused = db.all(
                Sql.ITEM_OUTLOOK,
                row -> switch (row.getInt(1)) {
                    case 0 -> ready[0] = true;
                    case 1 -> {
                        due[0] = row.getLong(2);
                        yield true;
                    }
                    default -> claimants.add(row.getLong(2));
                },
                name);
        return new Outlook(ready[0], due[0], List.copyOf(claimants));
    }

    @Override
    public List<Item> ready(String name, int most) {
        return db.all(Sql.READY_ITEMS, SqliteItems::item, name, (long) most);
    }

    @Override
    public int makeReady(String name, long nowMillis, int most) {
        return db.update(Sql.MAKE_ITEMS_READY, name, nowMillis, (long) most);
    }

    @Override
    public boolean replace(Item from, Item to) {
        return db.update(
                        Sql.UPDATE_ITEM,
                        status(to),
                        to.dueMillis(),
                        to.attempt(),
                        to.session(),
                        to.token(),
                        to.owner(),
                        to.sinceMillis(),
                        to.reason(),
                        from.id(),
                        status(from),
                        from.session(),
                        from.token(),
                        from.sinceMillis())
                == 1;
    }

    @Override
    public boolean remove(Item item) {
        return db.update(Sql.DELETE_ITEM, item.id(), status(item), item.session(), item.token(), item.sinceMillis())
                == 1;
    }

    @Override
    public int removeSome(String name, Item.Status status, int most) {
        String sql =
                switch (status) {
                    case READY -> Sql.DELETE_READY_ITEMS;
                    case CLAIMED -> Sql.DELETE_CLAIMED_ITEMS;
                    case DEAD -> Sql.DELETE_DEAD_ITEMS;
                    case DELAYED -> Sql.DELETE_DELAYED_ITEMS;
                };
        return db.update(sql, name, (long) most);
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
        return db.all(Sql.CLAIMED_ITEMS, SqliteItems::item);
    }

    @Override
    public List<Item> dead(String name, long behind, int most) {
        return db.all(Sql.DEAD_ITEMS, SqliteItems::item, name, behind, (long) most);
    }

    @Override
    public long count(String name, Item.Status status) {
        String sql =
                switch (status) {
                    case READY -> Sql.COUNT_READY_ITEMS;
                    case CLAIMED -> Sql.COUNT_CLAIMED_ITEMS;
                    case DEAD -> Sql.COUNT_DEAD_ITEMS;
                    case DELAYED -> Sql.COUNT_DELAYED_ITEMS;
                };
        Long count = db.one(sql, row -> row.getLong(1), name);
        return count == null ? 0 : count;
    }

    @Override
    public long countDelayed(String name, long nowMillis) {
        Long count = db.one(Sql.COUNT_ITEMS_NOT_DUE, row -> row.getLong(1), name, nowMillis);
        return count == null ? 0 : count;
    }

    private static Long status(Item item) {
        return (long) item.status().code();
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
                row.getLong(10),
                row.getString(11),
                row.getString(12),
                Database.column(row, 13));
    }
}

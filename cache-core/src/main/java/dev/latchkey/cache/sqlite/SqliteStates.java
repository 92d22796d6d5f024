package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Failpoint;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.ItemStore;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.Signal;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.StoreTransaction;
import dev.latchkey.cache.spi.Transition;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The states of all names, in the table LatchkeyState. */
final class SqliteStates implements StateStore {
    /** On what is stored, after what was remembered. */
    private static final int MOST_TRIES = 16;

    private static final Hold NOBODY = new Hold(0, 0, 0, 0, "", 0, 0);

    private final Writer writer;
    private final Readers readers;
    private final SqliteSessions sessions;
    private final Signal signal;
    private final Directory directory;

    SqliteStates(Writer writer, Readers readers, SqliteSessions sessions, Signal signal, Directory directory) {
        this.writer = writer;
        this.readers = readers;
        this.sessions = sessions;
        this.signal = signal;
        this.directory = directory;
    }

    @Override
    public <R> Update<R> update(
            String kind, String name, @Nullable State remembered, Transition<R> transition, Deadline deadline) {
        long floor = sessions.tokenFloor(deadline);
        Tx joined = writer.current();
        if (joined != null) {
            return finish(joined.join(tx -> applyToStored(tx, kind, name, transition, floor)), joined);
        }
        State base = remembered == null ? read(kind, name, deadline) : remembered;
        Decision<R> decision = transition.apply(base);
        if (remembered != null && !decision.changes(base)) {
            base = read(kind, name, deadline); // what is remembered may be old: nothing is refused because of it
            decision = transition.apply(base);
        }
        if (!decision.changes(base)) {
            return new Update<>(base, decision.result());
        }
        return finish(write(base, decision, transition, floor, deadline), null);
    }

    private <R> Applied<R> write(
            State base, Decision<R> decision, Transition<R> transition, long floor, Deadline deadline) {
        boolean possible = decision.dead().isEmpty();
        Function<Database, @Nullable Applied<R>> single = db -> storeSoon(db, base, transition, floor);
        return writer.write(
                tx -> applyToStored(tx, base.kind(), base.name(), transition, floor),
                possible ? single : null,
                deadline);
    }

    /** What was decided, and what is to be done when it is committed. */
    private record Applied<R>(Update<R> update, boolean granted, List<String> rings) {}

    private <R> Update<R> finish(Applied<R> applied, @Nullable Tx joined) {
        if (joined != null) {
            joined.afterCommit(() -> applied.rings.forEach(signal::ring));
            return applied.update;
        }
        if (!applied.rings.isEmpty()) {
            Failpoint.reached("before-ring");
            applied.rings.forEach(signal::ring);
        }
        if (applied.granted) {
            directory.requireInPlace();
        }
        return applied.update;
    }

    /**
     * Tries it on what is stored, again if others were faster, outside of a transaction: what is decided, perhaps for the first time in
     * a young process, keeps no other from writing. Null if it takes more than one row, or if the others are faster again and again.
     */
    private static <R> @Nullable Applied<R> storeSoon(Database db, State base, Transition<R> transition, long floor) {
        Applied<R> applied = base.exists() ? storeOver(db, base, transition, floor) : null;
        State known = base;
        for (int again = 0; applied == null && again < MOST_TRIES; again++) {
            Row stored = row(db, base.kind(), base.name());
            if (stored.holds > 1 || !stored.state.exists() || stored.state.version() == known.version()) {
                return null; // the asker may be dead
            }
            known = stored.state;
            Decision<R> decision = transition.apply(known);
            applied = decision.changes(known) || !decision.dead().isEmpty()
                    ? storeOver(db, known, transition, floor)
                    : new Applied<>(new Update<>(known, decision.result()), false, decision.rings());
        }
        return applied;
    }

    /**
     * One statement, if the row still is what the decision is made from; null if not. The decision is made anew for each attempt:
     * it may name the instant, and while the database is busy time goes by.
     */
    private static <R> @Nullable Applied<R> storeOver(Database db, State base, Transition<R> transition, long floor) {
        Decision<R> decision = raised(transition.apply(base), floor);
        if (!decision.changes(base) || !decision.dead().isEmpty()) {
            return null;
        }
        State next = decision.next();
        if (!others(base).equals(others(next))) {
            return null; // more than one row
        }
        long version = base.version() + 1;
        int changed = decision.grantsTo() == 0
                ? db.update(Sql.UPDATE_STATE, columns(next, version, base.version()))
                : db.update(Sql.UPDATE_STATE_FOR_LIVING, columns(next, version, base.version(), decision.grantsTo()));
        return changed == 0 ? null : applied(decision, next, version);
    }

    private <R> Applied<R> applyToStored(Tx tx, String kind, String name, Transition<R> transition, long floor) {
        State state = select(tx.db, kind, name);
        Decision<R> decision = raised(transition.apply(state), floor);
        decision.dead().forEach(session -> tx.db.update(Sql.BURY, session));
        if (!decision.changes(state)) {
            return new Applied<>(new Update<>(state, decision.result()), false, decision.rings());
        }
        if (decision.grantsTo() != 0) {
            requireAlive(tx.db, decision.grantsTo());
        }
        return applied(decision, decision.next(), store(tx.db, state, decision.next()));
    }

    private static <R> Applied<R> applied(Decision<R> decision, State next, long version) {
        State stored = next.withVersion(version);
        return new Applied<>(new Update<>(stored, decision.result()), decision.grantsTo() != 0, decision.rings());
    }

    private static long store(Database db, State from, State next) {
        List<Hold> before = others(from);
        List<Hold> after = others(next);
        for (Hold hold : before) {
            if (!after.contains(hold)) {
                db.update(Sql.DELETE_HOLD, next.name(), hold.token());
            }
        }
        for (Hold hold : after) {
            if (!before.contains(hold)) {
                db.update(
                        Sql.PUT_HOLD,
                        next.name(),
                        hold.session(),
                        hold.grant(),
                        hold.token(),
                        hold.units(),
                        hold.owner(),
                        hold.sinceMillis(),
                        hold.leaseUntilNanos());
            }
        }
        if (next.exists()) {
            long version = next.version() + 1;
            db.update(Sql.UPDATE_STATE, columns(next, version, next.version()));
            return version;
        }
        // not 1: a row that is swept and made again must not look like one that somebody remembers
        long version = TimeUnit.MILLISECONDS.toMicros(System.currentTimeMillis());
        db.update(Sql.INSERT_STATE, columns(next, version));
        return version;
    }

    /** The holds that have rows of their own: all but the first, which stands in the row of the name. */
    private static List<Hold> others(State state) {
        return state.holds().size() < 2
                ? List.of()
                : state.holds().subList(1, state.holds().size());
    }

    private static Object[] columns(State next, long version, Object... condition) {
        Hold first = next.holds().isEmpty() ? NOBODY : next.holds().get(0);
        Object[] columns = {
            next.token(),
            next.line(),
            next.detail(),
            (long) next.holds().size(),
            first.session(),
            first.grant(),
            first.token(),
            first.units(),
            first.owner(),
            first.sinceMillis(),
            first.leaseUntilNanos(),
            version,
            next.name(),
            next.kind()
        };
        Object[] all = java.util.Arrays.copyOf(columns, columns.length + condition.length);
        System.arraycopy(condition, 0, all, columns.length, condition.length);
        return all;
    }

    private void requireAlive(Database db, long session) {
        Long dead = db.one(Sql.SESSION_DEAD, row -> row.getLong(1), session);
        if (dead == null || dead != 0) {
            sessions.refused(session);
            throw new SessionLostException(session);
        }
    }

    @Override
    public State read(String kind, String name, Deadline deadline) {
        Tx joined = writer.current();
        if (joined != null) {
            return select(joined.db, kind, name);
        }
        Row row = readers.read(db -> row(db, kind, name), deadline);
        return row.holds < 2 ? row.state : readers.snapshot(db -> select(db, kind, name), deadline);
    }

    @Override
    public boolean isUnchanged(State remembered, Deadline deadline) {
        Tx joined = writer.current();
        Long version = joined != null
                ? version(joined.db, remembered.name())
                : readers.read(db -> version(db, remembered.name()), deadline);
        return version != null && version == remembered.version();
    }

    private static @Nullable Long version(Database db, String name) {
        return db.one(Sql.STATE_VERSION, row -> row.getLong(1), name);
    }

    /** No grant gets a token at or below the floor: the row may be older than it says, after a restored backup. */
    private static <R> Decision<R> raised(Decision<R> decision, long floor) {
        State next = decision.next();
        return decision.grantsTo() == 0 || next.token() > floor
                ? decision
                : new Decision<>(
                        next.withToken(floor + 1),
                        decision.result(),
                        decision.grantsTo(),
                        decision.dead(),
                        decision.rings());
    }

    /** The row of a name, without the holds that have rows of their own, and how many holds there are. */
    private record Row(State state, int holds) {}

    private static State select(Database db, String kind, String name) {
        return whole(db, row(db, kind, name));
    }

    private static Row row(Database db, String kind, String name) {
        Row row = db.one(Sql.STATE, SqliteStates::row, name);
        if (row == null) {
            Long stored = db.one(Sql.FLOOR, value -> value.getLong(1));
            return new Row(State.absent(kind, name, stored == null ? 0 : stored), 0);
        }
        if (!row.state.kind().equals(kind)) {
            throw new WrongKindException(name, row.state.kind(), kind);
        }
        return row;
    }

    private static State whole(Database db, Row row) {
        if (row.holds < 2) {
            return row.state;
        }
        State state = row.state;
        List<Hold> holds = new ArrayList<>(state.holds());
        holds.addAll(db.all(Sql.HOLDS, found -> hold(found, 1), state.name()));
        return new State(
                state.kind(), state.name(), state.version(), state.token(), holds, state.line(), state.detail());
    }

    private static Row row(ResultSet row) throws SQLException {
        int holds = row.getInt(7);
        State state = new State(
                row.getString(1),
                row.getString(2),
                row.getLong(3),
                row.getLong(4),
                holds == 0 ? List.of() : List.of(hold(row, 8)),
                row.getString(5),
                row.getString(6));
        return new Row(state, holds);
    }

    private static Hold hold(ResultSet row, int first) throws SQLException {
        return new Hold(
                row.getLong(first),
                row.getLong(first + 1),
                row.getLong(first + 2),
                row.getLong(first + 3),
                row.getString(first + 4),
                row.getLong(first + 5),
                row.getLong(first + 6));
    }

    @Override
    public List<State> list(String kind, Deadline deadline) {
        Tx joined = writer.current();
        return joined != null ? list(joined.db, kind) : readers.snapshot(db -> list(db, kind), deadline);
    }

    private static List<State> list(Database db, String kind) {
        return db.all(Sql.STATES_OF_KIND, SqliteStates::row, kind).stream()
                .map(row -> whole(db, row))
                .toList();
    }

    @Override
    public List<State> listAll(Deadline deadline) {
        Tx joined = writer.current();
        return joined != null ? listAll(joined.db) : readers.snapshot(SqliteStates::listAll, deadline);
    }

    private static List<State> listAll(Database db) {
        return db.all(Sql.ALL_STATES, SqliteStates::row).stream()
                .map(row -> whole(db, row))
                .toList();
    }

    @Override
    public Optional<State> find(String name, Deadline deadline) {
        Tx joined = writer.current();
        return joined != null ? find(joined.db, name) : readers.snapshot(db -> find(db, name), deadline);
    }

    private static Optional<State> find(Database db, String name) {
        return Optional.ofNullable(db.one(Sql.STATE, SqliteStates::row, name)).map(row -> whole(db, row));
    }

    @Override
    public <R> R write(Function<StoreTransaction, R> work, Deadline deadline) {
        return writer.write(tx -> work.apply(new InTx(tx)), deadline);
    }

    @Override
    public <R> R query(Function<ItemStore, R> work, Deadline deadline) {
        Tx joined = writer.current();
        return joined != null
                ? work.apply(new SqliteItems(joined.db))
                : readers.snapshot(db -> work.apply(new SqliteItems(db)), deadline);
    }

    @Override
    public <R> R ask(Function<ItemStore, R> call, Deadline deadline) {
        Tx joined = writer.current();
        return joined != null
                ? call.apply(new SqliteItems(joined.db))
                : readers.read(db -> call.apply(new SqliteItems(db)), deadline);
    }

    @Override
    public boolean inTransaction() {
        return writer.current() != null;
    }

    @Override
    public void afterCommit(Runnable action) {
        Tx joined = writer.current();
        if (joined == null) {
            action.run();
        } else {
            joined.afterCommit(action);
        }
    }

    @Override
    public void afterRollback(Runnable action) {
        Tx joined = writer.current();
        if (joined != null) {
            joined.onRollback(action);
        }
    }

    /** States and items in one transaction. */
    private final class InTx implements StoreTransaction {
        private final Tx tx;

        InTx(Tx tx) {
            this.tx = tx;
        }

        @Override
        public State state(String kind, String name) {
            return select(tx.db, kind, name);
        }

        @Override
        public <R> Update<R> update(String kind, String name, Transition<R> transition) {
            Applied<R> applied = applyToStored(tx, kind, name, transition, sessions.tokenFloor());
            tx.afterCommit(() -> applied.rings.forEach(signal::ring));
            return applied.update;
        }

        @Override
        public void remove(State state) {
            others(state).forEach(hold -> tx.db.update(Sql.DELETE_HOLD, state.name(), hold.token()));
            tx.db.one(
                    Sql.RAISE_FLOOR, row -> row.getLong(1), state.token()); // the row was what kept its tokens growing
            tx.db.update(Sql.DELETE_STATE, state.name(), state.version());
        }

        @Override
        public ItemStore items() {
            return new SqliteItems(tx.db);
        }

        @Override
        public void requireAlive(long session) {
            SqliteStates.this.requireAlive(tx.db, session);
        }

        @Override
        public void bury(long session) {
            tx.db.update(Sql.BURY, session);
        }

        @Override
        public void ring(String name) {
            tx.afterCommit(() -> signal.ring(name));
        }
    }
}

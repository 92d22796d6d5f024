package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Failpoint;
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
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The states of all names, in the table LatchkeyState. */
final class SqliteStates implements StateStore {
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
        boolean possible = base.exists() && decision.dead().isEmpty();
        Function<Database, @Nullable Applied<R>> single = db -> storeOver(db, base, transition, floor);
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
     * One statement, if the row still is what the decision is made from; null if not. The decision is made anew for each attempt:
     * it may name the instant, and while the database is busy time goes by.
     */
    private static <R> @Nullable Applied<R> storeOver(Database db, State base, Transition<R> transition, long floor) {
        Decision<R> decision = raised(transition.apply(base), floor);
        if (!decision.changes(base) || !decision.dead().isEmpty()) {
            return null;
        }
        State next = decision.next();
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
        return applied(decision, decision.next(), store(tx.db, decision.next()));
    }

    private static <R> Applied<R> applied(Decision<R> decision, State next, long version) {
        State stored = new State(
                next.kind(),
                next.name(),
                version,
                next.session(),
                next.grant(),
                next.token(),
                next.owner(),
                next.sinceMillis(),
                next.line(),
                next.detail());
        return new Applied<>(new Update<>(stored, decision.result()), decision.grantsTo() != 0, decision.rings());
    }

    private static long store(Database db, State next) {
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

    private static Object[] columns(State next, long version, Object... condition) {
        Object[] columns = {
            next.session(),
            next.grant(),
            next.token(),
            next.owner(),
            next.sinceMillis(),
            next.line(),
            next.detail(),
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
        return joined != null ? select(joined.db, kind, name) : readers.read(db -> select(db, kind, name), deadline);
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

    private static State select(Database db, String kind, String name) {
        State state = db.one(Sql.STATE, SqliteStates::state, name);
        if (state == null) {
            Long stored = db.one(Sql.FLOOR, row -> row.getLong(1));
            return State.absent(kind, name, stored == null ? 0 : stored);
        }
        if (!state.kind().equals(kind)) {
            throw new WrongKindException(name, state.kind(), kind);
        }
        return state;
    }

    private static State state(ResultSet row) throws SQLException {
        return new State(
                row.getString(1),
                row.getString(2),
                row.getLong(3),
                row.getLong(4),
                row.getLong(5),
                row.getLong(6),
                row.getString(7),
                row.getLong(8),
                row.getString(9),
                row.getString(10));
    }

    @Override
    public List<State> list(String kind, Deadline deadline) {
        Tx joined = writer.current();
        Function<Database, List<State>> query = db -> db.all(Sql.STATES_OF_KIND, SqliteStates::state, kind);
        return joined != null ? query.apply(joined.db) : readers.read(query, deadline);
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
        public void put(State state) {
            store(tx.db, state);
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

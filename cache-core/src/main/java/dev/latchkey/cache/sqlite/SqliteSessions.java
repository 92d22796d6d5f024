package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionInfo;
import dev.latchkey.cache.spi.Sessions;
import java.io.IOException;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The sessions of a directory: a row for people, and a locked byte that says whether the process lives. */
final class SqliteSessions implements Sessions {
    private static final int MOST_REMEMBERED_DEAD = 10_000;
    private static final int LOOKS_BETWEEN_SWEEPS = 5;

    private final LockFile locks;
    private final Writer writer;
    private final Readers readers;
    private final HostClock clock;
    private final AtomicReference<@Nullable Open> current = new AtomicReference<>();
    private final Set<Long> dead = ConcurrentHashMap.newKeySet();
    private final List<Consumer<Session>> listeners = new CopyOnWriteArrayList<>();
    /** Its row is still hidden in a transaction of user code. */
    private volatile @Nullable Session uncommitted;

    /** Counted by the one thread that looks at a time. */
    private int looks;

    SqliteSessions(LockFile locks, Writer writer, Readers readers, HostClock clock) {
        this.locks = locks;
        this.writer = writer;
        this.readers = readers;
        this.clock = clock;
    }

    private record Open(Session session, FileLock lock, long tokenFloor) {}

    @Override
    public Session self(Deadline deadline) {
        return open(deadline).session;
    }

    /** No token is handed out at or below this. */
    long tokenFloor(Deadline deadline) {
        return open(deadline).tokenFloor;
    }

    /** The same for whoever has a session; without one nothing is granted. */
    long tokenFloor() {
        Open open = current.get();
        return open == null ? 0 : open.tokenFloor;
    }

    private Open open(Deadline deadline) {
        Open open = current.get();
        if (open != null && !open.session.isLost()) {
            return open;
        }
        Open fresh = begin(deadline);
        if (current.compareAndSet(open, fresh)) {
            return fresh;
        }
        end(fresh); // another thread was faster
        return open(deadline);
    }

    /** The byte comes before the row, so that nobody finds a row without its byte while we live. */
    private Open begin(Deadline deadline) {
        FileLock lock = null;
        long id = 0;
        while (lock == null) {
            id = ThreadLocalRandom.current().nextLong(LockFile.FIRST_SESSION, Long.MAX_VALUE - 1);
            lock = locks.tryTake(id);
        }
        Session session = new Session(id);
        long started = clock.wallMillis();
        Object[] columns = {id, clock.bootId(), label(), ProcessHandle.current().pid(), host(), started};
        try {
            long floor = writer.write(
                    tx -> {
                        uncommitted = session;
                        tx.afterCommit(() -> uncommitted = null);
                        tx.onRollback(() -> lose(session));
                        return insert(tx.db, columns, started);
                    },
                    db -> insert(db, columns, started),
                    deadline);
            return new Open(session, lock, floor);
        } catch (Throwable t) {
            LockFile.release(lock);
            throw t;
        }
    }

    /** The row comes last: if the database is busy before it, both are done again. */
    private static long insert(Database db, Object[] columns, long started) {
        long micros = TimeUnit.MILLISECONDS.toMicros(started);
        Long floor = db.one(Sql.RAISE_FLOOR, row -> row.getLong(1), micros);
        db.update(Sql.INSERT_SESSION, columns);
        return floor == null ? micros : floor;
    }

    private static String label() {
        String command = System.getProperty("sun.java.command", "").split(" ", 2)[0];
        return System.getProperty("dev.latchkey.label", command);
    }

    private static String host() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public boolean isDead(long session) {
        Open open = current.get();
        if (open != null && open.session.id() == session && !open.session.isLost()) {
            return false;
        }
        if (session < LockFile.FIRST_SESSION || dead.contains(session)) {
            return true;
        }
        if (!locks.isFree(session)) {
            return false;
        }
        if (dead.size() >= MOST_REMEMBERED_DEAD) {
            dead.clear();
        }
        dead.add(session);
        return true;
    }

    @Override
    public Optional<SessionInfo> describe(long session, Deadline deadline) {
        return Optional.ofNullable(readers.read(db -> db.one(Sql.SESSION, SqliteSessions::info, session), deadline));
    }

    @Override
    public List<SessionInfo> list(Deadline deadline) {
        return readers.read(db -> db.all(Sql.SESSIONS, SqliteSessions::info), deadline);
    }

    private static SessionInfo info(ResultSet row) throws SQLException {
        return new SessionInfo(row.getLong(1), row.getLong(2), row.getString(3), row.getString(4), row.getLong(5));
    }

    @Override
    public void onLost(Consumer<Session> listener) {
        listeners.add(listener);
    }

    /** The once-a-second look: are we still taken for living, and who else is not. */
    void look(Deadline deadline) {
        Open open = current.get();
        if (open == null || open.session.isLost()) {
            return;
        }
        long self = open.session.id();
        boolean committed = uncommitted != open.session; // asked before the row is read
        Long buried = readers.read(db -> db.one(Sql.SESSION_DEAD, row -> row.getLong(1), self), deadline);
        if (committed && (buried == null || buried != 0)) {
            lose(open.session);
        }
        if (looks++ % LOOKS_BETWEEN_SWEEPS == 0) {
            sweep(deadline);
        }
    }

    /** Deletes the rows of the dead: without a row, as with a mark, a session is granted nothing. */
    private void sweep(Deadline deadline) {
        List<Long> gone = new ArrayList<>(readers.read(db -> db.all(Sql.SESSION_IDS, row -> row.getLong(1)), deadline));
        gone.removeIf(id -> !isDead(id));
        if (!gone.isEmpty()) {
            writer.write(
                    tx -> {
                        gone.forEach(id -> tx.db.update(Sql.DELETE_SESSION, id));
                        return gone.size();
                    },
                    deadline);
        }
    }

    /** What the session held may belong to others by now. The byte goes too: nobody shall think that it lives. */
    void lose(Session session) {
        Open open = current.get();
        if (session.lose()) {
            if (open != null && open.session == session) {
                LockFile.release(open.lock);
            }
            listeners.forEach(listener -> tell(listener, session));
        }
    }

    /** One listener's failure is not the others'. */
    private static void tell(Consumer<Session> listener, Session session) {
        try {
            listener.accept(session);
        } catch (RuntimeException e) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }

    /** A transaction found a session marked dead; if it is ours, the next call starts a new one. */
    void refused(long session) {
        Open open = current.get();
        if (open != null && open.session.id() == session) {
            lose(open.session);
        }
    }

    private void end(Open open) {
        open.session.lose();
        try {
            Deadline deadline = Deadline.after(java.time.Duration.ofSeconds(1));
            writer.write(tx -> tx.db.update(Sql.DELETE_SESSION, open.session.id()), deadline);
        } catch (dev.latchkey.cache.CacheException e) {
            // busy, full, removed: the row stays until somebody sweeps it
        } finally {
            LockFile.release(open.lock);
        }
    }

    /** Ends the session; what it held must have been freed before. */
    void close() {
        Open open = current.get();
        if (open != null && !open.session.isLost()) {
            end(open);
        }
    }
}

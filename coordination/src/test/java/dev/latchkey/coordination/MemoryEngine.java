package dev.latchkey.coordination;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.ItemStore;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionInfo;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.Sessions;
import dev.latchkey.cache.spi.Signal;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.StoreTransaction;
import dev.latchkey.cache.spi.Transition;
import dev.latchkey.cache.spi.Update;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One process's engine over a directory in memory that has one name. Nothing happens in it by itself: time stands still
 * unless a test lets it pass, and what the engine's own threads would do is done by whoever calls {@link #runScheduled} and {@link #loseSession}.
 */
final class MemoryEngine implements CoordinationEngine, StateStore, Signal, Sessions, HostClock {
    /** What is asked for later than this is done in no test: each is over long before. */
    private static final Duration LATEST = Duration.ofMillis(500);

    private static final long LONGEST_SLEEP_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(20);

    private static final ThreadLocal<Trouble> TROUBLE = new ThreadLocal<>();

    private final Disk disk;
    private final boolean slow;
    private final Tasks tasks = new Tasks();
    private final Own own;
    private volatile boolean closed;
    private long nanos = 1;
    private long nanosOfUpdate;
    private @Nullable Runnable afterCommit;
    private @Nullable Object attachment;
    private @Nullable Consumer<Session> listener;

    /** What comes upon a thread while it is in a call. */
    enum Trouble {
        /** It is interrupted when it looks for the second time whether the engine is open, which is before it waits. */
        INTERRUPT,
        INTERRUPT_AT_NEXT_CHECK,
        /** The database has no time for its next write. */
        BUSY,
        /** Its next commit succeeds and is taken for failed. */
        ERROR_AFTER_COMMIT
    }

    /**
     * An engine that is open.
     *
     * @param slow whether calls to the database take time now and then, which others use, and use up wake-ups, as waits do
     */
    MemoryEngine(Disk disk, boolean slow) {
        this.disk = disk;
        this.slow = slow;
        this.own = new Own(disk);
    }

    /** What the processes share; each method is one transaction. */
    static final class Disk {
        private @Nullable State row;
        private final Set<Long> dead = new HashSet<>();
        private long sessions;
        private int word;
        private String rung = "";

        synchronized long newSession() {
            return ++sessions;
        }

        synchronized State read(String kind, String name) {
            return row == null ? State.absent(kind, name, 0) : row;
        }

        synchronized <R> Update<R> apply(String kind, String name, Transition<R> transition) {
            State from = read(kind, name);
            return store(from, transition.apply(from));
        }

        /** Null if the row is no longer what the decision was made from. */
        synchronized <R> @Nullable Update<R> storeOver(State base, Decision<R> decision) {
            return read(base.kind(), base.name()).version() == base.version() ? store(base, decision) : null;
        }

        private <R> Update<R> store(State from, Decision<R> decision) {
            dead.addAll(decision.dead());
            if (!decision.changes(from)) {
                return new Update<>(from, decision.result());
            }
            if (dead.contains(decision.grantsTo())) {
                throw new SessionLostException(decision.grantsTo());
            }
            row = decision.next().withVersion(from.version() + 1);
            decision.rings().forEach(this::ring);
            return new Update<>(row, decision.result());
        }

        synchronized void bury(long session) {
            dead.add(session);
        }

        synchronized boolean isDead(long session) {
            return dead.contains(session);
        }

        synchronized int seen() {
            return word;
        }

        synchronized void ring(String name) {
            word++;
            rung = name;
        }

        /** Whoever sleeps here was woken last. */
        synchronized String rung() {
            return rung;
        }
    }

    /** What the engine's own thread is to do. */
    static final class Tasks {
        private final Queue<Runnable> tasks = new ArrayDeque<>();

        synchronized void add(Runnable task) {
            tasks.add(task);
        }

        synchronized @Nullable Runnable poll() {
            return tasks.poll();
        }
    }

    /** The session of this process. */
    static final class Own {
        private final Disk disk;
        private @Nullable Session session;

        Own(Disk disk) {
            this.disk = disk;
        }

        synchronized Session session() {
            if (session == null || session.isLost()) {
                session = new Session(disk.newSession());
            }
            return session;
        }
    }

    // What happens to a process

    void in(Trouble next) {
        TROUBLE.set(next);
    }

    void outOfTrouble() {
        TROUBLE.remove();
        Thread.interrupted();
    }

    /** Once. */
    private static boolean is(Trouble asked) {
        boolean found = TROUBLE.get() == asked;
        if (found) {
            TROUBLE.remove();
        }
        return found;
    }

    /** What other threads do when the next commit has taken place, and before the one that committed goes on. */
    void afterNextCommit(Runnable others) {
        afterCommit = others;
    }

    private void pause() {
        if (slow && ThreadLocalRandom.current().nextInt(4) == 0) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Another process took this one for dead, and this one has noticed. */
    void loseSession() {
        Session session = own.session();
        disk.bury(session.id());
        if (session.lose() && listener != null) {
            listener.accept(session);
        }
    }

    /** Does the next thing that an engine thread was asked to do; false if there is none. */
    boolean runScheduled() {
        Runnable task = tasks.poll();
        if (task != null) {
            task.run();
        }
        return task != null;
    }

    void runAllScheduled() {
        while (runScheduled()) {}
    }

    void close() throws Exception {
        closed = true;
        if (attachment instanceof AutoCloseable) {
            ((AutoCloseable) attachment).close();
        }
    }

    boolean isClosed() {
        return closed;
    }

    // CoordinationEngine

    @Override
    public StateStore states() {
        return this;
    }

    @Override
    public Signal signal() {
        return this;
    }

    @Override
    public Sessions sessions() {
        return this;
    }

    @Override
    public HostClock clock() {
        return this;
    }

    @Override
    public Codec codec() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Path directory() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void requireInPlace() {}

    @Override
    public void requireSpace() {
        // memory is not counted
    }

    @Override
    public void requireOpen() {
        if (is(Trouble.INTERRUPT_AT_NEXT_CHECK)) {
            Thread.currentThread().interrupt();
        }
        if (is(Trouble.INTERRUPT)) {
            TROUBLE.set(Trouble.INTERRUPT_AT_NEXT_CHECK);
        }
        if (closed) {
            throw new CacheClosedException("closed");
        }
    }

    /** Called by the constructor of a test only, before there are threads. */
    @Override
    public <T extends AutoCloseable> T attachment(Class<T> type, Function<CoordinationEngine, T> factory) {
        if (attachment == null) {
            attachment = factory.apply(this);
        }
        return type.cast(attachment);
    }

    @Override
    public void schedule(Runnable task, Duration delay) {
        if (delay.compareTo(LATEST) < 0) {
            tasks.add(task);
        }
    }

    // StateStore

    @Override
    public <R> Update<R> update(
            String kind, String name, @Nullable State remembered, Transition<R> transition, Deadline deadline) {
        State base = remembered == null ? disk.read(kind, name) : remembered;
        Decision<R> decision = transition.apply(base);
        if (remembered != null && !decision.changes(base)) {
            base = disk.read(kind, name);
            decision = transition.apply(base);
        }
        if (!decision.changes(base)) {
            return new Update<>(base, decision.result());
        }
        pause();
        if (is(Trouble.BUSY)) {
            throw new CacheTimeoutException("busy");
        }
        pass(nanosOfUpdate);
        Update<R> stored = disk.storeOver(base, decision);
        Update<R> update = stored != null ? stored : disk.apply(kind, name, transition);
        pause();
        Runnable others = afterCommit;
        afterCommit = null;
        if (others != null) {
            others.run();
        }
        if (is(Trouble.ERROR_AFTER_COMMIT)) {
            throw new CacheException("was committed and is taken for failed");
        }
        return update;
    }

    @Override
    public State read(String kind, String name, Deadline deadline) {
        pause();
        return disk.read(kind, name);
    }

    @Override
    public boolean isUnchanged(State remembered, Deadline deadline) {
        return disk.read(remembered.kind(), remembered.name()).version() == remembered.version();
    }

    @Override
    public List<State> list(String kind, Deadline deadline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<State> listAll(Deadline deadline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Optional<State> find(String name, Deadline deadline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <R> R write(Function<StoreTransaction, R> work, Deadline deadline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <R> R query(Function<ItemStore, R> work, Deadline deadline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <R> R ask(Function<ItemStore, R> call, Deadline deadline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean inTransaction() {
        return false;
    }

    @Override
    public void afterCommit(Runnable action) {
        action.run();
    }

    @Override
    public void afterRollback(Runnable action) {}

    // Signal

    @Override
    public int seen(String name) {
        return disk.seen();
    }

    /** Wakes early: whoever waits must not rely on more. */
    @Override
    public void await(String name, int seen, long nanos) {
        if (disk.seen() == seen && !Thread.currentThread().isInterrupted()) {
            LockSupport.parkNanos(Math.min(nanos, LONGEST_SLEEP_NANOS));
        }
    }

    @Override
    public void ring(String name) {
        disk.ring(name);
    }

    // Sessions

    @Override
    public Session self(Deadline deadline) {
        return own.session();
    }

    @Override
    public boolean isDead(long session) {
        return disk.isDead(session);
    }

    @Override
    public Optional<SessionInfo> describe(long session, Deadline deadline) {
        return Optional.empty();
    }

    @Override
    public List<SessionInfo> list(Deadline deadline) {
        return List.of();
    }

    @Override
    public void onLost(Consumer<Session> told) {
        listener = told;
    }

    // HostClock

    @Override
    public long nanos() {
        return nanos;
    }

    void pass(long moreNanos) {
        nanos += moreNanos;
    }

    /** How long each write takes from now on, by the clock of this engine. */
    void writeFor(long nanosEach) {
        nanosOfUpdate = nanosEach;
    }

    @Override
    public long wallMillis() {
        return 1;
    }
}

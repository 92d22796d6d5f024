package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Failpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/*
 * Group commit by combining. Callers line up; whoever finds the lead free takes it, begins one transaction, runs the
 * operations of all who stand in line by then, commits, and tells them. Nobody hands work to another thread that could do
 * it itself, so a lone caller pays for no thread switch.
 *
 *   WAITING -> RUNNING -> DONE         by the leader
 *   WAITING -> WITHDRAWN               by the caller, when its time is over or it is interrupted
 *   RUNNING -> WAITING (alone)         by the leader, when the common commit failed: each then runs by itself
 *
 * The lead is a role, not a lock: while the leader waits for the database everybody else can still withdraw in time, and
 * the leader itself gives the lead away when its own time is over. A transaction of user code runs on the caller's thread,
 * which keeps the lead from BEGIN to COMMIT.
 */
/** The one writing connection of a process: every write transaction goes through here, in order of arrival. */
final class Writer implements AutoCloseable {
    private static final int MOST_PER_COMMIT = 64;
    /** Others may fill the room that was made for an operation before it is run again. */
    private static final int MOST_ROOMS = 5;
    /** A commit takes less, and waking a thread more. */
    private static final long YIELD_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

    private final Supplier<Database> opener;
    private final Gate gate;
    private final Upkeep upkeep;
    private final String where;
    private final ConcurrentLinkedDeque<Node<?>> line = new ConcurrentLinkedDeque<>();
    private final AtomicBoolean led = new AtomicBoolean();
    private volatile @Nullable UserTransaction current;
    private volatile boolean closed;
    /** Whoever leads uses it. */
    private volatile Database db;

    /** The opener is asked when the connection has become useless. */
    Writer(Database db, Supplier<Database> opener, Gate gate, Upkeep upkeep) {
        this.db = db;
        this.opener = opener;
        this.gate = gate;
        this.upkeep = upkeep;
        this.where = db.describe();
    }

    /** What is done for the disk and the log. */
    @FunctionalInterface
    interface Upkeep {
        void committed();

        /** The setting, as it is now. */
        default long synchronous() {
            return 1;
        }

        /** Throws if there is no space for what grows. */
        default void requireSpace() {}

        /** The disk was full for an operation that grows. */
        default void full() {}

        /** The disk was full for an operation that does not grow; answers whether it is worth another try. */
        default boolean makeRoom() {
            return false;
        }
    }

    private enum Stage {
        WAITING,
        RUNNING,
        DONE,
        WITHDRAWN
    }

    /** One caller in line. */
    private static final class Node<R> {
        final Thread thread = Thread.currentThread();
        /** Null for a transaction of user code. */
        final @Nullable Function<Tx, R> work;
        /** The same in one statement, if that is possible; answers null if it was not. */
        final @Nullable Function<Database, @Nullable R> single;

        final AtomicReference<Stage> stage = new AtomicReference<>(Stage.WAITING);
        final boolean grows;
        int roomsMade;
        boolean alone;
        boolean singleTried;

        @Nullable
        R result;

        @Nullable
        Throwable failure;

        @Nullable
        Tx tx;

        Node(@Nullable Function<Tx, R> work, @Nullable Function<Database, @Nullable R> single, boolean grows) {
            this.work = work;
            this.single = single;
            this.grows = grows;
        }

        boolean is(Stage wanted) {
            return stage.get() == wanted;
        }

        void run(Database db) {
            tx = new Tx(db);
            result = java.util.Objects.requireNonNull(work).apply(tx);
        }

        /** Before the rollback, so that no other process sees what the work did outside of the database. */
        void abort() {
            if (tx != null) {
                tx.aborted();
            }
        }

        void done() {
            stage.set(Stage.DONE);
            if (thread != Thread.currentThread()) {
                LockSupport.unpark(thread);
            }
        }
    }

    private record UserTransaction(Thread thread, Tx tx) {}

    /** The transaction that the calling thread is in, if any. */
    @Nullable
    Tx current() {
        UserTransaction transaction = current;
        return transaction != null && transaction.thread == Thread.currentThread() ? transaction.tx : null;
    }

    /**
     * Runs an operation in a transaction: the caller's if it has one, else one shared with others. The operation must
     * be a pure function of the database; it may run on another thread and more than once. It must not need more space than
     * there was before it: when the disk is full, room is made for it.
     */
    <R> R write(Function<Tx, R> work, Deadline deadline) {
        return write(work, null, deadline);
    }

    <R> R write(Function<Tx, R> work, @Nullable Function<Database, @Nullable R> single, Deadline deadline) {
        return run(work, single, false, deadline);
    }

    /** The same for an operation that stores something more: when the disk is full, it is refused. */
    <R> R grow(Function<Tx, R> work, Deadline deadline) {
        return grow(work, null, deadline);
    }

    <R> R grow(Function<Tx, R> work, @Nullable Function<Database, @Nullable R> single, Deadline deadline) {
        requireSpace();
        return run(work, single, true, deadline);
    }

    /** To be asked before anything is written for an operation that grows, also outside the database. */
    void requireSpace() {
        Tx joined = current();
        if (joined != null) {
            joined.grows();
        }
        upkeep.requireSpace();
    }

    private <R> R run(
            Function<Tx, R> work, @Nullable Function<Database, @Nullable R> single, boolean grows, Deadline deadline) {
        Tx joined = current();
        if (joined != null) {
            return joined.join(work);
        }
        Node<R> node = new Node<>(work, single, grows);
        boolean interrupted = false;
        line.add(node);
        try {
            while (!node.is(Stage.DONE)) {
                if (mayLead(node) && led.compareAndSet(false, true)) {
                    try {
                        lead(node, deadline);
                    } finally {
                        giveLeadAway();
                    }
                } else {
                    await(node, deadline);
                }
                interrupted |= Thread.interrupted();
                withdrawIfOver(node, deadline, interrupted);
            }
        } finally {
            withdraw(node); // only after an error: nobody may run it for a caller who is gone
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return outcome(node);
    }

    /** Runs user code in a transaction of its own, or as a part of the caller's. */
    <T> T transact(Callable<T> body, Deadline deadline) throws Exception {
        Tx outer = current();
        if (outer != null) {
            try {
                return body.call();
            } catch (Throwable t) {
                outer.doom(t);
                throw t;
            }
        }
        takeLeadFor(deadline);
        Tx tx = new Tx(db);
        current = new UserTransaction(Thread.currentThread(), tx);
        try {
            return runAndCommit(body, tx);
        } catch (Throwable t) {
            tx.aborted();
            db.rollback();
            roomForNextAttempt(tx);
            throw t;
        } finally {
            current = null;
            giveLeadAway();
            if (tx.doom() == null) {
                tx.committed();
            } else {
                tx.rolledBack();
            }
        }
    }

    /** User code cannot be run again by us, but its caller will. */
    private void roomForNextAttempt(Tx tx) {
        if (tx.doom() instanceof CacheFullException && !tx.isGrowing()) {
            upkeep.makeRoom();
        }
    }

    private <T> T runAndCommit(Callable<T> body, Tx tx) throws Exception {
        try {
            T result = body.call();
            requireNotDoomed(tx);
            commit();
            return result;
        } catch (Throwable t) {
            tx.doom(t);
            throw t;
        }
    }

    /** Throws if the calling thread is in a transaction that cannot be committed. */
    void requireNotDoomed() {
        Tx joined = current();
        if (joined != null) {
            requireNotDoomed(joined);
        }
    }

    private static void requireNotDoomed(Tx tx) {
        Throwable doom = tx.doom();
        if (doom != null) {
            String message = "the transaction was rolled back because a part of it failed: " + doom;
            throw doom instanceof CacheFullException
                    ? new CacheFullException(message, doom)
                    : new CacheException(message, doom);
        }
    }

    /** User code runs on its own thread, so it leads when it is first, and nobody else does then. */
    private boolean mayLead(Node<?> node) {
        Node<?> first = line.peek();
        return first == node || (node.work != null && (first == null || first.work != null));
    }

    private void takeLeadFor(Deadline deadline) {
        Node<Void> node = new Node<>(null, null, false);
        boolean interrupted = false;
        line.add(node);
        try {
            while (true) {
                if (mayLead(node) && led.compareAndSet(false, true)) {
                    break;
                }
                await(node, deadline);
                interrupted |= Thread.interrupted();
                withdrawIfOver(node, deadline, interrupted);
            }
            node.stage.set(Stage.RUNNING);
            line.remove(node);
            try {
                beginWithRoom(deadline);
            } catch (Throwable t) {
                giveLeadAway();
                throw t;
            }
        } finally {
            withdraw(node);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Lets others run for a moment before it sleeps. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but speed
    private void await(Node<?> node, Deadline deadline) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < YIELD_NANOS) {
            Thread.yield();
            if (node.is(Stage.DONE) || (!led.get() && mayLead(node))) {
                return;
            }
        }
        park(node, deadline);
    }

    /** Whoever came too late for {@link #close} to wake must not fall asleep. */
    private void park(Node<?> node, Deadline deadline) {
        if (node.is(Stage.RUNNING) || (node.is(Stage.WAITING) && deadline.isUnlimited() && !closed)) {
            LockSupport.park(node);
        } else if (node.is(Stage.WAITING) && !closed) {
            LockSupport.parkNanos(node, Math.max(1, deadline.remainingNanos()));
        }
    }

    private void withdrawIfOver(Node<?> node, Deadline deadline, boolean interrupted) {
        boolean over = closed || deadline.hasPassed() || (interrupted && deadline.isInterruptible());
        if (over && withdraw(node)) {
            throw closed ? closed() : Busy.timeout(deadline, where, null);
        }
    }

    private boolean withdraw(Node<?> node) {
        boolean withdrawn = node.stage.compareAndSet(Stage.WAITING, Stage.WITHDRAWN);
        if (withdrawn) {
            line.remove(node);
            wakeFirst();
        }
        return withdrawn;
    }

    /** Runs transactions until the leader's own operation is done or its time is over. */
    private void lead(Node<?> own, Deadline deadline) {
        while (own.is(Stage.WAITING)) {
            Node<?> first = line.peek();
            if (first == null || first.work == null) {
                return; // user code begins its transaction on its own thread
            }
            if (closed) {
                return;
            }
            boolean lone = own == first && own == line.peekLast();
            if (lone && own.single != null && !own.singleTried && runSingle(own, deadline)) {
                return;
            }
            try {
                begin(deadline);
            } catch (CacheTimeoutException e) {
                return;
            } catch (CacheException e) {
                if (!isWorthAnotherTry(own, e)) {
                    fail(own, e);
                    return;
                }
                continue;
            }
            runBatch(nextBatch());
        }
    }

    private <R> boolean runSingle(Node<R> node, Deadline deadline) {
        if (!node.stage.compareAndSet(Stage.WAITING, Stage.RUNNING)) {
            return false;
        }
        line.remove(node);
        try {
            Function<Database, @Nullable R> single = java.util.Objects.requireNonNull(node.single);
            @Nullable R result = enterAndTry(deadline, () -> single.apply(usable()));
            if (result == null) {
                node.singleTried = true;
                requeue(node);
                return false;
            }
            node.result = result;
        } catch (CacheTimeoutException e) {
            requeue(node);
            return true;
        } catch (Throwable t) {
            failAlone(node, t);
            return node.is(Stage.DONE);
        }
        node.done();
        tellCommitted();
        return true;
    }

    /** It stands in line again if there is room for it now. */
    private void failAlone(Node<?> node, Throwable failure) {
        if (isWorthAnotherTry(node, failure)) {
            node.alone = true;
            requeue(node);
        } else {
            fail(node, failure);
        }
    }

    private boolean isWorthAnotherTry(Node<?> node, Throwable failure) {
        if (!(failure instanceof CacheFullException) || node.roomsMade >= MOST_ROOMS) {
            return false;
        }
        if (node.grows) {
            upkeep.full();
            return false;
        }
        node.roomsMade++;
        return upkeep.makeRoom();
    }

    private List<Node<?>> nextBatch() {
        List<Node<?>> batch = new ArrayList<>();
        Node<?> next = line.peek();
        while (next != null && next.work != null && batch.size() < MOST_PER_COMMIT) {
            boolean alone = next.alone;
            if (alone && !batch.isEmpty()) {
                break;
            }
            line.remove(next);
            if (next.stage.compareAndSet(Stage.WAITING, Stage.RUNNING)) {
                batch.add(next);
                if (alone) {
                    break;
                }
            }
            next = line.peek();
        }
        return batch;
    }

    private void runBatch(List<Node<?>> batch) {
        Throwable failure = null;
        try {
            for (Node<?> node : batch) {
                node.run(db);
            }
            commit();
        } catch (Throwable t) {
            failure = t;
            batch.forEach(Node::abort);
            db.rollback();
        }
        if (failure == null) {
            batch.forEach(Node::done);
        } else if (batch.size() == 1) {
            failAlone(batch.get(0), failure);
        } else {
            for (int i = batch.size() - 1; i >= 0; i--) {
                batch.get(i).alone = true;
                requeue(batch.get(i));
            }
        }
    }

    private void requeue(Node<?> node) {
        node.result = null;
        node.tx = null;
        line.addFirst(node);
        node.stage.set(Stage.WAITING);
        LockSupport.unpark(node.thread); // it sleeps without a limit, and may now withdraw again
    }

    private void fail(Node<?> node, Throwable failure) {
        line.remove(node);
        node.failure = failure;
        node.done();
    }

    @SuppressWarnings("NullAway") // the work's own result, null where the work may return null
    private static <R> R outcome(Node<R> node) {
        Tx tx = node.tx;
        if (node.failure != null) {
            if (tx != null) {
                tx.rolledBack();
            }
            if (node.failure instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) node.failure;
        }
        if (tx != null) {
            tx.committed();
        }
        return node.result;
    }

    private void beginWithRoom(Deadline deadline) {
        try {
            begin(deadline);
        } catch (CacheFullException e) {
            if (!upkeep.makeRoom()) {
                throw e;
            }
            begin(deadline);
        }
    }

    private void begin(Deadline deadline) {
        int unused = enterAndTry(deadline, () -> usable().update(Sql.BEGIN));
    }

    private <R> R enterAndTry(Deadline deadline, Supplier<R> attempt) {
        gate.enter(deadline);
        return Busy.retry(
                deadline,
                () -> where,
                () -> {
                    requireOpen();
                    return attempt.get();
                },
                gate::refused);
    }

    /** The connection, a new one if the old one is stuck in a transaction that can neither go on nor be rolled back. */
    private Database usable() {
        if (db.isStuck()) {
            Database fresh = opener.get();
            closeStuck(db);
            db = fresh;
        }
        db.obey(upkeep.synchronous());
        return db;
    }

    private static void closeStuck(Database stuck) {
        try {
            stuck.close();
        } catch (CacheException e) {
            // what it had begun was never committed
        }
    }

    private void commit() {
        Failpoint.reached("before-commit");
        db.update(Sql.COMMIT);
        Failpoint.reached("after-commit");
        tellCommitted();
    }

    /** What is committed is committed: nothing that goes wrong from here on may look like a failed transaction. */
    private void tellCommitted() {
        try {
            upkeep.committed();
        } catch (RuntimeException | Error e) {
            // no checkpoint is planned, because the engine is closing: the last connection writes the log back
        }
    }

    private void giveLeadAway() {
        gate.leave();
        led.set(false);
        wakeFirst();
    }

    private void wakeFirst() {
        Node<?> next = line.peek();
        if (next != null) {
            LockSupport.unpark(next.thread);
        }
    }

    private void requireOpen() {
        if (closed) {
            throw closed();
        }
    }

    private CacheClosedException closed() {
        return new CacheClosedException("the cache on " + where + " is closed");
    }

    /** Waits for the running transaction, turns away whoever stands in line, and closes the connection for good. */
    @Override
    public void close() {
        closed = true;
        while (!led.compareAndSet(false, true)) {
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100));
        }
        line.forEach(node -> LockSupport.unpark(node.thread));
        db.close();
    }
}

package dev.latchkey.coordination;

import com.google.common.base.Throwables;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Lets one thread at a time, of all processes that open one directory, do what only one may do; the others stand by and take over
 * when it ends, resigns or dies.
 *
 * <pre>{@code
 * try (LeaderElection election = new LeaderElection(cache, "scheduler")) {
 *     election.lead(() -> { // waits until elected
 *         for (int jobs = 0; ; jobs++) {
 *             Job job = queue.poll(1, TimeUnit.MINUTES); // ends by InterruptedException if the leadership is lost
 *             if (job == null) {
 *                 return jobs;
 *             }
 *             election.runFenced(() -> cache.set("last", job.id())); // not written if it was lost
 *         }
 *     });
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> All objects of one name on one directory are one election. Each call of {@code lead} is a candidate of its own.
 *
 * <p><b>Blocking.</b> {@code lead} waits until it is elected, first come, first served, and sleeps meanwhile as a {@link Lock} does; an
 * interrupt ends the wait. Then it runs the task in the calling thread and gives the leadership up when that has ended, not before.
 *
 * <p><b>Crashes.</b> A leader whose process dies is followed by the next candidate within 50 milliseconds of the kernel having taken the
 * process down. A stopped process is not dead and leads on; {@code Inspector.forceRelease} is the way out. A leader that has lost the
 * leadership, by force or since its session was lost, is interrupted at most a second later; what must not be written then belongs
 * into {@link #runFenced}.
 *
 * <p><b>Thread safety.</b> Any thread may use an object at any time; several may lead through one object, one after the other.
 *
 * <p><b>Errors.</b> Leading inside {@code cache.transact}: {@link IllegalStateException}. The name used as something else: {@link
 * NameInUseException}. A lost leadership: {@link LockLostException}, when the task has ended; what the task has thrown is suppressed in it.
 *
 * <p><b>Source.</b> The recipe of Apache Curator and ZooKeeper, over the lock of this package.
 */
public final class LeaderElection implements AutoCloseable {
    private final Lock lock;
    private final String name;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Set<Candidate> candidates = new HashSet<>();
    private boolean closed;

    /**
     * The election of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public LeaderElection(Cache cache, String name) {
        this.name = Names.require(name);
        this.lock = Lock.ofLeader(cache, name);
    }

    /** A thread that leads or waits to be elected; what may change is under the mutex. */
    private static final class Candidate {
        final Thread thread = Thread.currentThread();
        /** Whether its thread was interrupted from here. */
        boolean called;
        /** Since it was elected. */
        @Nullable
        LockHandle leadership;

        @Nullable
        LockLostException lost;
    }

    /**
     * Waits until elected, then runs the task and gives the leadership up.
     *
     * @param <T> what the task computes
     * @param task what the leader does; interrupted if the leadership is lost, resigned or the election closed
     * @return what the task returns
     * @throws InterruptedException if the thread is interrupted while it waits to be elected
     * @throws CancellationException if the election is closed before this candidate was elected
     * @throws LockLostException if the leadership was lost before the task had ended; what the task has thrown is suppressed
     * @throws CacheException with a checked exception of the task as its cause; after an {@link InterruptedException} that
     *     was not sent from here the flag is set again
     * @throws IllegalMonitorStateException if this thread leads already: waiting for its own end would never end
     * @throws IllegalStateException inside a transaction, or if the election is closed
     */
    public <T> T lead(Callable<T> task) throws InterruptedException {
        Objects.requireNonNull(task, "task");
        Candidate candidate = begin();
        try {
            lock.lockInterruptibly();
            try (LockHandle leadership = new LockHandle(lock, lock.requireHeldByThread())) {
                elected(candidate, leadership);
                return run(candidate, leadership, task);
            }
        } catch (InterruptedException e) { // the task's own arrives in a CacheException
            if (end(candidate)) {
                throw new CancellationException(this + " was closed before this candidate was elected");
            }
            throw e;
        } finally {
            end(candidate);
        }
    }

    /**
     * The same for a task without a result.
     *
     * @param task what the leader does; interrupted if the leadership is lost, resigned or the election closed
     * @throws InterruptedException if the thread is interrupted while it waits to be elected
     */
    public void lead(Runnable task) throws InterruptedException {
        Objects.requireNonNull(task, "task");
        Object nothing = lead(Executors.callable(task));
        if (nothing != null) {
            throw new AssertionError("a Runnable has no result");
        }
    }

    private Candidate begin() {
        mutex.lock();
        try {
            if (closed) {
                throw new IllegalStateException(this + " is closed");
            }
            Candidate candidate = new Candidate();
            candidates.add(candidate);
            return candidate;
        } finally {
            mutex.unlock();
        }
    }

    private void elected(Candidate candidate, LockHandle leadership) throws InterruptedException {
        mutex.lock();
        try {
            if (candidate.called) {
                throw new InterruptedException(); // closed a moment ago
            }
            candidate.leadership = leadership;
        } finally {
            mutex.unlock();
        }
        leadership.onLost(loss -> lose(candidate, loss));
    }

    private void lose(Candidate candidate, LockLostException loss) {
        mutex.lock();
        try {
            candidate.lost = loss;
            call(candidate);
        } finally {
            mutex.unlock();
        }
    }

    /** Interrupts whoever has not ended yet: under the mutex. */
    private void call(Candidate candidate) {
        if (candidates.contains(candidate)) {
            candidate.called = true;
            candidate.thread.interrupt();
        }
    }

    /** From here on nobody interrupts the thread, and whether somebody has; that interrupt has no effect any more. */
    private boolean end(Candidate candidate) {
        mutex.lock();
        try {
            if (candidates.remove(candidate) && candidate.called) {
                boolean unused = Thread.interrupted();
            }
            return candidate.called;
        } finally {
            mutex.unlock();
        }
    }

    private <T> T run(Candidate candidate, LockHandle leadership, Callable<T> task) {
        T result;
        try {
            result = task.call();
        } catch (Throwable e) {
            boolean called = end(candidate);
            LockLostException lost = loss(candidate);
            if (lost != null) {
                lost.addSuppressed(e);
                throw lost;
            }
            Throwables.throwIfUnchecked(e);
            if (e instanceof InterruptedException && !called) {
                Thread.currentThread().interrupt();
            }
            throw new CacheException("the task of the leader of '" + name + "' failed: " + e, e);
        }
        end(candidate);
        LockLostException lost = loss(candidate);
        if (lost != null) {
            throw lost;
        }
        leadership.verify(); // nobody may have noticed the loss yet
        return result;
    }

    private @Nullable LockLostException loss(Candidate candidate) {
        mutex.lock();
        try {
            return candidate.lost;
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Asks the task that leads through this object to end, by an interrupt. The leadership is given up when it has ended, and not
     * before: until then nobody else leads. Does nothing if no task leads through this object.
     */
    public void resign() {
        mutex.lock();
        try {
            elected().toList().forEach(this::call);
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Whether a task leads through this object, as far as this process knows; may be late by a second.
     *
     * @return true between the election and the end of the task
     */
    public boolean isLeading() {
        mutex.lock();
        try {
            return elected().anyMatch(candidate -> leadership(candidate).isValid());
        } finally {
            mutex.unlock();
        }
    }

    /**
     * The token of the leadership that is held through this object; every later leadership of the name has a greater one.
     *
     * @return the fencing token
     * @throws IllegalMonitorStateException if no task leads through this object
     */
    public long fencingToken() {
        return requireLeading().fencingToken();
    }

    /**
     * Runs something in a transaction that is rolled back if the leadership is not held any more.
     *
     * @param <T> what the body computes
     * @param body what to do
     * @return what the body returns, after the commit
     * @throws LockLostException if the leadership was lost; the body was not run
     * @throws IllegalMonitorStateException if no task leads through this object
     */
    public <T> T runFenced(Callable<T> body) {
        return requireLeading().runFenced(body);
    }

    /**
     * Runs something in a transaction that is rolled back if the leadership is not held any more.
     *
     * @param body what to do
     * @throws LockLostException if the leadership was lost; the body was not run
     * @throws IllegalMonitorStateException if no task leads through this object
     */
    public void runFenced(Runnable body) {
        requireLeading().runFenced(body);
    }

    /** That of the task which the current thread runs, or else of the only one: what a task does that was deposed is not its successor's. */
    private LockHandle requireLeading() {
        mutex.lock();
        try {
            List<Candidate> elected = elected().toList();
            for (Candidate candidate : elected) {
                if (candidate.thread == Thread.currentThread() || elected.size() == 1) {
                    return leadership(candidate);
                }
            }
            throw new IllegalMonitorStateException(
                    elected.isEmpty()
                            ? "no task leads through this object of " + this
                            : "a task that has lost the leadership of " + this
                                    + " has not ended yet: only the threads of the tasks themselves may ask");
        } finally {
            mutex.unlock();
        }
    }

    /** Those whose tasks have not ended; of them one leads, and others may have lost the leadership: under the mutex. */
    private Stream<Candidate> elected() {
        return candidates.stream().filter(candidate -> candidate.leadership != null);
    }

    private static LockHandle leadership(Candidate candidate) {
        return Objects.requireNonNull(candidate.leadership, "a leader's handle");
    }

    /**
     * Who leads, in whatever process.
     *
     * @return the leader; empty if nobody who lives leads
     */
    public Optional<Holder> leader() {
        return lock.holder();
    }

    /** Interrupts all that lead, or wait to be elected, through this object; no new ones are taken. Returns at once. */
    @Override
    public void close() {
        mutex.lock();
        try {
            closed = true;
            Set.copyOf(candidates).forEach(this::call);
        } finally {
            mutex.unlock();
        }
    }

    @Override
    public String toString() {
        return "LeaderElection[" + name + "]";
    }
}

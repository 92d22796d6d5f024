package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A count that threads of all processes which open one directory bring down to zero, and wait for: what {@link
 * java.util.concurrent.CountDownLatch} is within one process.
 *
 * <pre>{@code
 * CountDownLatch loaded = new CountDownLatch(cache, "shards loaded", 3);
 * loaded.countDown("shard 1"); // in each of three processes; once, however often it is started again
 *
 * loaded.await(); // in all that need the shards
 * }</pre>
 *
 * <p><b>Scope.</b> All objects of one name on one directory are one latch. The first one made sets the count; one made with
 * another count is refused, also after the latch is open. {@link #trySetCount} begins a new round.
 *
 * <p><b>Blocking.</b> {@code await} sleeps until the count is zero, and returns at once if it is. It writes nothing, is woken by the
 * {@code countDown} that opens the latch, looks by itself every 40 milliseconds, and throws {@link InterruptedException} as the JDK's
 * does. All threads of a process cost as much as one. Whoever waits for a round returns when that is over, even if the next has begun.
 *
 * <p><b>Crashes.</b> The count belongs to no process: what was counted stays counted, and a process that dies before it counts is
 * missing. A process that counts by the name of its work, {@link #countDown(String)}, can be started again without being counted twice.
 *
 * <p><b>Transactions.</b> {@code countDown} joins {@code cache.transact}, so it counts if and only if the work it stands for is
 * committed. Waiting inside a transaction is an {@link IllegalStateException}, unless the latch is open.
 *
 * <p><b>Thread safety.</b> Any thread may use an object at any time. What a thread did before {@code countDown} happens before what
 * another does after {@code await}, within a process; between processes that is true of what lies in the cache and in files.
 *
 * <p><b>Errors.</b> Another count, or the name used as something else ({@link NameInUseException}): refused by the constructor.
 * A closed cache: {@link dev.latchkey.cache.CacheClosedException}, also of those who wait.
 *
 * <p><b>Source.</b> The class of the same name in {@code java.util.concurrent}; rounds as in Redisson and Hazelcast.
 */
public final class CountDownLatch {
    private static final Duration LOOK = Duration.ofMillis(40);

    private final Watch watch;
    private final long initial;

    /**
     * The latch of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param count how often it has to be counted down; zero for a latch that is open
     * @throws IllegalArgumentException if the count is negative or not the stored one, the name is empty or too long, or the
     *     cache does not support coordination
     * @throws NameInUseException if the name is used as something else
     */
    public CountDownLatch(Cache cache, String name, long count) {
        requireCount(count);
        this.watch = new Watch(cache, LatchState.KIND, name, LOOK);
        this.initial = count;
        long stored = watch.update(from -> LatchState.found(from, count), Deadline.never())
                .result()
                .initial();
        if (stored != count) {
            throw new IllegalArgumentException("latch '" + name + "' was given the count " + stored + ", not " + count
                    + "; use the stored number, or begin a new round by trySetCount");
        }
    }

    private static void requireCount(long count) {
        if (count < 0) {
            throw new IllegalArgumentException("count must be >= 0, was " + count);
        }
    }

    /**
     * Waits until the count is zero.
     *
     * @throws InterruptedException if the thread is interrupted, before or while it waits
     */
    public void await() throws InterruptedException {
        boolean open = await(Deadline.never());
        if (!open) {
            throw new AssertionError("a wait without a deadline ended before the latch was open");
        }
    }

    /**
     * Waits until the count is zero.
     *
     * @param duration how long; zero or negative to ask once
     * @return false if the time was over before
     * @throws InterruptedException if the thread is interrupted, before or while it waits
     */
    public boolean await(Duration duration) throws InterruptedException {
        return await(Deadline.after(duration));
    }

    /**
     * Waits until the count is zero.
     *
     * @param timeout how long; zero or negative to ask once
     * @param unit the unit of the time
     * @return false if the time was over before
     * @throws InterruptedException if the thread is interrupted, before or while it waits
     */
    public boolean await(long timeout, TimeUnit unit) throws InterruptedException {
        return await(Deadline.after(Duration.ofNanos(unit.toNanos(timeout))));
    }

    private boolean await(Deadline deadline) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        LatchState first;
        try {
            first = state(deadline.atLeast(Cohort.ONE_ATTEMPT));
        } catch (CacheTimeoutException e) {
            return false;
        }
        if (first.count() == 0) {
            return true;
        }
        if (deadline.hasPassed()) {
            return false;
        }
        if (watch.isInTransaction()) {
            throw new IllegalStateException(
                    "waiting for " + this + " inside a transaction would keep everybody else from counting it down");
        }
        Boolean open = watch.await(
                state -> LatchState.of(state, initial).isOpenSince(first.round()) ? true : null,
                state -> () -> true,
                deadline.interruptibly());
        return open != null;
    }

    /** Counts down by one, unless the count is zero. */
    public void countDown() {
        watch.update(from -> LatchState.countDown(from, initial, null), Deadline.never());
    }

    /**
     * Counts down by one for a participant, once in each round: a retry, or a process that is started again, is not counted
     * twice. The names are kept in the row of the latch until it is open.
     *
     * @param participant who counts, 1 to 1000 characters
     * @return whether it counted; false if this participant has counted before, or the count is zero
     * @throws IllegalArgumentException if the participant's name is empty or too long
     */
    public boolean countDown(String participant) {
        Names.require(participant);
        return watch.update(from -> LatchState.countDown(from, initial, participant), Deadline.never())
                .result();
    }

    /**
     * The count.
     *
     * @return how often it has to be counted down yet
     */
    public long getCount() {
        return state(Deadline.never()).count();
    }

    /**
     * Begins a new round if the last one is over. Whoever waits for the last one has returned, or will.
     *
     * @param count how often the latch has to be counted down in the new round
     * @return false if the count is not zero yet
     * @throws IllegalArgumentException if the count is negative
     */
    public boolean trySetCount(long count) {
        requireCount(count);
        return watch.update(from -> LatchState.trySetCount(from, initial, count), Deadline.never())
                .result();
    }

    private LatchState state(Deadline deadline) {
        return LatchState.of(watch.read(deadline), initial);
    }

    @Override
    public String toString() {
        return "CountDownLatch[" + watch.name() + "]";
    }
}

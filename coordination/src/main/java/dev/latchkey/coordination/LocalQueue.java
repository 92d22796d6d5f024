package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * `mutex` guards the queue and what is held and is never held while waiting for the database, for a turn or for user code.
 *
 *   nothing held, or not a lock   the first in the queue contends in the database
 *   a lock that is held           somebody here holds it, or is just passing or releasing it
 *
 * A grant is made known (`pending`) before its transaction, until somebody here holds it or the transaction has failed; so a
 * state which names this session with an unknown grant is one whose transaction was taken for failed: an orphan.
 */
/** What the threads of one process hold of a name, and who of them asks for it next; in memory only. */
final class LocalQueue {
    private static final int MOST_IN_A_ROW = 16;
    private static final long LONGEST_ROW_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long HASTE_NANOS = TimeUnit.MICROSECONDS.toNanos(60);
    private static final long LOOK_AT_RELEASE_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    enum Turn {
        GRANTED,
        FIRST,
        WAIT
    }

    /** Told when the name comes into use here, and when there is no trace of it left. */
    interface Usage {
        void begin();

        void end();
    }

    private final Kind kind;
    private final HostClock clock;
    private final Usage usage;
    private final ReentrantLock mutex = new ReentrantLock();
    private final ArrayDeque<Waiter> queue = new ArrayDeque<>();
    private final Map<Long, Grant> held = new ConcurrentHashMap<>();
    private final Set<Long> pending = ConcurrentHashMap.newKeySet();
    /** Those who wait for a condition, or for the lock after it. */
    private final Set<Long> awaiting = ConcurrentHashMap.newKeySet();
    /** The token of what a thread lost, for it to be told when it comes to release it. */
    private final ConcurrentMap<Thread, Long> lostTokens =
            new MapMaker().weakKeys().makeMap();

    private volatile long lastToken;
    private int inARow;
    private long rowStart;
    /** When a grant was last freed; at first long ago. */
    private long freedNanos = Long.MIN_VALUE / 2;

    /** Whether somebody here has last asked for it at once after it was freed here. */
    private volatile boolean inHaste;
    /** When the next look at leases is due, 0 if none is. */
    private long watchedUntilNanos;

    private boolean unsettled;
    private volatile boolean closed;

    LocalQueue(Kind kind, HostClock clock, Usage usage) {
        this.kind = kind;
        this.clock = clock;
        this.usage = usage;
    }

    // Asking for a turn

    void add(Waiter waiter) {
        mutex.lock();
        try {
            asked();
            queue.add(waiter);
            usage.begin();
        } finally {
            mutex.unlock();
        }
    }

    /** Takes the turn, for one attempt, if nobody has it. */
    boolean enter(Waiter waiter) {
        return enter(waiter, false);
    }

    /** Stands behind those whose attempt is under way as well: what one takes may leave enough for the next. */
    boolean enterBehindAttempts(Waiter waiter) {
        return enter(waiter, true);
    }

    private boolean enter(Waiter waiter, boolean behindAttempts) {
        mutex.lock();
        try {
            boolean inTheWay = behindAttempts ? isFirstInLine() : !isContendable() || !queue.isEmpty();
            if (inTheWay) {
                return false;
            }
            asked();
            waiter.tries = true;
            queue.add(waiter);
            usage.begin();
            return true;
        } finally {
            mutex.unlock();
        }
    }

    /** Under the mutex. */
    private void asked() {
        inHaste = clock.nanos() - freedNanos < HASTE_NANOS;
    }

    /** Whether the first here stands in the line of the processes. */
    boolean isFirstInLine() {
        mutex.lock();
        try {
            Waiter first = queue.peek();
            return first != null && first.inLine;
        } finally {
            mutex.unlock();
        }
    }

    /** Whether the first in the queue may ask in the database: under the mutex. */
    private boolean isContendable() {
        return !kind.isExclusive() || held.isEmpty();
    }

    /** Whether nobody here holds the name or asks for it. */
    boolean isFree() {
        mutex.lock();
        try {
            return isContendable() && queue.isEmpty();
        } finally {
            mutex.unlock();
        }
    }

    Turn turn(Waiter waiter) {
        mutex.lock();
        try {
            if (waiter.grant != null) {
                return Turn.GRANTED;
            }
            return isContendable() && queue.peek() == waiter ? Turn.FIRST : Turn.WAIT;
        } finally {
            mutex.unlock();
        }
    }

    /** Decides between a grant and giving up: afterwards nobody passes the lock to this waiter. */
    boolean isGrantedBeforeLeaving(Waiter waiter) {
        mutex.lock();
        try {
            waiter.gone = waiter.grant == null;
            return !waiter.gone;
        } finally {
            mutex.unlock();
        }
    }

    /** Ends a wait however it ended, and lets the next have its turn. */
    void remove(Waiter waiter) {
        mutex.lock();
        try {
            waiter.gone = waiter.grant == null;
            queue.remove(waiter);
            wakeFirst();
            endIfIdle();
        } finally {
            mutex.unlock();
        }
    }

    private void wakeFirst() {
        Waiter first = queue.peek();
        if (first != null && isContendable()) {
            first.wake.run();
        }
    }

    /** Whether a thread waits that takes over a place in the line. */
    boolean isAwaited() {
        return waiting() > 0;
    }

    /** The first that does, in words; null if there is none. */
    @Nullable
    String awaitedBy() {
        mutex.lock();
        try {
            for (Waiter waiter : queue) {
                if (!waiter.tries && !closed) {
                    return waiter.owner;
                }
            }
            return null;
        } finally {
            mutex.unlock();
        }
    }

    /** Whether another one than the first does. */
    boolean isAwaitedByOthers() {
        return waiting() > 1;
    }

    private int waiting() {
        mutex.lock();
        try {
            return closed
                    ? 0
                    : (int) queue.stream().filter(waiter -> !waiter.tries).count();
        } finally {
            mutex.unlock();
        }
    }

    /** Whom a lock would be passed to. */
    @Nullable
    Waiter firstWaiter() {
        mutex.lock();
        try {
            queue.removeIf(waiter -> waiter.gone);
            return closed ? null : queue.peek();
        } finally {
            mutex.unlock();
        }
    }

    // Grants

    /** From now on until {@link #expectNoMore} a grant is known whose transaction is under way. */
    void expect(long grant) {
        pending.add(grant);
    }

    /** It is held by now, or nobody's. */
    void expectNoMore(long grant) {
        pending.remove(grant);
    }

    /** What was granted is held from here on. */
    void hold(Grant grant, Waiter waiter, Turns turns) {
        mutex.lock();
        try {
            if (grant.session.isLost()) {
                // whoever was to forget it came too early to see it
                throw new SessionLostException(grant.session.id());
            }
            countGrant(grant.session, turns);
            held.put(grant.id, grant);
            give(grant, waiter);
        } finally {
            mutex.unlock();
        }
    }

    private void give(Grant grant, Waiter waiter) {
        if (waiter.thread != null && !kind.isReentrant()) {
            lostTokens.remove(waiter.thread); // else its outer release is still to come, and is to be told
        }
        waiter.grant = grant;
    }

    /**
     * Puts the grant that a lock was passed on with in the place of the one before, and gives it to the next waiter. If that has
     * given up it is nobody's, not even while it is released.
     *
     * @param make the grant, of a waiter or of nobody
     * @return the grant; null if nothing is held, since what was passed on was lost or the queue shut
     */
    @Nullable
    Grant hand(Grant passing, @Nullable Waiter next, Function<@Nullable Waiter, Grant> make, Turns turns) {
        mutex.lock();
        try {
            if (held.get(passing.id) != passing) {
                return null;
            }
            Waiter heir = next == null || next.gone || closed ? null : next;
            Grant grant = make.apply(heir);
            countGrant(passing.session, turns);
            held.remove(passing.id);
            if (grant.session.isLost()) {
                wakeFirst();
                return null;
            }
            held.put(grant.id, grant);
            if (heir != null) {
                give(grant, heir);
                queue.remove(heir);
                heir.wake.run();
            }
            return grant;
        } finally {
            mutex.unlock();
        }
    }

    /** From now on it is nobody's; the first in the queue may contend. */
    void forget(Grant grant) {
        mutex.lock();
        try {
            if (held.remove(grant.id, grant)) {
                freedNanos = clock.nanos();
                wakeFirst();
            }
            endIfIdle();
        } finally {
            mutex.unlock();
        }
    }

    /** Some permits are no longer held; without any the grant is forgotten. */
    void reduce(Grant grant, long units) {
        if (grant.reduce(units) <= 0) {
            forget(grant);
        }
    }

    /** What is held here and its session has not lost. */
    Stream<Grant> held() {
        return held.values().stream().filter(grant -> !grant.session.isLost());
    }

    boolean isHolder(Grant grant) {
        return held.get(grant.id) == grant && !grant.session.isLost();
    }

    boolean isHeld(Grant grant) {
        return isHolder(grant) && !grant.isOver(clock.nanos());
    }

    /** Whether it is over because its owner has given it up. */
    boolean isGivenUp(Grant grant) {
        return !grant.lost && !isHolder(grant) && !grant.session.isLost();
    }

    /** What the current thread holds with so many permits. */
    @Nullable
    Grant heldByCurrentThread(long units) {
        for (Grant grant : held.values()) {
            if (grant.isOwnedByCurrentThread()
                    && grant.units() == units
                    && !grant.releasing
                    && !grant.session.isLost()
                    && !grant.isOver(clock.nanos())) {
                return grant;
            }
        }
        return null;
    }

    /**
     * How many permits of a grant this process holds, as far as it knows: all of them while its transaction is under way. Those
     * who wait for a condition have numbers of the same kind.
     */
    long knownUnits(long grant) {
        if (awaiting.contains(grant)
                || pending.contains(grant)) { // asked first: a grant is pending before it is somebody's
            return Long.MAX_VALUE;
        }
        Grant known = held.get(grant);
        return known == null ? 0 : known.units();
    }

    // The bound on grants in a row

    /** The process that freed the lock may take it again before the one whose turn it is has come, within its bound. */
    boolean mayRetake(long token) {
        return token == lastToken && isWithinBound();
    }

    /**
     * Whether it is likely to ask for it at once, as it did the last time. Then whoever's turn it is need not be woken before the
     * bound is reached, only to find the lock taken.
     */
    boolean isInHaste() {
        return inHaste
                && kind.isExclusive()
                && inARow < MOST_IN_A_ROW
                && clock.nanos() - rowStart < LONGEST_ROW_NANOS - 2 * HASTE_NANOS;
    }

    boolean isWithinBound() {
        return inARow < MOST_IN_A_ROW && clock.nanos() - rowStart < LONGEST_ROW_NANOS;
    }

    /** A row of grants counts from when another process began to wait. */
    private void countGrant(Session session, Turns turns) {
        boolean alone = !turns.line().hasOthersThan(session.id());
        if (alone || turns.token() != lastToken + 1) {
            inARow = 0;
            rowStart = clock.nanos();
        }
        inARow++;
        lastToken = turns.token();
    }

    // Losing

    /** The session is lost: what it held may be somebody else's by now. */
    List<Grant> lose(Session session) {
        mutex.lock(); // a grant is either known by now, or finds out under the mutex that the session is lost
        try {
            List<Grant> lost = held.values().stream()
                    .filter(grant -> grant.session == session)
                    .toList();
            lost.forEach(this::lose);
            return lost;
        } finally {
            mutex.unlock();
        }
    }

    /** It was taken away; its thread will be told. */
    void lose(Grant grant) {
        if (grant.thread != null) {
            lostTokens.put(grant.thread, grant.token);
        }
        grant.lost = true;
        forget(grant);
    }

    /** The token of what this thread has lost, which perhaps nobody has noticed yet; of a lock only if it has not acquired it since. */
    @Nullable
    Long tokenLostByCurrentThread() {
        for (Grant grant : held.values()) {
            if (grant.isOwnedByCurrentThread() && grant.isOver(clock.nanos())) {
                return grant.token;
            }
        }
        return lostTokens.get(Thread.currentThread());
    }

    // Leases

    /**
     * When somebody is to look at the lease of a grant, if nobody will. Most leases are given up long before their end, so there
     * is one look for all of them.
     */
    OptionalLong nextLook(Grant grant) {
        mutex.lock();
        try {
            long due = grant.releasing
                    ? clock.nanos() + LOOK_AT_RELEASE_AGAIN_NANOS // it may be rolled back
                    : grant.leaseEndNanos;
            if (grant.leaseEndNanos == 0 || watchedUntilNanos != 0 && due - watchedUntilNanos >= 0) {
                return OptionalLong.empty();
            }
            watchedUntilNanos = due;
            return OptionalLong.of(due);
        } finally {
            mutex.unlock();
        }
    }

    /** The look that was due has begun; false if an earlier one has taken its place. */
    boolean beginLook(long due) {
        mutex.lock();
        try {
            boolean ours = due == watchedUntilNanos;
            watchedUntilNanos = ours ? 0 : watchedUntilNanos;
            return ours;
        } finally {
            mutex.unlock();
        }
    }

    /** Forgets what has outlived its lease. */
    List<Grant> loseWhatIsOver() {
        List<Grant> lost = new ArrayList<>();
        mutex.lock();
        try {
            for (Grant grant : held.values()) {
                if (isHolder(grant) && !grant.releasing && grant.isOver(clock.nanos())) {
                    lost.add(grant);
                }
            }
            lost.forEach(this::lose);
            return lost;
        } finally {
            mutex.unlock();
        }
    }

    /** A lease has another end, unless it was found lost meanwhile. */
    boolean renew(Grant grant, long endNanos) {
        mutex.lock();
        try {
            boolean held = isHolder(grant);
            grant.leaseEndNanos = held ? endNanos : grant.leaseEndNanos;
            return held;
        } finally {
            mutex.unlock();
        }
    }

    // Waiting for a condition

    /** From now on until {@link #endWait} a waiter for a condition is known. */
    void beginWait(long waiter) {
        mutex.lock();
        try {
            awaiting.add(waiter);
            usage.begin();
        } finally {
            mutex.unlock();
        }
    }

    void endWait(long waiter) {
        mutex.lock();
        try {
            awaiting.remove(waiter);
            endIfIdle();
        } finally {
            mutex.unlock();
        }
    }

    // The end

    /** Something is to be put right later; false if that is known already. */
    boolean beginSettling() {
        mutex.lock();
        try {
            boolean first = !unsettled;
            unsettled = true;
            usage.begin();
            return first;
        } finally {
            mutex.unlock();
        }
    }

    /** It is about to be put right. */
    void settling() {
        mutex.lock();
        try {
            unsettled = false;
        } finally {
            mutex.unlock();
        }
    }

    void endIfIdle() {
        mutex.lock();
        try {
            if (held.isEmpty() && queue.isEmpty() && !unsettled && awaiting.isEmpty()) {
                usage.end();
            }
        } finally {
            mutex.unlock();
        }
    }

    /** Nothing is granted here from now on; answers what is held. */
    List<Grant> shut() {
        mutex.lock(); // what is being handed on is held before or not at all
        try {
            closed = true;
            return List.copyOf(held.values());
        } finally {
            mutex.unlock();
        }
    }

    /** Whoever waits is told that there is nothing to wait for. */
    void turnAway() {
        mutex.lock();
        try {
            queue.forEach(waiter -> waiter.turnAway.run());
        } finally {
            mutex.unlock();
        }
    }
}

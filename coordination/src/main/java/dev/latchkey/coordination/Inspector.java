package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.Item;
import dev.latchkey.cache.spi.ItemStore;
import dev.latchkey.cache.spi.SessionInfo;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.StoreTransaction;
import dev.latchkey.coordination.ThrottleState.Reading;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Who holds what, who waits for it, and who is alive, in all processes that open one directory; for operators and tests, as {@code
 * jstack} is for the monitors of one process.
 *
 * <pre>{@code
 * Inspector inspector = Inspector.of(cache);
 * for (Inspector.HeldLock lock : inspector.locks()) {
 *     System.out.println(lock.name() + " is held by " + lock.holder());
 * }
 * inspector.forceRelease("report", 1763797000000042L); // the way out when its holder is stopped for ever
 * }</pre>
 *
 * <p>The same is a program that works beside live processes: {@code java -cp ... dev.latchkey.coordination.Inspector
 * DIRECTORY [--release NAME TOKEN]}.
 *
 * <p><b>Scope.</b> Everything in the directory, whatever process uses it. Each call shows one moment: of what is granted or given
 * up together, as by a {@link MultiLock}, it shows all or nothing. What a session holds is shown while its process lives; a
 * stopped process lives. A lease that is over holds nothing.
 *
 * <p><b>Blocking.</b> Asking reads and waits for nobody. {@link #forceRelease} and {@link #delete} wait for the database.
 *
 * <p><b>What is not shown.</b> Threads that wait behind another thread of their own process, in memory only; and waiters of a {@code
 * MultiLock} and of a {@link CountDownLatch}, which stand in no line.
 *
 * <p><b>Thread safety.</b> Any thread may use an object at any time.
 *
 * <p><b>Errors.</b> A closed cache: {@link dev.latchkey.cache.CacheClosedException}. A database that stays busy for 60 seconds:
 * {@link dev.latchkey.cache.CacheTimeoutException}.
 */
public final class Inspector {
    private final Cache cache;
    private final CoordinationEngine engine;
    private final StateStore states;

    private Inspector(Cache cache) {
        this.cache = cache;
        this.engine = Cohorts.engine(cache);
        this.states = engine.states();
    }

    /**
     * The inspector of a directory.
     *
     * @param cache the directory
     * @return an inspector
     * @throws IllegalArgumentException if the cache does not support coordination
     */
    public static Inspector of(Cache cache) {
        return new Inspector(cache);
    }

    /** How a lock is held. */
    public enum Mode {
        /** By one, as a {@link Lock} and an {@link RLock} are. */
        EXCLUSIVE,
        /** As the read lock of a {@link ReadWriteLock}. */
        READ,
        /** As the write lock of a {@link ReadWriteLock}. */
        WRITE
    }

    /** Where a waiter stands. */
    public enum Stage {
        /** In line. */
        WAITING,
        /** In line, and what is free is reserved for it. */
        RESERVED,
        /** In line, but it let its turn lapse and is passed over until it asks again: perhaps it is stopped. */
        LAPSED,
        /** It waits for a condition. */
        AWAITING,
        /** Its condition was signalled, and it has not got the lock yet. */
        SIGNALLED
    }

    /**
     * A lock that is held.
     *
     * @param name its name
     * @param kind {@code lock}, {@code rlock}, {@code rwlock}, or {@code leader} for the leadership of a {@link LeaderElection}
     * @param mode how it is held
     * @param holder by whom, with the token and since when
     * @param leaseEnd when it is lost if it is not released or renewed before, by the wall clock; empty without a lease
     */
    public record HeldLock(String name, String kind, Mode mode, Holder holder, Optional<Instant> leaseEnd) {}

    /**
     * A semaphore.
     *
     * @param name its name
     * @param permits how many permits it has
     * @param holders who holds some, in the order of their grants
     */
    public record Permits(String name, long permits, List<Holder> holders) {
        /**
         * How many permits nobody holds.
         *
         * @return their number, negative if the semaphore was made smaller meanwhile
         */
        public long available() {
            return permits - holders.stream().mapToLong(Holder::permits).sum();
        }
    }

    /**
     * A process that waits in line, or a thread that waits for a condition.
     *
     * @param name what it waits for
     * @param kind {@code lock}, {@code rlock}, {@code rwlock}, {@code semaphore} or {@code leader}
     * @param position 1 for the first in the line, or among those that wait for the condition
     * @param session its session
     * @param pid the process, in its own PID name space
     * @param host the host name
     * @param label what the process calls itself
     * @param thread the thread that waits for the condition, or that took the process's place in the line; another of its threads
     *     may have taken it over since
     * @param since when it began to wait, by the wall clock
     * @param permits how many permits it wants: 1 for a lock and a read lock, all for a write lock
     * @param stage where it stands
     * @param condition the condition it waits for; empty if it stands in line
     */
    public record Waiter(
            String name,
            String kind,
            int position,
            long session,
            long pid,
            String host,
            String label,
            String thread,
            Instant since,
            long permits,
            Stage stage,
            Optional<String> condition) {}

    /** How far a {@link CyclicBarrier} is. */
    public enum Phase {
        /** Not all parties have come. */
        WAITING,
        /** All have come, and the last of them runs the action. */
        ACTING,
        /** It is broken, and not reset yet. */
        BROKEN
    }

    /**
     * A {@link CyclicBarrier}.
     *
     * @param name its name
     * @param parties how many wait for each other
     * @param generation how often the barrier has been passed or reset, counted from 1
     * @param phase how far it is
     * @param waiting who has come and waits, in the order of arrival; the last of them acts, if one does
     */
    public record Parties(String name, int parties, long generation, Phase phase, List<Party> waiting) {}

    /**
     * Who waits at a {@link CyclicBarrier}.
     *
     * @param session its session
     * @param pid the process, in its own PID name space
     * @param host the host name
     * @param label what the process calls itself
     * @param thread the thread that waits
     * @param since when it came, by the wall clock
     */
    public record Party(long session, long pid, String host, String label, String thread, Instant since) {}

    /**
     * An item of a {@link WorkQueue} that a worker has claimed.
     *
     * @param queue the name of the queue
     * @param item the number of the item
     * @param attempt how often it has been claimed, this time included
     * @param token the number of the claim
     * @param session the session that claimed it
     * @param pid the process, in its own PID name space
     * @param host the host name
     * @param label what the process calls itself
     * @param thread the name of the thread that claimed it
     * @param since when it was claimed, by the wall clock
     */
    public record ClaimedItem(
            String queue,
            long item,
            long attempt,
            long token,
            long session,
            long pid,
            String host,
            String label,
            String thread,
            Instant since) {}

    /**
     * How many items a {@link WorkQueue} has.
     *
     * @param name its name
     * @param ready how many can be claimed
     * @param delayed how many cannot be claimed yet
     * @param inFlight how many are claimed
     * @param dead how many were given up
     */
    public record QueueSize(String name, long ready, long delayed, long inFlight, long dead) {}

    /**
     * A {@link Throttle}.
     *
     * @param name its name
     * @param count how many permits there are in each period
     * @param period in how much time
     * @param burst how many there can be at once
     * @param remaining how many can be had now
     * @param freeAgain when the next one can be had, by the wall clock; empty if one can be had now
     */
    public record ThrottleLevel(
            String name, long count, Duration period, long burst, long remaining, Optional<Instant> freeAgain) {}

    /**
     * The life of a process in the directory.
     *
     * @param session its number
     * @param pid the process, in its own PID name space
     * @param host the host name
     * @param label what the process calls itself
     * @param started when it was opened, by the wall clock
     * @param alive whether its process lives, which a stopped one does
     */
    public record SessionEntry(long session, long pid, String host, String label, Instant started, boolean alive) {}

    /**
     * The locks that are held: plain, reentrant, read and write locks, and the leaderships.
     *
     * @return one entry for each grant, ordered by name
     */
    public List<HeldLock> locks() {
        List<HeldLock> found = new ArrayList<>();
        View view = new View();
        for (Turns turns : view.turns()) {
            Kind kind = Kind.of(turns.row().kind());
            if (kind != Kind.SEMAPHORE) {
                view.held(turns)
                        .forEach(hold -> found.add(new HeldLock(
                                turns.row().name(),
                                kind.word(),
                                mode(kind, hold),
                                view.holder(hold, kind),
                                view.leaseEnd(hold))));
            }
        }
        return List.copyOf(found);
    }

    private static Mode mode(Kind kind, Hold hold) {
        if (kind.isExclusive()) {
            return Mode.EXCLUSIVE;
        }
        return hold.units() == 1 ? Mode.READ : Mode.WRITE;
    }

    /**
     * The semaphores, also those of which nobody holds a permit.
     *
     * @return one entry for each, ordered by name
     */
    public List<Permits> permits() {
        View view = new View();
        return view.turns().stream()
                .filter(turns -> Kind.of(turns.row().kind()) == Kind.SEMAPHORE)
                .map(turns -> new Permits(
                        turns.row().name(),
                        turns.permits(),
                        view.held(turns).stream()
                                .map(hold -> view.holder(hold, Kind.SEMAPHORE))
                                .toList()))
                .toList();
    }

    /**
     * The processes that stand in a line, and the threads that wait for a condition.
     *
     * @return one entry for each, ordered by name and position
     */
    public List<Waiter> waiters() {
        List<Waiter> found = new ArrayList<>();
        View view = new View();
        for (Turns turns : view.turns()) {
            int position = 0;
            for (Line.Place place : turns.line().places()) {
                if (view.lives(place.session())) {
                    found.add(view.waiter(
                            turns,
                            ++position,
                            place.session(),
                            place.arrival(),
                            place.units(),
                            stage(place),
                            Optional.empty()));
                }
            }
            Map<String, Integer> positions = new HashMap<>();
            for (Conditions.Entry entry : turns.conditions().entries()) {
                if (view.lives(entry.session())) {
                    Stage stage = entry.signalled() ? Stage.SIGNALLED : Stage.AWAITING;
                    int next = positions.merge(entry.condition(), 1, Integer::sum);
                    long all = turns.permits(); // conditions are of a lock, or of a writer
                    found.add(view.waiter(
                            turns, next, entry.session(), entry.arrival(), all, stage, Optional.of(entry.condition())));
                }
            }
        }
        return List.copyOf(found);
    }

    /**
     * The cyclic barriers, also those at which nobody waits.
     *
     * @return one entry for each, ordered by name
     */
    public List<Parties> barriers() {
        requireOpen();
        View view = new View(states.list(BarrierState.KIND, timeout()));
        return view.all.stream().map(view::parties).toList();
    }

    private static Stage stage(Line.Place place) {
        return switch (place.mark()) {
            case WAITING -> Stage.WAITING;
            case RESERVED -> Stage.RESERVED;
            case LAPSED -> Stage.LAPSED;
        };
    }

    /**
     * The items that workers have claimed and neither acknowledged nor given back.
     *
     * @return one entry for each, ordered by queue, oldest first
     */
    public List<ClaimedItem> claims() {
        requireOpen();
        List<Item> items = states.query(ItemStore::claimed, timeout());
        View view = new View(List.of());
        return items.stream()
                .filter(item -> view.lives(item.session()))
                .map(item -> view.claimed(item))
                .toList();
    }

    /**
     * The work queues.
     *
     * @return one entry for each, ordered by name
     */
    public List<QueueSize> queues() {
        requireOpen();
        List<State> queues = states.list(WorkQueue.KIND, timeout());
        long now = engine.clock().wallMillis();
        return states.query(
                items -> queues.stream()
                        .map(queue -> size(items, queue.name(), now))
                        .toList(),
                timeout());
    }

    private static QueueSize size(ItemStore items, String name, long now) {
        long delayed = items.countDelayed(name, now);
        return new QueueSize(
                name,
                items.count(name, Item.Status.READY) + items.count(name, Item.Status.DELAYED) - delayed,
                delayed,
                items.count(name, Item.Status.CLAIMED),
                items.count(name, Item.Status.DEAD));
    }

    /**
     * The throttles, and how much of each is left.
     *
     * @return one entry for each, ordered by name
     */
    public List<ThrottleLevel> throttles() {
        requireOpen();
        Reading now = Reading.of(engine.clock());
        return states.list(ThrottleState.KIND, timeout()).stream()
                .map(state ->
                        level(state.name(), ThrottleState.parse(state.detail()).asOf(now), now))
                .toList();
    }

    private static ThrottleLevel level(String name, ThrottleState state, Reading now) {
        ThrottleRate rate = state.rate();
        long retryAfterNanos = state.retryAfterNanos(now);
        return new ThrottleLevel(
                name,
                rate.count(),
                rate.period(),
                rate.burst(),
                state.remaining(now),
                retryAfterNanos == 0
                        ? Optional.empty()
                        : Optional.of(Instant.ofEpochMilli(now.wallMillis()).plusNanos(retryAfterNanos)));
    }

    /**
     * The sessions: one for each process that has held, waited for or claimed something, until it closes the directory or
     * has been found dead.
     *
     * @return one entry for each, oldest first
     */
    public List<SessionEntry> sessions() {
        requireOpen();
        return engine.sessions().list(timeout()).stream()
                .map(session -> new SessionEntry(
                        session.session(),
                        session.pid(),
                        session.host(),
                        session.label(),
                        Instant.ofEpochMilli(session.startedMillis()),
                        !engine.sessions().isDead(session.session())))
                .toList();
    }

    /**
     * Frees what has a token, whoever holds it: a lock, a read or write lock, permits, or a claimed item, which is given back as
     * if its last attempt had failed. The former holder learns it when it next asks, and what it writes by {@code runFenced}, or
     * in the transaction of an {@code ack}, is refused; what it does elsewhere may overlap with the next holder.
     *
     * @param name the name
     * @param token the token of the grant, as {@link #locks}, {@link #permits} and {@link #claims} show it
     * @return whether it was freed; false if nothing of this name has this token
     */
    public boolean forceRelease(String name, long token) {
        requireOpen();
        Optional<State> stored = states.find(Names.require(name), timeout());
        if (stored.isPresent() && stored.get().kind().equals(WorkQueue.KIND)) {
            return WorkQueues.of(engine).forceRelease(name, token, timeout());
        }
        return stored.flatMap(state -> Kind.find(state.kind()))
                .map(kind -> Cohorts.of(engine).cohort(kind, name).keeper.forceRelease(token, timeout()))
                .orElse(false);
    }

    /**
     * Removes what is stored of a name that nobody holds, waits for or has claimed an item of: its state, so that it can be used
     * as something else, and its items. Nothing happens if nothing is stored. Later grants of the name still get greater tokens, and
     * a throttle has all its permits again.
     *
     * @param name the name
     * @throws IllegalStateException if somebody who lives holds it, waits for it or has claimed an item of it; names who. Who waits for
     *     a {@link CountDownLatch} is not known here, and waits on for one that is as new
     */
    public void delete(String name) {
        requireOpen();
        Names.require(name);
        boolean deleted = false;
        while (!deleted) { // until it did not change between the look at who lives and the transaction
            Optional<State> state = states.find(name, timeout());
            Set<Long> users = users(state, states.query(items -> items.claimants(name), timeout()));
            View view = new View(List.of());
            for (long user : users) {
                if (view.lives(user)) {
                    throw new IllegalStateException("'" + name + "' cannot be deleted: it is used by "
                            + view.inWords(user) + "; see what Inspector shows of it");
                }
            }
            deleted = states.write(tx -> delete(tx, name, state, users), timeout());
        }
    }

    private static boolean delete(StoreTransaction tx, String name, Optional<State> looked, Set<Long> dead) {
        if (looked.isPresent()) {
            State state = tx.state(looked.get().kind(), name);
            if (!state.equals(looked.get())) {
                return false;
            }
        }
        if (!dead.containsAll(tx.items().claimants(name))) {
            return false; // before anything is written
        }
        looked.ifPresent(tx::remove);
        dead.forEach(tx::bury);
        for (Item.Status status : Item.Status.values()) {
            int unused = tx.items().removeSome(name, status, Integer.MAX_VALUE);
        }
        return true;
    }

    /** The sessions that hold it, wait for it or have claimed an item of it. */
    private Set<Long> users(Optional<State> stored, List<Long> claimants) {
        Set<Long> users = new LinkedHashSet<>();
        stored.ifPresent(state -> {
            long now = engine.clock().nanos();
            state.holds().stream().filter(hold -> !Turns.isOver(hold, now)).forEach(hold -> users.add(hold.session()));
            if (Kind.find(state.kind()).isPresent()) {
                Turns turns = Turns.of(state);
                turns.line().places().forEach(place -> users.add(place.session()));
                users.addAll(turns.conditions().sessions());
            } else if (state.kind().equals(BarrierState.KIND)) {
                BarrierState.of(state, 0).seats().forEach(seat -> users.add(seat.session()));
            }
        });
        users.addAll(claimants);
        return users;
    }

    /** One moment of all names that can be held. Who lives is asked once for each session, so that all it holds is shown or nothing. */
    private final class View {
        private final List<State> all;
        private final Map<Long, SessionInfo> sessions = new HashMap<>();
        private final Map<Long, Boolean> living = new HashMap<>();
        private final long nowNanos = engine.clock().nanos();
        private final long nowMillis = engine.clock().wallMillis();

        View() {
            this(listAll());
        }

        View(List<State> all) {
            this.all = all;
            engine.sessions().list(timeout()).forEach(session -> sessions.put(session.session(), session));
        }

        List<Turns> turns() {
            return all.stream()
                    .filter(state -> Kind.find(state.kind()).isPresent())
                    .map(Turns::of)
                    .toList();
        }

        boolean lives(long session) {
            return living.computeIfAbsent(session, missing -> !engine.sessions().isDead(session));
        }

        List<Hold> held(Turns turns) {
            return turns.holds().stream()
                    .filter(hold -> !Turns.isOver(hold, nowNanos) && lives(hold.session()))
                    .toList();
        }

        Holder holder(Hold hold, Kind kind) {
            return Holder.of(hold, session(hold.session()), kind);
        }

        /** One whose row is gone while it lives was taken for dead, or its row was deleted by hand. */
        private SessionInfo session(long session) {
            return sessions.getOrDefault(session, new SessionInfo(session, 0, "", "", 0));
        }

        Optional<Instant> leaseEnd(Hold hold) {
            long leftMillis = TimeUnit.NANOSECONDS.toMillis(hold.leaseUntilNanos() - nowNanos);
            return hold.leaseUntilNanos() == 0
                    ? Optional.empty()
                    : Optional.of(Instant.ofEpochMilli(nowMillis + leftMillis));
        }

        Waiter waiter(
                Turns turns,
                int position,
                long waiting,
                Arrival arrival,
                long permits,
                Stage stage,
                Optional<String> condition) {
            SessionInfo session = session(waiting);
            State row = turns.row();
            return new Waiter(
                    row.name(),
                    row.kind(),
                    position,
                    waiting,
                    session.pid(),
                    session.host(),
                    session.label(),
                    arrival.thread(),
                    Instant.ofEpochMilli(arrival.millis()),
                    permits,
                    stage,
                    condition);
        }

        Parties parties(State state) {
            BarrierState stored = BarrierState.of(state, 0);
            BarrierState barrier = stored.without(stored.dead(session -> !lives(session)));
            Phase phase =
                    switch (barrier.phase()) {
                        case WAITING -> Phase.WAITING;
                        case ACTING -> Phase.ACTING;
                        case BROKEN -> Phase.BROKEN;
                    };
            List<Party> waiting = barrier.pending().stream().map(this::party).toList();
            return new Parties(state.name(), barrier.parties(), barrier.generation(), phase, waiting);
        }

        private Party party(BarrierState.Seat seat) {
            SessionInfo session = session(seat.session());
            return new Party(
                    seat.session(),
                    session.pid(),
                    session.host(),
                    session.label(),
                    seat.arrival().thread(),
                    Instant.ofEpochMilli(seat.arrival().millis()));
        }

        ClaimedItem claimed(Item item) {
            SessionInfo session = session(item.session());
            return new ClaimedItem(
                    item.name(),
                    item.id(),
                    item.attempt(),
                    item.token(),
                    item.session(),
                    session.pid(),
                    session.host(),
                    session.label(),
                    item.owner(),
                    Instant.ofEpochMilli(item.sinceMillis()));
        }

        String inWords(long user) {
            SessionInfo session = session(user);
            return "pid " + session.pid() + " '" + session.label() + "' (session " + user + ")";
        }
    }

    private List<State> listAll() {
        requireOpen();
        return states.listAll(timeout());
    }

    private static Deadline timeout() {
        return Deadline.after(Duration.ofSeconds(60));
    }

    /** Also for a cache whose directory another cache object keeps open. */
    private void requireOpen() {
        Cohorts.engine(cache);
    }

    @Override
    public String toString() {
        return "Inspector[" + cache.directory() + "]";
    }

    /**
     * Prints what is held, waited for and claimed in a directory, or frees one grant. Works beside live processes. Ends with
     * status 0 when that was done, 1 if there is no such directory or nothing has the token, 2 if the arguments are wrong.
     *
     * @param args {@code DIRECTORY [--release NAME TOKEN]}
     */
    public static void main(String[] args) {
        System.exit(InspectorCommand.run(args, System.out, System.err));
    }
}

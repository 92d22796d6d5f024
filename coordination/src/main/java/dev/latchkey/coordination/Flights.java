package dev.latchkey.coordination;

import com.google.common.hash.Hashing;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StoreTransaction;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The computations of this process that are under way, one for each key: in memory for its own threads, and as rows for other
 * processes.
 *
 * <pre>
 *   (nothing) | held by the dead -> HELD(session, grant)     take off
 *   HELD(session, grant)         -> (nothing)                land: with the result, or without one
 *   HELD                         -> (nothing)                the key was invalidated: what is computed is not stored
 * </pre>
 */
final class Flights implements AutoCloseable {
    private static final String KIND = "flight";
    private static final int MOST_WAITING = 1_000;
    /** The name of the row of a longer key has its hash. */
    private static final int LONGEST = 900;
    /** A fifth of what may pass from a death to the next computation, since its first transaction may wait for the disk. */
    private static final Duration LOOK = Duration.ofMillis(10);

    /** There is nothing to share: whoever has joined tries itself. */
    static final Object NO_OUTCOME = new Object();

    /** The outcome has not come in time. */
    static final Object TOO_LATE = new Object();

    private final CoordinationEngine engine;
    private final ConcurrentMap<String, Flight> underWay = new ConcurrentHashMap<>();
    private final ExecutorService background;

    private Flights(CoordinationEngine engine) {
        this.engine = engine;
        int most = Runtime.getRuntime().availableProcessors();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                most, most, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MOST_WAITING), task -> {
                    Thread thread = new Thread(task, "latchkey-recompute");
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        this.background = pool;
    }

    static Flights of(CoordinationEngine engine) {
        return engine.attachment(Flights.class, Flights::new);
    }

    /** The outcome of a computation that some thread of this process makes, or waits for from another process. */
    static final class Flight {
        final Thread pilot = Thread.currentThread();
        final CompletableFuture<@Nullable Object> outcome = new CompletableFuture<>();
    }

    /** Joins the flight of another thread of this process, or begins one; null if one was begun. */
    @Nullable
    Flight join(String key, Flight own) {
        return underWay.putIfAbsent(key, own);
    }

    /** Whoever comes from now on begins another one. */
    void leave(String key, Flight own) {
        underWay.remove(key, own);
    }

    /** The name of the row of a key: no user would choose it for a lock. */
    private static String name(String key) {
        return "flight of "
                + (key.length() <= LONGEST
                        ? key
                        : Hashing.sha256()
                                .hashString(key, StandardCharsets.UTF_8)
                                .toString());
    }

    Watch watch(Cache cache, String key) {
        return new Watch(cache, KIND, name(key), LOOK);
    }

    /** Whether nobody who lives computes the key; to be asked before the transaction that takes off. */
    boolean isFree(State state) {
        return state.holds().isEmpty() || !dead(state).isEmpty();
    }

    /** The session that holds the flight, if it is dead. */
    Set<Long> dead(State state) {
        return state.holds().isEmpty()
                        || !engine.sessions().isDead(state.holds().get(0).session())
                ? Set.of()
                : Set.of(state.holds().get(0).session());
    }

    /** In the caller's transaction: whether it is the caller's turn to compute the key. */
    boolean takeOff(String key, Session session, long grant, Set<Long> dead) {
        Hold hold = new Hold(
                session.id(),
                grant,
                0,
                1,
                Thread.currentThread().getName(),
                engine.clock().wallMillis(),
                0);
        return engine.states()
                .update(KIND, name(key), null, from -> decide(from, hold, dead), Deadline.never())
                .result();
    }

    private static Decision<Boolean> decide(State from, Hold hold, Set<Long> dead) {
        boolean taken =
                !from.holds().isEmpty() && !dead.contains(from.holds().get(0).session());
        if (taken) {
            return Decision.keep(from, false);
        }
        State next = new State(
                from.kind(), from.name(), from.version(), from.token(), List.of(hold), from.line(), from.detail());
        return Decision.store(next, true).burying(dead).grantingTo(hold.session());
    }

    /** In the caller's transaction, if it has one: ends a flight and wakes whoever waits for it; whether it was still this one. */
    boolean land(String key, long session, long grant) {
        return engine.states()
                .write(
                        tx -> remove(tx, key, hold -> hold.session() == session && hold.grant() == grant),
                        Deadline.never());
    }

    /** Whatever is computed of the key now is not stored. */
    void cancel(String key) {
        Flight flight = underWay.get(key);
        boolean unused = engine.states().write(tx -> remove(tx, key, hold -> true), Deadline.never());
        if (flight != null) {
            engine.states().afterCommit(() -> leave(key, flight));
        }
    }

    private static boolean remove(StoreTransaction tx, String key, java.util.function.Predicate<Hold> which) {
        State state = tx.state(KIND, name(key));
        boolean found = state.exists() && state.holds().stream().anyMatch(which);
        if (found) {
            tx.remove(state);
            tx.ring(name(key));
        }
        return found;
    }

    /** Runs something on one of a few threads; false if too much waits there already. */
    boolean inBackground(Runnable task) {
        try {
            background.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** What is under way ends with the session; whoever waits for it here is told, and whoever waits elsewhere finds that dead. */
    @Override
    public void close() {
        background.shutdownNow();
        CacheClosedException closed = new CacheClosedException(
                "the cache in " + engine.directory() + " was closed while a result was waited for");
        underWay.values().forEach(flight -> flight.outcome.completeExceptionally(closed));
        Deadline deadline = Deadline.after(Duration.ofSeconds(1));
        try {
            long session = engine.sessions().self(deadline).id();
            for (String key : underWay.keySet()) {
                boolean unused =
                        engine.states().write(tx -> remove(tx, key, hold -> hold.session() == session), deadline);
            }
        } catch (CacheException e) {
            // busy, full or removed: the session ends now, and whoever asks next finds it dead
        }
    }
}

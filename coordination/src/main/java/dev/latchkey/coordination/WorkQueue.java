package dev.latchkey.coordination;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.StoredValue;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Item;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.StoreTransaction;
import dev.latchkey.cache.spi.WrongKindException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Work that survives its worker: items that processes put into a directory and claim one by one; an item stays until the
 * claimer acknowledges it.
 *
 * <pre>{@code
 * WorkQueue<String> queue = new WorkQueue<>(cache, "pages", String.class);
 * queue.put("https://example.org/");
 *
 * try (Claim<String> claim = queue.claim(Duration.ofSeconds(1)).orElse(null)) {
 *     if (claim != null) {
 *         fetch(claim.value());
 *         claim.ack(); // without it, close gives the item back
 *     }
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> All objects of one name on one directory are one queue. A claim belongs to the process; any thread may
 * acknowledge it.
 *
 * <p><b>Blocking.</b> {@code put} and {@code ack} wait for the database only. {@link #claim} waits for an item without
 * writing, is woken by a {@code put} of any process, and throws {@link InterruptedException} within 50 milliseconds of an
 * interrupt. Items are claimed in the order they were put; one that is given back keeps its place.
 *
 * <p><b>Crashes.</b> An item whose claimer died is claimed by the next who asks, within 50 milliseconds, without any
 * visibility time-out; a stopped process is not dead and keeps its claims. Each claim counts as an attempt. An item whose last
 * attempt failed, because its claimer died or gave it back, goes to the dead letters, see {@link #deadLetters}. So every item
 * is acknowledged once or still there; its work may be done more than once, by one claimer after the other.
 *
 * <p><b>Transactions.</b> Inside {@code cache.transact} all calls join the transaction: the results of the work and its
 * {@code ack} can be one. A {@code claim} that would have to wait there is an {@link IllegalStateException}.
 *
 * <p><b>Errors.</b> Null: {@link NullPointerException}. A name of another kind: {@link NameInUseException}. A claim that was
 * lost: {@link ClaimLostException}. A stored item that is not an {@code E}: {@link CodecException}, and the item counts the
 * attempt. A closed cache: {@link dev.latchkey.cache.CacheClosedException}.
 *
 * <p><b>Source.</b> The author of python-diskcache sketched such a queue in its issue 64; acknowledgement, attempts and dead
 * letters are as in Amazon SQS, without its time-out.
 *
 * @param <E> the type of the items
 */
public final class WorkQueue<E> {
    static final String KIND = "queue";
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final Duration GIVE_BACK_PATIENCE = Duration.ofSeconds(1);
    /** One attempt rides over the commits of others, not over a long transaction. */
    private static final Duration ONE_ATTEMPT = Duration.ofMillis(10);

    private static final long PROBE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final Cache cache;
    private final String name;
    private final TypeToken<E> type;
    private final CoordinationEngine engine;
    private final StateStore states;
    private final WorkQueues queues;
    private final @Nullable Integer wantedAttempts;
    private volatile int maxAttempts;
    private volatile boolean registered;
    private volatile long lastProbe;

    /**
     * The queue of a name, with the number of attempts it was created with, or 10.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param type the type of the items
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public WorkQueue(Cache cache, String name, Class<E> type) {
        this(cache, name, TypeToken.of(type), null);
    }

    /**
     * The queue of a name, with items of a generic type.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param type the type of the items
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public WorkQueue(Cache cache, String name, TypeToken<E> type) {
        this(cache, name, type, null);
    }

    private WorkQueue(Cache cache, String name, TypeToken<E> type, @Nullable Integer wantedAttempts) {
        this.cache = cache;
        this.name = Names.require(name);
        this.type = Objects.requireNonNull(type, "type");
        this.engine = Cohorts.engine(cache);
        this.states = engine.states();
        this.queues = WorkQueues.of(engine);
        this.wantedAttempts = wantedAttempts;
    }

    /**
     * The queue of a name with a limit of attempts. Whoever comes first stores it; another limit later is refused by the first
     * call.
     *
     * @param <E> the type of the items
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param type the type of the items
     * @param maxAttempts how often an item is claimed before it goes to the dead letters, at least 1
     * @return the queue
     * @throws IllegalArgumentException if the limit is below 1
     */
    public static <E> WorkQueue<E> withMaxAttempts(Cache cache, String name, Class<E> type, int maxAttempts) {
        if (maxAttempts < 1) {
            throw new IllegalArgumentException("maxAttempts must be >= 1, was " + maxAttempts);
        }
        return new WorkQueue<>(cache, name, TypeToken.of(type), maxAttempts);
    }

    /**
     * An item that was given up.
     *
     * @param <E> the type of the item
     * @param value the item
     * @param attempts how often it was claimed
     * @param reason what was said when it was last given back
     */
    public record DeadLetter<E>(E value, int attempts, String reason) {}

    /**
     * Adds an item at the end.
     *
     * @param item the item
     * @throws CodecException if it cannot be stored
     * @throws dev.latchkey.cache.CacheFullException if the disk is full; nothing is added
     */
    public void put(E item) {
        engine.requireSpace();
        StoredValue stored = engine.codec().encode(item);
        inQueue(() -> states.write(
                tx -> {
                    long id = tx.items().add(WorkItems.fresh(name, stored.column()));
                    tx.ring(name);
                    return id;
                },
                timeout()));
    }

    /**
     * Claims the first item that is ready, waiting for one if there is none.
     *
     * @param wait how long to wait; zero or negative means one attempt
     * @return the claim, or empty if nothing became ready
     * @throws InterruptedException if the thread is or was interrupted while it had to wait; nothing is claimed then
     * @throws IllegalStateException if it would have to wait inside a transaction
     */
    public Optional<Claim<E>> claim(Duration wait) throws InterruptedException {
        Deadline deadline = Deadline.after(wait).interruptibly();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        while (true) {
            int seen = engine.signal().seen(name);
            Optional<Item> item = claimUnlessBusy(deadline);
            if (item.isPresent()) {
                return item.map(this::toClaim);
            }
            if (deadline.hasPassed()) {
                return Optional.empty();
            }
            if (states.inTransaction()) {
                throw new IllegalStateException(
                        "queue '" + name + "' has no item that is ready, and waiting for one inside a"
                                + " transaction would keep everybody else from putting it");
            }
            engine.signal().await(name, seen, Math.min(deadline.remainingNanos(), POLL_NANOS));
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    /** A busy database is no reason to wait longer than asked. */
    private Optional<Item> claimUnlessBusy(Deadline deadline) {
        try {
            return inQueue(() -> claimNow(deadline.atLeast(ONE_ATTEMPT)));
        } catch (CacheTimeoutException e) {
            return Optional.empty(); // the deadline is over, or an interrupt ended the wait for the database
        }
    }

    private Claim<E> toClaim(Item item) {
        try {
            E value = engine.codec().decode(StoredValue.raw(item.value()), type);
            return new Claim<>(this, item, Objects.requireNonNull(value, "item"));
        } catch (RuntimeException | Error e) {
            giveBack(item, "unreadable: " + e.getMessage());
            throw e;
        }
    }

    /** One attempt: looks first, so that a waiting claimer writes nothing. */
    private Optional<Item> claimNow(Deadline deadline) {
        while (true) {
            Set<Long> dead = deadClaimants(deadline);
            long now = engine.clock().wallMillis();
            boolean ready = !dead.isEmpty()
                    || states.query(items -> items.firstReady(name, now), deadline)
                            .isPresent();
            if (!ready) {
                return Optional.empty();
            }
            Session session = engine.sessions().self(deadline);
            queues.claiming(name);
            long token = session.nextGrant();
            try {
                Optional<Item> item = states.write(tx -> claim(tx, session, token, dead, now), deadline);
                if (item.isPresent()) {
                    engine.requireInPlace();
                }
                return item;
            } catch (SessionLostException e) {
                engine.requireOpen(); // the next attempt is made by a new session
            }
        }
    }

    private Optional<Item> claim(StoreTransaction tx, Session session, long token, Set<Long> dead, long now) {
        for (long claimant : dead) {
            tx.bury(claimant);
            String reason = "its claimer died";
            tx.items().claimedBy(name, claimant).forEach(item -> tx.items()
                    .put(WorkItems.givenBack(item, maxAttempts, reason)));
        }
        Optional<Item> item =
                tx.items().firstReady(name, now).map(ready -> WorkItems.claimed(ready, session.id(), token));
        if (item.isPresent()) {
            tx.requireAlive(session.id());
            tx.items().put(item.get());
        }
        return item;
    }

    /** Who has claimed items and died; asked at most every 10 ms, so that a backlog is not slowed down by it. */
    private Set<Long> deadClaimants(Deadline deadline) {
        long now = engine.clock().nanos();
        if (lastProbe != 0 && now - lastProbe < PROBE_NANOS) {
            return Set.of();
        }
        lastProbe = now;
        List<Long> claimants = states.query(items -> items.claimants(name), deadline);
        return claimants.stream()
                .filter(engine.sessions()::isDead)
                .collect(java.util.stream.Collectors.toUnmodifiableSet());
    }

    void ack(Item claimed) {
        inQueue(() -> states.write(
                tx -> {
                    requireClaimed(tx, claimed);
                    tx.items().remove(claimed.id());
                    return true;
                },
                timeout()));
    }

    void nack(Item claimed, String reason) {
        inQueue(() -> nack(claimed, reason, timeout()));
    }

    private boolean nack(Item claimed, String reason, Deadline deadline) {
        return states.write(
                tx -> {
                    Item stored = requireClaimed(tx, claimed);
                    tx.items().put(WorkItems.givenBack(stored, maxAttempts, reason));
                    tx.ring(name);
                    return true;
                },
                deadline);
    }

    /** Final for its caller: what the database refuses now is repeated until it is written. */
    void giveBack(Item claimed, String reason) {
        try {
            nack(claimed, reason, Deadline.after(GIVE_BACK_PATIENCE));
        } catch (ClaimLostException | CacheClosedException | CacheReplacedException e) {
            // somebody else's by now, or gone with the engine
        } catch (CacheException e) {
            engine.schedule(() -> giveBack(claimed, reason), Duration.ofMillis(50));
        }
    }

    /** After the caller's transaction has committed; at once without one. */
    void afterCommit(Runnable action) {
        states.afterCommit(action);
    }

    /** After the caller's transaction was rolled back. */
    void afterRollback(Runnable action) {
        states.afterRollback(action);
    }

    private Item requireClaimed(StoreTransaction tx, Item claimed) {
        return tx.items()
                .get(claimed.id())
                .filter(stored -> WorkItems.isSameClaim(stored, claimed))
                .orElseThrow(() -> new ClaimLostException(name, claimed.id()));
    }

    /**
     * How many items are ready to be claimed.
     *
     * @return their number
     */
    public long size() {
        long now = engine.clock().wallMillis();
        return ask(() ->
                states.query(items -> items.count(name, Item.Status.READY) - items.countDelayed(name, now), timeout()));
    }

    /**
     * How many items are claimed and neither acknowledged nor given back.
     *
     * @return their number
     */
    public long inFlight() {
        return ask(() -> states.query(items -> items.count(name, Item.Status.CLAIMED), timeout()));
    }

    /**
     * The items whose last attempt failed, oldest first.
     *
     * @return a snapshot
     */
    public List<DeadLetter<E>> deadLetters() {
        return ask(() -> states.query(items -> items.list(name, Item.Status.DEAD), timeout())).stream()
                .map(this::toDeadLetter)
                .toList();
    }

    private DeadLetter<E> toDeadLetter(Item item) {
        E value = engine.codec().decode(StoredValue.raw(item.value()), type);
        return new DeadLetter<>(
                Objects.requireNonNull(value, "item"),
                Math.toIntExact(item.attempt()),
                Objects.requireNonNullElse(item.reason(), ""));
    }

    private Deadline timeout() {
        return Deadline.after(Duration.ofSeconds(60));
    }

    private <R> R ask(Supplier<R> call) {
        Cohorts.engine(cache); // open?
        try {
            states.read(KIND, name, timeout()); // a queue?
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
        return call.get();
    }

    /** Makes sure, once, that the name is a queue and how many attempts its items have. */
    private <R> R inQueue(Supplier<R> call) {
        Cohorts.engine(cache); // open?
        if (!registered) {
            try {
                maxAttempts = queues.register(name, wantedAttempts, timeout());
                afterCommit(() -> registered = true);
            } catch (WrongKindException e) {
                throw new NameInUseException(e);
            }
        }
        return call.get();
    }

    String name() {
        return name;
    }

    @Override
    public String toString() {
        return "WorkQueue[" + name + " in " + cache.directory() + "]";
    }
}

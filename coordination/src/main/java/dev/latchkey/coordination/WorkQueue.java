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
import dev.latchkey.cache.spi.ItemStore;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.StoreTransaction;
import dev.latchkey.cache.spi.WrongKindException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Work that survives its worker: items that processes put into a directory and claim one by one; an item stays until the
 * claimer acknowledges it.
 *
 * <pre>{@code
 * WorkQueue<String> queue = new WorkQueue<>(cache, "pages", String.class);
 * queue.put("https://example.org/");
 * queue.put("https://example.org/news", PutOptions.none().priority(5).delay(Duration.ofMinutes(1)));
 *
 * try (Claim<String> claim = queue.claim(Duration.ofSeconds(1)).orElse(null)) {
 *     if (claim != null) {
 *         fetch(claim.value());
 *         claim.ack(); // without it, close gives the item back
 *     }
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> All objects of one name on one directory are one queue, in this process and in every other; objects are cheap.
 * A claim belongs to the process, and any thread may end it.
 *
 * <p><b>Order.</b> Of the items that are ready, the one of the highest {@linkplain PutOptions#priority priority} is claimed first,
 * and of those the one that was put first. An item that is given back or redelivered, or whose {@linkplain PutOptions#delay
 * delay} is over, stands where it always stood. Which of several waiting claimers gets an item is not defined.
 *
 * <p><b>The same item twice.</b> Of the items with one {@linkplain PutOptions#dedupKey key} the queue has at most one that waits or
 * is claimed: {@link #put(Object, PutOptions) put} says whether it added the item, and changes nothing if it did not. Once the item is
 * acknowledged or a dead letter the key is free: it says that the work is still to be done, not that it was ever asked for.
 *
 * <p><b>Blocking.</b> {@link #claim} and {@link #claimBatch} wait for an item without writing, are woken by a {@code put} of any
 * process within about a millisecond, and throw {@link InterruptedException} within 50 milliseconds of an interrupt; while the
 * database is busy they end at their deadline. All other calls wait for the database only, at most 60 seconds.
 *
 * <p><b>Crashes.</b> What a process has claimed and not acknowledged when it dies is claimed again by whoever waits or asks next,
 * within 50 milliseconds and without any visibility time-out; a stopped process is not dead and keeps its claims, until {@link
 * Inspector#forceRelease} takes them back. Each claim counts as an attempt, unless it was rolled back. An item that is given back by
 * its last attempt, or whose claimer died in it, goes to the dead letters, see {@link #deadLetters}. So every item is acknowledged
 * once or still there; its work may be done more than once, by one claimer after the other.
 *
 * <p><b>Transactions.</b> Inside {@code cache.transact} all calls join the transaction: the results of the work, its {@code ack} and
 * the puts of what is to be done next can be one. A {@code claim} that would have to wait there is an {@link
 * IllegalStateException}.
 *
 * <p><b>Threads and durability.</b> Any thread may use an object at any time. What was committed survives the death of every process;
 * a power loss may undo the last calls before it, as a whole. Actions before a {@code put} happen-before those after the claim of
 * its item.
 *
 * <p><b>Units and bounds.</b> Delays count on the wall clock, in milliseconds, and end within 50 of them; if the clock is turned
 * back they last longer. Counting ({@link #size} and the like) takes time in proportion to the number, all else does not. A value
 * stands in the database whatever its size, and is rewritten with each claim: put what is larger than some megabytes into the
 * cache, and its key into the queue.
 *
 * <p><b>Errors.</b> Null: {@link NullPointerException}. A name of another kind: {@link NameInUseException}. A claim that was
 * lost: {@link ClaimLostException}. A stored item that is not an {@code E}: {@link CodecException}, and the item counts the
 * attempt. A full disk: {@link dev.latchkey.cache.CacheFullException} from {@code put}, and nothing is added. A database that stays
 * busy for 60 seconds: {@link CacheTimeoutException}. A closed cache: {@link CacheClosedException}.
 *
 * <p><b>Source.</b> The author of python-diskcache sketched such a queue in its issue 64; acknowledgement, attempts and dead
 * letters are as in Amazon SQS, without its time-out; unlike there a key is free again when its item is done.
 *
 * @param <E> the type of the items
 */
public final class WorkQueue<E> {
    static final String KIND = "queue";
    private static final Duration GIVE_BACK_PATIENCE = Duration.ofSeconds(1);
    /** One attempt rides over the commits of others, not over a long transaction. */
    private static final Duration ONE_ATTEMPT = Duration.ofMillis(10);

    /** Of what may be much, so many items are changed in one transaction. */
    private static final int STEP = 500;

    private static final Comparator<Item> GIVEN_UP_FIRST =
            Comparator.comparingLong(Item::sinceMillis).thenComparingLong(Item::id);

    private final Cache cache;
    private final String name;
    private final TypeToken<E> type;
    private final CoordinationEngine engine;
    private final StateStore states;
    private final WorkQueues queues;
    private final Claimers claimers;
    private final @Nullable Integer wantedAttempts;
    private volatile boolean registered;

    /**
     * The queue of a name, with the number of attempts it was created with, or 10.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param type the type of the items
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public WorkQueue(Cache cache, String name, Class<E> type) {
        this(cache, name, TypeToken.of(type));
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
        this(cache, Cohorts.engine(cache), name, type, null);
    }

    WorkQueue(
            Cache cache, CoordinationEngine engine, String name, TypeToken<E> type, @Nullable Integer wantedAttempts) {
        this.cache = cache;
        this.name = Names.require(name);
        this.type = Objects.requireNonNull(type, "type");
        this.engine = engine;
        this.states = engine.states();
        this.queues = WorkQueues.of(engine);
        this.claimers = queues.claimers(name);
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
        return withMaxAttempts(cache, name, TypeToken.of(type), maxAttempts);
    }

    /**
     * The queue of a name with a limit of attempts, and items of a generic type.
     *
     * @param <E> the type of the items
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @param type the type of the items
     * @param maxAttempts how often an item is claimed before it goes to the dead letters, at least 1
     * @return the queue
     * @throws IllegalArgumentException if the limit is below 1
     */
    public static <E> WorkQueue<E> withMaxAttempts(Cache cache, String name, TypeToken<E> type, int maxAttempts) {
        return new WorkQueue<>(cache, Cohorts.engine(cache), name, type, requireAttempts(maxAttempts));
    }

    private static int requireAttempts(int maxAttempts) {
        if (maxAttempts < 1) {
            throw new IllegalArgumentException("maxAttempts must be >= 1, was " + maxAttempts);
        }
        return maxAttempts;
    }

    // Putting

    /**
     * Adds an item at the end of those of priority 0.
     *
     * @param item the item
     * @throws CodecException if it cannot be stored
     * @throws dev.latchkey.cache.CacheFullException if the disk is full; nothing is added
     */
    public void put(E item) {
        boolean unused = put(item, PutOptions.none());
    }

    /**
     * Adds an item with a priority, a delay or a key.
     *
     * @param item the item
     * @param options where and when it is claimed, and what it is the same as
     * @return whether it was added; false if an item with its key waits or is claimed, which nothing was changed about
     * @throws CodecException if it cannot be stored
     * @throws dev.latchkey.cache.CacheFullException if the disk is full; nothing is added
     */
    public boolean put(E item, PutOptions options) {
        Objects.requireNonNull(item, "item");
        Objects.requireNonNull(options, "options");
        engine.requireSpace();
        StoredValue stored = engine.codec().encode(item);
        Item fresh = WorkItems.fresh(name, options, stored.column(), now());
        return write((tx, maxAttempts) -> {
            boolean added = tx.items().add(fresh) >= 0;
            if (added) {
                tx.ring(name);
            }
            return added;
        });
    }

    // Claiming

    /**
     * Claims the first item that is ready, waiting for one if there is none.
     *
     * @param wait how long to wait; zero or negative means one attempt
     * @return the claim, or empty if nothing became ready
     * @throws InterruptedException if the thread is or was interrupted while it had to wait; nothing is claimed then
     * @throws IllegalStateException if it would have to wait inside a transaction
     * @throws CodecException if the item is not an {@code E}; it was given back and counts the attempt
     */
    public Optional<Claim<E>> claim(Duration wait) throws InterruptedException {
        return claimBatch(1, wait).stream().findFirst();
    }

    /**
     * Claims the first items that are ready, waiting if there is none. They are claimed in one transaction, and each is acknowledged or
     * given back by itself.
     *
     * @param max how many at most, at least 1
     * @param wait how long to wait for the first; zero or negative means one attempt
     * @return the claims in the order of the items, or an empty list if nothing became ready
     * @throws IllegalArgumentException if {@code max} is below 1
     * @throws InterruptedException if the thread is or was interrupted while it had to wait; nothing is claimed then
     * @throws IllegalStateException if it would have to wait inside a transaction
     * @throws CodecException if none of the items is an {@code E}; each that is not was given back and counts the attempt
     */
    public List<Claim<E>> claimBatch(int max, Duration wait) throws InterruptedException {
        if (max < 1) {
            throw new IllegalArgumentException("max must be >= 1, was " + max);
        }
        Deadline deadline = Deadline.after(wait).interruptibly();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        List<Item> items = claimUnlessBusy(max, deadline).items;
        if (items.isEmpty() && !deadline.hasPassed()) {
            items = awaitTurn(max, deadline);
        }
        return toClaims(items);
    }

    private List<Item> awaitTurn(int max, Deadline deadline) throws InterruptedException {
        if (states.inTransaction()) {
            throw new IllegalStateException(
                    "queue '" + name + "' has no item that is ready, and waiting for one inside a"
                            + " transaction would keep everybody else from putting it");
        }
        if (!claimers.turn.tryLock(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
            return List.of();
        }
        try {
            return await(max, deadline);
        } finally {
            claimers.turn.unlock();
        }
    }

    private List<Item> await(int max, Deadline deadline) throws InterruptedException {
        while (true) {
            int seen = engine.signal().seen(name);
            Attempt attempt = claimUnlessBusy(max, deadline);
            if (!attempt.items.isEmpty() || deadline.hasPassed()) {
                return attempt.items;
            }
            claimers.sleep(seen, Math.min(deadline.remainingNanos(), untilDue(attempt.look)), attempt.look.others);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    private long untilDue(Look look) {
        return TimeUnit.MILLISECONDS.toNanos(Math.max(1, look.dueMillis - now()));
    }

    /** What a claimer finds: whether an item is ready, when the next one will be, and who else has claims. */
    private record Look(boolean ready, long dueMillis, List<Long> others) {
        /** There was no time to look. */
        static final Look NOTHING = new Look(false, Long.MAX_VALUE, List.of());
    }

    /** What was claimed, and if that is nothing, what was seen. */
    private record Attempt(List<Item> items, Look look) {}

    /** A busy database is no reason to wait longer than asked. */
    private Attempt claimUnlessBusy(int max, Deadline deadline) {
        Deadline atLeast = deadline.atLeast(ONE_ATTEMPT);
        try {
            requireQueue(atLeast);
            return claimNow(max, atLeast);
        } catch (CacheTimeoutException e) {
            return new Attempt(List.of(), Look.NOTHING); // the deadline is over, or an interrupt ended the wait
        }
    }

    /** One attempt: looks first, so that a waiting claimer writes nothing; unless there was an item just now. */
    private Attempt claimNow(int max, Deadline deadline) {
        while (true) {
            boolean probe = claimers.isProbeDue();
            boolean looks = probe || !claimers.isLikely();
            Look look = looks ? look(deadline) : Look.NOTHING;
            Set<Long> dead = probe ? claimers.dead(look.others) : Set.of();
            if (looks && !look.ready && dead.isEmpty()) {
                claimers.found(false);
                return new Attempt(List.of(), look);
            }
            try {
                Taken taken = take(max, dead, deadline);
                claimers.found(!taken.items.isEmpty());
                if (!taken.items.isEmpty() || looks && !taken.again) {
                    return new Attempt(taken.items, look);
                }
            } catch (SessionLostException e) {
                engine.requireOpen(); // the next attempt is made by a new session
            }
        }
    }

    private Look look(Deadline deadline) {
        ItemStore.Outlook outlook = states.ask(items -> items.outlook(name), deadline);
        List<Long> others = outlook.claimants().stream()
                .filter(claimant -> !queues.isOwn(claimant))
                .toList();
        return new Look(outlook.ready() || outlook.nextDueMillis() <= now(), outlook.nextDueMillis(), others);
    }

    /** What a transaction has claimed; if nothing, whether the next should try again. */
    private record Taken(List<Item> items, boolean again) {}

    private Taken take(int max, Set<Long> dead, Deadline deadline) {
        Session session = engine.sessions().self(deadline);
        queues.claiming(session);
        String owner = Thread.currentThread().getName();
        Queue<Item> claimed = new ConcurrentLinkedQueue<>();
        try {
            Taken taken = write(
                    (tx, maxAttempts) -> {
                        int back = takeBack(tx, maxAttempts, dead);
                        if (tx.items().makeReady(name, now(), STEP) == STEP) {
                            return new Taken(List.of(), true); // in order only when all that are due have come
                        }
                        List<Item> items = take(tx, max, session, owner);
                        claimed.addAll(items);
                        if (back > items.size()) {
                            tx.ring(name);
                        }
                        return new Taken(items, false);
                    },
                    deadline);
            if (!taken.items.isEmpty()) {
                engine.requireInPlace();
            }
            return taken;
        } catch (CacheException e) {
            claimed.forEach(item -> engine.schedule(() -> giveBack(item, "claimed in vain: " + e), Duration.ZERO));
            throw e; // it may have been committed all the same, and nobody else knows of these claims
        }
    }

    private int takeBack(StoreTransaction tx, int maxAttempts, Set<Long> dead) {
        int count = 0;
        for (long claimant : dead) {
            tx.bury(claimant);
            for (Item item : tx.items().claimedBy(name, claimant)) {
                Item back = WorkItems.givenBack(item, maxAttempts, Duration.ZERO, "its claimer died", now());
                tx.items().replace(item, back);
                count++;
            }
        }
        return count;
    }

    private List<Item> take(StoreTransaction tx, int max, Session session, String owner) {
        List<Item> taken = new ArrayList<>();
        for (Item ready : tx.items().ready(name, max)) {
            Item claimed = WorkItems.claimed(ready, session.id(), queues.nextToken(), owner, now());
            tx.items().replace(ready, claimed);
            taken.add(claimed);
        }
        if (!taken.isEmpty()) {
            tx.requireAlive(session.id());
        }
        return taken;
    }

    /** One that cannot be read is given back and does not keep the others from being worked on. */
    private List<Claim<E>> toClaims(List<Item> items) {
        List<Claim<E>> claims = new ArrayList<>();
        CodecException unreadable = null;
        for (Item item : items) {
            try {
                claims.add(new Claim<>(this, item, decode(item)));
            } catch (CodecException e) {
                giveBack(item, "unreadable: " + e.getMessage());
                unreadable = e;
            }
        }
        if (unreadable != null && claims.isEmpty()) {
            throw unreadable;
        }
        return List.copyOf(claims);
    }

    private E decode(Item item) {
        return Objects.requireNonNull(engine.codec().decode(StoredValue.raw(item.value()), type), "item");
    }

    // What becomes of a claim

    void ack(Item claimed) {
        requireOpen();
        end(tx -> tx.items().remove(claimed), claimed, timeout());
    }

    void nack(Item claimed, Duration delay, String reason) {
        requireOpen();
        nack(claimed, delay, reason, timeout());
    }

    private void nack(Item claimed, Duration delay, String reason, Deadline deadline) {
        end(
                tx -> {
                    int maxAttempts = WorkQueues.maxAttempts(tx, name, wantedAttempts);
                    tx.ring(name);
                    return tx.items().replace(claimed, WorkItems.givenBack(claimed, maxAttempts, delay, reason, now()));
                },
                claimed,
                deadline);
    }

    void giveUp(Item claimed, String reason) {
        requireOpen();
        end(tx -> tx.items().replace(claimed, WorkItems.dead(claimed, reason, now())), claimed, timeout());
    }

    private void end(Predicate<StoreTransaction> ending, Item claimed, Deadline deadline) {
        boolean unused = states.write(
                tx -> {
                    if (!ending.test(tx)) {
                        throw new ClaimLostException(name, claimed.id());
                    }
                    return true;
                },
                deadline);
    }

    /** Final for its caller: what the database refuses now is repeated until it is written. */
    void giveBack(Item claimed, String reason) {
        try {
            nack(claimed, Duration.ZERO, reason, Deadline.after(GIVE_BACK_PATIENCE));
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

    // Counting

    /**
     * How many items are ready to be claimed.
     *
     * @return their number
     */
    public long size() {
        long now = now();
        return query(items -> items.count(name, Item.Status.READY)
                + items.count(name, Item.Status.DELAYED)
                - items.countDelayed(name, now));
    }

    /**
     * How many items wait until their delay is over.
     *
     * @return their number
     */
    public long delayed() {
        long now = now();
        return query(items -> items.countDelayed(name, now));
    }

    /**
     * How many items are claimed and neither acknowledged nor given back.
     *
     * @return their number
     */
    public long inFlight() {
        return query(items -> items.count(name, Item.Status.CLAIMED));
    }

    /**
     * Removes all items that wait, delayed ones too. What is claimed stays with its claimers, and dead letters stay. What is put
     * meanwhile may be removed or not.
     *
     * @return how many were removed
     */
    public long clear() {
        return removeAll(Item.Status.READY) + removeAll(Item.Status.DELAYED);
    }

    private long removeAll(Item.Status status) {
        long count = 0;
        int step = STEP;
        while (step == STEP) {
            step = write((tx, maxAttempts) -> tx.items().removeSome(name, status, STEP));
            count += step;
        }
        return count;
    }

    // Attempts and dead letters

    /**
     * How often an item is claimed before it goes to the dead letters.
     *
     * @return the stored number
     */
    public int maxAttempts() {
        requireQueue(timeout());
        return WorkQueues.maxAttempts(states.read(KIND, name, timeout()));
    }

    /**
     * Stores another limit of attempts, for this queue in all processes. Items that have had as many go to the dead letters when their
     * next claim fails.
     *
     * @param maxAttempts at least 1
     * @throws IllegalArgumentException if it is below 1
     */
    public void alterMaxAttempts(int maxAttempts) {
        int wanted = requireAttempts(maxAttempts);
        requireOpen();
        try {
            State unused = states.write(tx -> WorkQueues.store(tx, tx.state(KIND, name), wanted), timeout());
            afterCommit(() -> registered = true);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    /**
     * The items that were given up: those whose last attempt failed, and those that a claimer {@linkplain Claim#deadLetter gave up}.
     *
     * @return a snapshot, in the order in which they were given up
     */
    public List<DeadLetter<E>> deadLetters() {
        return query(items -> items.dead(name, 0, Integer.MAX_VALUE)).stream()
                .sorted(GIVEN_UP_FIRST)
                .map(item -> new DeadLetter<>(item, this::decode))
                .toList();
    }

    /**
     * Makes all dead letters ready again, in their old places and with as many attempts as a fresh item has. One stays if another
     * item with its key waits or is claimed.
     *
     * @return how many were made ready
     */
    public long redrive() {
        long count = 0;
        Redriven step = new Redriven(0, 0, true);
        while (step.more) {
            long behind = step.last;
            step = write((tx, maxAttempts) -> redriveSome(tx, behind));
            count += step.count;
        }
        return count;
    }

    /** How many dead letters were made ready, up to which, and whether there may be more behind it. */
    private record Redriven(long count, long last, boolean more) {}

    private Redriven redriveSome(StoreTransaction tx, long behind) {
        List<Item> dead = tx.items().dead(name, behind, STEP);
        long last = dead.isEmpty() ? behind : dead.get(dead.size() - 1).id();
        return new Redriven(redrive(tx, dead), last, dead.size() == STEP);
    }

    private long redrive(StoreTransaction tx, List<Item> dead) {
        tx.ring(name);
        return dead.stream()
                .filter(item -> tx.items().replace(item, WorkItems.redriven(item)))
                .count();
    }

    /**
     * Makes some dead letters ready again, in their old places and with as many attempts as a fresh item has; all in one transaction.
     * One stays if another item with its key waits or is claimed.
     *
     * @param letters what {@link #deadLetters} of this queue has shown
     * @return how many were made ready; the others were dead letters no more, or their key is in use
     * @throws IllegalArgumentException if one is of another queue
     */
    public long redrive(Collection<DeadLetter<E>> letters) {
        List<Item> items = items(letters);
        return write((tx, maxAttempts) -> redrive(tx, items));
    }

    /**
     * Removes all dead letters for good.
     *
     * @return how many were removed
     */
    public long deleteDeadLetters() {
        return removeAll(Item.Status.DEAD);
    }

    /**
     * Removes some dead letters for good, all in one transaction.
     *
     * @param letters what {@link #deadLetters} of this queue has shown
     * @return how many were removed; the others were dead letters no more
     * @throws IllegalArgumentException if one is of another queue
     */
    public long deleteDeadLetters(Collection<DeadLetter<E>> letters) {
        List<Item> items = items(letters);
        return write((tx, maxAttempts) ->
                items.stream().filter(item -> tx.items().remove(item)).count());
    }

    private List<Item> items(Collection<DeadLetter<E>> letters) {
        List<Item> items = letters.stream().map(DeadLetter::item).toList();
        for (Item item : items) {
            if (!item.name().equals(name)) {
                throw new IllegalArgumentException(
                        "item " + item.id() + " is of queue '" + item.name() + "', not of '" + name + "'");
            }
        }
        return items;
    }

    // What all calls have in common

    private long now() {
        return engine.clock().wallMillis();
    }

    private static Deadline timeout() {
        return Deadline.after(Duration.ofSeconds(60));
    }

    /** Also for a cache whose directory another cache object keeps open. */
    private void requireOpen() {
        CoordinationEngine open = Cohorts.engine(cache);
        open.requireOpen();
    }

    private <R> R query(Function<ItemStore, R> question) {
        requireOpen();
        try {
            State unused = states.read(KIND, name, timeout());
            return states.query(question, timeout());
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    private <R> R write(BiFunction<StoreTransaction, Integer, R> work) {
        requireQueue(timeout());
        return write(work, timeout());
    }

    /** What is stored of the name is read in the same transaction: the name may have been deleted, and used for something else. */
    private <R> R write(BiFunction<StoreTransaction, Integer, R> work, Deadline deadline) {
        try {
            return states.write(tx -> work.apply(tx, WorkQueues.maxAttempts(tx, name, wantedAttempts)), deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    /** Makes sure, once, that the name is a queue and that its items have the wanted number of attempts. */
    private void requireQueue(Deadline deadline) {
        requireOpen();
        if (!registered) {
            try {
                State known = states.read(KIND, name, deadline);
                int stored = known.exists()
                        ? WorkQueues.maxAttempts(known)
                        : states.write(tx -> WorkQueues.maxAttempts(tx, name, wantedAttempts), deadline);
                requireWanted(stored);
                afterCommit(() -> registered = true);
            } catch (WrongKindException e) {
                throw new NameInUseException(e);
            }
        }
    }

    private void requireWanted(int stored) {
        if (wantedAttempts != null && wantedAttempts != stored) {
            throw new IllegalArgumentException("queue '" + name + "' has maxAttempts " + stored + ", not "
                    + wantedAttempts + "; use the stored number, or change it with alterMaxAttempts");
        }
    }

    String name() {
        return name;
    }

    @Override
    public String toString() {
        return "WorkQueue[" + name + " in " + cache.directory() + "]";
    }
}

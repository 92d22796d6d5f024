package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Item;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StoreTransaction;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What this process does with the queues of one directory; what it has not acknowledged goes back when the engine is closed. */
final class WorkQueues implements AutoCloseable {
    private static final int DEFAULT_MAX_ATTEMPTS = 10;

    private final CoordinationEngine engine;
    /** Kept as long as some object of the name is. */
    private final ConcurrentMap<String, Claimers> claimers =
            new MapMaker().weakValues().makeMap();

    private final AtomicLong lastToken = new AtomicLong();
    /** The session that claims, null before the first claim. */
    private volatile @Nullable Session own;

    private WorkQueues(CoordinationEngine engine) {
        this.engine = engine;
    }

    static WorkQueues of(CoordinationEngine engine) {
        return engine.attachment(WorkQueues.class, WorkQueues::new);
    }

    Claimers claimers(String name) {
        return claimers.computeIfAbsent(name, missing -> new Claimers(engine, name));
    }

    void claiming(Session session) {
        own = session;
    }

    /** Whether a claimer is this process, and is not taken for dead. */
    boolean isOwn(long claimant) {
        Session session = own;
        return session != null && session.id() == claimant && !session.isLost();
    }

    /** A number for a claim: no other of this process has it, and hardly one of another process. */
    long nextToken() {
        long micros = TimeUnit.MILLISECONDS.toMicros(engine.clock().wallMillis());
        return lastToken.updateAndGet(last -> Math.max(last + 1, micros));
    }

    /** How many attempts the items of a queue have. Makes the name a queue if it is not used, perhaps with the wanted number. */
    static int maxAttempts(StoreTransaction tx, String name, @Nullable Integer wanted) {
        State stored = tx.state(WorkQueue.KIND, name);
        State state = stored.exists() ? stored : store(tx, stored, wanted == null ? DEFAULT_MAX_ATTEMPTS : wanted);
        return maxAttempts(state);
    }

    static int maxAttempts(State state) {
        return Integer.parseInt(state.detail());
    }

    static State store(StoreTransaction tx, State state, int maxAttempts) {
        return tx.update(
                        WorkQueue.KIND,
                        state.name(),
                        now -> Decision.store(now.withDetail(String.valueOf(maxAttempts)), true))
                .state();
    }

    /** Takes back the claim of a name that has a token, as if its claimer had given the item back. */
    boolean forceRelease(String name, long token, Deadline deadline) {
        return engine.states()
                .write(
                        tx -> giveBack(
                                tx,
                                tx.items().claimed().stream()
                                        .filter(item -> item.name().equals(name) && item.token() == token)
                                        .toList(),
                                "taken back by force"),
                        deadline);
    }

    @Override
    public void close() {
        if (own == null) {
            return;
        }
        try {
            boolean unused = engine.states()
                    .write(
                            tx -> giveBack(
                                    tx,
                                    tx.items().claimed().stream()
                                            .filter(item -> isOwn(item.session()))
                                            .toList(),
                                    "its claimer closed the cache"),
                            Deadline.after(Duration.ofSeconds(1)));
        } catch (CacheException e) {
            // busy, full or removed: the session ends now, and the next claimer finds it dead
        }
    }

    private boolean giveBack(StoreTransaction tx, List<Item> claimed, String reason) {
        long now = engine.clock().wallMillis();
        for (Item item : claimed) {
            int maxAttempts = maxAttempts(tx, item.name(), null);
            tx.items().replace(item, WorkItems.givenBack(item, maxAttempts, Duration.ZERO, reason, now));
            tx.ring(item.name());
        }
        return !claimed.isEmpty();
    }
}

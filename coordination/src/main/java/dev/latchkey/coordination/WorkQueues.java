package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StoreTransaction;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The queues that this process has claimed from: what it has not acknowledged goes back when the engine is closed. */
final class WorkQueues implements AutoCloseable {
    private static final int DEFAULT_MAX_ATTEMPTS = 10;

    private final CoordinationEngine engine;
    private final Set<String> claimedFrom = ConcurrentHashMap.newKeySet();

    private WorkQueues(CoordinationEngine engine) {
        this.engine = engine;
    }

    static WorkQueues of(CoordinationEngine engine) {
        return engine.attachment(WorkQueues.class, WorkQueues::new);
    }

    void claiming(String name) {
        claimedFrom.add(name);
    }

    /** Makes the name a queue, or checks that it is one and has the wanted number of attempts; answers the stored number. */
    int register(String name, @Nullable Integer wanted, Deadline deadline) {
        State known = engine.states().read(WorkQueue.KIND, name, deadline);
        State state = known.exists() ? known : engine.states().write(tx -> create(tx, name, wanted), deadline);
        int stored = Integer.parseInt(state.detail());
        if (wanted != null && wanted != stored) {
            throw new IllegalArgumentException("queue '" + name + "' has maxAttempts " + stored + ", not " + wanted
                    + "; use the stored number, or another name");
        }
        return stored;
    }

    private static State create(StoreTransaction tx, String name, @Nullable Integer wanted) {
        int attempts = wanted == null ? DEFAULT_MAX_ATTEMPTS : wanted;
        return tx.update(
                        WorkQueue.KIND,
                        name,
                        state -> state.exists()
                                ? Decision.keep(state, true)
                                : Decision.store(state.withDetail(String.valueOf(attempts)), true))
                .state();
    }

    @Override
    public void close() {
        Deadline deadline = Deadline.after(Duration.ofSeconds(1));
        for (String name : claimedFrom) {
            try {
                long session = engine.sessions().self(deadline).id();
                engine.states().write(tx -> giveBack(tx, name, session), deadline);
            } catch (CacheException e) {
                // busy, full or removed: the session ends now, and the next claimer finds it dead
            }
        }
    }

    private static int giveBack(StoreTransaction tx, String name, long session) {
        int count = 0;
        State state = tx.state(WorkQueue.KIND, name);
        int maxAttempts = state.exists() ? Integer.parseInt(state.detail()) : DEFAULT_MAX_ATTEMPTS;
        for (var item : tx.items().claimedBy(name, session)) {
            tx.items().put(WorkItems.givenBack(item, maxAttempts, "its claimer closed the cache"));
            count++;
        }
        tx.ring(name);
        return count;
    }
}

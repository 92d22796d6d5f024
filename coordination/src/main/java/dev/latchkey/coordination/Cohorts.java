package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Session;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * What this process uses in one directory of that which can be held: one cohort per name, shared by all objects of the name. A
 * cohort that is neither held nor waited for is kept only as long as some object refers to it.
 */
final class Cohorts implements AutoCloseable {
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration LOOK_AT_PENDING = Duration.ofMillis(20);

    private final CoordinationEngine engine;
    private final ConcurrentMap<Key, Cohort> byName =
            new MapMaker().weakValues().makeMap();
    private final ConcurrentMap<Cohort, Purse> purses =
            new MapMaker().weakKeys().makeMap();
    private final Set<Cohort> inUse = ConcurrentHashMap.newKeySet();
    private final Map<Grant, List<Consumer<LockLostException>>> listeners = new ConcurrentHashMap<>();
    private final Listeners listening = new Listeners();
    private final Set<PendingGrant<?>> pendingGrants = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean watching = new AtomicBoolean();

    private Cohorts(CoordinationEngine engine) {
        this.engine = engine;
        engine.sessions().onLost(this::lose);
        engine.schedule(this::look, LOOK);
    }

    /** Once a second: whether what this process holds was forced open. */
    private void look() {
        try {
            inUse.forEach(this::look);
        } finally {
            engine.schedule(this::look, LOOK);
        }
    }

    private void look(Cohort cohort) {
        try {
            cohort.keeper.loseForced().forEach(grant -> tell(cohort, grant));
        } catch (CacheException e) {
            // busy: the next look will do
        }
    }

    static Cohorts of(CoordinationEngine engine) {
        return engine.attachment(Cohorts.class, Cohorts::new);
    }

    static CoordinationEngine engine(Cache cache) {
        return cache.unwrap(CoordinationEngine.class);
    }

    private record Key(Kind kind, String name) {}

    Cohort cohort(Kind kind, String name) {
        return byName.computeIfAbsent(new Key(kind, name), missing -> new Cohort(engine, kind, name, this));
    }

    /** What this process holds of a semaphore by plain acquires. */
    Purse purse(Cohort cohort) {
        return purses.computeIfAbsent(cohort, missing -> new Purse());
    }

    void use(Cohort cohort) {
        inUse.add(cohort);
    }

    void unuse(Cohort cohort) {
        inUse.remove(cohort);
    }

    /** How many names this process holds, waits for or has something to put right about. */
    int namesInUse() {
        return inUse.size();
    }

    void onLost(Cohort cohort, Grant grant, Consumer<LockLostException> listener) {
        listeners.compute(grant, (same, before) -> {
            List<Consumer<LockLostException>> all = before == null ? new CopyOnWriteArrayList<>() : before;
            all.add(listener);
            return all;
        });
        if (grant.lost) {
            tell(cohort, grant); // whoever told the others came too early to see it
        } else if (cohort.local.isGivenUp(grant)) {
            listeners.remove(grant);
        }
    }

    /** The grant was given up by its owner: there is nothing left to lose. */
    void released(Grant grant) {
        listeners.remove(grant);
    }

    private void lose(Session session) {
        for (Cohort cohort : inUse) {
            cohort.local.lose(session).forEach(grant -> tell(cohort, grant));
        }
    }

    /** A grant with a lease is lost when that is over, unless it was renewed or given up before. */
    void watchLease(Cohort cohort, Grant grant) {
        cohort.local
                .nextLook(grant)
                .ifPresent(due -> engine.schedule(
                        () -> cohort.loseWhatIsOver(due).forEach(lost -> tell(cohort, lost)),
                        Duration.ofNanos(Math.max(0, due - engine.clock().nanos()))));
    }

    /** Looks soon, and from then on every few milliseconds, whether somebody whom no thread waits for can be served. */
    void watch(PendingGrant<?> pendingGrant) {
        pendingGrants.add(pendingGrant);
        if (watching.compareAndSet(false, true)) {
            engine.schedule(this::lookAtPending, LOOK_AT_PENDING);
        }
    }

    private void lookAtPending() {
        watching.set(false);
        List<PendingGrant<?>> due =
                pendingGrants.stream().filter(PendingGrant::isDue).toList();
        due.forEach(pendingGrants::remove);
        due.forEach(PendingGrant::driveHere);
        if (!pendingGrants.isEmpty() && watching.compareAndSet(false, true)) {
            engine.schedule(this::lookAtPending, LOOK_AT_PENDING);
        }
    }

    /** Each listener once: whoever takes the list tells them. */
    void tell(Cohort cohort, Grant grant) {
        List<Consumer<LockLostException>> told = listeners.remove(grant);
        if (told != null) {
            told.forEach(listener -> listening.call(() ->
                    listener.accept(new LockLostException(cohort, grant.token, cohort.row.anyHolderForMessage()))));
        }
    }

    @Override
    public void close() {
        Map<Grant, Cohort> open = new LinkedHashMap<>();
        List<Cohort> all = List.copyOf(inUse);
        all.forEach(cohort -> cohort.local.shut().forEach(grant -> open.put(grant, cohort)));
        if (open.size() > 1) {
            CohortSet.release(engine, open); // in one transaction: nobody sees a half of what was taken together
        }
        all.forEach(Cohort::close);
        byName.values().forEach(cohort -> cohort.keeper.ringIfOwed());
        open.forEach((grant, cohort) -> tell(cohort, grant));
        listening.close();
    }
}

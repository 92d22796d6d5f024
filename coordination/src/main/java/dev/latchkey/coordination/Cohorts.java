package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Session;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * The locks that this process uses in one directory: one cohort per name, shared by all {@link Lock} objects of the name. A
 * cohort that is neither held nor waited for is kept only as long as some lock object refers to it.
 */
final class Cohorts implements AutoCloseable {
    private static final Duration LOOK = Duration.ofSeconds(1);

    private final CoordinationEngine engine;
    private final ConcurrentMap<String, LockCohort> byName =
            new MapMaker().weakValues().makeMap();
    private final Set<LockCohort> inUse = ConcurrentHashMap.newKeySet();
    private final Map<Grant, List<Consumer<LockLostException>>> listeners = new ConcurrentHashMap<>();

    private Cohorts(CoordinationEngine engine) {
        this.engine = engine;
        engine.sessions().onLost(this::lose);
        engine.schedule(this::look, LOOK);
    }

    /** Once a second: whether what this process holds was forced open. */
    private void look() {
        try {
            for (LockCohort cohort : inUse) {
                Grant grant = cohort.loseIfForced();
                if (grant != null) {
                    tell(cohort, grant);
                }
            }
        } catch (CacheException e) {
            // busy: the next look will do
        } finally {
            engine.schedule(this::look, LOOK);
        }
    }

    static Cohorts of(CoordinationEngine engine) {
        return engine.attachment(Cohorts.class, Cohorts::new);
    }

    static CoordinationEngine engine(Cache cache) {
        return cache.unwrap(CoordinationEngine.class);
    }

    LockCohort cohort(String name) {
        return byName.computeIfAbsent(name, missing -> new LockCohort(engine, name, this));
    }

    void use(LockCohort cohort) {
        inUse.add(cohort);
    }

    void unuse(LockCohort cohort, boolean idle) {
        if (idle) {
            inUse.remove(cohort);
        }
    }

    void onLost(LockCohort cohort, Grant grant, Consumer<LockLostException> listener) {
        listeners
                .computeIfAbsent(grant, missing -> new CopyOnWriteArrayList<>())
                .add(listener);
        if (cohort.holder() != grant) {
            listeners.remove(grant); // over already, and nobody will tell
        }
    }

    /** The grant was given up by its owner: there is nothing left to lose. */
    void released(Grant grant) {
        listeners.remove(grant);
    }

    private void lose(Session session) {
        for (LockCohort cohort : inUse) {
            Grant grant = cohort.lose(session);
            if (grant != null) {
                tell(cohort, grant);
            }
        }
    }

    private void tell(LockCohort cohort, Grant grant) {
        List<Consumer<LockLostException>> told = listeners.remove(grant);
        if (told != null) {
            LockLostException lost = new LockLostException(cohort.name(), grant.token, java.util.Optional.empty());
            told.forEach(listener -> engine.schedule(() -> listener.accept(lost), Duration.ZERO));
        }
    }

    @Override
    public void close() {
        for (LockCohort cohort : inUse) {
            Grant grant = cohort.close();
            if (grant != null) {
                tell(cohort, grant);
            }
        }
    }
}

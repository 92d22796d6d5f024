package dev.latchkey.stress.worker;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.EvictionPolicy;
import dev.latchkey.cache.Side;
import dev.latchkey.stress.check.EntryValues;
import dev.latchkey.stress.check.PulledOnce;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * A cache that is always full: almost every write evicts something. On the same directory locks are held and waited for, work
 * is claimed, and there are entries that must not be evicted: pinned ones, a counter, and the items of queues.
 */
public final class EvictionScenario implements Scenario {
    /** How many bytes the cache may take. */
    public static final long LIMIT = 8 << 20;

    /** So many that a write which needs all the room evicts everything that may be evicted. */
    public static final int CULL_LIMIT = 50;

    private static final int KEYS = 24;
    private static final int PINNED = 6;
    private static final int FILLING = 200_000;
    private static final int GIANT = (int) LIMIT - 100_000;
    private static final String COUNTER = EntryValues.KEPT + "counter";
    private static final EntryOptions FOR_EVER = EntryOptions.none().pinned();
    private static final List<EvictionPolicy> POLICIES =
            List.of(EvictionPolicy.LEAST_RECENTLY_STORED, EvictionPolicy.LEAST_RECENTLY_USED);
    /** What a kill may leave. */
    private static final Set<CheckReport.Kind> DEBRIS =
            Set.of(CheckReport.Kind.UNKNOWN_FILE, CheckReport.Kind.EMPTY_FOLDER);

    private final LockScenario locks = new LockScenario(false);
    private final QueueScenario jobs = new QueueScenario(true);

    /** Whoever creates the directory decides. */
    @Override
    public Cache open(Path directory, Random random) {
        EvictionPolicy policy = POLICIES.get(random.nextInt(POLICIES.size()));
        return Cache.builder(directory)
                .sizeLimit(LIMIT)
                .evictionPolicy(policy)
                .cullLimit(CULL_LIMIT)
                .open();
    }

    @Override
    public void prepare(Actor actor) {
        for (int i = 0; i < PINNED; i++) {
            Entries.store(actor, EntryValues.KEPT + i, Entries.padding(actor), FOR_EVER);
        }
        actor.cache().set(COUNTER, 0, FOR_EVER);
        fill(actor);
    }

    @Override
    public void step(Actor actor) throws InterruptedException {
        switch (actor.random().nextInt(16)) {
            case 0 -> locks.step(actor);
            case 1 -> jobs.step(actor);
            case 2, 3 -> Entries.push(actor, PulledOnce.IN_ORDER, Side.BACK, Entries.padding(actor));
            case 4, 5, 6 -> Entries.pull(actor, PulledOnce.IN_ORDER, Side.FRONT);
            case 7 -> Entries.count(actor, COUNTER);
            case 8 -> touchPinned(actor);
            case 9 -> storeOwn(actor);
            case 10 -> storeRare(actor);
            case 11, 12 -> Entries.read(actor, shared(actor));
            default -> Entries.store(actor, shared(actor), Entries.padding(actor), EntryOptions.none());
        }
    }

    /** So that there is nothing that need not be evicted. */
    private static void fill(Actor actor) {
        for (long stored = 0; stored < LIMIT; stored += FILLING) {
            Entries.store(actor, "filling-" + stored, FILLING, EntryOptions.none());
        }
    }

    private static String shared(Actor actor) {
        return "entry-" + actor.random().nextInt(KEYS);
    }

    private static void touchPinned(Actor actor) {
        String key = EntryValues.KEPT + actor.random().nextInt(PINNED);
        if (actor.oneIn(4)) {
            Entries.store(actor, key, Entries.padding(actor), FOR_EVER);
        } else {
            Entries.read(actor, key);
        }
    }

    /** What was just written is there, even if nothing else could be evicted for it. */
    private static void storeOwn(Actor actor) {
        String key = EntryValues.OWN + actor.name();
        if (actor.oneIn(6)) {
            Entries.storeAndSee(actor, key, GIANT);
        } else if (actor.oneIn(2)) {
            Entries.storeAndSee(actor, key, Entries.padding(actor));
        } else {
            Long number = Entries.store(actor, key, Entries.padding(actor), EntryOptions.none());
            if (number != null) {
                Entries.readOwn(actor, key, number);
            }
        }
    }

    private static void storeRare(Actor actor) {
        switch (actor.random().nextInt(8)) {
            case 0 -> actor.attempt("cull", actor.cache()::cull);
            case 1 -> actor.attempt("expire", actor.cache()::expire);
            case 2 -> Entries.remove(actor, shared(actor));
            default ->
                Entries.store(
                        actor,
                        shared(actor),
                        Entries.padding(actor),
                        EntryOptions.none()
                                .expireAfter(
                                        Duration.ofMillis(1 + actor.random().nextInt(200))));
        }
    }

    @Override
    public void drain(Actor actor) {
        locks.drain(actor);
        jobs.drain(actor);
        while (Entries.pull(actor, PulledOnce.IN_ORDER, Side.FRONT)) {
            // until there is none
        }
        fill(actor);
        actor.attempt("cull", actor.cache()::cull);
        check(actor);
    }

    /** Nothing is damaged; what a kill leaves is no damage. */
    static void check(Actor actor) {
        actor.attempt("check", () -> {
            CheckReport report = actor.cache().check(false);
            if (!report.findings().stream().allMatch(finding -> DEBRIS.contains(finding.kind()))) {
                throw new AssertionError(report);
            }
            return report.findings().size();
        });
    }
}

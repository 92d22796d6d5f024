package dev.latchkey.stress.worker;

import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.stress.check.EntryValues;
import dev.latchkey.stress.check.PulledOnce;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * A disk that is full from time to time: locks go round, work is done and given back, what is stored can be read and removed; what
 * grows is refused until there is space, and then no longer.
 */
final class DiskScenario implements Scenario {
    /** So many that the database grows as long as there is space, whenever that ends. */
    private static final int KEYS = 1_200;
    /** Most of what may lie in the database itself, whose file is to grow. */
    private static final int INLINE = 25_000;

    private static final int KEPT = 6;
    private static final int TOUCHED = 60;
    private static final int REMOVED = 300;
    private static final Duration LONG = Duration.ofDays(1);
    private static final String COUNTER = EntryValues.KEPT + "counter";
    /** When storing must work again after space has been made. */
    private static final Duration RESUMED = Duration.ofSeconds(8);

    private final LockScenario locks = new LockScenario(false);
    private final QueueScenario jobs = new QueueScenario(false);
    private final AtomicBoolean refused = new AtomicBoolean();

    @Override
    public void prepare(Actor actor) {
        for (int i = 0; i < KEPT; i++) {
            Entries.store(actor, EntryValues.KEPT + i, Entries.padding(actor), EntryOptions.none());
        }
        actor.cache().set(COUNTER, 0);
    }

    @Override
    public void step(Actor actor) throws InterruptedException {
        switch (actor.random().nextInt(32)) {
            case 0 -> locks.step(actor);
            case 1, 2 -> jobs.step(actor);
            case 3, 4 -> Entries.push(actor, PulledOnce.IN_ORDER, Side.BACK, Entries.padding(actor));
            case 5, 6, 7 -> Entries.pull(actor, PulledOnce.IN_ORDER, Side.FRONT);
            case 8, 9 -> Entries.count(actor, COUNTER);
            case 10 -> Entries.store(actor, kept(actor), Entries.padding(actor), EntryOptions.none());
            case 11 -> Entries.read(actor, kept(actor));
            case 12 -> Entries.read(actor, shared(actor));
            default -> storeOrMakeSpace(actor);
        }
    }

    /**
     * Whoever is refused writes what needs no space. Many entries are removed only when there is space again: else the database would be
     * shorter before anybody has noticed that it cannot grow.
     */
    private void storeOrMakeSpace(Actor actor) {
        if (Entries.store(actor, shared(actor), INLINE, EntryOptions.none()) == null) {
            refused.set(true);
            for (int i = 0; i < TOUCHED; i++) {
                touch(actor, kept(actor));
            }
            Entries.remove(actor, shared(actor));
        } else if (refused.compareAndSet(true, false)) {
            for (int i = 0; i < REMOVED; i++) {
                Entries.remove(actor, shared(actor));
            }
        }
    }

    private static void touch(Actor actor, String key) {
        actor.attempt("touch", () -> actor.cache().touch(key, LONG), key);
    }

    private static String shared(Actor actor) {
        return "entry-" + actor.random().nextInt(KEYS);
    }

    private static String kept(Actor actor) {
        return EntryValues.KEPT + actor.random().nextInt(KEPT);
    }

    @Override
    public void drain(Actor actor) {
        actor.attempt("resume", () -> {
            awaitSpace(actor);
            return Actor.DONE;
        });
        locks.drain(actor);
        jobs.drain(actor);
        while (Entries.pull(actor, PulledOnce.IN_ORDER, Side.FRONT)) {
            // until there is none
        }
        EvictionScenario.check(actor);
    }

    /** As there is space, storing works again soon. */
    private static void awaitSpace(Actor actor) {
        long end = System.nanoTime() + RESUMED.toNanos();
        while (true) {
            try {
                actor.cache().set("space", new byte[1]);
                return;
            } catch (CacheFullException e) {
                if (System.nanoTime() > end) {
                    throw new AssertionError("nothing can be stored, though there is space", e);
                }
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }
}

package dev.latchkey.stress.worker;

import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.stress.check.EntryValues;
import dev.latchkey.stress.check.PulledOnce;
import java.time.Duration;

/**
 * The real python-diskcache in processes of its own, see {@code worker.py} beside this class, writes to the same directory,
 * repairs it and is killed in it, while JVMs do the same, hold locks and claim work.
 */
final class PythonScenario implements Scenario {
    private static final int KEYS = 12;
    /** Written by JVMs only: a value that Python is about to write may be deleted by another Python's repairs. */
    private static final int KEPT = 4;

    private static final int COUNTERS = 2;

    private final LockScenario locks = new LockScenario(false);
    private final QueueScenario jobs = new QueueScenario(true);

    @Override
    public void prepare(Actor actor) {
        for (int i = 0; i < KEPT; i++) {
            Entries.store(actor, EntryValues.KEPT + i, Entries.padding(actor), EntryOptions.none());
        }
    }

    @Override
    public void step(Actor actor) throws InterruptedException {
        switch (actor.random().nextInt(16)) {
            case 0, 1 -> locks.step(actor);
            case 2 -> jobs.step(actor);
            case 3 -> Entries.push(actor, PulledOnce.IN_ORDER, Side.BACK, Entries.padding(actor));
            case 4 -> Entries.pull(actor, PulledOnce.IN_ORDER, Side.FRONT);
            case 5 -> Entries.push(actor, Entries.INTEGERS, Entries.side(actor), Entries.padding(actor));
            case 6 -> Entries.pull(actor, Entries.INTEGERS, Entries.side(actor));
            case 7, 8 -> count(actor);
            case 9 -> Entries.store(actor, shared(actor), Entries.padding(actor), EntryOptions.none());
            case 10 -> Entries.read(actor, shared(actor));
            case 11 -> Entries.store(actor, kept(actor), Entries.padding(actor), EntryOptions.none());
            case 12, 13 -> Entries.read(actor, kept(actor));
            case 14 -> doRareThings(actor);
            default -> actor.spend(actor.random().nextInt(2_000));
        }
    }

    private static String shared(Actor actor) {
        return "entry-" + actor.random().nextInt(KEYS);
    }

    private static String kept(Actor actor) {
        return EntryValues.KEPT + actor.random().nextInt(KEPT);
    }

    private static void count(Actor actor) {
        String key = "counter-" + actor.random().nextInt(COUNTERS);
        if (actor.oneIn(3)) {
            actor.attempt("get", () -> actor.cache().getOrDefault(key, Long.class, 0L), key);
        } else {
            Entries.count(actor, key);
        }
    }

    private static void doRareThings(Actor actor) {
        switch (actor.random().nextInt(12)) {
            case 0 -> actor.attempt("cull", actor.cache()::cull);
            case 1 -> actor.attempt("expire", actor.cache()::expire);
            case 2 ->
                actor.attempt(
                        "check",
                        () -> actor.cache().check(actor.oneIn(2)).findings().size());
            case 3, 4, 5 -> Entries.remove(actor, shared(actor));
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

    /** What Python has damaged is repaired in the end, when all that is written by JVMs alone has been read. */
    @Override
    public void drain(Actor actor) {
        locks.drain(actor);
        jobs.drain(actor);
        while (Entries.pull(actor, PulledOnce.IN_ORDER, Side.FRONT)
                || Entries.pull(actor, Entries.INTEGERS, Side.BACK)) {
            // until there is none in either
        }
        for (int i = 0; i < KEPT; i++) {
            Entries.read(actor, EntryValues.KEPT + i);
        }
        actor.attempt("check", () -> actor.cache().check(true).findings().size());
        EvictionScenario.check(actor);
    }
}

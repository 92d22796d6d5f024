package dev.latchkey.stress.worker;

import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.LockLostException;
import dev.latchkey.coordination.MultiLock;
import dev.latchkey.stress.worker.Actor.Failed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Threads of many processes take two of four names in any order, or one of them by its own lock. */
final class MultiLockScenario implements Scenario {
    private static final List<String> NAMES = List.of("fork-0", "fork-1", "fork-2", "fork-3");

    @Override
    public void step(Actor actor) {
        List<String> names = new ArrayList<>(NAMES);
        Collections.shuffle(names, actor.random());
        if (actor.oneIn(4)) {
            single(actor, names.get(0));
        } else {
            pair(actor, names.subList(0, 2));
        }
    }

    private static void pair(Actor actor, List<String> names) {
        MultiLock lock = new MultiLock(actor.cache(), names);
        boolean waits = actor.oneIn(2);
        Object[] tokens = actor.attempt(
                "pair",
                () -> {
                    take(lock, waits, actor);
                    return new Object[] {lock.fencingToken(names.get(0)), lock.fencingToken(names.get(1))};
                },
                names.get(0),
                names.get(1));
        if (tokens == null) {
            return;
        }
        for (int i = 0; i < 2; i++) {
            actor.referee().enter(names.get(i), (Long) tokens[i]);
        }
        actor.spend(actor.random().nextInt(300));
        for (int i = 0; i < 2; i++) {
            actor.referee().exit(names.get(i), (Long) tokens[i]);
        }
        release(actor, lock, names.get(0));
    }

    private static void single(Actor actor, String name) {
        Lock lock = new Lock(actor.cache(), name);
        boolean waits = actor.oneIn(2);
        Long token = actor.attempt(
                "pair",
                () -> {
                    take(lock, waits, actor);
                    return lock.fencingToken();
                },
                name);
        if (token != null) {
            actor.referee().enter(name, token);
            actor.spend(actor.random().nextInt(300));
            actor.referee().exit(name, token);
            release(actor, lock, name);
        }
    }

    private static void take(java.util.concurrent.locks.Lock lock, boolean waits, Actor actor)
            throws InterruptedException, Failed {
        if (waits) {
            lock.lockInterruptibly();
        } else if (!lock.tryLock(
                Duration.ofMillis(actor.random().nextInt(30)).toNanos(), java.util.concurrent.TimeUnit.NANOSECONDS)) {
            throw new Failed("busy");
        }
    }

    private static void release(Actor actor, java.util.concurrent.locks.Lock lock, String name) {
        actor.attempt(
                "unpair",
                () -> {
                    try {
                        lock.unlock();
                        return Actor.DONE;
                    } catch (LockLostException e) {
                        throw new Failed("lost");
                    }
                },
                name);
    }

    @Override
    public void drain(Actor actor) {
        pair(actor, NAMES);
    }
}

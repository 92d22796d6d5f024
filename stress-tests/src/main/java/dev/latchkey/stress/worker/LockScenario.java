package dev.latchkey.stress.worker;

import dev.latchkey.coordination.FencedLock;
import dev.latchkey.coordination.Holder;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.RLock;
import dev.latchkey.stress.worker.Actor.Failed;
import dev.latchkey.stress.worker.Taken.How;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Threads of many processes take two locks in every way there is, some of them with a lease, and write under their protection. One
 * is never held for long; the holders of the other dawdle or outlive their lease, and whoever loses patience forces it open.
 */
final class LockScenario implements Scenario {
    private static final String QUICK = "lock-0";
    private static final String SLOW = "lock-1";

    /** For how many microseconds most hold a lock, and for how many those who dawdle. */
    private static final int BRISK = 300;

    private static final int DAWDLING = 40_000;
    private static final int SHORTEST_LEASE_MILLIS = 5;
    private static final int LEASE_MILLIS = 50;

    private final boolean reentrant;

    /** With locks that a thread may acquire once, or again and again. */
    LockScenario(boolean reentrant) {
        this.reentrant = reentrant;
    }

    private FencedLock lock(Actor actor, String name) {
        return reentrant ? new RLock(actor.cache(), name) : new Lock(actor.cache(), name);
    }

    private FencedLock lock(Actor actor, String name, Duration lease) {
        return reentrant
                ? RLock.builder(actor.cache(), name).lease(lease).build()
                : Lock.builder(actor.cache(), name).lease(lease).build();
    }

    @Override
    public void step(Actor actor) throws InterruptedException {
        String name = actor.oneIn(3) ? SLOW : QUICK;
        How how = How.any(actor);
        if (actor.oneIn(8)) {
            withLease(actor, name, how);
            return;
        }
        Taken taken = Taken.take(actor, name, lock(actor, name), how);
        if (taken != null) {
            hold(actor, taken, actor.oneIn(60) ? DAWDLING : BRISK);
        } else if (how == How.TIMED && name.equals(SLOW) && force(actor, name)) {
            outlast(actor, name);
        }
    }

    /** Holds a lock that was forced open until its former holder has done, whose late release must not free it. */
    private void outlast(Actor actor, String name) {
        Taken taken = Taken.take(actor, name, lock(actor, name), How.LOCK);
        if (taken != null) {
            hold(actor, taken, 2 * DAWDLING);
        }
    }

    /** Holds the slow lock for most of its lease, or longer than that: then it is another's, and what is written is refused. */
    private void withLease(Actor actor, String name, How how) {
        int millis = SHORTEST_LEASE_MILLIS + actor.random().nextInt(LEASE_MILLIS);
        Taken taken = Taken.take(actor, name, lock(actor, name, Duration.ofMillis(millis)), how, millis);
        if (taken != null) {
            hold(actor, taken, name.equals(QUICK) ? BRISK : (actor.oneIn(2) ? 3_000 : 900) * millis);
        }
    }

    /** Holds a lock for up to so many microseconds, and for most of them if it dawdles; then releases it. */
    private void hold(Actor actor, Taken taken, int micros) {
        taken.enter(actor);
        if (actor.oneIn(4)) {
            taken.fence(actor);
        }
        int least = micros > BRISK ? micros / 2 : 0;
        actor.spend(least + actor.random().nextInt(micros - least));
        boolean held = !reentrant || taken.handle() != null || !actor.oneIn(3) || again(actor, taken);
        if (held && taken.leaseMillis() > 0) {
            taken.fence(actor);
        }
        taken.exit(actor);
        if (held) {
            taken.release(actor);
        }
    }

    /** Acquires and releases it once more: it stays held. What was lost before is acquired anew, and there is nothing to release then. */
    @SuppressWarnings("LockNotBeforeTry") // what comes in between does not fail, or is an error of the run
    private static boolean again(Actor actor, Taken taken) {
        boolean[] lost = new boolean[1];
        actor.attempt(
                "again",
                () -> Taken.unlessLost(() -> {
                    taken.lock().lock();
                    lost[0] = taken.lock().fencingToken() != taken.token();
                    taken.lock().unlock();
                }));
        actor.spend(actor.random().nextInt(300));
        return !lost[0];
    }

    private boolean force(Actor actor, String name) {
        FencedLock lock = lock(actor, name);
        Optional<Holder> holder = lock.holder();
        if (holder.isEmpty()) {
            return false;
        }
        long token = holder.get().token();
        actor.referee().revoke(name, token);
        String forced = actor.attempt(
                "force",
                () -> {
                    if (!lock.forceUnlock(token)) {
                        throw new Failed("another_token");
                    }
                    return Actor.DONE;
                },
                name,
                token);
        return forced != null;
    }

    @Override
    public void drain(Actor actor) {
        for (String name : List.of(QUICK, SLOW)) {
            Taken taken = Taken.take(actor, name, lock(actor, name), How.LOCK);
            if (taken != null) {
                hold(actor, taken, BRISK);
            }
        }
    }
}

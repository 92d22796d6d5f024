package dev.latchkey.stress.worker;

import dev.latchkey.coordination.FencedLock;
import dev.latchkey.coordination.Holder;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.LockHandle;
import dev.latchkey.coordination.LockLostException;
import dev.latchkey.coordination.RLock;
import dev.latchkey.stress.worker.Actor.Failed;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Threads of many processes take two locks in every way there is and write under their protection. One is never held for long;
 * the holders of the other dawdle, and whoever loses patience forces it open.
 */
final class LockScenario implements Scenario {
    private static final String QUICK = "lock-0";
    private static final String SLOW = "lock-1";

    /** For how many microseconds most hold a lock, and for how many those who dawdle. */
    private static final int BRISK = 300;

    private static final int DAWDLING = 40_000;

    /** How a lock is asked for. */
    private enum How {
        LOCK,
        INTERRUPTIBLY,
        NOW,
        TIMED,
        HANDLE
    }

    private final boolean reentrant;

    /** With locks that a thread may acquire once, or again and again. */
    LockScenario(boolean reentrant) {
        this.reentrant = reentrant;
    }

    /** A lock that this thread holds. */
    private record Held(
            String name,
            FencedLock lock,
            long token,
            @Nullable LockHandle handle) {}

    private FencedLock lock(Actor actor, String name) {
        return reentrant ? new RLock(actor.cache(), name) : new Lock(actor.cache(), name);
    }

    @Override
    public void step(Actor actor) throws InterruptedException {
        String name = actor.oneIn(3) ? SLOW : QUICK;
        How how = How.values()[actor.random().nextInt(How.values().length)];
        Held held = acquire(actor, name, how);
        if (held != null) {
            hold(actor, held, actor.oneIn(60) ? DAWDLING : BRISK);
            release(actor, held);
        } else if (how == How.TIMED && name.equals(SLOW) && force(actor, name)) {
            outlast(actor, name);
        }
    }

    /** Holds a lock that was forced open until its former holder has done, whose late release must not free it. */
    private void outlast(Actor actor, String name) {
        Held held = acquire(actor, name, How.LOCK);
        if (held != null) {
            hold(actor, held, 2 * DAWDLING);
            release(actor, held);
        }
    }

    /** The word that a history has for a way to ask: what waits, and what does not. */
    private static String word(How how) {
        return switch (how) {
            case LOCK -> "lock";
            case INTERRUPTIBLY -> "interruptibly";
            case NOW -> "now";
            case TIMED -> "tryFor";
            case HANDLE -> "handle";
        };
    }

    private @Nullable Held acquire(Actor actor, String name, How how) {
        FencedLock lock = lock(actor, name);
        LockHandle[] handle = new LockHandle[1];
        Long token = actor.attempt(
                "lock",
                () -> {
                    switch (how) {
                        case LOCK -> lock.lock();
                        case INTERRUPTIBLY -> lock.lockInterruptibly();
                        case NOW -> require(lock.tryLock());
                        case TIMED ->
                            require(lock.tryLock(
                                    Duration.ofMillis(actor.random().nextInt(30))));
                        case HANDLE -> handle[0] = lock.acquire();
                    }
                    return handle[0] == null ? token(lock) : handle[0].fencingToken();
                },
                name,
                word(how));
        return token == null ? null : new Held(name, lock, token, handle[0]);
    }

    private static long token(FencedLock lock) throws Failed {
        try {
            return lock.fencingToken();
        } catch (LockLostException e) {
            throw new Failed("forced_at_once");
        }
    }

    private static void require(boolean granted) throws Failed {
        if (!granted) {
            throw new Failed("busy");
        }
    }

    /** Holds a lock for up to so many microseconds, and for most of them if it dawdles. */
    private void hold(Actor actor, Held held, int micros) {
        actor.referee().enter(held.name, held.token);
        if (actor.oneIn(4)) {
            fence(actor, held);
        }
        int least = micros > BRISK ? micros / 2 : 0;
        actor.spend(least + actor.random().nextInt(micros - least));
        if (reentrant && held.handle == null && actor.oneIn(3)) {
            again(actor, held);
        }
        actor.referee().exit(held.name, held.token);
    }

    /** Acquires and releases it once more: it stays held. */
    private static void again(Actor actor, Held held) {
        actor.attempt("again", () -> {
            try {
                held.lock.lock();
                try {
                    return Actor.DONE;
                } finally {
                    held.lock.unlock();
                }
            } catch (LockLostException e) {
                throw new Failed("lost");
            }
        });
        actor.spend(actor.random().nextInt(300));
    }

    /** A write that only the holder can make: what was written before has a smaller token. */
    private static void fence(Actor actor, Held held) {
        String key = "fenced-" + held.name;
        actor.attempt(
                "fence",
                () -> {
                    try {
                        Runnable write = () -> {
                            Long before = actor.cache().get(key, Long.class);
                            if (before != null && before > held.token) {
                                throw new AssertionError("token " + before + " has written before " + held.token);
                            }
                            actor.cache().set(key, held.token);
                        };
                        if (held.handle == null) {
                            held.lock.runFenced(write);
                        } else {
                            held.handle.runFenced(write);
                        }
                        return Actor.DONE;
                    } catch (LockLostException e) {
                        throw new Failed("lost");
                    }
                },
                held.name,
                held.token);
    }

    private static void release(Actor actor, Held held) {
        actor.attempt(
                "unlock",
                () -> {
                    try {
                        if (held.handle == null) {
                            held.lock.unlock();
                        } else {
                            held.handle.close();
                        }
                        return Actor.DONE;
                    } catch (LockLostException e) {
                        throw new Failed("lost");
                    }
                },
                held.name,
                held.token);
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
            Held held = acquire(actor, name, How.LOCK);
            if (held != null) {
                hold(actor, held, BRISK);
                release(actor, held);
            }
        }
    }
}

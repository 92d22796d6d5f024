package dev.latchkey.stress.worker;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.coordination.Inspector;
import dev.latchkey.coordination.Lock;
import dev.latchkey.stress.check.Signals;
import dev.latchkey.stress.worker.Taken.How;
import dev.latchkey.testing.Child;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/**
 * A buffer with few places, as in every textbook on conditions: whoever puts waits until there is room, whoever takes until there is
 * something, and each signals the other in the transaction that changes the buffer.
 *
 * <p>In such traffic the next signal hides the loss of the one before. So there is a bell as well: it is rung for one or for all of
 * those who wait for it, and rung again only when somebody has answered. Whoever rings it keeps the lock a little, so that the process
 * that was called can be killed before it has the lock again.
 */
final class ConditionScenario implements Scenario {
    private static final String BUFFER = "buffer";
    private static final String NOT_FULL = "not_full";
    private static final String NOT_EMPTY = "not_empty";
    private static final String FILLED = "filled";
    private static final int PLACES = 2;
    /** Much longer than it takes to be signalled. */
    private static final int PATIENCE_MILLIS = 300;

    private static final String BELL = "bell";
    private static final String RUNG = "rung";
    private static final String UNANSWERED = "unanswered";
    /** Much longer than it takes until a death is noticed and the signal of the dead passed on. */
    private static final int LONG_PATIENCE_MILLIS = 2_500;

    private static final int RINGING_MICROS = 50_000;

    /** A lock that a thread holds, and gives up while it waits for a condition. */
    private static final class Monitor {
        final Actor actor;
        final String name;
        final Lock lock;
        private long token;
        /** Whether the referee knows that it is held. */
        private boolean entered = true;

        private Monitor(Actor actor, String name, Lock lock, long token) {
            this.actor = actor;
            this.name = name;
            this.lock = lock;
            this.token = token;
        }

        /** Null if it was not to be had. */
        static @Nullable Monitor enter(Actor actor, String name) {
            Lock lock = new Lock(actor.cache(), name);
            Taken taken = Taken.take(actor, name, lock, How.INTERRUPTIBLY);
            if (taken == null) {
                return null;
            }
            taken.enter(actor);
            return new Monitor(actor, name, lock, taken.token());
        }

        void leave() {
            Taken taken = new Taken(name, lock, token, null, 0);
            if (entered) {
                taken.exit(actor);
            }
            taken.release(actor);
        }

        /**
         * Waits for a condition; whether it was signalled. A wait that could not begin in its time, because the database was busy, never
         * gave the lock up: the same token is not entered again, and what follows is not reported.
         */
        boolean await(String condition, int patienceMillis) {
            if (entered) {
                actor.referee().exit(name, token);
            }
            Object[] woken = actor.attempt(
                    "await",
                    () -> new Object[] {wait(lock.newCondition(condition), patienceMillis), lock.fencingToken()},
                    name,
                    token,
                    condition,
                    patienceMillis);
            entered = token != lock.fencingToken();
            token = lock.fencingToken();
            if (entered) {
                actor.referee().enter(name, token);
            }
            return woken != null && Signals.SIGNALLED.equals(woken[0]);
        }

        @SuppressWarnings("WaitNotInLoop") // its callers have loops
        private static String wait(Condition condition, int patienceMillis) {
            try {
                boolean signalled = condition.await(patienceMillis, TimeUnit.MILLISECONDS);
                return signalled ? Signals.SIGNALLED : Signals.TIMED_OUT;
            } catch (InterruptedException e) {
                return Signals.INTERRUPTED;
            }
        }

        /** Changes something and signals it to one who waits for that, or to all, in one transaction; null if it failed. */
        <T> @Nullable T change(String condition, boolean all, Callable<T> change) {
            Condition of = lock.newCondition(condition);
            return actor.attempt(
                    "signal",
                    () -> lock.runFenced(() -> {
                        T result = change.call();
                        if (all) {
                            of.signalAll();
                        } else {
                            of.signal();
                        }
                        return result;
                    }),
                    name,
                    token,
                    condition,
                    all ? Signals.ALL : Signals.ONE);
        }
    }

    @Override
    public void step(Actor actor) {
        boolean bell = actor.oneIn(2);
        Monitor monitor = Monitor.enter(actor, bell ? BELL : BUFFER);
        if (monitor == null) {
            return;
        }
        if (bell && actor.oneIn(2)) {
            ring(monitor);
        } else if (bell) {
            listen(monitor);
        } else if (actor.oneIn(2)) {
            put(monitor);
        } else {
            take(monitor);
        }
        monitor.leave();
    }

    // the buffer

    private static long filled(Actor actor) {
        return actor.cache().getOrDefault(FILLED, Long.class, 0L);
    }

    private static void put(Monitor buffer) {
        Actor actor = buffer.actor;
        while (filled(actor) == PLACES) {
            if (!buffer.await(NOT_FULL, PATIENCE_MILLIS)) {
                return;
            }
        }
        long number = actor.nextNumber();
        buffer.change(NOT_EMPTY, false, () -> {
            actor.cache().push(number, BUFFER, Side.BACK, EntryOptions.none());
            return actor.cache().incr(FILLED, 1, 0);
        });
    }

    private static void take(Monitor buffer) {
        Actor actor = buffer.actor;
        while (filled(actor) == 0) {
            if (!buffer.await(NOT_EMPTY, PATIENCE_MILLIS)) {
                return;
            }
        }
        Long number = buffer.change(NOT_FULL, false, () -> {
            Optional<Cache.Item<Long>> item = actor.cache().pull(BUFFER, Side.FRONT, Long.class);
            actor.cache().incr(FILLED, -1, 0);
            return item.orElseThrow(() -> new AssertionError("nothing there although " + FILLED + " said so"))
                    .value();
        });
        if (number != null) {
            actor.referee().once(BUFFER, number);
        }
    }

    // the bell

    private static void ring(Monitor bell) {
        Actor actor = bell.actor;
        Cache cache = actor.cache();
        List<Inspector.Waiter> waiters = Inspector.of(cache).waiters().stream()
                .filter(waiter -> waiter.stage() == Inspector.Stage.AWAITING
                        && waiter.name().equals(BELL))
                .toList();
        long answerNanos = System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(LONG_PATIENCE_MILLIS);
        boolean unanswered = cache.getOrDefault(UNANSWERED, Long.class, answerNanos) > answerNanos;
        if (unanswered || waiters.size() < 2) {
            return;
        }
        bell.change(RUNG, actor.oneIn(3), () -> {
            cache.set(UNANSWERED, System.nanoTime());
            return Actor.DONE;
        });
        Child.say(Worker.CALLED + waiters.get(0).pid());
        actor.spend(RINGING_MICROS);
    }

    private static void listen(Monitor bell) {
        if (bell.await(RUNG, LONG_PATIENCE_MILLIS)) {
            bell.actor.cache().delete(UNANSWERED);
        }
    }

    @Override
    public void drain(Actor actor) {
        Monitor buffer = Monitor.enter(actor, BUFFER);
        if (buffer != null) {
            while (filled(actor) > 0) {
                take(buffer);
            }
            buffer.leave();
        }
    }
}

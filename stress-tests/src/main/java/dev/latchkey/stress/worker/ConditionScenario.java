package dev.latchkey.stress.worker;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.coordination.Lock;
import dev.latchkey.stress.check.Signals;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/**
 * A buffer with few places, as in every textbook on conditions: whoever puts waits until there is room, whoever takes until there is
 * something, and each signals the other in the transaction that changes the buffer.
 */
final class ConditionScenario implements Scenario {
    private static final String BUFFER = "buffer";
    private static final String FILLED = "filled";
    private static final int PLACES = 2;
    /** Much longer than it takes to be signalled. */
    private static final long PATIENCE_MILLIS = 300;

    /** The lock and its conditions, as a thread uses them; and the token that was entered last, negative once it was left. */
    private record Buffer(Actor actor, Lock lock, Condition notFull, Condition notEmpty, AtomicLong reported) {
        static Buffer of(Actor actor) {
            Lock lock = new Lock(actor.cache(), BUFFER);
            return new Buffer(
                    actor, lock, lock.newCondition("not full"), lock.newCondition("not empty"), new AtomicLong());
        }

        long filled() {
            return actor.cache().getOrDefault(FILLED, Long.class, 0L);
        }

        /**
         * Tells the referee. A wait that could not begin in its time, because the database was busy, never gave the lock up:
         * the same token is not entered again, and what follows is not reported.
         */
        private void report(boolean enters) {
            long token = lock.fencingToken();
            if (enters && token != Math.abs(reported.get())) {
                actor.referee().enter(BUFFER, token);
                reported.set(token);
            } else if (!enters && reported.get() > 0) {
                actor.referee().exit(BUFFER, token);
                reported.set(-token);
            }
        }

        /** Whether the lock was got. */
        boolean enter() {
            Long token = actor.attempt(
                    "enter",
                    () -> {
                        lock.lockInterruptibly();
                        return lock.fencingToken();
                    },
                    BUFFER);
            if (token != null) {
                report(true);
            }
            return token != null;
        }

        void leave() {
            report(false);
            actor.attempt(
                    "leave",
                    () -> {
                        lock.unlock();
                        return Actor.DONE;
                    },
                    BUFFER);
        }

        /** Waits until there is room, or something; whether there is. */
        boolean await(boolean room) {
            while (room ? filled() == PLACES : filled() == 0) {
                report(false);
                String woken = actor.attempt("await", () -> wait(room), BUFFER);
                report(true);
                if (!Signals.SIGNALLED.equals(woken)) {
                    return false;
                }
            }
            return true;
        }

        @SuppressWarnings("WaitNotInLoop") // its caller has the loop
        private String wait(boolean room) throws InterruptedException {
            boolean signalled = (room ? notFull : notEmpty).await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            boolean possible = room ? filled() < PLACES : filled() > 0;
            return signalled ? Signals.SIGNALLED : possible ? Signals.LATE : Signals.IN_VAIN;
        }
    }

    @Override
    public void step(Actor actor) {
        Buffer buffer = Buffer.of(actor);
        if (buffer.enter()) {
            if (actor.oneIn(2)) {
                put(actor, buffer);
            } else {
                take(actor, buffer);
            }
            buffer.leave();
        }
    }

    private static void put(Actor actor, Buffer buffer) {
        if (buffer.await(true)) {
            long number = actor.nextNumber();
            actor.attempt(
                    "fill",
                    () -> {
                        buffer.lock.runFenced(() -> {
                            Cache cache = actor.cache();
                            cache.push(number, BUFFER, Side.BACK, EntryOptions.none());
                            cache.incr(FILLED, 1, 0);
                            buffer.notEmpty.signal();
                        });
                        return Actor.DONE;
                    },
                    number);
        }
    }

    private static void take(Actor actor, Buffer buffer) {
        if (buffer.await(false)) {
            Long number = actor.attempt("drain", () -> taken(actor, buffer));
            if (number != null) {
                actor.referee().once(BUFFER, number);
            }
        }
    }

    private static @Nullable Long taken(Actor actor, Buffer buffer) {
        return buffer.lock.runFenced(() -> {
            Cache cache = actor.cache();
            Optional<Cache.Item<Long>> item = cache.pull(BUFFER, Side.FRONT, Long.class);
            cache.incr(FILLED, -1, 0);
            buffer.notFull.signal();
            return item.orElseThrow(() -> new AssertionError("nothing there although " + FILLED + " said so"))
                    .value();
        });
    }

    @Override
    public void drain(Actor actor) {
        Buffer buffer = Buffer.of(actor);
        if (buffer.enter()) {
            while (buffer.filled() > 0) {
                take(actor, buffer);
            }
            buffer.leave();
        }
    }
}

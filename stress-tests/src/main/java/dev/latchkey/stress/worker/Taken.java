package dev.latchkey.stress.worker;

import dev.latchkey.coordination.FencedLock;
import dev.latchkey.coordination.LockHandle;
import dev.latchkey.coordination.LockLostException;
import dev.latchkey.stress.referee.Seats;
import dev.latchkey.stress.worker.Actor.Call;
import dev.latchkey.stress.worker.Actor.Failed;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A lock, or a side of one, that a thread holds by itself or by a handle; and all ways to get one. A history has it as {@code lock
 * PLACE HOW -> TOKEN} and {@code unlock PLACE TOKEN}, with the {@link Seats} that it takes if there are several.
 *
 * @param place its name, with the seats if it has several
 * @param handle null if it belongs to the thread
 * @param leaseMillis how long it may be held, 0 for ever
 */
record Taken(
        String place, FencedLock lock, long token, @Nullable LockHandle handle, int leaseMillis) {
    /** How a lock is asked for. */
    enum How {
        LOCK("lock"),
        INTERRUPTIBLY("interruptibly"),
        NOW("now"),
        TIMED("tryFor"),
        HANDLE("handle"),
        ASYNC("async"),
        /** It is cancelled if it takes long, which may be when it is just being granted. */
        ASYNC_TIMED("asyncFor");

        /** What a history says. */
        private final String word;

        How(String word) {
            this.word = word;
        }

        static How any(Actor actor) {
            return values()[actor.random().nextInt(values().length)];
        }
    }

    /** Asks for a lock; null if it was not to be had. */
    static @Nullable Taken take(Actor actor, String place, FencedLock lock, How how) {
        return take(actor, place, lock, how, 0);
    }

    /** Asks for a lock that has been built with a lease. */
    static @Nullable Taken take(Actor actor, String place, FencedLock lock, How how, int leaseMillis) {
        LockHandle[] handle = new LockHandle[1];
        Call<Long> call = () -> {
            handle[0] = acquire(actor, lock, how);
            return handle[0] == null ? token(lock) : handle[0].fencingToken();
        };
        Long token = leaseMillis == 0
                ? actor.attempt("lock", call, place, how.word)
                : actor.attempt("lock", call, place, how.word, leaseMillis);
        return token == null ? null : new Taken(place, lock, token, handle[0], leaseMillis);
    }

    private static @Nullable LockHandle acquire(Actor actor, FencedLock lock, How how) throws Exception {
        Duration patience = Duration.ofMillis(actor.random().nextInt(30));
        switch (how) {
            case LOCK -> lock.lock();
            case INTERRUPTIBLY -> lock.lockInterruptibly();
            case NOW -> require(lock.tryLock());
            case TIMED -> require(lock.tryLock(patience));
            case HANDLE -> {
                return lock.acquire();
            }
            case ASYNC -> {
                return arrived(lock.acquireAsync(), Optional.empty());
            }
            case ASYNC_TIMED -> {
                return arrived(lock.acquireAsync(), Optional.of(patience));
            }
        }
        return null;
    }

    /** What a future brings in time; it is cancelled otherwise, and by an interrupt. */
    static <T> T arrived(CompletableFuture<T> future, Optional<Duration> patience) throws Exception {
        try {
            return patience.isEmpty() ? future.get() : future.get(patience.get().toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } catch (TimeoutException | InterruptedException e) {
            if (!future.cancel(true)) {
                return future.get(); // it was too late for that
            }
            throw new Failed("cancelled");
        }
    }

    static void require(boolean granted) throws Failed {
        if (!granted) {
            throw new Failed("busy");
        }
    }

    private static long token(FencedLock lock) throws Failed {
        try {
            return lock.fencingToken();
        } catch (LockLostException e) {
            unlessLost(lock::unlock); // as it is lost, this says so too
            throw new AssertionError("released with token " + e.token() + " though that was lost", e);
        }
    }

    /** Tells the referee. */
    void enter(Actor actor) {
        if (leaseMillis > 0) {
            actor.referee().lease(place, token);
        } else {
            actor.referee().enter(place, token);
        }
    }

    void exit(Actor actor) {
        actor.referee().exit(place, token);
    }

    /** A write that only the holder can make: what was written before has a smaller token. */
    void fence(Actor actor) {
        String key = "fenced-" + place;
        actor.attempt(
                "fence",
                () -> unlessLost(() -> fenced(() -> {
                    Long before = actor.cache().get(key, Long.class);
                    if (before != null && before > token) {
                        throw new AssertionError("token " + before + " has written before " + token);
                    }
                    actor.cache().set(key, token);
                })),
                place,
                token);
    }

    private void fenced(Runnable write) {
        if (handle == null) {
            lock.runFenced(write);
        } else {
            handle.runFenced(write);
        }
    }

    void release(Actor actor) {
        actor.attempt("unlock", () -> unlessLost(handle == null ? lock::unlock : handle::close), place, token);
    }

    /** What can only be done while the lock is held. */
    static String unlessLost(Runnable act) throws Failed {
        try {
            act.run();
            return Actor.DONE;
        } catch (LockLostException e) {
            throw new Failed("lost");
        }
    }

    /** Several words or numbers as one word of a history. */
    static String joined(Object... parts) {
        return String.join("+", Arrays.stream(parts).map(String::valueOf).toList());
    }
}

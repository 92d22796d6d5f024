package dev.latchkey.stress.worker;

import dev.latchkey.coordination.LockHandle;
import dev.latchkey.coordination.LockLostException;
import dev.latchkey.coordination.ReadWriteLock;
import dev.latchkey.stress.referee.Seats;
import dev.latchkey.stress.worker.Actor.Failed;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Threads of many processes read a book together or write it alone; some who write go on reading. */
final class ReadWriteScenario implements Scenario {
    private static final String BOOK = "book";
    private static final int MANY = 1_000_000;
    private static final Seats ONE_READER = new Seats(BOOK, 1, MANY);
    private static final Seats THE_WRITER = new Seats(BOOK, MANY, MANY);

    /** A side of the lock that this thread holds, with a handle or by itself. */
    private record Held(
            java.util.concurrent.locks.Lock lock,
            Seats seats,
            long token,
            @Nullable LockHandle handle) {}

    @Override
    public void step(Actor actor) {
        ReadWriteLock lock = new ReadWriteLock(actor.cache(), BOOK);
        boolean writes = actor.oneIn(3);
        Held held = writes ? write(actor, lock) : read(actor, lock);
        if (held == null) {
            return;
        }
        actor.referee().enter(held.seats.toString(), held.token);
        actor.spend(actor.random().nextInt(300));
        Held downgraded = writes && held.handle == null && actor.oneIn(3) ? downgrade(actor, lock) : null;
        actor.referee().exit(held.seats.toString(), held.token);
        release(actor, held);
        if (downgraded != null) {
            actor.referee().enter(downgraded.seats.toString(), downgraded.token);
            actor.referee().exit(downgraded.seats.toString(), downgraded.token);
            release(actor, downgraded);
        }
    }

    private static @Nullable Held read(Actor actor, ReadWriteLock lock) {
        ReadWriteLock.ReadLock side = lock.readLock();
        LockHandle[] handle = new LockHandle[1];
        int how = actor.random().nextInt(3);
        Long token = actor.attempt(
                "read",
                () -> {
                    switch (how) {
                        case 0 -> side.lock();
                        case 1 ->
                            require(side.tryLock(
                                    Duration.ofMillis(actor.random().nextInt(30))));
                        default -> handle[0] = side.acquire();
                    }
                    return handle[0] == null ? side.fencingToken() : handle[0].fencingToken();
                },
                BOOK);
        return token == null ? null : new Held(side, ONE_READER, token, handle[0]);
    }

    private static @Nullable Held write(Actor actor, ReadWriteLock lock) {
        ReadWriteLock.WriteLock side = lock.writeLock();
        LockHandle[] handle = new LockHandle[1];
        int how = actor.random().nextInt(3);
        Long token = actor.attempt(
                "write",
                () -> {
                    switch (how) {
                        case 0 -> side.lock();
                        case 1 ->
                            require(side.tryLock(
                                    Duration.ofMillis(actor.random().nextInt(30))));
                        default -> handle[0] = side.acquire();
                    }
                    return handle[0] == null ? side.fencingToken() : handle[0].fencingToken();
                },
                BOOK);
        return token == null ? null : new Held(side, THE_WRITER, token, handle[0]);
    }

    private static @Nullable Held downgrade(Actor actor, ReadWriteLock lock) {
        Long token = actor.attempt(
                "downgrade",
                () -> {
                    lock.readLock().lock();
                    return lock.readLock().fencingToken();
                },
                BOOK);
        return token == null ? null : new Held(lock.readLock(), ONE_READER, token, null);
    }

    private static void require(boolean granted) throws Failed {
        if (!granted) {
            throw new Failed("busy");
        }
    }

    private static void release(Actor actor, Held held) {
        actor.attempt(
                "unread",
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
                BOOK,
                held.token);
    }

    @Override
    public void drain(Actor actor) {
        Held held = write(actor, new ReadWriteLock(actor.cache(), BOOK));
        if (held != null) {
            release(actor, held);
        }
    }
}

package dev.latchkey.stress.worker;

import dev.latchkey.coordination.ReadWriteLock;
import dev.latchkey.stress.check.Hold;
import dev.latchkey.stress.referee.Seats;
import dev.latchkey.stress.worker.Taken.How;
import org.jspecify.annotations.Nullable;

/** Threads of many processes read a book together or write it alone; some who write go on reading. */
final class ReadWriteScenario implements Scenario {
    private static final int MANY = 1_000_000;
    private static final String BOOK = "book";
    private static final String ONE_READER = new Seats(BOOK, 1, MANY).toString();
    private static final String THE_WRITER = new Seats(BOOK, MANY, MANY).toString();

    @Override
    public void step(Actor actor) {
        ReadWriteLock lock = new ReadWriteLock(actor.cache(), BOOK);
        boolean writes = actor.oneIn(3);
        Taken taken = writes
                ? Taken.take(actor, THE_WRITER, lock.writeLock(), How.any(actor))
                : Taken.take(actor, ONE_READER, lock.readLock(), How.any(actor));
        if (taken == null) {
            return;
        }
        taken.enter(actor);
        if (writes && actor.oneIn(4)) {
            taken.fence(actor);
        }
        actor.spend(actor.random().nextInt(300));
        Taken downgraded = writes && taken.handle() == null && actor.oneIn(3) ? downgrade(actor, lock) : null;
        taken.exit(actor);
        taken.release(actor);
        if (downgraded != null) {
            downgraded.enter(actor);
            downgraded.exit(actor);
            downgraded.release(actor);
        }
    }

    private static @Nullable Taken downgrade(Actor actor, ReadWriteLock lock) {
        Long token = actor.attempt(
                "lock",
                () -> {
                    lock.readLock().lock();
                    return lock.readLock().fencingToken();
                },
                ONE_READER,
                Hold.DOWNGRADE);
        return token == null ? null : new Taken(ONE_READER, lock.readLock(), token, null, 0);
    }

    @Override
    public void drain(Actor actor) {
        Taken taken = Taken.take(actor, THE_WRITER, new ReadWriteLock(actor.cache(), BOOK).writeLock(), How.LOCK);
        if (taken != null) {
            taken.enter(actor);
            taken.exit(actor);
            taken.release(actor);
        }
    }
}

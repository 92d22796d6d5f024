package dev.latchkey.stress.worker;

import dev.latchkey.coordination.BoundedSemaphore;
import dev.latchkey.coordination.Permit;
import dev.latchkey.stress.referee.Seats;
import dev.latchkey.stress.worker.Actor.Failed;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Threads of many processes take one, two or all three permits, by themselves or as {@link Permit}s. */
final class SemaphoreScenario implements Scenario {
    private static final String SEATS = "seats";
    private static final int PERMITS = 3;

    private long reported;

    @Override
    public void step(Actor actor) {
        BoundedSemaphore semaphore = new BoundedSemaphore(actor.cache(), SEATS, PERMITS);
        int number = 1 + actor.random().nextInt(PERMITS);
        boolean plain = actor.oneIn(2);
        Permit permit = plain ? null : permit(actor, semaphore, number);
        if (permit == null && !(plain && acquire(actor, semaphore, number))) {
            return;
        }
        String seats = new Seats(SEATS, number, PERMITS).toString();
        long hold = nextReport(); // plain permits have no token
        actor.referee().enter(seats, hold);
        actor.spend(actor.random().nextInt(300));
        actor.referee().exit(seats, hold);
        actor.attempt(
                "return",
                () -> {
                    if (permit == null) {
                        semaphore.release(number);
                    } else {
                        permit.close();
                    }
                    return Actor.DONE;
                },
                SEATS,
                number);
    }

    private synchronized long nextReport() {
        return ++reported;
    }

    private static @Nullable Permit permit(Actor actor, BoundedSemaphore semaphore, int number) {
        Permit[] permit = new Permit[1];
        boolean waits = actor.oneIn(2);
        actor.attempt(
                "permit",
                () -> {
                    permit[0] = waits
                            ? semaphore.acquirePermit(number)
                            : semaphore
                                    .tryAcquirePermit(
                                            number,
                                            Duration.ofMillis(actor.random().nextInt(30)))
                                    .orElse(null);
                    if (permit[0] == null) {
                        throw new Failed("busy");
                    }
                    return permit[0].fencingToken();
                },
                SEATS,
                number);
        return permit[0];
    }

    private static boolean acquire(Actor actor, BoundedSemaphore semaphore, int number) {
        int how = actor.random().nextInt(3);
        String done = actor.attempt(
                "permit",
                () -> {
                    switch (how) {
                        case 0 -> semaphore.acquire(number);
                        case 1 -> semaphore.acquireUninterruptibly(number);
                        default -> {
                            if (!semaphore.tryAcquire(
                                    number, Duration.ofMillis(actor.random().nextInt(30)))) {
                                throw new Failed("busy");
                            }
                        }
                    }
                    return Actor.DONE;
                },
                SEATS,
                number);
        return done != null;
    }

    @Override
    public void drain(Actor actor) {
        BoundedSemaphore semaphore = new BoundedSemaphore(actor.cache(), SEATS, PERMITS);
        semaphore.acquireUninterruptibly(PERMITS);
        semaphore.release(PERMITS);
    }
}

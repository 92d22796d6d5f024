package dev.latchkey.stress.worker;

import dev.latchkey.coordination.BoundedSemaphore;
import dev.latchkey.coordination.Permit;
import dev.latchkey.stress.referee.Seats;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Threads of many processes take one, two or all three permits of two semaphores: of the one as {@link Permit}s only, whose tokens
 * show in which order they were granted; of the other by themselves too.
 */
final class SemaphoreScenario implements Scenario {
    private static final String IN_ORDER = "places";
    private static final String MIXED = "seats";
    private static final int PERMITS = 3;

    /** Permits without a token get a number that stands for it: negative, so that nobody takes it for one. */
    private final AtomicLong withoutToken = new AtomicLong();

    /** How permits are asked for: in words of a history. */
    private enum How {
        PLAIN("interruptibly"),
        PLAIN_UNINTERRUPTIBLY("lock"),
        PLAIN_TIMED("tryFor"),
        PERMIT("handle"),
        PERMIT_TIMED("tryFor"),
        ASYNC("async"),
        ASYNC_TIMED("asyncFor");

        private static final List<How> WITH_TOKEN = List.of(PERMIT, PERMIT_TIMED, ASYNC, ASYNC_TIMED);

        private final String word;

        How(String word) {
            this.word = word;
        }

        boolean isAsync() {
            return this == ASYNC || this == ASYNC_TIMED;
        }
    }

    @Override
    public void step(Actor actor) {
        String name = actor.oneIn(2) ? IN_ORDER : MIXED;
        List<How> ways = name.equals(MIXED) ? List.of(How.values()) : How.WITH_TOKEN;
        How how = ways.get(actor.random().nextInt(ways.size()));
        take(actor, name, how.isAsync() ? 1 : 1 + actor.random().nextInt(PERMITS), how);
    }

    private void take(Actor actor, String name, int number, How how) {
        BoundedSemaphore semaphore = new BoundedSemaphore(actor.cache(), name, PERMITS);
        String seats = new Seats(name, number, PERMITS).toString();
        Permit[] permit = new Permit[1];
        Long token = actor.attempt(
                "lock",
                () -> {
                    permit[0] = acquire(actor, semaphore, number, how);
                    return permit[0] == null ? withoutToken.decrementAndGet() : permit[0].fencingToken();
                },
                seats,
                how.word);
        if (token == null) {
            return;
        }
        actor.referee().enter(seats, token);
        actor.spend(actor.random().nextInt(300));
        actor.referee().exit(seats, token);
        actor.attempt(
                "unlock",
                () -> {
                    if (permit[0] == null) {
                        semaphore.release(number);
                    } else {
                        permit[0].close();
                    }
                    return Actor.DONE;
                },
                seats,
                token);
    }

    /** Null if they were taken without one. */
    private static @Nullable Permit acquire(Actor actor, BoundedSemaphore semaphore, int number, How how)
            throws Exception {
        Duration patience = Duration.ofMillis(actor.random().nextInt(30));
        switch (how) {
            case PLAIN -> semaphore.acquire(number);
            case PLAIN_UNINTERRUPTIBLY -> semaphore.acquireUninterruptibly(number);
            case PLAIN_TIMED -> Taken.require(semaphore.tryAcquire(number, patience));
            case PERMIT -> {
                return semaphore.acquirePermit(number);
            }
            case PERMIT_TIMED -> {
                Optional<Permit> permit = semaphore.tryAcquirePermit(number, patience);
                Taken.require(permit.isPresent());
                return permit.orElseThrow();
            }
            case ASYNC -> {
                return Taken.arrived(semaphore.acquirePermitAsync(), Optional.empty());
            }
            case ASYNC_TIMED -> {
                return Taken.arrived(semaphore.acquirePermitAsync(), Optional.of(patience));
            }
        }
        return null;
    }

    @Override
    public void drain(Actor actor) {
        for (String name : List.of(IN_ORDER, MIXED)) {
            take(actor, name, PERMITS, How.PERMIT);
        }
    }
}

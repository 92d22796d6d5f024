package dev.latchkey.stress.worker;

import dev.latchkey.coordination.Reservation;
import dev.latchkey.coordination.Throttle;
import dev.latchkey.stress.check.AdmissionRate.Rate;
import dev.latchkey.stress.check.Throughput;
import dev.latchkey.stress.worker.Actor.Call;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * More is asked of two throttles than they admit: of the one in every way there is, some of which waste what they have reserved; of the
 * other, which has no burst, only by those who wait.
 */
public final class ThrottleScenario implements Scenario {
    private static final String MIXED = "mixed";
    private static final String EVEN = "even";
    private static final int MOST = 3;

    private static final Rate EVENLY = new Rate(200, Duration.ofSeconds(1), 1);

    /** What there is. */
    public static final Map<String, Rate> RATES = Map.of(MIXED, new Rate(300, Duration.ofSeconds(1), 12), EVEN, EVENLY);

    /** What is never asked for but by those who wait for as long as it takes. */
    public static final Map<String, Rate> WAITED_FOR = Map.of(EVEN, EVENLY);

    /** How permits are asked for: in words of a history. */
    private enum How {
        WAIT(Throughput.WAIT),
        NOW("now"),
        TIMED("tryFor"),
        IN_TRANSACTION("inTransaction"),
        RESERVE("reserve");

        private final String word;

        How(String word) {
            this.word = word;
        }
    }

    private static Throttle throttle(Actor actor, String name) {
        Rate rate = Objects.requireNonNull(RATES.get(name), "rate");
        return Throttle.builder(actor.cache(), name, rate.count(), rate.period())
                .burst(rate.burst())
                .build();
    }

    @Override
    public void step(Actor actor) {
        if (actor.oneIn(2)) {
            ask(actor, EVEN, 1, How.WAIT);
        } else {
            How how = How.values()[actor.random().nextInt(How.values().length)];
            ask(actor, MIXED, 1 + actor.random().nextInt(MOST), how);
        }
    }

    private static void ask(Actor actor, String name, int permits, How how) {
        if (how == How.RESERVE) {
            reserve(actor, name, permits);
            return;
        }
        Duration patience = Duration.ofMillis(actor.random().nextInt(30));
        boolean changesItsMind = actor.oneIn(4);
        Call<String> call = () -> {
            Throttle throttle = throttle(actor, name);
            switch (how) {
                case WAIT -> throttle.acquire(permits);
                case NOW -> Taken.require(throttle.tryAcquire(permits));
                case TIMED -> Taken.require(throttle.tryAcquire(permits, patience));
                case IN_TRANSACTION -> Taken.require(inTransaction(actor, throttle, permits, changesItsMind));
                case RESERVE -> throw new AssertionError(how);
            }
            return Actor.DONE;
        };
        actor.attempt("permit", call, name, permits, how.word);
    }

    private static boolean inTransaction(Actor actor, Throttle throttle, int permits, boolean changesItsMind) {
        try {
            return actor.cache().transact(() -> {
                boolean admitted = throttle.tryAcquire(permits);
                if (changesItsMind) {
                    throw new ChangedMind();
                }
                return admitted;
            });
        } catch (ChangedMind e) {
            return false; // what was rolled back was not admitted
        }
    }

    /** Reserves a slot, which is told as exactly as it can be seen; waits for it, or gives it back. */
    private static void reserve(Actor actor, String name, int permits) {
        Reservation[] reserved = new Reservation[1];
        long number = actor.nextNumber();
        Object[] slot = actor.attempt(
                "reserve",
                () -> {
                    Throttle throttle = throttle(actor, name);
                    long earliest = System.nanoTime();
                    reserved[0] = throttle.reserve(permits);
                    long before = System.nanoTime();
                    long delay = reserved[0].delay().toNanos();
                    long after = System.nanoTime();
                    return new Object[] {delay == 0 ? earliest : before + delay, after + delay};
                },
                name,
                permits,
                number);
        if (slot == null) {
            return;
        }
        if (actor.oneIn(3)) {
            actor.spend(actor.random().nextInt((int) TimeUnit.MILLISECONDS.toMicros(3)));
            actor.attempt(
                    "cancel",
                    () -> {
                        Taken.require(reserved[0].cancel());
                        return Actor.DONE;
                    },
                    name,
                    number);
        } else {
            actor.attempt(
                    "use",
                    () -> {
                        reserved[0].await();
                        return Actor.DONE;
                    },
                    name,
                    number);
        }
    }

    @Override
    public void drain(Actor actor) {
        ask(actor, MIXED, MOST, How.WAIT);
        ask(actor, EVEN, 1, How.WAIT);
    }
}

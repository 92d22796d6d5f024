package dev.latchkey.stress.worker;

import dev.latchkey.coordination.CyclicBarrier;
import dev.latchkey.stress.worker.Actor.Call;
import dev.latchkey.stress.worker.Actor.Failed;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeoutException;

/**
 * Threads of many processes meet at two barriers: often at the one, which has no action; seldom, and with more patience, at the other,
 * so that those who wait there can be killed. Whoever finds a barrier broken makes it as new.
 */
final class BarrierScenario implements Scenario {
    private static final String QUICK = "quick";
    private static final String SLOW = "slow";
    private static final int PARTIES = 3;
    private static final int QUICK_PATIENCE_MILLIS = 50;
    private static final int SLOW_PATIENCE_MILLIS = 700;

    @Override
    public void step(Actor actor) throws InterruptedException {
        if (actor.oneIn(15)) {
            meet(actor, SLOW, SLOW_PATIENCE_MILLIS);
        } else {
            meet(actor, QUICK, QUICK_PATIENCE_MILLIS);
            actor.spend(actor.random().nextInt(3_000));
        }
    }

    private static void meet(Actor actor, String name, int patienceMillis) {
        long[] action = new long[3]; // how often it was run, and from when until when
        Runnable act = () -> {
            action[0]++;
            action[1] = System.nanoTime();
            actor.spend(actor.random().nextInt(500));
            action[2] = System.nanoTime();
        };
        boolean acts = name.equals(SLOW);
        Call<Object[]> call = () -> {
            CyclicBarrier barrier = acts
                    ? new CyclicBarrier(actor.cache(), name, PARTIES, act)
                    : new CyclicBarrier(actor.cache(), name, PARTIES);
            try {
                int index = barrier.await(Duration.ofMillis(patienceMillis));
                return acts ? new Object[] {index, action[0], action[1], action[2]} : new Object[] {index};
            } catch (BrokenBarrierException e) {
                throw new Failed("broken");
            } catch (TimeoutException e) {
                throw new Failed("timed_out");
            }
        };
        if (actor.attempt("arrive", call, name, PARTIES) == null) {
            renew(actor, name);
        }
    }

    /** Unless another has. */
    private static void renew(Actor actor, String name) {
        CyclicBarrier barrier = new CyclicBarrier(actor.cache(), name, PARTIES);
        if (barrier.isBroken()) {
            actor.attempt(
                    "reset",
                    () -> {
                        barrier.reset();
                        return Actor.DONE;
                    },
                    name);
        }
    }

    /** Comes and goes, so that the seats of the dead are taken away. */
    @Override
    public void drain(Actor actor) {
        for (String name : List.of(QUICK, SLOW)) {
            meet(actor, name, 0);
            meet(actor, name, 0);
        }
    }
}

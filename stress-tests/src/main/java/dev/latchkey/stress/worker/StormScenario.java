package dev.latchkey.stress.worker;

import java.util.Random;

/** A directory that does not exist yet is opened and closed all the time, with little done in between. */
final class StormScenario implements Scenario {
    private final LockScenario locks = new LockScenario(false);
    private final CounterScenario counters = new CounterScenario();

    @Override
    public int shift(Random random) {
        return random.nextInt(4);
    }

    @Override
    public boolean shiftsTogether(Random random) {
        return random.nextBoolean(); // else one thread opens what another is closing
    }

    @Override
    public void step(Actor actor) throws InterruptedException {
        if (actor.oneIn(2)) {
            locks.step(actor);
        } else {
            counters.step(actor);
        }
    }

    @Override
    public void drain(Actor actor) {
        locks.drain(actor);
        counters.drain(actor);
    }
}

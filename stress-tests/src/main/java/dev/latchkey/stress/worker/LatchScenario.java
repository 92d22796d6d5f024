package dev.latchkey.stress.worker;

import dev.latchkey.coordination.CountDownLatch;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A latch that is counted down in rounds, by participants that count again and again, as if they had been started anew; whoever finds it
 * open begins the next round. Each second has another latch, so that what nobody knows of one, since a process was killed, is little.
 */
public final class LatchScenario implements Scenario {
    /** How often it has to be counted down in each round. */
    public static final int COUNT = 4;

    private static final int PARTICIPANTS = 6;
    private static final int PATIENCE_MILLIS = 300;

    private static String name() {
        return "loaded-" + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime());
    }

    @Override
    public void step(Actor actor) {
        String name = name();
        switch (actor.random().nextInt(8)) {
            case 0, 1 -> attempt(actor, "pass", latch -> latch.await(Duration.ofMillis(PATIENCE_MILLIS)), name);
            case 2 -> attempt(actor, "begin", latch -> latch.trySetCount(COUNT), name);
            default -> {
                String participant = "participant-" + actor.random().nextInt(PARTICIPANTS);
                attempt(actor, "count", latch -> latch.countDown(participant), name, participant);
            }
        }
        actor.spend(actor.random().nextInt(2_000));
    }

    /** What is asked of a latch, which may refuse it. */
    @FunctionalInterface
    private interface Question {
        boolean ask(CountDownLatch latch) throws InterruptedException;
    }

    private static void attempt(Actor actor, String operation, Question question, Object... arguments) {
        actor.attempt(
                operation,
                () -> {
                    Taken.require(question.ask(new CountDownLatch(actor.cache(), arguments[0].toString(), COUNT)));
                    return Actor.DONE;
                },
                arguments);
    }

    /** Counts as all of them: only who has written something has a session and can sweep. */
    @Override
    public void drain(Actor actor) {
        String name = name();
        for (int i = 0; i < COUNT; i++) {
            String participant = "participant-" + i;
            attempt(actor, "count", latch -> latch.countDown(participant), name, participant);
        }
    }
}

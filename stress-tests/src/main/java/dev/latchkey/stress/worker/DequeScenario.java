package dev.latchkey.stress.worker;

import dev.latchkey.cache.Bound;
import dev.latchkey.cache.Deque;
import dev.latchkey.cache.Side;
import dev.latchkey.stress.check.AccountValue;
import dev.latchkey.stress.check.NumberedItem;
import dev.latchkey.stress.check.PulledOnce;
import dev.latchkey.stress.worker.Actor.Failed;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One deque of limited capacity: at its back every thread adds and waits for room, at its front it takes and waits for items. More is
 * taken than added, so that somebody waits for an item as a rule; now and then it is the other way round.
 */
public final class DequeScenario implements Scenario {
    /** Of {@link PulledOnce#IN_ORDER}. */
    public static final int CAPACITY = 6;

    private static final int MOST_MILLIS = 60;
    private static final long TIDE_SECONDS = 2;

    private static Deque<byte[]> deque(Actor actor) {
        return Deque.builder(actor.cache(), PulledOnce.IN_ORDER, byte[].class)
                .bound(Bound.capacity(CAPACITY))
                .build();
    }

    @Override
    public void step(Actor actor) {
        boolean flood = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime()) / TIDE_SECONDS % 2 == 0;
        boolean adds = actor.random().nextInt(5) < (flood ? 3 : 2);
        if (adds) {
            put(actor, actor.random().nextInt(MOST_MILLIS));
        } else {
            take(actor, actor.random().nextInt(MOST_MILLIS));
        }
    }

    /** An item with a new number, without waiting if there is no time for it. */
    private static void put(Actor actor, int millis) {
        long number = actor.nextNumber();
        NumberedItem item = NumberedItem.of(number);
        int padding = Entries.padding(actor);
        byte[] value = AccountValue.encode(number, padding, actor.random().nextLong());
        actor.attempt(
                "push",
                () -> {
                    Deque<byte[]> deque = deque(actor);
                    Taken.require(millis == 0 ? deque.offer(value) : deque.offer(value, millis, TimeUnit.MILLISECONDS));
                    return Actor.DONE;
                },
                PulledOnce.IN_ORDER,
                Side.BACK,
                item.producer(),
                item.sequence(),
                padding,
                waits(millis));
    }

    /** Whether there was an item. */
    private static boolean take(Actor actor, int millis) {
        Object[] taken = actor.attempt(
                "pull",
                () -> {
                    byte[] value = poll(deque(actor), millis);
                    if (value == null) {
                        throw new Failed("none");
                    }
                    NumberedItem item = NumberedItem.of(
                            AccountValue.decode(value).orElseThrow(() -> new AssertionError("damaged")));
                    return new Object[] {"from-" + item.producer(), item.sequence()};
                },
                PulledOnce.IN_ORDER,
                Side.FRONT,
                waits(millis));
        if (taken != null) {
            actor.referee().once((String) taken[0], (Long) taken[1]);
        }
        return taken != null;
    }

    private static byte @Nullable [] poll(Deque<byte[]> deque, int millis) throws InterruptedException {
        return millis == 0 ? deque.poll() : deque.poll(millis, TimeUnit.MILLISECONDS);
    }

    private static String waits(int millis) {
        return millis == 0 ? "now" : "waits";
    }

    @Override
    public void drain(Actor actor) {
        put(actor, 0);
        while (take(actor, 0)) {
            // until there is none
        }
    }
}

package dev.latchkey.stress.worker;

import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.MultiLock;
import dev.latchkey.stress.worker.Taken.How;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Threads of many processes take two of four names in any order, or one of them by its own lock. */
final class MultiLockScenario implements Scenario {
    private static final List<String> NAMES = List.of("fork-0", "fork-1", "fork-2", "fork-3");

    @Override
    public void step(Actor actor) {
        List<String> names = new ArrayList<>(NAMES);
        Collections.shuffle(names, actor.random());
        if (actor.oneIn(4)) {
            single(actor, names.get(0));
        } else {
            together(actor, names.subList(0, 2));
        }
    }

    private static void single(Actor actor, String name) {
        Taken taken = Taken.take(actor, name, new Lock(actor.cache(), name), How.any(actor));
        if (taken != null) {
            taken.enter(actor);
            actor.spend(actor.random().nextInt(300));
            taken.exit(actor);
            taken.release(actor);
        }
    }

    private static void together(Actor actor, List<String> names) {
        MultiLock lock = new MultiLock(actor.cache(), names);
        boolean waits = actor.oneIn(2);
        String place = Taken.joined(names.toArray());
        Long[] tokens = new Long[names.size()];
        String granted = actor.attempt(
                "lock",
                () -> {
                    if (waits) {
                        lock.lockInterruptibly();
                    } else {
                        Taken.require(
                                lock.tryLock(Duration.ofMillis(actor.random().nextInt(30))));
                    }
                    for (int i = 0; i < tokens.length; i++) {
                        tokens[i] = lock.fencingToken(names.get(i));
                    }
                    return Taken.joined((Object[]) tokens);
                },
                place,
                waits ? "together" : "togetherFor");
        if (granted == null) {
            return;
        }
        for (int i = 0; i < tokens.length; i++) {
            actor.referee().enter(names.get(i), tokens[i]);
        }
        actor.spend(actor.random().nextInt(300));
        for (int i = 0; i < tokens.length; i++) {
            actor.referee().exit(names.get(i), tokens[i]);
        }
        actor.attempt("unlock", () -> Taken.unlessLost(lock::unlock), place, granted);
    }

    @Override
    public void drain(Actor actor) {
        together(actor, NAMES);
    }
}

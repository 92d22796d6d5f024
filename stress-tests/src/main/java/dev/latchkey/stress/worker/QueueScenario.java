package dev.latchkey.stress.worker;

import dev.latchkey.coordination.Claim;
import dev.latchkey.coordination.ClaimLostException;
import dev.latchkey.coordination.WorkQueue;
import dev.latchkey.stress.check.Results;
import dev.latchkey.stress.worker.Actor.Failed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Every thread puts items into one queue and claims what others have put; some it gives back. */
final class QueueScenario implements Scenario {
    private static final String QUEUE = "jobs";
    /** So that no item becomes a dead letter: what is put is to be acknowledged. */
    private static final int ATTEMPTS = 1_000_000;

    private final AtomicLong items = new AtomicLong();
    private final boolean stores;

    /** Whether some results are stored with the acknowledgement, for which there must be space. */
    QueueScenario(boolean stores) {
        this.stores = stores;
    }

    private static WorkQueue<String> queue(Actor actor) {
        return WorkQueue.withMaxAttempts(actor.cache(), QUEUE, String.class, ATTEMPTS);
    }

    @Override
    public void step(Actor actor) {
        WorkQueue<String> queue = queue(actor);
        if (actor.oneIn(2)) {
            put(actor, queue);
        }
        work(actor, queue, Duration.ofMillis(actor.random().nextInt(20)));
    }

    private void put(Actor actor, WorkQueue<String> queue) {
        String item = actor.name() + "-" + items.incrementAndGet();
        actor.attempt(
                "put",
                () -> {
                    queue.put(item);
                    return Actor.DONE;
                },
                item);
    }

    /** Claims an item and deals with it; whether there was one. */
    private boolean work(Actor actor, WorkQueue<String> queue, Duration wait) {
        Claim<String> claim = claim(actor, queue, wait);
        if (claim == null) {
            return false;
        }
        actor.referee().enter(claim.value(), claim.attempt());
        actor.spend(actor.random().nextInt(300));
        if (actor.oneIn(8)) {
            actor.referee().exit(claim.value(), claim.attempt());
            end(actor, "nack", claim, actor.oneIn(2) ? claim::nack : claim::close);
        } else if (stores && actor.oneIn(3)
                ? acknowledgeWithResult(actor, claim)
                : end(actor, "ack", claim, claim::ack)) {
            actor.referee().gone(claim.value(), claim.attempt());
        }
        return true;
    }

    private static @Nullable Claim<String> claim(Actor actor, WorkQueue<String> queue, Duration wait) {
        Claim<?>[] claimed = new Claim<?>[1];
        actor.attempt("claim", () -> {
            Optional<Claim<String>> claim = queue.claim(wait);
            if (claim.isEmpty()) {
                throw new Failed("none");
            }
            claimed[0] = claim.get();
            return new Object[] {claim.get().value(), claim.get().attempt()};
        });
        @SuppressWarnings("unchecked") // it comes from the queue above
        Claim<String> claim = (Claim<String>) claimed[0];
        return claim;
    }

    /** The result and the acknowledgement are one transaction. */
    private static boolean acknowledgeWithResult(Actor actor, Claim<String> claim) {
        Runnable both = () -> actor.cache().transact(() -> {
            actor.cache().incr(Results.KEY, 1, 0);
            claim.ack();
            return true;
        });
        return end(actor, "ack", claim, both, Results.WITH_RESULT);
    }

    private static boolean end(Actor actor, String how, Claim<String> claim, Runnable call, String... more) {
        List<Object> arguments = new ArrayList<>(List.of(claim.value(), claim.attempt()));
        arguments.addAll(List.of(more));
        return actor.attempt(
                        how,
                        () -> {
                            try {
                                call.run();
                                return Actor.DONE;
                            } catch (ClaimLostException e) {
                                throw new Failed("lost");
                            }
                        },
                        arguments.toArray())
                != null;
    }

    /** Claims all there is; with an item of its own, because only who has claimed something has a session and can sweep. */
    @Override
    public void drain(Actor actor) {
        WorkQueue<String> queue = queue(actor);
        put(actor, queue);
        boolean found = true;
        while (found) {
            found = work(actor, queue, Duration.ofMillis(100));
        }
    }
}

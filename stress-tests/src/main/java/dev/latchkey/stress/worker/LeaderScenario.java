package dev.latchkey.stress.worker;

import dev.latchkey.coordination.Holder;
import dev.latchkey.coordination.Inspector;
import dev.latchkey.coordination.LeaderElection;
import dev.latchkey.coordination.LockLostException;
import dev.latchkey.stress.worker.Actor.Failed;
import java.util.Optional;

/**
 * Threads of many processes stand for one election, whose leaders lead for a moment, resign or dawdle; now and then somebody deposes one.
 * A leadership is written down as a lock that is held as long as the task runs.
 */
final class LeaderScenario implements Scenario {
    private static final String OFFICE = "office";
    private static final int BRISK_MICROS = 300;
    private static final int DAWDLING_MICROS = 40_000;

    /** What the leader of a step does, and how far it has come. */
    private static final class Term {
        final Actor actor;
        final LeaderElection election;
        final boolean resigns;
        final int micros;
        boolean elected;

        Term(Actor actor, LeaderElection election) {
            this.actor = actor;
            this.election = election;
            this.resigns = actor.oneIn(4);
            this.micros = actor.random().nextInt(actor.oneIn(40) ? DAWDLING_MICROS : BRISK_MICROS);
        }

        private String lead() {
            long token = election.fencingToken();
            elected = true;
            actor.succeeded("lock", token);
            actor.referee().enter(OFFICE, token);
            if (actor.oneIn(4)) {
                fence(token);
            }
            if (resigns) {
                election.resign(); // which interrupts this thread
            }
            actor.spend(micros);
            actor.referee().exit(OFFICE, token);
            actor.begun("unlock", OFFICE, token);
            return Actor.DONE;
        }

        /** What only the leader can write: what was written before has a smaller token. */
        private void fence(long token) {
            String key = "fenced-" + OFFICE;
            actor.attempt(
                    "fence",
                    () -> Taken.unlessLost(() -> election.runFenced(() -> {
                        Long before = actor.cache().get(key, Long.class);
                        if (before != null && before > token) {
                            throw new AssertionError("token " + before + " has written before " + token);
                        }
                        actor.cache().set(key, token);
                    })),
                    OFFICE,
                    token);
        }
    }

    @Override
    public void step(Actor actor) {
        if (actor.oneIn(60)) {
            depose(actor);
        } else {
            stand(actor);
        }
    }

    private static void stand(Actor actor) {
        try (LeaderElection election = new LeaderElection(actor.cache(), OFFICE)) {
            Term term = new Term(actor, election);
            actor.begun("lock", OFFICE, "interruptibly");
            actor.finish(() -> term.elected ? "unlock" : "lock", () -> {
                try {
                    return election.lead(term::lead);
                } catch (LockLostException e) {
                    throw new Failed("lost");
                }
            });
        }
    }

    private static void depose(Actor actor) {
        try (LeaderElection election = new LeaderElection(actor.cache(), OFFICE)) {
            Optional<Holder> leader = election.leader();
            if (leader.isEmpty()) {
                return;
            }
            long token = leader.get().token();
            actor.referee().revoke(OFFICE, token);
            actor.attempt(
                    "force",
                    () -> {
                        if (!Inspector.of(actor.cache()).forceRelease(OFFICE, token)) {
                            throw new Failed("another_token");
                        }
                        return Actor.DONE;
                    },
                    OFFICE,
                    token);
        }
    }

    @Override
    public void drain(Actor actor) {
        stand(actor);
    }
}

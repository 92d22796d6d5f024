package dev.latchkey.stress;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/** What the nemesis does, and when: drawn from a seed, before anything has happened. */
final class Schedule {
    private static final int LONGEST_PAUSE_MILLIS = 400;
    private static final int SHORTEST_PAUSE_MILLIS = 100;

    private Schedule() {}

    /** What is done to a worker or to the directory. */
    enum Act {
        KILL(3),
        KILL_OPENING(2),
        KILL_WAITING(3),
        KILL_HOLDING(4),
        KILL_COMMITTING(4),
        KILL_CHECKPOINTING(4),
        KILL_CLOSING(4),
        STOP(3),
        INTERRUPT(4),
        DELETE_HINTS(1),
        ZERO_HINTS(1),
        CHECKPOINT(2),
        STEP_CLOCK(2),
        /** Only where the directory has a disk of its own. */
        FILL_OR_FREE_DISK(0);

        private final int weight;

        Act(int weight) {
            this.weight = weight;
        }

        boolean isKill() {
            return name().startsWith("KILL");
        }

        /** Whether it is done to a worker; otherwise to the directory. */
        boolean hasVictim() {
            return switch (this) {
                case DELETE_HINTS, ZERO_HINTS, CHECKPOINT, STEP_CLOCK, FILL_OR_FREE_DISK -> false;
                default -> true;
            };
        }
    }

    /**
     * One thing that is done.
     *
     * @param millis after the start
     * @param victim which of the workers, modulo their number
     * @param dice for what else has to be chosen; not negative
     */
    record Step(long millis, Act act, int victim, int dice) {
        /** The same with more of those that are killed while they wait. */
        Step waiting() {
            boolean other = act == Act.KILL_HOLDING || act == Act.KILL_COMMITTING || act == Act.KILL_CLOSING;
            return other && dice % 4 > 0 ? new Step(millis, Act.KILL_WAITING, victim, dice) : this;
        }

        /** The same where what the wall clock says decides what is kept. */
        Step withoutClock() {
            return act == Act.STEP_CLOCK ? new Step(millis, Act.CHECKPOINT, victim, dice) : this;
        }

        /** The same on a disk that is full from time to time. */
        Step withDisk() {
            return act.hasVictim() ? this : new Step(millis, Act.FILL_OR_FREE_DISK, victim, dice);
        }

        /** The same for workers that hold nothing and wait for nothing. */
        Step withoutHolding() {
            return switch (act) {
                case KILL_WAITING -> new Step(millis, Act.KILL_COMMITTING, victim, dice);
                case KILL_HOLDING -> new Step(millis, Act.KILL_CLOSING, victim, dice);
                default -> this;
            };
        }
    }

    static List<Step> of(long seed, int seconds) {
        Random random = new Random(seed);
        Deque<Act> deck = new ArrayDeque<>();
        List<Step> steps = new ArrayList<>();
        long millis = 0;
        while (true) {
            millis += SHORTEST_PAUSE_MILLIS + random.nextInt(LONGEST_PAUSE_MILLIS - SHORTEST_PAUSE_MILLIS);
            if (millis >= seconds * 1000L) {
                return steps;
            }
            if (deck.isEmpty()) {
                deck.addAll(shuffled(random));
            }
            steps.add(new Step(millis, deck.remove(), random.nextInt(1 << 16), random.nextInt(1 << 16)));
        }
    }

    /** Every act, as often as it weighs: dealt out like cards, so that no run of some seconds lacks one. */
    private static List<Act> shuffled(Random random) {
        List<Act> acts = new ArrayList<>();
        for (Act act : Act.values()) {
            acts.addAll(Collections.nCopies(act.weight, act));
        }
        Collections.shuffle(acts, random);
        return acts;
    }
}

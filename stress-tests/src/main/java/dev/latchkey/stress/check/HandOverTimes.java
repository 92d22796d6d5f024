package dev.latchkey.stress.check;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How long what had become free stayed idle until one who waited for it had it, for people to look at; {@link HandOver} judges.
 *
 * @param nanos when it had become free
 * @param name of what
 * @param idleNanos how long it stayed idle
 * @param afterDeath whether it was free because its holder was killed
 */
public record HandOverTimes(long nanos, String name, long idleNanos, boolean afterDeath) {
    /** Those of a run, in the order of their time. */
    public static List<HandOverTimes> of(Run run) {
        Lives lives = new Lives(run, run.operations());
        List<HandOverTimes> times = new ArrayList<>();
        Hold.byName(run.operations(), lives).forEach((name, holds) -> addTo(times, name, holds, lives));
        times.sort(Comparator.comparingLong(HandOverTimes::nanos));
        return times;
    }

    private static void addTo(List<HandOverTimes> times, String name, List<Hold> holds, Lives lives) {
        long free = Long.MIN_VALUE;
        boolean death = false;
        for (Hold hold :
                holds.stream().sorted(Comparator.comparingLong(Hold::from)).toList()) {
            boolean waited = free > Long.MIN_VALUE && hold.grant().invoked() <= free && free < hold.from();
            if (waited) {
                times.add(new HandOverTimes(free, name, hold.from() - free, death));
            }
            if (hold.to() >= free) {
                free = hold.to();
                death = hold.to() == lives.killed(hold.process());
            }
        }
    }
}

package dev.latchkey.coordination;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * The permits of a semaphore that a process holds by plain acquires. They are no thread's in particular: any may give them back.
 *
 * <p>A permit moves {@code held -> taken -> (gone, when its release is written) | held, when that is rolled back}, so that of
 * several releases at once each gives back others. Which grants were lost is found out when permits are taken: whoever gives those
 * back is told.
 */
final class Purse {
    private final ReentrantLock mutex = new ReentrantLock();
    /** How many permits of each grant no release has taken yet. */
    private final Map<Grant, Long> held = new LinkedHashMap<>();

    private long lost;
    private long lostToken;

    /** What a release gives back: permits of grants, and the token of one that was lost, if there are too few others. */
    record Taken(Map<Grant, Long> parts, OptionalLong lostToken) {}

    void put(Grant grant) {
        mutex.lock();
        try {
            held.put(grant, grant.units());
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Takes permits for a release, at first those of grants that end with it.
     *
     * @throws IllegalMonitorStateException if there are fewer; nothing is taken then
     */
    Taken take(long number, Predicate<Grant> isHeld, String what) {
        mutex.lock();
        try {
            forgetLost(isHeld);
            long here = sum();
            if (number > here + lost) {
                throw new IllegalMonitorStateException("cannot release " + number + " of " + what
                        + ": this process holds " + here + " by plain acquires; a Permit is released by its close()");
            }
            long late = Math.max(0, number - here);
            lost -= late;
            return new Taken(take(number - late), late == 0 ? OptionalLong.empty() : OptionalLong.of(lostToken));
        } finally {
            mutex.unlock();
        }
    }

    private void forgetLost(Predicate<Grant> isHeld) {
        held.entrySet().removeIf(entry -> {
            boolean gone = !isHeld.test(entry.getKey());
            if (gone) {
                lost += entry.getValue();
                lostToken = entry.getKey().token;
            }
            return gone;
        });
    }

    private long sum() {
        return held.values().stream().mapToLong(Long::longValue).sum();
    }

    private Map<Grant, Long> take(long number) {
        Map<Grant, Long> parts = new HashMap<>();
        long left = number;
        List<Map.Entry<Grant, Long>> order = new ArrayList<>(held.entrySet());
        order.sort((a, b) -> Boolean.compare(b.getValue() == number, a.getValue() == number));
        for (Map.Entry<Grant, Long> entry : order) {
            long part = Math.min(left, entry.getValue());
            if (part > 0) {
                parts.put(entry.getKey(), part);
                left -= part;
            }
        }
        parts.forEach((grant, part) -> held.computeIfPresent(grant, (same, had) -> had > part ? had - part : null));
        return parts;
    }

    /** What was taken is not released after all. */
    void putBack(Map<Grant, Long> parts) {
        mutex.lock();
        try {
            parts.forEach((grant, part) -> held.merge(grant, part, Long::sum));
        } finally {
            mutex.unlock();
        }
    }
}

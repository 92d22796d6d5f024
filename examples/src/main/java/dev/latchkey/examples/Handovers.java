package dev.latchkey.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How long the lock took from one process to the next: from the moment the holder is about to release it, or the next begins to
 * wait if that is later, to the moment the next has it. The fencing tokens give the order.
 */
final class Handovers {
    private final NavigableMap<Long, Grant> grants = new TreeMap<>();

    private record Grant(long pid, long waiting, long locked, Optional<Long> releasing) {
        long since(Grant before) {
            return Math.max(0, locked - Math.max(waiting, before.releasing.orElseThrow()));
        }
    }

    void locked(long token, long pid, long waitingNanos, long lockedNanos) {
        grants.put(token, new Grant(pid, waitingNanos, lockedNanos, Optional.empty()));
    }

    void releasing(long token, long nanos) {
        grants.computeIfPresent(
                token, (key, grant) -> new Grant(grant.pid, grant.waiting, grant.locked, Optional.of(nanos)));
    }

    /** The times between different processes, shortest first. A holder that was killed released nothing and is left out. */
    List<Long> nanos() {
        List<Long> nanos = new ArrayList<>();
        Grant before = null;
        for (Grant grant : grants.values()) {
            if (before != null && before.pid != grant.pid && before.releasing.isPresent()) {
                nanos.add(grant.since(before));
            }
            before = grant;
        }
        nanos.sort(null);
        return nanos;
    }

    int grants() {
        return grants.size();
    }
}

package dev.latchkey.coordination;

import java.util.Arrays;
import java.util.Collection;
import java.util.Optional;

/** The referee of a throttle: knows the slots that were handed out and the rate, and nothing of how they came about. */
final class SlotChecker {
    private SlotChecker() {}

    /**
     * A window in which there were more slots than {@code burst + t / interval}, in words, if there is one. A slot for several
     * permits is to be given as often as it has permits.
     */
    static Optional<String> violation(Collection<Long> slots, long burst, long intervalNanos) {
        long[] sorted = slots.stream().mapToLong(Long::longValue).sorted().toArray();
        // The slots i to j are too many if (j - i + 1 - burst) x interval > slot(j) - slot(i), that is, if slot(j) is
        // ahead of the
        // rate by more than burst - 1 since slot(i). It is enough to look at the i that is farthest behind the rate.
        int begin = 0;
        for (int j = 0; j < sorted.length; j++) {
            if (aheadNanos(sorted, j, intervalNanos) < aheadNanos(sorted, begin, intervalNanos)) {
                begin = j;
            }
            long ahead = aheadNanos(sorted, j, intervalNanos) - aheadNanos(sorted, begin, intervalNanos);
            if (ahead > (burst - 1) * intervalNanos) {
                return Optional.of((j - begin + 1) + " slots within " + (sorted[j] - sorted[begin])
                        + " ns, with a burst of " + burst + " and one per " + intervalNanos + " ns: "
                        + Arrays.toString(Arrays.copyOfRange(sorted, begin, Math.min(j + 1, begin + 20))));
            }
        }
        return Optional.empty();
    }

    private static long aheadNanos(long[] sorted, int index, long intervalNanos) {
        return index * intervalNanos - (sorted[index] - sorted[0]);
    }
}

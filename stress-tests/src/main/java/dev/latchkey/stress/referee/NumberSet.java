package dev.latchkey.stress.referee;

import java.util.Map;
import java.util.TreeMap;

/** The numbers seen so far, as ranges: hours of a counter take no more room than one number. */
final class NumberSet {
    /** The first number of each range and its last; no two ranges touch. */
    private final TreeMap<Long, Long> ranges = new TreeMap<>();

    /** Adds a number; returns whether it is new. */
    boolean add(long number) {
        Map.Entry<Long, Long> below = ranges.floorEntry(number);
        if (below != null && below.getValue() >= number) {
            return false;
        }
        Long first = below != null && below.getValue() == number - 1 ? below.getKey() : Long.valueOf(number);
        Long last = number == Long.MAX_VALUE ? null : ranges.remove(number + 1);
        ranges.put(first, last == null ? Long.valueOf(number) : last);
        return true;
    }

    /** How many ranges there are. */
    int ranges() {
        return ranges.size();
    }
}

package dev.latchkey.cache;

import java.util.Arrays;

/**
 * Which entries go first when a cache is larger than its limit. Pinned entries never do, nor does the entry that was just
 * written.
 */
public enum EvictionPolicy {
    /** The entries whose value was stored longest ago; reads make no difference. */
    LEAST_RECENTLY_STORED("least-recently-stored"),
    /** The entries that were read or stored longest ago. */
    LEAST_RECENTLY_USED("least-recently-used"),
    /** The entries that were read the fewest times since they were stored. */
    LEAST_FREQUENTLY_USED("least-frequently-used"),
    /** None: the cache grows without limit, and only expired entries go. */
    NONE("none");

    private final String stored;

    EvictionPolicy(String stored) {
        this.stored = stored;
    }

    /**
     * The name in the table of settings, which is python-diskcache's.
     *
     * @return for example {@code least-recently-stored}
     */
    public String stored() {
        return stored;
    }

    /**
     * The policy of a stored name.
     *
     * @param stored for example {@code least-recently-stored}
     * @return the policy
     * @throws IllegalArgumentException if there is none of that name
     */
    public static EvictionPolicy of(String stored) {
        return Arrays.stream(values())
                .filter(policy -> policy.stored.equals(stored))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("eviction policy must be one of "
                        + Arrays.stream(values()).map(EvictionPolicy::stored).toList() + ", was '" + stored + "'"));
    }
}

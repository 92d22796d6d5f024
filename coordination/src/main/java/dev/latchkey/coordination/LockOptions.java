package dev.latchkey.coordination;

import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What the builder of a lock was told. */
record LockOptions(long leaseNanos, @Nullable Consumer<LockLostException> onLost) {
    static final LockOptions NONE = new LockOptions(0, null);

    LockOptions withLease(Duration lease) {
        return new LockOptions(nanos(lease), onLost);
    }

    LockOptions withOnLost(Consumer<LockLostException> listener) {
        return new LockOptions(leaseNanos, listener);
    }

    /** A lease of 292 years and more has no end. */
    static long nanos(Duration lease) {
        if (lease.isZero() || lease.isNegative()) {
            throw new IllegalArgumentException("lease must be positive, was " + lease);
        }
        return lease.compareTo(Duration.ofNanos(Long.MAX_VALUE / 4)) > 0 ? Long.MAX_VALUE / 4 : lease.toNanos();
    }
}

package dev.latchkey.coordination;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A lock or permit is no longer held by whoever took it: it was forced open, its lease is over, the session was marked dead while
 * the process lived, or the cache was closed. What was done under it may have overlapped with the next holder; a write guarded by {@code runFenced} did not happen.
 */
public final class LockLostException extends IllegalMonitorStateException {
    private static final long serialVersionUID = 1L;

    /** The token of the grant that was lost. */
    private final long token;

    /** Who holds the lock now; not serialised. */
    private final transient @Nullable Holder holder;

    LockLostException(Cohort cohort, long token, Optional<Holder> holder) {
        super(cohort.kind().title() + " '" + cohort.name() + "' with token " + token + " was lost; "
                + holder.map(now -> "holder: " + now).orElse("nobody is known to hold it"));
        this.token = token;
        this.holder = holder.orElse(null);
    }

    /**
     * Which grant was lost.
     *
     * @return its fencing token
     */
    public long token() {
        return token;
    }

    /**
     * Who held the lock when this was found out.
     *
     * @return the holder, if any
     */
    public Optional<Holder> holder() {
        return Optional.ofNullable(holder);
    }
}

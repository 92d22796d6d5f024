package dev.latchkey.cache.spi;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** This process's life in a directory, as others see it: grants belong to it and are gone with it. */
public final class Session {
    /** One count for all sessions of this process, so that grants of an earlier one are not mistaken for a later one's. */
    private static final AtomicLong GRANTS = new AtomicLong();

    private final long id;
    private final AtomicBoolean lost = new AtomicBoolean();

    /**
     * A session that has been opened.
     *
     * @param id its random number, never used again
     */
    public Session(long id) {
        this.id = id;
    }

    /**
     * Its number.
     *
     * @return the number that state rows name
     */
    public long id() {
        return id;
    }

    /**
     * A number for the next grant to this session.
     *
     * @return greater than every earlier one of this process
     */
    public long nextGrant() {
        return GRANTS.incrementAndGet();
    }

    /**
     * Whether others may have taken what it held.
     *
     * @return true once it is marked dead or was closed
     */
    public boolean isLost() {
        return lost.get();
    }

    /**
     * Notes that it is marked dead or closed.
     *
     * @return true for the first call
     */
    public boolean lose() {
        return lost.compareAndSet(false, true);
    }

    @Override
    public String toString() {
        return "session " + id;
    }
}

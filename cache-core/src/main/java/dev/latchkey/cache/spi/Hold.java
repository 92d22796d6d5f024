package dev.latchkey.cache.spi;

/**
 * What a session holds of a name: a lock, a part of it, or permits.
 *
 * @param session the session it belongs to
 * @param grant the grant within that session
 * @param token the fencing token of the grant
 * @param units how many permits it takes; 1 for a lock
 * @param owner who holds it in words, for people: a thread name
 * @param sinceMillis when it was granted, wall clock, for people
 * @param leaseUntilNanos the instant of the host clock at which it is over, 0 if it has no end
 */
public record Hold(
        long session, long grant, long token, long units, String owner, long sinceMillis, long leaseUntilNanos) {
    /**
     * The same hold with another token.
     *
     * @param other the token
     * @return the changed copy
     */
    public Hold withToken(long other) {
        return new Hold(session, grant, other, units, owner, sinceMillis, leaseUntilNanos);
    }

    /**
     * The same hold with another number of permits.
     *
     * @param number how many
     * @return the changed copy
     */
    public Hold withUnits(long number) {
        return new Hold(session, grant, token, number, owner, sinceMillis, leaseUntilNanos);
    }

    /**
     * The same hold with another end.
     *
     * @param untilNanos the instant of the host clock
     * @return the changed copy
     */
    public Hold withLease(long untilNanos) {
        return new Hold(session, grant, token, units, owner, sinceMillis, untilNanos);
    }
}

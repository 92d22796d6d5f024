package dev.latchkey.cache.spi;

/**
 * The stored state of one name: one row, readable by people, compared by version.
 *
 * @param kind what the name is used as, for example {@code lock}
 * @param name the name
 * @param version grows with every write of the row; 0 when there is no row
 * @param session the session that holds it, 0 when nobody does
 * @param grant the grant within that session, 0 when nobody holds it
 * @param token the last fencing token handed out; the store raises it above the directory's floor when it is granted
 * @param owner who holds it in words, for people: a thread name
 * @param sinceMillis when the grant was made, wall clock, for people
 * @param line the sessions that wait, in order, in the notation of the primitive
 * @param detail whatever else the primitive stores, in its notation
 */
public record State(
        String kind,
        String name,
        long version,
        long session,
        long grant,
        long token,
        String owner,
        long sinceMillis,
        String line,
        String detail) {

    /**
     * The state of a name that has no row.
     *
     * @param kind what the name will be used as
     * @param name the name
     * @param tokenFloor the directory's token floor
     * @return version 0, held by nobody
     */
    public static State absent(String kind, String name, long tokenFloor) {
        return new State(kind, name, 0, 0, 0, tokenFloor, "", 0, "", "");
    }

    /**
     * The same state with another token.
     *
     * @param raised the token
     * @return the changed copy
     */
    public State withToken(long raised) {
        return new State(kind, name, version, session, grant, raised, owner, sinceMillis, line, detail);
    }

    /**
     * Whether there is a row.
     *
     * @return false for a name never used or swept
     */
    public boolean exists() {
        return version > 0;
    }
}

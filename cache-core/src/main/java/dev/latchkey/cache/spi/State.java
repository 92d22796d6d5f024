package dev.latchkey.cache.spi;

import java.util.List;

/**
 * The stored state of one name, readable by people, compared by version.
 *
 * @param kind what the name is used as, for example {@code lock}
 * @param name the name
 * @param version grows with every write; 0 when nothing is stored
 * @param token the last fencing token handed out; the store raises it above the directory's floor when something is granted
 * @param holds what is held, and by whom, in the order of their grants
 * @param line the sessions that wait, in order, in the notation of the primitive
 * @param detail whatever else the primitive stores, in its notation
 */
public record State(String kind, String name, long version, long token, List<Hold> holds, String line, String detail) {

    /**
     * The state of a name that has nothing stored.
     *
     * @param kind what the name will be used as
     * @param name the name
     * @param tokenFloor the directory's token floor
     * @return version 0, held by nobody
     */
    public static State absent(String kind, String name, long tokenFloor) {
        return new State(kind, name, 0, tokenFloor, List.of(), "", "");
    }

    /**
     * The same state, with a higher token for what was granted last.
     *
     * @param raised the token
     * @return the changed copy
     */
    public State withToken(long raised) {
        List<Hold> renamed = holds.stream()
                .map(hold -> hold.token() == token ? hold.withToken(raised) : hold)
                .toList();
        return new State(kind, name, version, raised, renamed, line, detail);
    }

    /**
     * The same state with another version.
     *
     * @param stored the version
     * @return the changed copy
     */
    public State withVersion(long stored) {
        return new State(kind, name, stored, token, holds, line, detail);
    }

    /**
     * The same state with another detail.
     *
     * @param other what else the primitive stores
     * @return the changed copy
     */
    public State withDetail(String other) {
        return new State(kind, name, version, token, holds, line, other);
    }

    /**
     * Whether something is stored.
     *
     * @return false for a name never used or swept
     */
    public boolean exists() {
        return version > 0;
    }
}

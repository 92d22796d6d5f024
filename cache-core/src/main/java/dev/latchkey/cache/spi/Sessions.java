package dev.latchkey.cache.spi;

import java.util.List;
import java.util.Optional;

/** Who is alive. */
public interface Sessions {
    /**
     * This process's session, opened when it is first needed, and anew after it was lost.
     *
     * @param deadline how long to wait for the database
     * @return the session
     */
    Session self(Deadline deadline);

    /**
     * Asks the kernel whether the process of a session is gone. Final once true; errors count as alive; this process's own
     * session is alive.
     *
     * @param session a session
     * @return true if it is dead
     */
    boolean isDead(long session);

    /**
     * What a session said about itself when it was opened, for people.
     *
     * @param session a session
     * @param deadline how long to wait for the database
     * @return its description, if its row is still there
     */
    Optional<SessionInfo> describe(long session, Deadline deadline);

    /**
     * What all sessions said about themselves, whether they live or not.
     *
     * @param deadline how long to wait for the database
     * @return those whose rows are still there, oldest first
     */
    List<SessionInfo> list(Deadline deadline);

    /**
     * Is told, on an engine thread, when this process's session was lost.
     *
     * @param listener called once for each lost session
     */
    void onLost(java.util.function.Consumer<Session> listener);
}

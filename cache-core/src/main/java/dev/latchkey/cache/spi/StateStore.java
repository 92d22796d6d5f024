package dev.latchkey.cache.spi;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One state per name, changed atomically. Every call joins the calling thread's transaction if it has one, and then its
 * effects outside the database happen after the outermost commit or not at all.
 */
public interface StateStore {
    /**
     * Applies a transition and commits what it decides. Nothing is written when the stored state decides that there is
     * nothing to write.
     *
     * @param <R> what the caller learns
     * @param kind what the name is used as
     * @param name the name
     * @param remembered the state as this process saw it last, tried first; null to read it
     * @param transition the rule
     * @param deadline how long to wait for the database
     * @return the state after the commit and the answer
     * @throws WrongKindException if the name is in use as something else
     * @throws SessionLostException if the decision grants something to a session that is marked dead
     */
    <R> Update<R> update(
            String kind, String name, @Nullable State remembered, Transition<R> transition, Deadline deadline);

    /**
     * Reads the state of a name.
     *
     * @param kind what the name is used as
     * @param name the name
     * @param deadline how long to wait for the database
     * @return the stored state, or an absent one
     * @throws WrongKindException if the name is in use as something else
     */
    State read(String kind, String name, Deadline deadline);

    /**
     * Whether a name still has the state that this process saw last; much cheaper than reading it again.
     *
     * @param remembered the state as it was read or stored
     * @param deadline how long to wait for the database
     * @return true if nobody has written it since
     */
    boolean isUnchanged(State remembered, Deadline deadline);

    /**
     * Lists all names of a kind, ordered by name.
     *
     * @param kind what the names are used as
     * @param deadline how long to wait for the database
     * @return their states
     */
    List<State> list(String kind, Deadline deadline);

    /**
     * Lists all names, whatever they are used as, ordered by name and as they were at one moment.
     *
     * @param deadline how long to wait for the database
     * @return their states
     */
    List<State> listAll(Deadline deadline);

    /**
     * Reads the state of a name, whatever it is used as.
     *
     * @param name the name
     * @param deadline how long to wait for the database
     * @return the stored state, if there is one
     */
    Optional<State> find(String name, Deadline deadline);

    /**
     * Runs work on states and items in one write transaction, together with other callers' work. The work is a pure
     * function of the database: if the common commit fails it is run again alone.
     *
     * @param <R> what the work returns
     * @param work what to do
     * @param deadline how long to wait for the database
     * @return what the work returned, after the commit
     */
    <R> R write(Function<StoreTransaction, R> work, Deadline deadline);

    /**
     * Runs reading work on a consistent snapshot.
     *
     * @param <R> what the work returns
     * @param work what to read; must not write
     * @param deadline how long to wait for the database
     * @return what the work returned
     */
    <R> R query(Function<ItemStore, R> work, Deadline deadline);

    /**
     * Runs a single reading call, which sees one moment by itself; cheaper than {@link #query}.
     *
     * @param <R> what the call returns
     * @param call what to read
     * @param deadline how long to wait for the database
     * @return what the call returned
     */
    <R> R ask(Function<ItemStore, R> call, Deadline deadline);

    /**
     * Whether the calling thread is inside a transaction that a call would join.
     *
     * @return true inside {@code transact}
     */
    boolean inTransaction();

    /**
     * Runs an action after the calling thread's transaction has committed, or at once if it has none; never if the
     * transaction is rolled back.
     *
     * @param action what to do
     */
    void afterCommit(Runnable action);

    /**
     * Runs an action after the calling thread's transaction was rolled back; never if it commits, or if there is none.
     *
     * @param action what to do, outside any transaction
     */
    void afterRollback(Runnable action);
}

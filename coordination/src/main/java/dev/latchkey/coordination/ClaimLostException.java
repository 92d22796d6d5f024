package dev.latchkey.coordination;

/** A claimed item was given to somebody else meanwhile, so this claim can neither acknowledge it nor give it back. */
public final class ClaimLostException extends CoordinationException {
    private static final long serialVersionUID = 1L;

    /**
     * A claim that is over.
     *
     * @param queue the queue
     * @param id the item
     */
    ClaimLostException(String queue, long id) {
        super("item " + id + " of queue '" + queue
                + "' is no longer claimed by this claim: it was acknowledged, given back,"
                + " or redelivered because this session was taken for dead");
    }
}

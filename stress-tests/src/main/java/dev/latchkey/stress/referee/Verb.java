package dev.latchkey.stress.referee;

/** What can be said to the referee, and which words follow. */
public enum Verb {
    /** {@code HELLO <process>}: the first line of each connection, whose process it is. */
    HELLO(2),
    /** {@code ENTER <place> <token>}: the connection holds the place; said after it was acquired. */
    ENTER(3),
    /**
     * {@code LEASE <place> <token>}: the connection holds the place until a time that nobody tells; others may hold it before that is
     * heard, but not with a smaller token.
     */
    LEASE(3),
    /** {@code EXIT <place> <token>}: the hold ends; said before it is released. */
    EXIT(3),
    /** {@code GONE <place> <token>}: nobody may hold the place again, and the hold ends; said after it is so. */
    GONE(3),
    /** {@code ONCE <place> <value>}: a value that is given out once. */
    ONCE(3),
    /** {@code REVOKE <place> <token>}: the hold with that token is about to be taken away by force. */
    REVOKE(3),
    /** {@code CONDEMN <process>}: the process is about to be killed. */
    CONDEMN(2),
    /** {@code END}: all has been said; only the controller may say so. */
    END(1);

    private final int words;

    Verb(int words) {
        this.words = words;
    }

    /** How many words a request has, with the verb. */
    int words() {
        return words;
    }
}

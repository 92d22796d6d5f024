package dev.latchkey.coordination;

import dev.latchkey.cache.spi.State;
import java.util.Optional;

/** What a name that can be held is used as. All follow the same rules, see {@link Turns}; they differ in how many permits there are. */
enum Kind {
    LOCK("lock", "lock", 1),
    RLOCK("rlock", "reentrant lock", 1),
    LEADER("leader", "leader election", 1),
    /** A reader takes one permit, a writer all. */
    READ_WRITE("rwlock", "read-write lock", Integer.MAX_VALUE),
    /** Its permits stand in the detail of its state. */
    SEMAPHORE("semaphore", "semaphore", 0);

    private static final Kind[] ALL = values();
    private static final String PERMITS = "permits=";

    private final String word;
    private final String title;
    private final long permits;

    Kind(String word, String title, long permits) {
        this.word = word;
        this.title = title;
        this.permits = permits;
    }

    /** How it is stored. */
    String word() {
        return word;
    }

    /** How people call it. */
    String title() {
        return title;
    }

    /** Whether there is one permit, so that a holder and the next one never hold together. */
    boolean isExclusive() {
        return permits == 1;
    }

    /** Whether a thread may hold it several times, so that it has to release it as often. */
    boolean isReentrant() {
        return this == RLOCK || this == READ_WRITE;
    }

    /** How many permits a name of this kind has. */
    long permits(State state) {
        return permits != 0
                ? permits
                : state.detail().startsWith(PERMITS)
                        ? Long.parseLong(state.detail().substring(PERMITS.length()))
                        : 0;
    }

    /** The detail of a semaphore. */
    static String permitsDetail(long permits) {
        return PERMITS + permits;
    }

    static Kind of(String word) {
        return find(word)
                .orElseThrow(() -> new IllegalArgumentException("nothing that can be held is a '" + word + "'"));
    }

    /** The kind that is stored so, if it is one of what can be held. */
    static Optional<Kind> find(String word) {
        for (Kind kind : ALL) {
            if (kind.word.equals(word)) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }
}

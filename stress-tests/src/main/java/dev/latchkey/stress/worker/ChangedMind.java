package dev.latchkey.stress.worker;

/** Not an error: a transaction that is to be rolled back. */
final class ChangedMind extends RuntimeException {
    private static final long serialVersionUID = 1;
}

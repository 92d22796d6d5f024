package dev.latchkey.coordination;

/**
 * What a thread asks for.
 *
 * @param units how many permits; 1 for a lock
 * @param leaseNanos how long it may be held, 0 for as long as the process lives
 * @param ownedByThread whether it becomes the thread's; otherwise it belongs to a handle
 * @param waiter the entry among the lock's conditions that ends with the grant, 0 if there is none
 */
record Want(long units, long leaseNanos, boolean ownedByThread, long waiter) {
    static Want ofThread(long units, long leaseNanos) {
        return new Want(units, leaseNanos, true, 0);
    }

    static Want ofHandle(long units, long leaseNanos) {
        return new Want(units, leaseNanos, false, 0);
    }
}

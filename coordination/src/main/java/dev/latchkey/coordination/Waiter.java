package dev.latchkey.coordination;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A thread of this process that asks for a name, or somebody whom no thread waits for. Its fields belong to its queue's mutex. */
final class Waiter {
    final Want want;
    final String owner;
    final @Nullable Thread thread;
    final Runnable wake;
    final Runnable turnAway;
    /** It makes one attempt and takes over no place in the line. */
    boolean tries;
    /** It stands in line by now, so that nobody behind it here can expect a turn soon. */
    volatile boolean inLine;

    boolean gone;

    @Nullable
    Grant grant;

    /** The current thread. */
    Waiter(Want want) {
        Thread current = Thread.currentThread();
        this.want = want;
        this.owner = current.getName();
        this.thread = want.ownedByThread() ? current : null;
        this.wake = () -> LockSupport.unpark(current);
        this.turnAway = wake;
    }

    /** Somebody who is woken, and told that the engine is closed, in another way. */
    Waiter(Want want, Runnable wake, Runnable turnAway) {
        this.want = want;
        this.owner = Thread.currentThread().getName();
        this.thread = null;
        this.wake = wake;
        this.turnAway = turnAway;
    }
}

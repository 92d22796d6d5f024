package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Session;
import org.jspecify.annotations.Nullable;

/** One acquisition: what was granted to which session, and the thread that owns it, if it belongs to one. */
final class Grant {
    final Session session;
    final long id;
    final long token;
    /** Null when it belongs to a handle, which any thread may close. */
    final @Nullable Thread thread;
    /** Set before its release is written: from then on a row that no longer names it says nothing. */
    volatile boolean releasing;

    Grant(Session session, long id, long token, @Nullable Thread thread) {
        this.session = session;
        this.id = id;
        this.token = token;
        this.thread = thread;
    }

    boolean isOwnedByCurrentThread() {
        return thread == Thread.currentThread();
    }
}

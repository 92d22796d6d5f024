package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;

/** The write lock keeps the contract of all locks; a reader excludes it. */
class WriteLockTest extends FencedLockContract {
    @Override
    Holdable what() {
        return Holdable.WRITE;
    }

    @Override
    FencedLock lock(Cache of, String name) {
        return new ReadWriteLock(of, name).writeLock();
    }

    @Override
    boolean isReentrant() {
        return true;
    }
}

package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;

/** The read lock keeps the contract of all locks; a writer excludes it. */
class ReadLockTest extends FencedLockContract {
    @Override
    Holdable what() {
        return Holdable.READ;
    }

    @Override
    FencedLock lock(Cache of, String name) {
        return new ReadWriteLock(of, name).readLock();
    }

    @Override
    FencedLock exclusive(Cache of, String name) {
        return new ReadWriteLock(of, name).writeLock();
    }

    @Override
    boolean isReentrant() {
        return true;
    }
}

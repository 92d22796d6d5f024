package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;

/** The lock keeps the contract of all locks. */
class LockContractTest extends FencedLockContract {
    @Override
    Holdable what() {
        return Holdable.LOCK;
    }

    @Override
    FencedLock lock(Cache of, String name) {
        return new Lock(of, name);
    }

    @Override
    boolean isReentrant() {
        return false;
    }
}

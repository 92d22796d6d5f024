package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Lock;

/** The lock of several names keeps the contract of all locks; whoever has one of the names excludes it. */
class MultiLockContractTest extends LockContract {
    @Override
    Holdable what() {
        return Holdable.MULTILOCK;
    }

    @Override
    Lock lock(Cache of, String name) {
        return new MultiLock(of, List.of(name, name + " and more"));
    }

    @Override
    Lock exclusive(Cache of, String name) {
        return new MultiLock(of, List.of(name, name + " for others"));
    }

    /** Whoever holds a part of the names is in the way as well. */
    @Override
    Opponent newOpponent() {
        return new Opponent.Here(Holdable.LOCK, () -> cache);
    }

    @Override
    void awaitNoResidue() {
        awaitNoResidue(cache, Kind.LOCK, "a");
        awaitNoResidue(cache, Kind.LOCK, "a and more");
    }

    @Override
    boolean tryLock(Lock on, Duration duration) throws InterruptedException {
        return ((MultiLock) on).tryLock(duration);
    }

    @Override
    boolean isHeldByCurrentThread(Lock of) {
        return ((MultiLock) of).isHeldByCurrentThread();
    }

    @Override
    boolean isReentrant() {
        return false;
    }
}

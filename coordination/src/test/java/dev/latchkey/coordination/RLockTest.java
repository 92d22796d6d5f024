package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import org.junit.jupiter.api.Test;

/** The reentrant lock keeps the contract of all locks, and counts. */
class RLockTest extends FencedLockContract {
    @Override
    Holdable what() {
        return Holdable.RLOCK;
    }

    @Override
    RLock lock(Cache of, String name) {
        return new RLock(of, name);
    }

    @Override
    boolean isReentrant() {
        return true;
    }

    @Test
    void itCountsPerThread() throws Exception {
        RLock counted = lock(cache, "counted");
        assertEquals(0, counted.getHoldCount());
        counted.lock();
        counted.lock();
        assertEquals(2, counted.getHoldCount());
        assertEquals(0, elsewhere(counted::getHoldCount));
        counted.unlock();
        assertEquals(1, counted.getHoldCount());
        assertTrue(counted.isLocked());
        counted.unlock();
        assertEquals(0, counted.getHoldCount());
    }

    @Test
    void aLockAndAReentrantLockAreTwoKinds() {
        lock.lock();
        assertThrows(NameInUseException.class, () -> new Lock(cache, "a").lock());
        assertThrows(
                NameInUseException.class,
                () -> new ReadWriteLock(cache, "a").readLock().lock());
        lock.unlock();
        assertThrows(NameInUseException.class, () -> new Lock(cache, "a").tryLock(), "also when it is free");
    }
}

package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Permits are acquired by the contract of all that can be, one or more of them; the opponent takes all three. */
class BoundedSemaphoreContractTest extends AcquiringContract {
    private BoundedSemaphore semaphore;

    @Override
    Holdable what() {
        return Holdable.PERMIT;
    }

    @Override
    void use(Cache of) {
        semaphore = new BoundedSemaphore(of, "a", Holdable.PERMITS_OF_ALL);
    }

    private @Nullable Runnable releasing(int permits, boolean acquired) {
        return acquired ? () -> semaphore.release(permits) : null;
    }

    @Override
    Map<String, Way> endlessWays() {
        Map<String, Way> ways = new LinkedHashMap<>();
        ways.put("acquire", () -> {
            semaphore.acquire();
            return semaphore::release;
        });
        ways.put("acquire(2)", () -> {
            semaphore.acquire(2);
            return () -> semaphore.release(2);
        });
        ways.put("acquirePermit", () -> closing(semaphore.acquirePermit()));
        ways.put("acquirePermit(3)", () -> closing(semaphore.acquirePermit(3)));
        return ways;
    }

    @Override
    Map<String, Way> uninterruptibleWays() {
        return Map.of("acquireUninterruptibly", () -> {
            semaphore.acquireUninterruptibly();
            return semaphore::release;
        });
    }

    @Override
    Map<String, TimedWay> timedWays() {
        Map<String, TimedWay> ways = new LinkedHashMap<>();
        ways.put("tryAcquire(Duration)", limit -> releasing(1, semaphore.tryAcquire(limit)));
        ways.put("tryAcquire(2, Duration)", limit -> releasing(2, semaphore.tryAcquire(2, limit)));
        ways.put(
                "tryAcquire(time, unit)",
                limit -> releasing(1, semaphore.tryAcquire(LockContract.nanos(limit), TimeUnit.NANOSECONDS)));
        ways.put("tryAcquirePermit(3, Duration)", limit -> semaphore
                .tryAcquirePermit(3, limit)
                .map(AcquiringContract::closing)
                .orElse(null));
        return ways;
    }

    @Override
    Map<String, AsyncWay> asyncWays() {
        return Map.of("acquirePermitAsync", () -> semaphore.acquirePermitAsync());
    }

    @Override
    Map<String, Way> attempts() {
        Map<String, Way> ways = new LinkedHashMap<>();
        ways.put("tryAcquire", () -> releasing(1, semaphore.tryAcquire()));
        ways.put("tryAcquirePermit", () -> semaphore
                .tryAcquirePermit()
                .map(AcquiringContract::closing)
                .orElse(null));
        return ways;
    }

    @Override
    void awaitNoResidue() {
        awaitNoResidue(cache, Kind.SEMAPHORE, "a");
    }

    @Test
    void whoHoldsLessReleasesNothing() throws Exception {
        assertThrows(IllegalMonitorStateException.class, semaphore::release);
        semaphore.acquire();
        assertThrows(IllegalMonitorStateException.class, () -> semaphore.release(2));
        assertThrows(IllegalMonitorStateException.class, opponent::releaseOfOthers);
        assertEquals(2, semaphore.availablePermits());
        semaphore.release();
        opponent.acquire();
        assertEquals(0, semaphore.availablePermits());
        opponent.release();
        assertThrows(IllegalMonitorStateException.class, semaphore::release);
        assertFree("releases in vain");
    }

    @Test
    void aPermitIsClosedTwiceAndFreesNobodyElses() throws Exception {
        Permit permit = semaphore.acquirePermit(2);
        permit.close();
        assertFalse(permit.isValid());
        opponent.acquire();
        permit.close();
        assertEquals(0, semaphore.availablePermits());
        assertThrows(IllegalMonitorStateException.class, permit::verify);
        opponent.release();
        assertFree("two closes");
    }

    @Test
    void aLateReleaseAfterALossFreesNobodyElses() throws Exception {
        Permit permit = semaphore.acquirePermit(2);
        assertTrue(Inspector.of(cache).forceRelease("a", permit.fencingToken()));
        semaphore.acquire();
        long token = semaphore.holders().get(0).token();
        assertTrue(Inspector.of(cache).forceRelease("a", token));
        opponent.acquire();
        permit.close();
        assertEquals(
                token, assertThrows(LockLostException.class, semaphore::release).token());
        assertEquals(0, semaphore.availablePermits());
        opponent.release();
        assertFree("late releases");
    }

    @Test
    void anotherNumberIsRefusedWithBothAndTheWayOut() throws Exception {
        opponent.makeSemaphore("b", 5);
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> new BoundedSemaphore(cache, "b", 4));
        assertTrue(
                refused.getMessage().contains("has 5 permits, not 4")
                        && refused.getMessage().contains("resize"),
                refused.getMessage());
        assertEquals(5, new BoundedSemaphore(cache, "b", 5).availablePermits());
    }

    @Test
    void anotherKindsNameIsRefused() throws Exception {
        opponent.makeQueue("q");
        NameInUseException refused = assertThrows(NameInUseException.class, () -> new BoundedSemaphore(cache, "q", 1));
        assertTrue(refused.getMessage().contains("'q'"), refused.getMessage());
        assertThrows(NameInUseException.class, () -> new Lock(cache, "a").lock());
    }

    @Test
    void aClosedCacheRefusesWhateverIsAskedOfWhatWasHeld() throws Exception {
        semaphore.acquire();
        Permit permit = semaphore.acquirePermit();
        cache.close();
        assertThrows(CacheClosedException.class, semaphore::release);
        assertFalse(permit.isValid());
        permit.close();
        assertThrows(CacheClosedException.class, semaphore::availablePermits);
    }

    /** Two objects of one name, in two caches on one directory. */
    @Test
    void oneObjectGivesBackWhatTheOtherAcquired() throws Exception {
        try (Cache second = Cache.open(directory.resolve("cache"))) {
            BoundedSemaphore same = new BoundedSemaphore(second, "a", Holdable.PERMITS_OF_ALL);
            semaphore.acquire(2);
            assertEquals(1, same.availablePermits());
            same.release(2);
            assertThrows(IllegalMonitorStateException.class, semaphore::release);
            assertTrue(new BoundedSemaphore(second, "b", 3).tryAcquire(Duration.ZERO), "another name");
        }
        assertFree("the second cache is closed");
    }
}

package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What every lock promises that has handles, tokens and losses as well. */
abstract class FencedLockContract extends LockContract {
    @Override
    abstract FencedLock lock(Cache of, String name);

    private FencedLock subject() {
        return (FencedLock) lock;
    }

    @Override
    boolean tryLock(java.util.concurrent.locks.Lock on, Duration duration) throws InterruptedException {
        return ((FencedLock) on).tryLock(duration);
    }

    @Override
    boolean isHeldByCurrentThread(java.util.concurrent.locks.Lock of) {
        return ((FencedLock) of).isHeldByCurrentThread();
    }

    @Override
    Map<String, Way> endlessWays() {
        Map<String, Way> ways = new LinkedHashMap<>(super.endlessWays());
        ways.put("acquire", () -> closing(subject().acquire()));
        return ways;
    }

    @Override
    Map<String, TimedWay> timedWays() {
        Map<String, TimedWay> ways = super.timedWays();
        ways.put("tryAcquire(Duration)", limit -> subject()
                .tryAcquire(limit)
                .map(AcquiringContract::closing)
                .orElse(null));
        return ways;
    }

    @Override
    Map<String, AsyncWay> asyncWays() {
        return Map.of("acquireAsync", () -> subject().acquireAsync());
    }

    @Override
    Map<String, Way> attempts() {
        Map<String, Way> ways = new LinkedHashMap<>(super.attempts());
        ways.put(
                "tryAcquire",
                () -> subject().tryAcquire().map(AcquiringContract::closing).orElse(null));
        return ways;
    }

    @Override
    void awaitNoResidue() {
        awaitNoResidue(cache, subject().cohort().kind(), "a");
    }

    private State row() {
        return row(cache, subject().cohort().kind(), "a");
    }

    @Test
    void aHandleIsClosedByAnyThreadAndTwiceAndFreesNobodyElse() throws Exception {
        LockHandle first = subject().acquire();
        assertTrue(first.isValid());
        first.verify();
        assertTrue(subject().isLocked());
        assertFalse(subject().isHeldByCurrentThread());
        assertEquals(first.fencingToken(), subject().holder().orElseThrow().token());
        elsewhere(() -> {
            first.close();
            return null;
        });
        assertFalse(first.isValid());
        LockHandle second = subject().tryAcquire(SOON).orElseThrow();
        first.close();
        assertTrue(second.isValid());
        second.verify();
        assertTrue(second.fencingToken() > first.fencingToken());
        assertThrows(IllegalMonitorStateException.class, first::verify);
        assertThrows(IllegalMonitorStateException.class, () -> first.runFenced(() -> cache.incr("n")));
        assertThrows(IllegalMonitorStateException.class, () -> first.renew(SOON));
        assertNull(cache.get("n"));
        second.close();
        assertEquals(List.of(), row().holds());
        opponent.acquire();
        first.close();
        second.close();
        assertFalse(subject().tryLock(), "held by the other");
        opponent.release();
        assertFree("late closes");
    }

    @Test
    void aThreadThatHoldsItCannotWaitForAHandle() {
        lock.lock();
        assertThrows(IllegalMonitorStateException.class, subject()::acquire);
        assertThrows(IllegalMonitorStateException.class, subject()::acquireAsync);
        lock.unlock();
    }

    @Test
    void whatWasForcedOpenIsLostAndItsLateReleaseTakesNothing() throws Exception {
        LinkedBlockingQueue<LockLostException> told = new LinkedBlockingQueue<>();
        LockHandle lost = subject().acquire();
        lost.onLost(told::add);
        assertFalse(subject().forceUnlock(lost.fencingToken() + 1));
        assertTrue(subject().forceUnlock(lost.fencingToken()));
        assertFalse(subject().isLocked());
        LockLostException refused = assertThrows(LockLostException.class, lost::verify);
        assertEquals(lost.fencingToken(), refused.token());
        assertThrows(LockLostException.class, () -> lost.runFenced(() -> cache.incr("n")));
        assertNull(cache.get("n"));
        opponent.acquire();
        lost.close();
        lost.close();
        assertFalse(subject().tryLock(), "held by the other");
        opponent.release();
        LockLostException first = told.poll(20, TimeUnit.SECONDS);
        assertEquals(lost.fencingToken(), first == null ? 0 : first.token());
        assertFree("a late release");
        assertNull(told.poll(), "told twice");
    }

    @Test
    void aThreadWhoseLockWasForcedOpenIsToldAtItsRelease() throws Exception {
        lock.lock();
        long token = subject().fencingToken();
        assertTrue(subject().forceUnlock(token));
        assertThrows(LockLostException.class, () -> subject().runFenced(() -> cache.incr("n")));
        opponent.acquire();
        LockLostException refused = assertThrows(LockLostException.class, lock::unlock);
        assertEquals(token, refused.token());
        assertFalse(subject().isHeldByCurrentThread());
        assertFalse(subject().tryLock(), "held by the other");
        opponent.release();
        assertFree("a late release");
    }

    @Test
    void aHandleClosedInATransactionThatIsRolledBackIsStillOpen() throws Exception {
        LockHandle open = subject().acquire();
        assertThrows(
                IllegalStateException.class,
                () -> cache.transact((Runnable) () -> {
                    open.close();
                    open.close();
                    throw new IllegalStateException("roll back");
                }));
        open.verify();
        cache.transact((Runnable) () -> {
            open.close();
            open.close();
        });
        assertFalse(open.isValid());
        assertEquals(List.of(), row().holds());
    }

    @Test
    void closingTheCacheTellsWhoeverStillHasAHandle() throws Exception {
        LinkedBlockingQueue<LockLostException> told = new LinkedBlockingQueue<>();
        LockHandle open = subject().acquire();
        open.onLost(told::add);
        cache.close();
        LockLostException lost = told.poll(20, TimeUnit.SECONDS);
        assertEquals(open.fencingToken(), lost == null ? 0 : lost.token());
        assertFalse(open.isValid());
        open.close();
        assertThrows(CacheClosedException.class, subject()::acquire);
        assertThrows(CacheClosedException.class, subject()::tryAcquire);
        assertThrows(CacheClosedException.class, subject()::acquireAsync);
        assertThrows(CacheClosedException.class, subject()::isLocked);
        assertThrows(CacheClosedException.class, subject()::holder);
        assertThrows(CacheClosedException.class, subject()::waiters);
        assertThrows(CacheClosedException.class, () -> subject().forceUnlock(1));
    }

    @Test
    void tokensGrowAndAnotherTurnOfItsOwnerKeepsItsToken() {
        long last = 0;
        for (int i = 0; i < 5; i++) {
            lock.lock();
            long token = subject().fencingToken();
            assertTrue(token > last);
            if (isReentrant()) {
                lock.lock();
                assertEquals(token, subject().fencingToken());
                lock.unlock();
            }
            lock.unlock();
            last = token;
        }
    }

    @Test
    void aSessionThatWasTakenForDeadLosesItAndANewOneBegins() throws Exception {
        LinkedBlockingQueue<LockLostException> told = new LinkedBlockingQueue<>();
        LockHandle lost = subject().acquire();
        lost.onLost(told::add);
        long session = row().holds().get(0).session();
        cache.unwrap(CoordinationEngine.class)
                .states()
                .write(
                        tx -> {
                            tx.bury(session);
                            return true;
                        },
                        Deadline.never());
        assertTrue(told.poll(20, TimeUnit.SECONDS) != null);
        assertThrows(LockLostException.class, lost::verify);
        LockHandle next = subject().tryAcquire(SOON).orElseThrow();
        assertTrue(next.fencingToken() > lost.fencingToken());
        next.close();
    }

    @Test
    void manyAttemptsThatEndAnyhowLeaveNothing() throws Exception {
        for (int i = 0; i < 20; i++) {
            opponent.acquire();
            Future<?> first = attempt(Duration.ofMillis(i));
            Future<?> second = attempt(Duration.ofMillis(3));
            opponent.release();
            get(first);
            get(second);
        }
        awaitNoResidue();
    }

    private Future<?> attempt(Duration limit) {
        return threads.submit(() -> {
            if (subject().tryLock(limit)) {
                lock.unlock();
            }
            return null;
        });
    }
}

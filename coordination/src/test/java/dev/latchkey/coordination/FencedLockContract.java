package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
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
    private LockHandle handle;

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
    Map<String, Way> interruptibleWays() {
        Map<String, Way> ways = new LinkedHashMap<>(super.interruptibleWays());
        ways.put("acquire", () -> {
            handle = subject().acquire();
            return true;
        });
        ways.put("tryAcquire(Duration)", () -> {
            handle = subject().tryAcquire(SOON).orElse(null);
            return handle != null;
        });
        return ways;
    }

    @Override
    void giveBack() {
        if (handle != null) {
            handle.close();
            handle = null;
        } else {
            lock.unlock();
        }
    }

    State row() {
        String kind = subject().cohort().kind().word();
        return cache.unwrap(CoordinationEngine.class).states().read(kind, "a", Deadline.never());
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
        LockHandle second = subject().tryAcquire().orElseThrow();
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
    }

    @Test
    void aHandleThatIsNotToBeHadInTimeIsNone() throws Exception {
        block();
        assertTrue(subject().tryAcquire().isEmpty());
        assertTrue(subject().tryAcquire(Duration.ofMillis(50)).isEmpty());
        assertTrue(subject().tryAcquire(Duration.ofMillis(-50)).isEmpty());
        assertEquals("", row().line());
        unblock();
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
        LockHandle next = subject().tryAcquire(SOON).orElseThrow();
        lost.close();
        next.verify();
        LockLostException first = told.poll(20, TimeUnit.SECONDS);
        assertEquals(lost.fencingToken(), first == null ? 0 : first.token());
        next.close();
        assertNull(told.poll(), "told twice");
    }

    @Test
    void aThreadWhoseLockWasForcedOpenIsToldAtItsRelease() throws Exception {
        lock.lock();
        long token = subject().fencingToken();
        assertTrue(subject().forceUnlock(token));
        assertThrows(LockLostException.class, () -> subject().runFenced(() -> cache.incr("n")));
        LockLostException refused = assertThrows(LockLostException.class, lock::unlock);
        assertEquals(token, refused.token());
        assertFalse(subject().isHeldByCurrentThread());
        assertTrue(elsewhere(() -> subject().tryLock(SOON)));
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
            block();
            Waiter first = new Waiter(() -> subject().tryLock(Duration.ofMillis(61)));
            Future<?> second = threads.submit(() -> {
                if (subject().tryLock(Duration.ofMillis(3))) {
                    lock.unlock();
                }
                return null;
            });
            unblock();
            get(first.future);
            get(second);
        }
        await().atMost(SOON).until(() -> row().holds().isEmpty() && row().line().isEmpty());
    }
}

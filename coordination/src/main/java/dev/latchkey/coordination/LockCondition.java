package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.coordination.ConditionWaits.Woken;
import dev.latchkey.coordination.Turns.Awaiting;
import java.time.Duration;
import java.util.Date;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/** A condition of a lock, for the threads of all processes. */
final class LockCondition implements Condition {
    private final FencedLock lock;
    private final String name;

    LockCondition(FencedLock lock, String name) {
        this.lock = lock;
        this.name = name;
    }

    @Override
    public void await() throws InterruptedException {
        stayInterruptibly(Deadline.never());
    }

    @Override
    public void awaitUninterruptibly() {
        stay(Deadline.never());
    }

    @Override
    public long awaitNanos(long nanosTimeout) throws InterruptedException {
        long start = System.nanoTime();
        stayInterruptibly(Deadline.after(Duration.ofNanos(nanosTimeout)));
        long left = nanosTimeout - (System.nanoTime() - start);
        return left <= nanosTimeout ? left : Long.MIN_VALUE;
    }

    @Override
    public boolean await(long time, TimeUnit unit) throws InterruptedException {
        return stayInterruptibly(Deadline.after(Duration.ofNanos(unit.toNanos(time))));
    }

    @Override
    @SuppressWarnings("JavaUtilDate") // the interface is as old as that
    public boolean awaitUntil(Date deadline) throws InterruptedException {
        return stayInterruptibly(
                Deadline.after(Duration.ofMillis(deadline.getTime()).minusMillis(System.currentTimeMillis())));
    }

    /** Whether it ended before the deadline. */
    private boolean stayInterruptibly(Deadline deadline) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Woken woken = stay(deadline.interruptibly());
        if (woken == Woken.INTERRUPTED) {
            throw new InterruptedException();
        }
        return woken == Woken.SIGNALLED;
    }

    private Woken stay(Deadline deadline) {
        Grant grant = requireHeld();
        Cohort cohort = lock.cohort();
        if (cohort.row.isInTransaction()) {
            throw new IllegalStateException("waiting for a condition of " + lock
                    + " inside a transaction would keep everybody else from signalling it");
        }
        lock.refuseToWaitFor(grant);
        long waiter = grant.session.nextGrant();
        cohort.conditions.begin(waiter);
        try {
            return stay(grant, waiter, deadline);
        } finally {
            cohort.conditions.end(grant.session, waiter);
        }
    }

    /** However it ends, the lock is held again, unless that is not to be had any more. */
    private Woken stay(Grant grant, long waiter, Deadline deadline) {
        Cohort cohort = lock.cohort();
        Woken woken;
        try {
            boolean held = cohort.release(
                    grant, new Awaiting(name, waiter, Thread.currentThread().getName()), deadline);
            lock.givenUp(grant, held);
            if (!held) {
                throw lock.lost(grant.token);
            }
            woken = cohort.conditions.await(grant.session, waiter, deadline);
        } catch (CacheTimeoutException e) {
            return notBegun(deadline);
        } catch (CacheException e) {
            lock.givenUp(grant, true); // it was final, or is over by now
            lock.reacquire(waiter, grant.count);
            throw e;
        }
        lock.reacquire(waiter, grant.count);
        return woken;
    }

    /** The database was busy all the time: the lock was never given up. */
    private static Woken notBegun(Deadline deadline) {
        return deadline.isInterruptible() && Thread.interrupted() ? Woken.INTERRUPTED : Woken.TIMED_OUT;
    }

    @Override
    public void signal() {
        signal(false);
    }

    @Override
    public void signalAll() {
        signal(true);
    }

    private void signal(boolean all) {
        Grant grant = requireHeld();
        if (!lock.cohort().conditions.signal(grant, name, all, Deadline.never())) {
            throw lock.lost(grant.token);
        }
    }

    private Grant requireHeld() {
        lock.requireOpen();
        return lock.requireHeldByThread();
    }

    @Override
    public String toString() {
        return "Condition[" + name + " of " + lock + "]";
    }
}

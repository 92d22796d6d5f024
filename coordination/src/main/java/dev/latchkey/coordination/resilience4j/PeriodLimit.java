package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.Transition;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.coordination.resilience4j.PeriodState.Configuration;
import dev.latchkey.coordination.resilience4j.PeriodState.Reading;
import dev.latchkey.coordination.resilience4j.PeriodState.Slot;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Fixed periods, as the stock rate limiter has them; the rules are those of {@link PeriodState}. */
final class PeriodLimit implements Limit {
    /** One attempt rides over the commits of others, not over a long transaction. */
    private static final Duration ONE_ATTEMPT = Duration.ofMillis(50);

    private static final Duration CANCEL_PATIENCE = Duration.ofMillis(20);

    private final Cache cache;
    private final StateStore states;
    private final String name;
    private final Configuration configuration;
    private volatile @Nullable State remembered;

    PeriodLimit(Cache cache, String name, Configuration configuration) {
        this.cache = cache;
        this.states = engine().states();
        this.name = name;
        this.configuration = configuration;
        PeriodState unused = update(from -> PeriodState.configure(from, configuration, now()), Deadline.never());
    }

    /** Refuses a cache that is closed. */
    private CoordinationEngine engine() {
        return cache.unwrap(CoordinationEngine.class);
    }

    private Reading now() {
        return Reading.of(engine().clock());
    }

    private <R> R update(Transition<R> transition, Deadline deadline) {
        CoordinationEngine engine = engine();
        Update<R> update =
                states.update(PeriodState.KIND, name, states.inTransaction() ? null : remembered, transition, deadline);
        remembered = states.inTransaction() ? null : update.state(); // it may be rolled back
        engine.requireInPlace();
        return update.result();
    }

    private PeriodState state() {
        return PeriodState.of(read(), configuration, now());
    }

    private State read() {
        State last = states.inTransaction() ? null : remembered;
        if (last != null && states.isUnchanged(last, Deadline.never())) {
            return last;
        }
        State read = states.read(PeriodState.KIND, name, Deadline.never());
        remembered = states.inTransaction() ? null : read;
        return read;
    }

    /** Null if it is too far away, or the database is busy for longer than that. */
    private @Nullable Slot slot(int permits, long nanos, Deadline deadline) {
        try {
            Slot slot = update(from -> PeriodState.reserve(from, configuration, permits, nanos, now()), deadline);
            return slot.granted() ? slot : null;
        } catch (CacheTimeoutException e) {
            return null;
        }
    }

    @Override
    public boolean tryAcquire(int permits) {
        Slot slot = slot(permits, 0, states.inTransaction() ? Deadline.never() : Deadline.after(ONE_ATTEMPT));
        return slot != null;
    }

    @Override
    public boolean acquire(int permits, long nanos) throws InterruptedException {
        if (states.inTransaction()) {
            throw new IllegalStateException("rate limiter '" + name + "' has no permission yet, and waiting for one"
                    + " inside a transaction would keep everybody else from writing; use a time-out of zero");
        }
        Slot slot = slot(permits, nanos, deadline(nanos).interruptibly());
        if (slot == null) {
            return false;
        }
        await(slot);
        return true;
    }

    private static Deadline deadline(long nanos) {
        return Deadline.after(Duration.ofNanos(nanos)).atLeast(ONE_ATTEMPT);
    }

    private void await(Slot slot) throws InterruptedException {
        long left = slot.nanos() - now().nanos();
        while (left > 0) {
            LockSupport.parkNanos(this, left);
            if (Thread.interrupted()) {
                giveBack(slot);
                throw new InterruptedException();
            }
            left = slot.nanos() - now().nanos();
        }
    }

    private void giveBack(Slot slot) {
        try {
            boolean unused = update(
                    from -> PeriodState.cancel(from, configuration, slot, now()), Deadline.after(CANCEL_PATIENCE));
        } catch (CacheException e) {
            // busy or closed: it is wasted, as that of the dead
        }
    }

    @Override
    public long reserve(int permits, long nanos) {
        Slot slot = slot(permits, nanos, deadline(nanos));
        return slot == null ? -1 : Math.max(0, slot.nanos() - now().nanos());
    }

    @Override
    public int drain() {
        return update(from -> PeriodState.drain(from, configuration, now()), Deadline.never());
    }

    @Override
    public int available() {
        return state().available(now());
    }

    @Override
    public int perPeriod() {
        return state().limit();
    }

    @Override
    public void change(int perPeriod) {
        PeriodState unused =
                update(from -> PeriodState.change(from, configuration, perPeriod, now()), Deadline.never());
    }
}

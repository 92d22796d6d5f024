package dev.latchkey.coordination;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.WrongKindException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An acquisition that no thread waits for. It stands in the queue of its cohort like a thread; when it is the first it is tried
 * by the engine's threads, whenever the name was rung, and at each poll. What is granted too late for its future is given back.
 *
 * @param <H> what the future gets: a handle
 */
final class PendingGrant<H> {
    private final Cohort cohort;
    private final Cohorts cohorts;
    private final CoordinationEngine engine;
    private final Waiter waiter;
    private final Function<Grant, H> toHandle;
    private final Consumer<Grant> giveBack;
    private final CompletableFuture<H> future = new CompletableFuture<>();
    /** How many wake-ups there were since the step that is under way began; whoever finds none makes the step. */
    private final AtomicInteger wakeUps = new AtomicInteger();

    private boolean inLine;
    private boolean done;
    private volatile String bell = "";
    private volatile int seen;
    private volatile long dueNanos;

    PendingGrant(Cohort cohort, Cohorts cohorts, Want want, Function<Grant, H> toHandle, Consumer<Grant> giveBack) {
        this.cohort = cohort;
        this.cohorts = cohorts;
        this.engine = cohort.engine();
        this.waiter = new Waiter(want, this::drive, this::turnAway);
        this.toHandle = toHandle;
        this.giveBack = giveBack;
    }

    CompletableFuture<H> start() {
        engine.requireOpen();
        cohort.row.refuseInTransaction();
        var unused = future.whenComplete((handle, failure) -> drive());
        cohort.local.add(waiter);
        drive();
        try {
            engine.requireOpen();
        } catch (CacheException e) {
            turnAway(); // close may have come too early to see it
        }
        return future;
    }

    /** Whether there is a reason to try again. */
    boolean isDue() {
        return engine.signal().seen(bell) != seen || engine.clock().nanos() - dueNanos >= 0;
    }

    /** Makes a step soon, on a thread of the engine; may be called under the cohort's mutex. */
    void drive() {
        if (wakeUps.getAndIncrement() == 0) {
            engine.schedule(this::steps, Duration.ZERO);
        }
    }

    /** Makes a step at once, on this thread of the engine. */
    void driveHere() {
        if (wakeUps.getAndIncrement() == 0) {
            steps();
        }
    }

    private void steps() {
        int before;
        do {
            before = wakeUps.get();
            if (!done) {
                step();
            }
        } while (wakeUps.addAndGet(-before) != 0);
    }

    private void step() {
        if (future.isDone()) {
            abandon();
            return;
        }
        try {
            engine.requireOpen();
            switch (cohort.local.turn(waiter)) {
                case GRANTED -> finish(waiter.grant);
                case FIRST -> contend();
                case WAIT -> {}
            }
        } catch (WrongKindException e) {
            fail(new NameInUseException(e));
        } catch (RuntimeException | Error e) {
            fail(e);
        }
    }

    private void contend() {
        Grant grant = null;
        try {
            Session session = engine.sessions().self(Deadline.after(Cohort.ONE_ATTEMPT));
            bell = Turns.bell(cohort.name(), session.id());
            seen = engine.signal().seen(bell);
            inLine = true;
            grant = cohort.attempt(waiter, session, true, Deadline.after(Cohort.ONE_ATTEMPT));
        } catch (SessionLostException | CacheTimeoutException e) {
            // busy, or the next attempt is made by a new session
        }
        if (grant != null) {
            inLine = false;
            finish(grant);
        } else {
            dueNanos = engine.clock().nanos() + cohort.pollNanos();
            cohorts.watch(this);
        }
    }

    /** User code that depends on the future does not run on the engine's threads. */
    private void finish(@Nullable Grant grant) {
        done = true;
        cohort.leave(waiter);
        if (grant != null) {
            ForkJoinPool.commonPool().execute(() -> {
                if (!future.complete(toHandle.apply(grant))) {
                    giveBack.accept(grant);
                }
            });
        }
    }

    private void abandon() {
        boolean granted = cohort.local.isGrantedBeforeLeaving(waiter);
        Grant grant = waiter.grant;
        end();
        if (granted && grant != null) {
            giveBack.accept(grant);
        }
    }

    private void fail(Throwable cause) {
        abandon();
        ForkJoinPool.commonPool().execute(() -> future.completeExceptionally(cause));
    }

    private void end() {
        done = true;
        if (inLine) {
            inLine = false;
            cohort.keeper.giveUp(); // while it stands in the queue: whoever else does takes over the place in line
        }
        cohort.leave(waiter);
    }

    /** The engine is closed, and its threads with it. */
    private void turnAway() {
        CacheException closed =
                new CacheClosedException("the cache was closed while " + cohort.name() + " was being acquired");
        ForkJoinPool.commonPool().execute(() -> future.completeExceptionally(closed));
    }
}
